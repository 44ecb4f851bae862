"""Flow per pair, on the stream's own clock, equal to the reference to its noise."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from clips import write_clip, write_frames
from stills import frame_of

from memfeat import extractors
from memfeat.measure import measure_video


def flow(path, name="flow"):
    return measure_video(path, [extractors.get(name)]).features[name].arrays


def test_one_value_per_pair_with_times_and_steps(tmp_path):
    times = [0.0, 0.1, 0.15, 0.4]
    arrays = flow(write_clip(tmp_path / "clip.mp4", frames=4, times=times))
    np.testing.assert_allclose(arrays["times"], times[:-1], atol=1e-3)
    np.testing.assert_allclose(arrays["dt"], np.diff(times), atol=1e-3)
    assert len(arrays["values"]) == 3


def test_equals_opencv_on_the_same_frames(tmp_path):
    pytest.importorskip("cv2.optflow")
    clip = write_clip(tmp_path / "clip.mp4", frames=3, size=(128, 128), options={"crf": "10"})
    ours, theirs = flow(clip)["values"], flow(clip, "flow-opencv")["values"]
    assert theirs.min() > 0.1
    np.testing.assert_allclose(ours, theirs, rtol=5e-3)


def test_a_shift_of_known_size_is_found():
    import skimage.data

    wide = cv2.resize(skimage.data.coffee(), (320, 256), interpolation=cv2.INTER_AREA)
    running = extractors.get("flow").start(None)
    for step in range(3):
        running.add(frame_of(np.ascontiguousarray(wide[:, 3 * step : 3 * step + 256]), time=step / 10))
    arrays = running.finish(None)
    np.testing.assert_allclose(arrays["values"], 3.0, rtol=0.1)
    np.testing.assert_allclose(arrays["dt"], 0.1)


def test_a_still_clip_has_none(tmp_path):
    frames = [np.full((64, 64, 3), 90, np.uint8)] * 4
    assert flow(write_frames(tmp_path / "still.mp4", frames))["values"].max() == 0.0


def test_parameters_are_recorded():
    assert extractors.get("flow").parameters()["epsilon"] == 0.01
    assert extractors.get("flow").parameters()["lambda_"] == 0.15
