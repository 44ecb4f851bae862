"""The spectrum's slope against textures of known slope, a plain implementation and the law of blur."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st

from memfeat.errors import DataError, UsageError
from memfeat.kernels.spectrum import BAND, CONSTANT_SLOPE, power_slope

PHOTOGRAPHS = [
    "astronaut", "coffee", "chelsea", "rocket", "camera", "brick", "grass", "gravel", "coins", "moon",
    "retina", "immunohistochemistry", "hubble_deep_field",
]  # fmt: skip


def canvas(picture: np.ndarray) -> np.ndarray:
    small = cv2.resize(picture, (256, 256), interpolation=cv2.INTER_AREA)
    return small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)


def texture(alpha: float, seed: int) -> np.ndarray:
    """A 256×256 piece of a larger random field of power f^-alpha, so that opposite borders do not match."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(768)[:, None], np.fft.rfftfreq(768))
    frequency[0, 0] = np.inf if alpha else 1
    spectrum = np.fft.rfft2(rng.standard_normal((768, 768))) * frequency ** (-alpha / 2)
    piece = np.fft.irfft2(spectrum, s=(768, 768))[:256, :256]
    levels = 127.5 + 40 * (piece - piece.mean()) / piece.std()
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def plain_slope(gray: np.ndarray) -> float:
    """The definition without any economy: full complex transform, one mask per ring, a polynomial fit."""
    height, width = gray.shape
    window = np.outer(np.hanning(height + 1)[:-1], np.hanning(width + 1)[:-1])
    power = np.abs(np.fft.fft2((gray - gray.mean()) * window)) ** 2 / (window**2).sum()
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    edges = BAND[0] * 2 ** (np.arange(7) / 2)
    edges[-1] += 1e-12
    rings = [(frequency >= low) & (frequency < high) for low, high in pairwise(edges)]
    where = [np.log(frequency[ring]).mean() for ring in rings]
    return -float(np.polyfit(where, [np.log(power[ring].mean()) for ring in rings], 1)[0])


@pytest.mark.parametrize("alpha", [0.0, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0])
def test_recovers_the_slope_of_textures(alpha: float) -> None:
    found = np.array([power_slope(texture(alpha, seed)) for seed in range(8)])
    # A single sample scatters by 0.2; so the mean of eight by 0.07.
    assert found.mean() == pytest.approx(alpha, abs=0.25)
    assert np.abs(found - alpha).max() < 0.8


def test_orders_textures_that_differ_by_half_a_power() -> None:
    found = [power_slope(texture(alpha, seed=1)) for alpha in np.arange(0, 4.5, 0.5)]
    assert found == sorted(found)
    assert np.diff(found) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("name", PHOTOGRAPHS[:4])
@pytest.mark.parametrize(("height", "width"), [(256, 256), (128, 200), (301, 255)])
def test_equals_the_plain_definition(name: str, height: int, width: int) -> None:
    gray = cv2.resize(canvas(getattr(skimage.data, name)()), (width, height), interpolation=cv2.INTER_LINEAR)
    assert power_slope(gray) == pytest.approx(plain_slope(gray), abs=1e-9)


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_rises_strictly_with_gaussian_blur(name: str) -> None:
    gray = canvas(getattr(skimage.data, name)())
    slopes = [power_slope(gray)] + [
        power_slope(cv2.GaussianBlur(gray, (0, 0), sigma)) for sigma in (0.5, 1, 2, 4)
    ]
    assert (np.diff(slopes) > 0.03).all()


@pytest.mark.parametrize("sigma", [0.7, 1.0, 1.5, 2.0])
@pytest.mark.parametrize("name", PHOTOGRAPHS[:6])
def test_a_blur_raises_every_picture_by_the_slope_of_the_gaussian(name: str, sigma: float) -> None:
    # |transfer function|² of a Gaussian of sigma pixels, fitted at the middle (in octaves) of each ring.
    frequency = BAND[0] * 2 ** ((np.arange(6) + 0.5) / 2)
    expected = -np.polyfit(np.log(frequency), -((2 * np.pi * sigma * frequency) ** 2), 1)[0]
    gray = canvas(getattr(skimage.data, name)())
    risen = power_slope(cv2.GaussianBlur(gray, (0, 0), sigma)) - power_slope(gray)
    assert risen == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize("sigmas", [(0, 1, 2, 4)])
def test_rises_strictly_with_blur_on_outdoor_photographs(
    shared_data: Path, sigmas: tuple[float, ...]
) -> None:
    paths = sorted((shared_data / "scenes" / "images").glob("*.jpg"))[::16]
    if not paths:
        pytest.skip(f"no photographs in {shared_data / 'scenes' / 'images'}")
    for path in paths:
        gray = canvas(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB))
        slopes = [power_slope(cv2.GaussianBlur(gray, (0, 0), sigma) if sigma else gray) for sigma in sigmas]
        assert (np.diff(slopes) > 0).all(), path.name


def test_every_constant_frame_has_the_same_value_above_blurred_photographs() -> None:
    values = [power_slope(np.full((256, 256), level, np.uint8)) for level in range(256)]
    assert values == pytest.approx([CONSTANT_SLOPE] * 256, abs=1e-9)
    assert power_slope(np.full((257, 131), 99, np.uint8)) == pytest.approx(CONSTANT_SLOPE, abs=1e-9)
    blurred = [cv2.GaussianBlur(canvas(getattr(skimage.data, name)()), (0, 0), 8) for name in PHOTOGRAPHS[:6]]
    assert max(map(power_slope, blurred)) < CONSTANT_SLOPE


@pytest.mark.parametrize("position", [(128, 128), (30, 30), (200, 60)])
def test_one_pixel_one_level_off_is_sharp(position: tuple[int, int]) -> None:
    # The spectrum of a point is flat, however faint the point.
    gray = np.full((256, 256), 100, np.uint8)
    gray[position] = 101
    assert power_slope(gray) == pytest.approx(0, abs=0.05)


def test_contrast_and_brightness_do_not_matter() -> None:
    gray = canvas(skimage.data.astronaut()) // 4
    expected = power_slope(gray)
    assert power_slope(4 * gray) == pytest.approx(expected, abs=1e-9)
    assert power_slope(gray + np.uint8(150)) == pytest.approx(expected, abs=1e-9)
    assert power_slope(255 - gray) == pytest.approx(expected, abs=1e-9)


def test_turning_and_mirroring_do_not_matter() -> None:
    # Mirroring moves a picture by one pixel against the periodic window, hence the tolerance.
    gray = canvas(skimage.data.coffee())
    expected = power_slope(gray)
    assert power_slope(np.ascontiguousarray(gray.T)) == pytest.approx(expected, abs=1e-9)
    for turned in (gray[::-1], gray[:, ::-1], np.rot90(gray)):
        assert power_slope(turned) == pytest.approx(expected, abs=0.02)


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(128, 160), st.integers(128, 160)),
    cells=st.integers(1, 40),
    low=st.integers(0, 255),
    levels=st.integers(1, 255),
    seed=st.integers(0, 2**32 - 1),
)
def test_finite_for_every_picture(
    size: tuple[int, int], cells: int, low: int, levels: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    small = rng.integers(low, min(low + levels, 256), (cells, cells), dtype=np.uint8)
    value = power_slope(cv2.resize(small, size, interpolation=cv2.INTER_NEAREST))
    assert np.isfinite(value)


@pytest.mark.parametrize("period", [2, 4, 8, 16, 32, 64])
def test_gratings_with_empty_rings_are_finite_and_repeatable(period: int) -> None:
    grating = np.tile((255 * (np.arange(256) % period < period // 2)).astype(np.uint8), (256, 1))
    value = power_slope(grating)
    assert np.isfinite(value)
    assert power_slope(np.ascontiguousarray(grating.T)) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("shape", [(127, 256), (256, 127), (0, 0), (1, 1)])
def test_too_small_an_image_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(DataError, match=rf"128×128 pixels or more.*{shape[0]}×{shape[1]}"):
        power_slope(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("image", [np.zeros((256, 256, 3), np.uint8), np.zeros((256, 256), np.float64)])
def test_other_arrays_are_refused(image: np.ndarray) -> None:
    with pytest.raises(UsageError, match=r"uint8 image of shape \(H, W\)"):
        power_slope(image)
