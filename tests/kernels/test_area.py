"""Area averaging against OpenCV, bit for bit, and against exact fractions."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import example, given, settings
from hypothesis import strategies as st

from memfeat.errors import UsageError
from memfeat.kernels import area
from memfeat.kernels.area import resize_area, warm_up
from memfeat.video import open_video


def noise(height: int, width: int, levels: int = 256, seed: int = 0) -> np.ndarray:
    steps = np.random.default_rng(seed).integers(0, levels, (height, width, 3))
    return (steps * (255 // (levels - 1))).astype(np.uint8)


def opencv(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def exact(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """The mean of the rectangle that each target pixel covers, by rational arithmetic and prefix sums."""

    def shares(source: int, target: int) -> np.ndarray:
        scale = Fraction(source, target)
        table = np.zeros((target, source))
        for cell in range(target):
            for pixel in range(source):
                covered = min((cell + 1) * scale, Fraction(pixel + 1)) - max(cell * scale, Fraction(pixel))
                table[cell, pixel] = max(covered, Fraction(0)) / scale
        return table

    rows, columns = shares(image.shape[0], height), shares(image.shape[1], width)
    return np.einsum("yr,xc,rck->yxk", rows, columns, image.astype(float), optimize=True)


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket"])
@pytest.mark.parametrize("size", [(256, 256), (100, 211), (1, 1)])
def test_equals_opencv_on_photographs(name: str, size: tuple[int, int]) -> None:
    photograph = getattr(skimage.data, name)()
    np.testing.assert_array_equal(resize_area(photograph, size), opencv(photograph, size))


@pytest.mark.parametrize(
    ("width", "height"),
    [(1920, 1080), (1280, 720), (720, 1280), (640, 360), (480, 270), (340, 256), (257, 257), (256, 300)],
)
def test_equals_opencv_at_the_sizes_of_videos(width: int, height: int) -> None:
    image = noise(height, width, seed=width)
    np.testing.assert_array_equal(resize_area(image, (256, 256)), opencv(image, (256, 256)))


@settings(max_examples=300, deadline=None)
@given(
    source=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    target=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    levels=st.sampled_from([2, 4, 256]),
    seed=st.integers(0, 2**32 - 1),
)
@example(source=(60, 60), target=(30, 20), levels=256, seed=0)  # whole factors
@example(source=(61, 20), target=(30, 20), levels=256, seed=0)  # one axis stays
@example(source=(20, 61), target=(60, 30), levels=256, seed=0)  # one axis grows
@example(source=(5, 7), target=(1, 1), levels=256, seed=0)
@example(source=(7, 6), target=(1, 4), levels=2, seed=0)
def test_equals_opencv_at_any_size(
    source: tuple[int, int], target: tuple[int, int], levels: int, seed: int
) -> None:
    image = noise(*source, levels, seed)
    resized = resize_area(image, target)
    assert resized.shape == (target[1], target[0], 3)
    assert resized.dtype == np.uint8 and resized.flags.c_contiguous
    np.testing.assert_array_equal(resized, opencv(image, target))


@pytest.mark.parametrize(("height", "width"), [(37, 53), (41, 23), (90, 24)])
def test_is_the_mean_of_the_rectangle_that_a_pixel_covers(height: int, width: int) -> None:
    image = noise(height, width, seed=height)
    # OpenCV leaves out shares below a thousandth of a pixel; none of these sizes has any.
    error = resize_area(image, (17, 19)) - exact(image, 17, 19)
    assert np.abs(error).max() <= 0.5 + 1e-4


@pytest.mark.parametrize("level", [0, 1, 127, 254, 255])
def test_a_constant_image_stays_so(level: int) -> None:
    assert (resize_area(np.full((301, 463, 3), level, np.uint8), (256, 256)) == level).all()


@pytest.mark.parametrize("target", [1, 2, 3, 7, 16, 31])
def test_windows_hold_the_cells_and_leave_the_last_pixel_to_the_last_one(target: int) -> None:
    for source in range(target, 6 * target + 2):
        first, weights = area._cells(source, target)
        shares = weights.reshape(target, -1)
        last = first.astype(int) + shares.shape[1] - 1
        # A vector of a pixel ends one byte behind it, which has to belong to the image.
        assert (last[:-1] <= source - 2).all() and last[-1] <= source - 1
        assert first.max() < source, "none is negative"
        np.testing.assert_allclose(shares.sum(axis=1), 1, atol=2e-3)


def test_nothing_behind_the_image_counts_and_it_is_not_written() -> None:
    memory = np.full(3 * 31 * 47 + 64, 255, np.uint8)
    image = memory[: 3 * 31 * 47].reshape(31, 47, 3)
    image[:] = 0
    assert not resize_area(image, (30, 30)).any()
    np.testing.assert_array_equal(memory[3 * 31 * 47 :], 255)
    assert image.flags.writeable, "only the kernel sees it as constant"


def test_takes_images_that_are_not_contiguous_or_not_writable() -> None:
    image = noise(61, 82)
    expected = opencv(image, (30, 40))
    image.flags.writeable = False
    np.testing.assert_array_equal(resize_area(image, (30, 40)), expected)
    wide = np.repeat(image, 2, axis=1)[:, ::2]
    np.testing.assert_array_equal(resize_area(wide, (30, 40)), expected)
    np.testing.assert_array_equal(resize_area(np.asfortranarray(image), (30, 40)), expected)


def test_warm_up_compiles_what_every_image_needs() -> None:
    warm_up()
    compiled = len(area._shrink.nopython_signatures)
    image = noise(61, 82)
    image.flags.writeable = False
    resize_area(image, (30, 40))
    assert len(area._shrink.nopython_signatures) == compiled == 1


@pytest.mark.parametrize(
    ("image", "size", "message"),
    [
        (np.zeros((4, 4), np.uint8), (2, 2), r"\(H, W, 3\) with pixels; got uint8 \(4, 4\)"),
        (np.zeros((4, 4, 4), np.uint8), (2, 2), r"got uint8 \(4, 4, 4\)"),
        (np.zeros((4, 4, 3), np.float32), (2, 2), r"got float32"),
        (np.zeros((0, 4, 3), np.uint8), (2, 2), r"got uint8 \(0, 4, 3\)"),
        (np.zeros((4, 4, 3), np.uint8), (0, 2), "one pixel or more, not 0×2"),
        (np.zeros((4, 4, 3), np.uint8), (2, -1), "one pixel or more, not 2×-1"),
    ],
)
def test_refuses_what_is_no_image_and_no_size(image: np.ndarray, size: tuple[int, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        resize_area(image, size)


def test_equals_opencv_on_real_clips(shared_data: Path) -> None:
    for clip in sorted((shared_data / "clips").iterdir()):
        with open_video(clip) as video:
            for frame in video:
                if frame.index % 40 == 0:
                    np.testing.assert_array_equal(frame.canvas, opencv(frame.rgb, (256, 256)))
