"""HOG against scikit-image on photographs, noise, odd sizes and gradients built to tie."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from references import scikit_image_hog

from memfeat.errors import DataError, UsageError
from memfeat.kernels import hog as kernel
from memfeat.kernels.hog import hog, hog_length

TOLERANCE = 1e-6


def noise(height: int, width: int, low: int, high: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(low, high, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket"])
def test_equals_scikit_image_on_photographs(name: str) -> None:
    canvas = cv2.resize(getattr(skimage.data, name)(), (256, 256), interpolation=cv2.INTER_AREA)
    descriptor = hog(canvas)
    assert descriptor.shape == (34_596,) == (hog_length(256, 256),)
    assert descriptor.dtype == np.float32
    assert np.abs(descriptor - scikit_image_hog(canvas)).max() <= TOLERANCE


@pytest.mark.parametrize(("low", "high"), [(0, 256), (0, 2), (100, 103), (250, 256)])
def test_equals_scikit_image_on_noise(low: int, high: int) -> None:
    # Noise of few levels is full of equal squared magnitudes in different channels.
    image = noise(96, 128, low, high, seed=high)
    assert np.abs(hog(image) - scikit_image_hog(image)).max() <= TOLERANCE


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(16, 50),
    width=st.integers(16, 50),
    levels=st.sampled_from([2, 3, 8, 256]),
    seed=st.integers(0, 2**32 - 1),
)
def test_equals_scikit_image_at_any_size(height: int, width: int, levels: int, seed: int) -> None:
    image = noise(height, width, 0, levels, seed)
    descriptor = hog(image)
    expected = scikit_image_hog(image)
    assert descriptor.shape == expected.shape == (hog_length(height, width),)
    assert np.abs(descriptor - expected).max() <= TOLERANCE


def hypot_ties() -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Pairs of (vertical, horizontal) differences, equal in squared sum; ``np.hypot`` says the second."""
    by_square: dict[int, list[tuple[int, int]]] = {}
    for v in range(256):
        for h in range(256):
            by_square.setdefault(v * v + h * h, []).append((v, h))
    found = []
    for pairs in by_square.values():
        pairs.sort(key=lambda pair: np.hypot(float(pair[0]), float(pair[1])))
        if np.hypot(*map(float, pairs[0])) < np.hypot(*map(float, pairs[-1])):
            found.append((pairs[0], pairs[-1]))
    return found


def put(image: np.ndarray, y: int, x: int, channel: int, difference: tuple[int, int]) -> None:
    image[y + 1, x, channel], image[y, x + 1, channel] = difference


def test_channels_are_compared_by_hypot_where_it_rounds_equal_sums_apart() -> None:
    ties = hypot_ties()
    if not ties:
        pytest.skip("np.hypot is correctly rounded here: equal sums of squares are equal magnitudes")
    side = 16 * int(np.ceil(np.sqrt(len(ties))))
    image = np.zeros((side, side, 3), np.uint8)
    for index, (smaller, larger) in enumerate(ties):
        y, x = 16 * (index // (side // 16)) + 4, 16 * (index % (side // 16)) + 4
        put(image, y, x, 0, smaller)
        put(image, y, x, 1 + index % 2, larger)
    expected = scikit_image_hog(image)
    assert np.abs(hog(image) - expected).max() <= TOLERANCE


def test_one_hypot_tie_changes_the_answer() -> None:
    ties = hypot_ties()
    if not ties:
        pytest.skip("np.hypot is correctly rounded here: equal sums of squares are equal magnitudes")

    def angle(difference: tuple[int, int]) -> float:
        return float(np.degrees(np.arctan2(*difference)))

    smaller, larger = max(ties, key=lambda tie: abs(angle(tie[0]) - angle(tie[1])))
    image = np.zeros((16, 16, 3), np.uint8)
    put(image, 6, 6, 0, smaller)
    only_first = hog(image)
    put(image, 6, 6, 1, larger)
    both = hog(image)
    assert np.abs(both - scikit_image_hog(image)).max() <= TOLERANCE
    assert np.abs(both - only_first).max() > 1e-3


def test_the_first_channel_wins_equal_magnitudes() -> None:
    image = np.zeros((16, 16, 3), np.uint8)
    put(image, 6, 6, 0, (30, 40))
    put(image, 6, 6, 2, (40, 30))
    assert np.abs(hog(image) - scikit_image_hog(image)).max() <= TOLERANCE


def test_bins_are_those_of_the_arctangent_for_every_gradient() -> None:
    steps = np.arange(-255, 256)
    degrees = np.rad2deg(np.arctan2(steps[:, None].astype(float), steps[None, :].astype(float))) % 180
    for index, vertical in enumerate(steps):
        # As the row pass leaves them: turned to the upper half plane, here with magnitude one.
        horizontal = np.abs(steps) if vertical == 0 else np.where(vertical < 0, -steps, steps)
        magnitudes = (np.abs(steps) + abs(vertical)) > 0
        gradients = np.stack([np.full(511, abs(vertical)), horizontal, magnitudes]).astype(np.float32)
        votes = np.zeros((9, 511), np.float32)
        kernel._vote(gradients, votes)
        np.testing.assert_array_equal(votes.sum(axis=0), magnitudes)
        np.testing.assert_array_equal(votes.argmax(axis=0), degrees[index] // 20)


def test_a_constant_image_has_no_gradient() -> None:
    assert not hog(np.full((64, 40, 3), 200, np.uint8)).any()


def test_grey_levels_do_not_matter_but_their_differences_do() -> None:
    image = noise(32, 32, 0, 100, seed=1)
    np.testing.assert_array_equal(hog(image), hog(image + np.uint8(100)))


def test_memory_layout_does_not_matter() -> None:
    image = noise(40, 48, 0, 256, seed=2)
    expected = hog(image)
    wide = np.zeros((40, 96, 4), np.uint8)
    wide[:, ::2, :3] = image
    frozen = image.copy()
    frozen.flags.writeable = False
    for view in (wide[:, ::2, :3], np.asfortranarray(image), image[::-1].copy()[::-1], frozen):
        np.testing.assert_array_equal(hog(view), expected)


def test_writes_into_given_memory() -> None:
    image = noise(32, 32, 0, 256, seed=3)
    rows = np.full((3, hog_length(32, 32)), np.nan, np.float32)
    assert hog(image, out=rows[1]) is not None
    np.testing.assert_array_equal(rows[1], hog(image))
    assert np.isnan(rows[[0, 2]]).all()


@pytest.mark.parametrize("shape", [(15, 64, 3), (64, 15, 3), (0, 0, 3), (1, 1, 3)])
def test_too_small_an_image_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=rf"16×16 pixels or more.*{shape[0]}×{shape[1]}"):
        hog(np.zeros(shape, np.uint8))


@pytest.mark.parametrize(
    "image",
    [np.zeros((32, 32), np.uint8), np.zeros((32, 32, 4), np.uint8), np.zeros((32, 32, 3), np.float64)],
)
def test_other_arrays_are_refused(image: np.ndarray) -> None:
    with pytest.raises(UsageError, match=r"uint8 image of shape \(H, W, 3\)"):
        hog(image)


@pytest.mark.parametrize(
    "out",
    [np.empty(323, np.float32), np.empty(324, np.float64), np.empty(648, np.float32)[::2]],
)
def test_memory_that_does_not_fit_is_refused(out: np.ndarray) -> None:
    with pytest.raises(UsageError, match=r"shape \(324,\) for an image of 32×32"):
        hog(np.zeros((32, 32, 3), np.uint8), out=out)
