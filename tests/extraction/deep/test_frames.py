"""Every network gets the frames of its selection, from one decode wherever the header tells the truth."""

from __future__ import annotations

import numpy as np
import pytest
from clips import pictures, write_clip, write_empty, write_image
from tiny_networks import TinyClips, TinyImages

from memfeat.errors import EmptyFileError, TooLongError
from memfeat.extraction.deep import frames
from memfeat.extraction.deep.frames import Reading, frames_hint
from memfeat.extractors.flow_torch import FlowTorch
from memfeat.frame_selection import parse_selection
from memfeat.video import open_video
from memfeat.video.reader import Video


class Opener:
    """Counts how often a file is opened; may lie about the number of frames."""

    def __init__(self, said: int | None = -1) -> None:
        self.opened = 0
        self._said = said

    def __call__(self, path) -> Video:
        from dataclasses import replace

        self.opened += 1
        video = open_video(path)
        if self._said != -1:
            video._source.header = replace(video.header, frames=self._said, duration=None)
        return video


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("frames") / "clip.mp4", frames=11, fps=10)


def read(path, *networks, said: int | None = -1):
    opener = Opener(said)
    reading = Reading(path, dict(enumerate(networks)), opener=opener)
    return list(reading), reading, opener


def frames_of(path):
    return [(frame.time, frame.rgb) for frame in open_video(path)]


@pytest.mark.parametrize("text", ["all", "first", "fml", "every3", "3ps", "spread4", "spread30"])
def test_rows_are_the_chosen_frames_prepared(clip, text):
    network = TinyImages(text)
    rows, reading, opener = read(clip, network)
    there = frames_of(clip)
    selection = parse_selection(text)
    if selection.counted:
        wanted = [there[position] for position in selection.positions(len(there))]
    else:
        wanted = list(selection.chosen(there))
    assert [row.time for row in rows] == [time for time, _ in wanted]
    for row, (_, rgb) in zip(rows, wanted, strict=True):
        np.testing.assert_array_equal(row.pixels, network.prepare(rgb))
    assert [row.index for row in rows] == list(range(len(rows)))
    assert reading.rows == {0: len(wanted)}
    assert reading.counts.decoded == 11
    assert opener.opened == 1


@pytest.mark.parametrize("said", [None, 3, 10, 12, 500])
@pytest.mark.parametrize("network", [TinyImages("fml"), TinyImages("spread4"), TinyClips("spread4")])
def test_a_header_that_says_nothing_or_lies_costs_a_second_pass_and_nothing_else(clip, said, network):
    honest, _, _ = read(clip, network)
    rows, reading, opener = read(clip, network, said=said)
    assert opener.opened == 2
    assert [row.time for row in rows] == [row.time for row in honest]
    for row, other in zip(rows, honest, strict=True):
        np.testing.assert_array_equal(row.pixels, other.pixels)
    assert reading.rows == {0: len(honest)}


def test_many_networks_share_one_decode_and_at_most_one_more(clip):
    networks = [TinyImages(), TinyImages("fml"), TinyClips("spread3"), TinyClips("windows5")]
    rows, _, opener = read(clip, *networks, said=None)
    assert opener.opened == 2
    counts = [sum(row.network == place for row in rows) for place in range(4)]
    assert counts == [11, 3, 1, 2]


@pytest.mark.parametrize("window", [12, 16, 40])
def test_a_video_shorter_than_a_window_is_repeated_until_it_is_full(clip, window):
    network = TinyClips(f"windows{window}")
    rows, reading, _ = read(clip, network)
    there = frames_of(clip)
    (row,) = rows
    assert reading.rows == {0: 1}
    assert row.time == pytest.approx((there[0][0] + there[-1][0]) / 2)
    assert row.pixels.shape == (3, window, 16, 16)
    for position in range(window):
        expected = network.prepare(there[position % len(there)][1])
        np.testing.assert_array_equal(row.pixels[:, position], expected)


def test_pairs_are_consecutive_frames_at_the_time_of_the_first(tmp_path):
    times = [0.0, 0.1, 0.15, 0.4]
    path = write_clip(tmp_path / "pairs.mp4", frames=4, times=times)
    rows, reading, _ = read(path, FlowTorch())
    grays = [frame.gray.copy() for frame in open_video(path)]
    assert reading.rows == {0: 3}
    assert [row.index for row in rows] == [0, 1, 2]
    np.testing.assert_allclose([row.time for row in rows], times[:-1], atol=1e-3)
    np.testing.assert_allclose([row.dt for row in rows], np.diff(times), atol=1e-3)
    for row, first, second in zip(rows, grays, grays[1:], strict=False):
        np.testing.assert_array_equal(row.pixels, np.stack([first, second])[None])


def test_a_clip_is_its_frames_in_order_at_its_middle(clip):
    network = TinyClips("windows4")
    rows, _, _ = read(clip, network)
    there = frames_of(clip)
    assert len(rows) == 2  # the last three frames fill no window, and are not the only ones
    for k, row in enumerate(rows):
        part = there[4 * k : 4 * k + 4]
        assert row.time == pytest.approx((part[0][0] + part[-1][0]) / 2)
        assert row.pixels.shape == (3, 4, 16, 16)
        for position, (_, rgb) in enumerate(part):
            np.testing.assert_array_equal(row.pixels[:, position], network.prepare(rgb))


def test_too_few_frames_are_a_reason_and_no_error(clip, tmp_path):
    _, reading, _ = read(write_image(tmp_path / "one.png"), TinyClips(), TinyImages("fml"), FlowTorch())
    assert reading.reasons == dict.fromkeys((0, 2), "needs 2 frames, the file has 1")
    assert reading.rows[1] == 3


def test_a_video_too_long_for_one_clip_is_that_network_s_problem_alone(clip, monkeypatch):
    monkeypatch.setattr(frames, "MAX_CLIP", 8)
    rows, reading, _ = read(
        clip, TinyClips(), TinyClips("windows4"), TinyImages("first"), TinyClips("every2")
    )
    assert set(reading.problems) == {0}
    assert isinstance(reading.problems[0], TooLongError)
    assert "-windows32" in str(reading.problems[0])
    assert sorted({row.network for row in rows}) == [1, 2, 3]


def test_only_prepared_frames_of_the_guess_are_kept(clip, monkeypatch):
    monkeypatch.setattr(frames, "_MOST_KEPT", 3)
    rows, _, opener = read(clip, TinyImages("spread4"))
    assert len(rows) == 4
    assert opener.opened == 2  # more than may be kept: the second pass hands them out one by one


def test_frames_of_another_size_are_a_problem_for_clips_only():
    class Native(TinyClips):
        def prepare(self, rgb):
            return np.ascontiguousarray(rgb.transpose(2, 0, 1))

    clip = frames._Clip(Native())
    clip.add(0.0, Native().prepare(pictures(1, (64, 48))[0]))
    with pytest.raises(frames.UnreadableError, match=r"change from \(48, 64\) to \(32, 64\)"):
        clip.add(0.1, Native().prepare(pictures(1, (64, 32))[0]))


def test_a_file_without_frames_is_an_error_of_its_own(tmp_path):
    with pytest.raises(EmptyFileError):
        read(write_empty(tmp_path / "empty.mp4"), TinyImages())


def test_the_hint_is_the_header_s_count_or_its_duration(clip, tmp_path):
    with open_video(clip) as video:
        assert frames_hint(video.header) == 11
    with open_video(write_clip(tmp_path / "clip.mkv", frames=9, fps=10)) as video:
        assert video.header.frames is None
        assert frames_hint(video.header) in (8, 9, 10)


@pytest.mark.parametrize("said", [-1, None])
@pytest.mark.parametrize("text", ["all", "fml", "spread5", "windows4", "2ps"])
def test_memory_does_not_grow_with_the_length_of_a_video(tmp_path, text, said):
    import tracemalloc

    network = (TinyClips if text == "windows4" else TinyImages)(text, size=48)
    peaks = []
    for frames_in in (40, 400):
        clip = write_clip(tmp_path / f"{frames_in}.mp4", frames=frames_in, size=(48, 48))
        opener = Opener(said)
        tracemalloc.start()
        for _ in Reading(clip, {0: network}, opener=opener):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # A prepared frame has 6,912 bytes: 360 more of them would be 2.5 MB.
    assert peaks[1] < peaks[0] + 100_000, peaks
