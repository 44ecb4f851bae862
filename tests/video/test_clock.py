from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfeat.video.clock import Clock

# What 64-bit ticks of any time base can express, and nonsense.
anything = st.one_of(
    st.none(), st.floats(-1e18, 1e18), st.sampled_from([float("nan"), float("inf"), -float("inf")])
)


@given(st.lists(anything, max_size=30), st.one_of(st.none(), st.floats(1, 240)))
def test_times_always_increase(stated: list[float | None], rate: float | None) -> None:
    clock = Clock(rate)
    times = [clock.read(time) for time in stated]
    assert all(a < b for a, b in itertools.pairwise(times))
    assert clock.repaired == sum(a != b for a, b in zip(stated, times, strict=True))


@given(st.lists(st.floats(-1e6, 1e6), unique=True, max_size=30))
def test_good_times_pass_unchanged(stated: list[float]) -> None:
    clock = Clock(25)
    assert [clock.read(time) for time in sorted(stated)] == sorted(stated)
    assert clock.repaired == 0


@pytest.mark.parametrize(("rate", "step"), [(50, 0.02), (None, 0.04), (0, 0.04)])
def test_without_any_time_frames_follow_at_the_rate(rate: float | None, step: float) -> None:
    clock = Clock(rate)
    assert [clock.read(None) for _ in range(4)] == pytest.approx([0, step, 2 * step, 3 * step])
    assert clock.repaired == 4
    assert clock.end == pytest.approx(4 * step)
