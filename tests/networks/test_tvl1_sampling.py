"""What batched TV-L1 takes from OpenCV: resizing and median to the bit, the warp as exactly as the compiled one."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

torch = pytest.importorskip("torch", reason="needs the extra deep")

from memfeat.kernels import tvl1_loops as loops
from memfeat.networks.tvl1_sampling import median_filtered, resized, warped, with_gradient

Floats = npt.NDArray[np.float32]
CPU_FMA3 = 12
"""OpenCV's number of it, which its Python module leaves out."""
# Versions of OpenCV and processors round differently; these fuse a multiplication with an addition.
SAME_ROUNDING = cv2.__version__.startswith("5.") and cv2.checkHardwareSupport(CPU_FMA3)


def images(count: int, height: int, width: int) -> Floats:
    return np.random.default_rng(height).uniform(0, 255, (count, height, width)).astype(np.float32)


def assert_as_opencv(found: torch.Tensor, expected: list[Floats]) -> None:
    np.testing.assert_allclose(found, np.stack(expected), atol=2e-4)
    if SAME_ROUNDING:
        np.testing.assert_array_equal(found, np.stack(expected))


@pytest.mark.parametrize("step", [0.8, 0.5, 0.77, 0.95, 0.1])
@pytest.mark.parametrize(
    ("height", "width"), [(256, 256), (205, 205), (131, 164), (37, 53), (20, 400), (400, 20)]
)
def test_pyramids_equal_opencv(step: float, height: int, width: int) -> None:
    given = images(2, height, width)
    expected = [cv2.resize(image, None, None, step, step, cv2.INTER_LINEAR) for image in given]
    found = resized(torch.from_numpy(given), round(height * step), round(width * step), factor=step)
    assert_as_opencv(found, expected)


@pytest.mark.parametrize(
    ("size", "new"), [((205, 164), (256, 205)), ((33, 16), (41, 20)), ((16, 31), (160, 39))]
)
def test_flow_is_enlarged_as_by_opencv(size: tuple[int, int], new: tuple[int, int]) -> None:
    given = images(4, *size)
    expected = [cv2.resize(plane, new[::-1], None, 0, 0, cv2.INTER_LINEAR) for plane in given]
    found = resized(torch.from_numpy(given).reshape(2, 2, *size), *new).reshape(4, *new)
    assert_as_opencv(found, expected)


@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize(("height", "width"), [(20, 33), (5, 64), (1, 3), (2, 1), (1, 1), (64, 48)])
def test_median_equals_opencv(size: int, height: int, width: int) -> None:
    generator = np.random.default_rng(size)
    # Many ties as well as none.
    for planes in (
        generator.normal(size=(2, 2, height, width)),
        generator.integers(0, 3, (2, 2, height, width)),
    ):
        given = planes.astype(np.float32)
        expected = [[cv2.medianBlur(plane, size) for plane in pair] for pair in given]
        np.testing.assert_array_equal(median_filtered(torch.from_numpy(given), size), expected)


@pytest.mark.parametrize(("height", "width"), [(9, 12), (1, 5), (3, 1), (64, 40)])
def test_gradient_is_that_of_the_compiled_solver(height: int, width: int) -> None:
    given = images(1, height, width)
    around = np.zeros((height + 2 * loops.BORDER, width + 2 * loops.BORDER, 4), np.float32)
    loops.fill_source(given[0], around)
    inside = around[loops.BORDER : -loops.BORDER, loops.BORDER : -loops.BORDER, :3]
    np.testing.assert_array_equal(with_gradient(torch.from_numpy(given))[0], np.moveaxis(inside, -1, 0))


def keys_cubic(distance: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Keys' kernel (1981) with a = -3/4."""
    a, d = -0.75, np.abs(distance)
    near = (a + 2) * d**3 - (a + 3) * d**2 + 1
    far = a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0))


@pytest.mark.parametrize(("height", "width"), [(12, 17), (3, 300), (1, 1), (1, 6)])
@pytest.mark.parametrize("spread", [0.0, 1.0, 1e7])
def test_a_warp_samples_with_zeros_outside(height: int, width: int, spread: float) -> None:
    flow = np.random.default_rng(1).normal(scale=spread, size=(2, height, width)).astype(np.float32)
    source = with_gradient(torch.from_numpy(images(1, height, width)))
    rows, columns = np.indices((height, width), dtype=np.float32)
    across = keys_cubic((columns + flow[0])[..., None].astype(float) - np.arange(width))
    along = keys_cubic((rows + flow[1])[..., None].astype(float) - np.arange(height))
    expected = np.einsum("hwy,cyx,hwx->chw", along, source[0].numpy(), across)
    found = warped(source, torch.from_numpy(flow)[None])[0]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_warps_are_those_of_the_compiled_solver() -> None:
    """From the compiled row: what is left of the difference, with the gradient's part put back."""
    height, width = 40, 200
    first, second = images(2, height, width)
    flow = np.random.default_rng(2).normal(scale=3, size=(2, height, width)).astype(np.float32)
    around = np.zeros((height + 2 * loops.BORDER, width + 2 * loops.BORDER, 4), np.float32)
    loops.fill_source(second, around)
    state = np.zeros(loops.state_size(height, width), np.float32)
    view = state.reshape(height + 2, 10, -1)[1:-1, :, :width]
    view[:, 0], view[:, 1] = flow
    weights, places = np.empty(8 * loops._PITCH, np.float32), np.empty((2, 256), np.int32)
    for y in range(height):
        loops._warp_row(state, 0, y, first, around, np.float32(1), weights, places[0], places[1])
    sampled = warped(with_gradient(torch.from_numpy(second)[None]), torch.from_numpy(flow)[None])[0].numpy()
    for plane, channel in ((6, 1), (7, 2)):
        np.testing.assert_allclose(view[:, plane], sampled[channel], atol=1e-3)
    rest = sampled[0] - sampled[1] * flow[0] - sampled[2] * flow[1] - first
    np.testing.assert_allclose(view[:, 9], rest, atol=2e-3)
