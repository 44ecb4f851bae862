"""The parts of TV-L1's loops that stand alone: the median, the warp and what it samples."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from memfeat.kernels import tvl1_loops as loops

PLANES = 10
WIDEST = 256
"""Columns of a strip."""

Floats = npt.NDArray[np.float32]


def new_state(height: int, width: int) -> tuple[Floats, list[Floats]]:
    """A level's memory, and a view (height, planes, columns) of each strip's image rows."""
    state = np.zeros(loops.state_size(height, width), np.float32)
    strips = state.reshape(-(-width // WIDEST), height + 2, PLANES, -1)
    views = [strip[1:-1, :, : min(WIDEST, width - k * WIDEST)] for k, strip in enumerate(strips)]
    return state, views


def put(views: list[Floats], plane: int, values: npt.NDArray[Any]) -> None:
    for k, view in enumerate(views):
        view[:, plane] = values[:, k * WIDEST : (k + 1) * WIDEST]


def read(views: list[Floats], plane: int) -> Floats:
    return np.concatenate([view[:, plane] for view in views], axis=1)


def keys_cubic(distance: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Keys' kernel (1981) with a = -3/4."""
    a, d = -0.75, np.abs(distance)
    near = (a + 2) * d**3 - (a + 3) * d**2 + 1
    far = a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0))


def resampled(image: Floats, x: Floats, y: Floats) -> npt.NDArray[np.float64]:
    """The image at (x, y): every pixel times the kernel, zero outside."""
    height, width = image.shape
    across = keys_cubic(x[..., None].astype(float) - np.arange(width))
    along = keys_cubic(y[..., None].astype(float) - np.arange(height))
    return np.einsum("...y,yx,...x->...", along, image, across)


@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize(("height", "width"), [(20, 33), (5, 256), (4, 515), (1, 3), (2, 1), (16, 16)])
def test_median_equals_opencv(size: int, height: int, width: int) -> None:
    rng = np.random.default_rng(size)
    # Many ties as well as none.
    for image in (rng.normal(size=(height, width)), rng.integers(0, 3, (height, width))):
        plane = image.astype(np.float32)
        state, views = new_state(height, width)
        put(views, 1, plane)
        pitch = state.size // (height + 2) // PLANES // len(views)
        padded = np.empty((height + size - 1, width + size - 1), np.float32)
        loops._median(state, np.uint64(pitch), padded, np.empty(8 * pitch, np.float32), size)
        np.testing.assert_array_equal(read(views, 1), cv2.medianBlur(plane, size))
        put(views, 1, np.zeros_like(plane))
        assert not state.any(), "nothing else is touched"


def test_median_of_25_is_right_for_all_sorted_patterns() -> None:
    """Zeros and ones with sorted columns stand for every input of the network (0-1 principle)."""
    ones = np.stack(np.meshgrid(*[np.arange(6)] * 5), axis=-1).reshape(-1, 5)
    ranks = np.zeros((5, ones.size + 300), np.float32)
    for rank in range(5):
        ranks[rank, : ones.size] = (ones.ravel() > 4 - rank).astype(np.float32)
    pitch = loops._PITCH
    for start in range(0, ones.size, 250):
        buffer = np.zeros(8 * pitch, np.float32)
        buffer.reshape(8, pitch)[:5, :256] = ranks[:, start : start + 256]
        result = np.zeros(pitch, np.float32)
        loops._median5(buffer, result, np.uint64(0), 250)
        found = result[0:250:5]
        expected = ones[start // 5 : start // 5 + 50].sum(axis=1) > 12
        np.testing.assert_array_equal(found[: expected.size], expected)


@pytest.mark.parametrize(("height", "width"), [(9, 12), (4, 300), (1, 5), (3, 1)])
def test_source_is_the_image_and_its_centred_gradient(height: int, width: int) -> None:
    image = np.random.default_rng(0).uniform(0, 255, (height, width)).astype(np.float32)
    border = loops.BORDER
    source = np.zeros((height + 2 * border, width + 2 * border, 4), np.float32)
    loops.fill_source(image, source)
    inside = source[border:-border, border:-border]
    edge = np.pad(image, 1, mode="edge")
    np.testing.assert_array_equal(inside[..., 0], image)
    np.testing.assert_allclose(inside[..., 1], (edge[1:-1, 2:] - edge[1:-1, :-2]) / 2, atol=1e-5)
    np.testing.assert_allclose(inside[..., 2], (edge[2:, 1:-1] - edge[:-2, 1:-1]) / 2, atol=1e-5)
    inside[...] = 0
    assert not source.any(), "the border stays zero"


@pytest.mark.parametrize(("height", "width"), [(12, 17), (3, 300), (1, 1)])
@pytest.mark.parametrize("spread", [0.0, 1.0, 1e6])
def test_a_warp_samples_and_linearises(height: int, width: int, spread: float) -> None:
    rng = np.random.default_rng(1)
    first, second = rng.uniform(0, 255, (2, height, width)).astype(np.float32)
    u1, u2 = (rng.normal(scale=spread, size=(2, height, width))).astype(np.float32)
    source = np.zeros((height + 8, width + 8, 4), np.float32)
    loops.fill_source(second, source)
    state, views = new_state(height, width)
    scale = np.float32(0.8)
    put(views, 0, u1 * scale)
    put(views, 1, u2 * scale)
    planes, columns = np.empty(8 * loops._PITCH, np.float32), np.empty((2, WIDEST), np.int32)
    for strip in range(len(views)):
        for y in range(height):
            loops._warp_row(state, strip, y, first, source, scale, planes, columns[0], columns[1])
    rows, across = np.indices((height, width), dtype=np.float32)
    value, gx, gy = (resampled(source[4:-4, 4:-4, k], across + u1, rows + u2) for k in range(3))
    np.testing.assert_allclose(read(views, 6), gx / scale, atol=0.01)
    np.testing.assert_allclose(read(views, 7), gy / scale, atol=0.01)
    steepness = np.maximum(gx**2 + gy**2, np.finfo(np.float32).eps) / scale**2
    np.testing.assert_allclose(read(views, 8), 1 / steepness, rtol=0.02)
    rest = value - gx * u1 - gy * u2 - first
    np.testing.assert_allclose(read(views, 9), rest, atol=0.02 * max(1, spread))
