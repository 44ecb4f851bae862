"""Copies of frames in NumPy files are videos of nominal times."""

from __future__ import annotations

import numpy as np
import pytest

from memfeat import extractors
from memfeat.errors import NoFramesError, UnreadableError
from memfeat.measure import measure_video
from memfeat.video import open_video


def save(path, array):
    np.save(path, array)
    return path


def frames(count: int = 5) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 48, 64, 3), dtype=np.uint8)


def test_every_frame_as_it_was_kept(tmp_path):
    kept = frames()
    with open_video(save(tmp_path / "clip.npy", kept)) as video:
        header = video.header
        found = [(frame.time, frame.rgb) for frame in video]
    assert (header.width, header.height, header.rate, header.frames, header.container) == (
        64,
        48,
        None,
        5,
        "npy",
    )
    assert [time for time, _ in found] == pytest.approx([k / 25 for k in range(5)])
    assert all(np.array_equal(rgb, pixels) for (_, rgb), pixels in zip(found, kept, strict=True))
    assert video.counts.decoded == 5
    assert not video.counts.damaged


def test_the_content_decides_not_the_name(tmp_path):
    path = save(tmp_path / "x.npy", frames(2)).rename(tmp_path / "clip.mp4")
    with open_video(path) as video:
        assert sum(1 for _ in video) == 2


def test_descriptors_are_those_of_the_frames(tmp_path):
    kept = frames(3)
    names = ["contrast", "hog", "flow", "h264-size"]
    measured = measure_video(save(tmp_path / "c.npy", kept), [extractors.get(name) for name in names])
    assert measured.features["contrast"].arrays["values"].shape == (3,)
    assert measured.features["flow"].arrays["values"].shape == (2,)
    assert measured.features["h264-size"].arrays["values"] > 0


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 8, 8, 3)),
        np.zeros((8, 8, 3), np.uint8),
        np.zeros((4, 3, 8, 8), np.uint8),
        np.array([None, 1], dtype=object),
    ],
)
def test_other_arrays_are_refused(tmp_path, array):
    with pytest.raises(UnreadableError, match=r"clip\.npy: (holds|is no)"):
        open_video(save(tmp_path / "clip.npy", array))


def test_an_array_without_frames_and_a_damaged_one(tmp_path):
    with pytest.raises(NoFramesError, match="holds no frame"):
        open_video(save(tmp_path / "none.npy", frames(0)))
    path = save(tmp_path / "cut.npy", frames())
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(UnreadableError, match="no readable NumPy file"):
        open_video(path)


def test_a_closed_array_gives_no_more_frames(tmp_path):
    video = open_video(save(tmp_path / "c.npy", frames()))
    video.close()
    with pytest.raises(Exception, match="closed"):
        list(video)
