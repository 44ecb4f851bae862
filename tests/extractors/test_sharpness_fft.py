"""The sharpness descriptor: the published formula on the canvas, larger for sharper."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from clips import write_clip

from memfeat import extractors
from memfeat.measure import measure_video
from memfeat.video import Frame, open_video


def published(canvas: np.ndarray) -> float:
    gray = cv2.cvtColor(cv2.resize(canvas, (500, 500), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    spectrum = np.fft.fftshift(np.fft.fft2(gray))
    spectrum[190:310, 190:310] = 0
    return float(np.mean(20 * np.log(np.abs(np.fft.ifft2(np.fft.ifftshift(spectrum))))))


def measure(image: np.ndarray) -> float:
    return extractors.get("sharpness-fft").measure(Frame(0, 0.0, rgb=image))


def test_equals_the_published_formula(photograph):
    assert measure(photograph) == pytest.approx(published(photograph), rel=0, abs=1e-10)


def test_equals_the_published_formula_on_every_frame_of_a_clip(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", frames=4, size=(160, 120))
    with open_video(path) as video:
        expected = [published(frame.canvas) for frame in video]
    values = measure_video(path, [extractors.get("sharpness-fft")]).features["sharpness-fft"].arrays["values"]
    assert values.dtype == np.float64
    assert values == pytest.approx(expected, rel=0, abs=1e-10)


def test_blur_lowers_it(photograph):
    values = [measure(photograph)] + [measure(cv2.GaussianBlur(photograph, (0, 0), s)) for s in (1, 2, 4)]
    assert (np.diff(values) < 0).all()


def test_constant_frames_lie_below_everything(photograph):
    constant = {round(measure(np.full((120, 90, 3), level, np.uint8)), 6) for level in (0, 16, 128, 255)}
    assert constant == {-460.517019}
    faint = np.full((256, 256, 3), 128, np.uint8)
    faint[40, 50] = 129
    assert -460.5 < measure(faint) < measure(cv2.GaussianBlur(photograph, (0, 0), 8))
