"""The HOG descriptor: first frame and mean over time, against scikit-image frame by frame."""

from __future__ import annotations

import numpy as np
import pytest
from clips import write_clip
from references import scikit_image_hog

from memfeat import extractors
from memfeat.errors import UsageError
from memfeat.measure import measure_video
from memfeat.video import Frame, open_video


def measure(images: list[np.ndarray]) -> dict[str, np.ndarray]:
    measurement = extractors.get("hog").start(None)
    for image in images:
        measurement.add(Frame(0, 0.0, rgb=image))
    return measurement.finish(None)


def test_first_and_mean_equal_scikit_image_on_a_clip(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", frames=6, size=(160, 120))
    with open_video(path) as video:
        expected = np.stack([scikit_image_hog(frame.canvas) for frame in video])
    arrays = measure_video(path, [extractors.get("hog")]).features["hog"].arrays
    assert np.abs(arrays["first"] - expected[0]).max() <= 1e-6
    assert np.abs(arrays["mean"] - expected.mean(axis=0)).max() <= 1e-6
    # The clip moves, so that the two could be told apart.
    assert np.abs(expected[0] - expected.mean(axis=0)).max() > 0.01


def test_stores_contiguous_float32(photograph):
    arrays = measure([photograph, photograph[::-1].copy()])
    for name in ("first", "mean"):
        assert arrays[name].shape == (34_596,)
        assert arrays[name].dtype == np.float32
        assert arrays[name].flags.c_contiguous


def test_first_is_the_mean_of_one_frame(photograph):
    arrays = measure([photograph])
    np.testing.assert_array_equal(arrays["first"], arrays["mean"])


def test_the_mean_does_not_drift_over_many_frames(photograph):
    # Added up in float32, three hundred equal values would not.
    arrays = measure([photograph] * 300)
    np.testing.assert_array_equal(arrays["mean"], arrays["first"])


def test_measurements_do_not_share_memory(photograph):
    one = measure([photograph])
    kept = one["first"].copy()
    measure([photograph[:, ::-1].copy()])
    np.testing.assert_array_equal(one["first"], kept)


def test_no_frame_is_an_error():
    with pytest.raises(UsageError, match="at least one frame"):
        measure([])
