"""FFT sharpness against the published formula with its complex transforms, and against what it is for."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st

from memfeat.errors import DataError, UsageError
from memfeat.kernels.sharpness import FLOOR, LOWEST, fft_sharpness

COLOUR = ["astronaut", "coffee", "chelsea", "rocket"]
GREY = ["camera", "brick", "grass", "gravel", "coins", "moon"]


def published(image: np.ndarray, floor: float = 0.0) -> float:
    height, width = image.shape[:2]
    resized = cv2.resize(image, (500, int(height * (500 / float(width)))), interpolation=cv2.INTER_AREA)
    gray = cv2.cvtColor(resized, cv2.COLOR_RGB2GRAY)
    y, x = gray.shape[0] // 2, gray.shape[1] // 2
    spectrum = np.fft.fftshift(np.fft.fft2(gray))
    spectrum[y - 60 : y + 60, x - 60 : x + 60] = 0
    remainder = np.abs(np.fft.ifft2(np.fft.ifftshift(spectrum)))
    return float(np.mean(20 * np.log(np.maximum(remainder, floor))))


def photograph(name: str, height: int = 256, width: int = 256) -> np.ndarray:
    picture = getattr(skimage.data, name)()
    colour = picture if picture.ndim == 3 else np.dstack([picture] * 3)
    return cv2.resize(colour, (width, height), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("name", COLOUR + GREY)
def test_equals_the_published_formula_on_photographs(name: str) -> None:
    # No floor in the reference: real frames do not feel it.
    canvas = photograph(name)
    assert fft_sharpness(canvas) == pytest.approx(published(canvas), rel=0, abs=1e-10)


@pytest.mark.parametrize(
    ("height", "width"), [(256, 256), (63, 256), (255, 256), (256, 100), (61, 251), (500, 500)]
)
def test_equals_the_published_formula_at_other_sizes(height: int, width: int) -> None:
    # Resized to 500×500, ×123, ×498, ×1280, ×121: even and odd heights, down to the smallest.
    picture = photograph("coffee", height, width)
    assert fft_sharpness(picture) == pytest.approx(published(picture), rel=0, abs=1e-10)


@settings(max_examples=15, deadline=None)
@given(
    side=st.integers(8, 64),
    low=st.integers(0, 250),
    levels=st.integers(2, 256),
    seed=st.integers(0, 2**32 - 1),
)
def test_equals_the_published_formula_on_noise(side: int, low: int, levels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    small = rng.integers(low, min(low + levels, 256), (side, side, 3), dtype=np.uint8)
    picture = cv2.resize(small, (256, 256), interpolation=cv2.INTER_NEAREST)
    assert fft_sharpness(picture) == pytest.approx(published(picture, FLOOR), rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("name", COLOUR + GREY)
def test_falls_strictly_with_gaussian_blur(name: str) -> None:
    canvas = photograph(name)
    blurred = [cv2.GaussianBlur(canvas, (0, 0), sigma) for sigma in (1, 2, 4)]
    values = [fft_sharpness(picture) for picture in (canvas, *blurred)]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 4


def test_falls_with_gaussian_blur_on_outdoor_photographs(shared_data: Path) -> None:
    paths = sorted((shared_data / "scenes" / "images").glob("*.jpg"))[::8]
    if not paths:
        pytest.skip(f"no photographs in {shared_data / 'scenes' / 'images'}")
    falls = []
    for path in paths:
        canvas = cv2.resize(cv2.imread(str(path))[..., ::-1], (256, 256), interpolation=cv2.INTER_AREA)
        blurred = [cv2.GaussianBlur(canvas, (0, 0), sigma) for sigma in (1, 2)]
        falls.append((np.diff([fft_sharpness(picture) for picture in (canvas, *blurred)]) < 0).all())
    # Not all: the jump between opposite borders stays, and of a hazy picture little else does.
    assert np.mean(falls) >= 0.98


def test_every_constant_frame_has_the_lowest_value() -> None:
    values = {fft_sharpness(np.full((256, 256, 3), level, np.uint8)) for level in range(0, 256, 5)}
    assert len(values) == 1
    assert values.pop() == pytest.approx(LOWEST, rel=1e-12)
    assert pytest.approx(-460.517, abs=1e-3) == LOWEST


def test_constant_frames_have_the_lowest_value_at_other_sizes() -> None:
    for shape in ((121, 500, 3), (300, 217, 3), (720, 1280, 3)):
        frame = np.full(shape, (255, 3, 77), np.uint8)
        assert fft_sharpness(frame) == pytest.approx(LOWEST, rel=1e-12)


def test_one_pixel_one_level_off_lies_between_constant_frames_and_photographs() -> None:
    frame = np.full((256, 256, 3), 100, np.uint8)
    frame[100, 77] = 101
    value = fft_sharpness(frame)
    assert value == pytest.approx(published(frame, FLOOR), rel=1e-10)
    assert LOWEST < value < fft_sharpness(cv2.GaussianBlur(photograph("moon"), (0, 0), 8))


def test_flat_but_for_a_patch_equals_the_published_formula() -> None:
    frame = np.full((256, 256, 3), 16, np.uint8)
    frame[100:140, 77:90] = photograph("astronaut")[100:140, 77:90]
    assert fft_sharpness(frame) == pytest.approx(published(frame), rel=1e-10)


def test_letterboxed_equals_the_published_formula() -> None:
    frame = photograph("astronaut")
    frame[:40] = frame[-40:] = 0
    assert fft_sharpness(frame) == pytest.approx(published(frame), rel=0, abs=1e-10)


def test_half_the_contrast_costs_twenty_logarithms_of_two() -> None:
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 128, (500, 500, 1), dtype=np.uint8).repeat(3, axis=2)
    assert fft_sharpness(2 * grey) - fft_sharpness(grey) == pytest.approx(20 * np.log(2), abs=1e-10)


def test_brightness_does_not_matter() -> None:
    # At 500 pixels nothing is resized, and so nothing rounded.
    frame = photograph("camera", 500, 500) // 2
    assert fft_sharpness(frame + np.uint8(100)) == pytest.approx(fft_sharpness(frame), abs=1e-10)


def test_memory_layout_does_not_matter() -> None:
    frame = photograph("chelsea")
    expected = fft_sharpness(frame)
    wide = np.zeros((256, 512, 4), np.uint8)
    wide[:, ::2, :3] = frame
    frozen = frame.copy()
    frozen.flags.writeable = False
    for view in (wide[:, ::2, :3], np.asfortranarray(frame), frame[::-1].copy()[::-1], frozen):
        assert fft_sharpness(view) == expected


@pytest.mark.parametrize(("height", "width"), [(61, 256), (120, 500), (1, 1000), (0, 0)])
def test_too_flat_an_aspect_is_refused(height: int, width: int) -> None:
    with pytest.raises(DataError, match=rf"more than 120 rows.*{height}×{width} becomes"):
        fft_sharpness(np.zeros((height, width, 3), np.uint8))


@pytest.mark.parametrize(
    "image",
    [np.zeros((256, 256), np.uint8), np.zeros((256, 256, 4), np.uint8), np.zeros((256, 256, 3), np.float32)],
)
def test_other_arrays_are_refused(image: np.ndarray) -> None:
    with pytest.raises(UsageError, match=r"uint8 image of shape \(H, W, 3\)"):
        fft_sharpness(image)
