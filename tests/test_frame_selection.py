"""Frames are chosen by position and by the stream's own clock."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfeat.errors import UsageError
from memfeat.frame_selection import ALL, FIRST, FrameSelection, parse_selection


def chosen(text: str, times: list[float]) -> list[int]:
    return [frame for _, frame in parse_selection(text).chosen((t, k) for k, t in enumerate(times))]


@pytest.mark.parametrize("text", ["all", "first", "fml", "every9", "1ps", "spread5", "windows16"])
def test_a_suffix_names_its_selection(text):
    assert parse_selection(text).suffix == text


@pytest.mark.parametrize("text", ["", "every", "every0", "0ps", "middle", "-fml", "spread-1", "windows"])
def test_other_words_are_refused(text):
    with pytest.raises(UsageError, match="selects no frames"):
        parse_selection(text)


def test_first_middle_last_are_always_three():
    fml = parse_selection("fml")
    assert fml.positions(1) == [0, 0, 0]
    assert fml.positions(2) == [0, 1, 1]
    assert fml.positions(168) == [0, 84, 167]


def test_every_ninth_of_forty_five_is_five_spread_evenly():
    assert parse_selection("spread5").positions(45) == list(range(0, 45, 9))
    assert chosen("every9", [k / 30 for k in range(45)]) == list(range(0, 45, 9))


@given(total=st.integers(1, 500), n=st.integers(1, 60))
def test_spread_frames_lie_in_order_inside_the_video(total, n):
    positions = FrameSelection("spread", n).positions(total)
    assert len(positions) == n
    assert positions == sorted(positions)
    assert positions[0] == 0
    assert positions[-1] < total
    if total >= n:
        gaps = {b - a for a, b in itertools.pairwise(positions)}
        assert max(gaps, default=1) - min(gaps, default=1) <= 1


@given(rate=st.sampled_from([5.0, 15.0, 23.976, 24.0, 29.97, 30.0, 59.94, 120.0]), seconds=st.integers(1, 7))
def test_one_per_second_at_any_rate(rate, seconds):
    times = [3.0 + k / rate for k in range(int(rate * seconds))]
    found = chosen("1ps", times)
    assert len(found) == -(-len(times) // rate) or len(found) == int(times[-1] - 3.0) + 1
    for k, index in enumerate(found):
        assert times[index] - 3.0 >= k - 1e-6
        assert index == 0 or times[index - 1] - 3.0 < k


def test_a_gap_in_time_gives_no_frame_twice():
    assert chosen("1ps", [0.0, 0.5, 3.2, 3.4, 4.0]) == [0, 2, 4]


def test_all_and_windows_take_every_frame():
    assert chosen("all", [0.0, 0.1, 0.2]) == chosen("windows2", [0.0, 0.1, 0.2]) == [0, 1, 2]


def test_counted_and_timed_selections_are_not_mixed_up():
    with pytest.raises(UsageError, match="no fixed positions"):
        ALL.positions(3)
    with pytest.raises(UsageError, match="no fixed positions"):
        FIRST.positions(0)
    with pytest.raises(UsageError, match="use positions"):
        list(FIRST.chosen([(0.0, 1)]))


def test_a_taker_answers_frame_after_frame_and_knows_the_first():
    takes = FIRST.taker()
    assert [takes(time) for time in (3.0, 4.0, 5.0)] == [True, False, False]
    with pytest.raises(UsageError, match="'fml' needs the number of frames"):
        parse_selection("fml").taker()
