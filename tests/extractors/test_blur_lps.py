"""The blur descriptor: the slope of the grey canvas's spectrum, larger for blurrier."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from memfeat import extractors
from memfeat.video import Frame


def measure(image: np.ndarray) -> float:
    return extractors.get("blur-lps").measure(Frame(0, 0.0, rgb=image))


def noise_with_slope(alpha: float, seed: int) -> np.ndarray:
    """A grey picture, 256×256, whose power falls with f^-alpha."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.rfftfreq(256))
    frequency[0, 0] = np.inf
    picture = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((256, 256))) * frequency ** (-alpha / 2))
    levels = np.clip(np.rint(127.5 + 40 * picture / picture.std()), 0, 255).astype(np.uint8)
    return np.dstack([levels] * 3)


@pytest.mark.parametrize("alpha", [1.0, 2.0, 3.0])
def test_recovers_the_slope_of_noise(alpha):
    slopes = [measure(noise_with_slope(alpha, seed)) for seed in range(6)]
    assert np.mean(slopes) == pytest.approx(alpha, abs=0.3)


def test_blur_raises_it_by_the_same_amount_on_every_photograph(photograph):
    sharp = measure(photograph)
    risen = [measure(cv2.GaussianBlur(photograph, (0, 0), sigma)) - sharp for sigma in (1, 2, 4)]
    assert risen == pytest.approx([0.22, 0.86, 3.2], rel=0.15)


def test_looks_at_the_grey_canvas(photograph):
    grey = cv2.cvtColor(photograph, cv2.COLOR_RGB2GRAY)
    assert measure(np.dstack([grey] * 3)) == measure(photograph)


def test_constant_frames_are_blurrier_than_blurred_photographs(photograph):
    constant = [measure(np.full((48, 64, 3), level, np.uint8)) for level in (0, 128, 255)]
    assert constant == pytest.approx([10.0] * 3, abs=1e-9)
    assert measure(cv2.GaussianBlur(photograph, (0, 0), 8)) < 10


def test_disagrees_in_sign_with_sharpness(photograph):
    pictures = [cv2.GaussianBlur(photograph, (0, 0), sigma) for sigma in (0.5, 1, 1.5, 2, 3, 4)]
    sharpness = [extractors.get("sharpness-fft").measure(Frame(0, 0.0, rgb=picture)) for picture in pictures]
    assert np.argsort(sharpness).tolist() == np.argsort([-measure(picture) for picture in pictures]).tolist()
