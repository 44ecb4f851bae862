"""Shrinking a colour image by area averaging: OpenCV's numbers, several times sooner.

OpenCV adds every source pixel to a sum in memory, one channel after the other. Here a pixel's channels are the
lanes of one vector, the sum stays in a register, and a row that two target rows share is summed once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar, cast

import cv2
import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped, unused-ignore]
from numba.core import cgutils as untyped_cgutils
from numba.extending import intrinsic

from memfeat.errors import UsageError

__all__ = ["resize_area", "warm_up"]

_IGNORED = 1e-3  # OpenCV leaves out a pixel of which less than this is covered.
_float, _uint = np.float32, np.uint64
_1, _2, _3, _4 = _uint(1), _uint(2), _uint(3), _uint(4)

_Function = TypeVar("_Function", bound=Callable[..., Any])
_compiled = cast("Callable[[_Function], _Function]", numba.njit(cache=True, nogil=True))
_inlined = cast("Callable[[_Function], _Function]", numba.njit(forceinline=True, nogil=True))
_intrinsic = cast("Callable[[_Function], Any]", intrinsic)
_build: Any = untyped_cgutils


class _Cells(NamedTuple):
    """Which source pixels each target pixel of one axis covers: n cells with windows of m pixels."""

    first: npt.NDArray[np.uint64]
    """(n,) The first source pixel of the window, in which the axis' last pixel is for the last cell alone."""
    weights: npt.NDArray[np.float32]
    """(n × m,) The pixels' shares of the cell; zero, which changes no sum, where the cell is smaller."""


def resize_area(image: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Resize an RGB image to the area means of its pixels, bit for bit as OpenCV's ``INTER_AREA`` does.

    A target pixel is the mean of the rectangle that it covers, in single precision and in OpenCV's order of
    additions: of the columns within each row, then of the rows; rounded to the nearest integer, halves to the
    even one. Where an axis grows, or both shrink by whole factors, OpenCV computes otherwise, and does it here.

    Parameters
    ----------
    image : uint8 array (H, W, 3)
        At least one pixel.
    size : (int, int)
        Width and height of the result, as OpenCV orders them.

    Returns
    -------
    uint8 array (height, width, 3)
        C-contiguous, 0 to 255. A new array.

    Raises
    ------
    UsageError
        The image is no uint8 array of shape (H, W, 3), has no pixels, or the size is not positive.

    Examples
    --------
    >>> columns = np.array([0, 90, 240], np.uint8)
    >>> resize_area(np.repeat(columns, 3).reshape(1, 3, 3), (2, 1))[0, :, 0].tolist()
    [30, 190]
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise UsageError(
            f"area averaging needs a uint8 image of shape (H, W, 3) with pixels; got {image.dtype} {image.shape}"
        )
    width, height = size
    if width < 1 or height < 1:
        raise UsageError(f"a size is a width and a height of one pixel or more, not {width}×{height}")
    rows, columns = image.shape[:2]
    grows = columns < width or rows < height
    if grows or (columns % width == 0 and rows % height == 0):
        return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    pixels = np.ascontiguousarray(image).reshape(rows, 3 * columns)
    # To numba, memory that may be written and memory that may not are two types: one is enough.
    pixels.flags.writeable = False
    resized = np.empty((height, 3 * width), np.uint8)
    _shrink(pixels, *_cells(columns, width), *_cells(rows, height), resized)
    return resized.reshape(height, width, 3)


def warm_up() -> None:
    """Compile the kernel: a second the first time on a machine, then a fraction of one from numba's cache."""
    resize_area(np.zeros((3, 3, 3), np.uint8), (2, 2))


@lru_cache(maxsize=64)
def _cells(source: int, target: int) -> _Cells:
    scale = 1.0 / (target / source)
    spans = []
    for cell in range(target):
        start, end = cell * scale, cell * scale + scale
        width = min(scale, source - start)
        last = min(math.floor(end), source - 1)
        first = min(math.ceil(start), last)
        weights = [1.0 / width] * (last - first)
        if first - start > _IGNORED:
            weights.insert(0, (first - start) / width)
            first -= 1
        if end - last > _IGNORED:
            weights.append(min(end - last, 1.0, width) / width)
        spans.append((first, weights))
    longest = max(len(weights) for _, weights in spans)
    starts, padded = np.empty(target, np.uint64), np.zeros((target, longest), np.float32)
    for cell, (first, weights) in enumerate(spans):
        starts[cell] = start = min(first, source - longest - (cell < target - 1))
        padded[cell, first - start :][: len(weights)] = weights
    return _Cells(starts, padded.ravel())


@_intrinsic
def _sum_pixels(
    typing: Any, pixels: Any, start: Any, weights: Any, at: Any, count: Any, sums: Any, to: Any
) -> Any:  # fmt: skip
    """Store the weighted sum of `count` pixels of three channels, and one lane more: what follows each pixel."""
    # Spelled out as vectors: numba keeps LLVM from vectorising straight-line code.
    signature = numba.types.void(pixels, start, weights, at, count, sums, to)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def data(k: int) -> Any:
            return context.make_array(signature.args[k])(context, builder, arguments[k]).data

        floats, lane = ir.VectorType(ir.FloatType(), 4), ir.IntType(32)
        undefined = ir.Constant(floats, ir.Undefined)
        everywhere = ir.Constant(ir.VectorType(lane, 4), [0] * 4)
        pixel = builder.gep(data(0), [arguments[1]])
        weight = builder.gep(data(2), [arguments[3]])
        total = _build.alloca_once_value(builder, ir.Constant(floats, [0.0] * 4))
        with _build.for_range(builder, arguments[4]) as loop:
            here = builder.gep(pixel, [builder.mul(loop.index, loop.index.type(3))])
            here = builder.bitcast(here, ir.VectorType(ir.IntType(8), 4).as_pointer())
            values = builder.load(here)
            values.align = 1
            share = builder.load(builder.gep(weight, [loop.index]))
            shares = builder.shuffle_vector(
                builder.insert_element(undefined, share, lane(0)), undefined, everywhere
            )
            weighted = builder.fmul(builder.uitofp(values, floats), shares)
            builder.store(builder.fadd(builder.load(total), weighted), total)
        target = builder.bitcast(builder.gep(data(5), [arguments[6]]), floats.as_pointer())
        builder.store(builder.load(total), target).align = 4
        return context.get_dummy_value()

    return signature, generate


@_inlined
def _sum_cells(row: Any, first: Any, weights: Any, size: Any, sums: Any) -> None:
    """Write the weighted sums of all cells of a row but the last, three channels each."""
    # From the left: each fourth lane is overwritten by the cell that follows.
    for cell in range(_uint(first.size) - _1):
        _sum_pixels(row, _3 * first[cell], weights, cell * size, size, sums, _3 * cell)


@_compiled
def _sum_row(row: Any, first: Any, weights: Any, sums: Any) -> None:
    """Write the weighted sums of all cells of a row."""
    cells = _uint(first.size)
    size = _uint(weights.size) // cells
    # With a size that is known, the loop over a cell becomes straight-line code.
    if size == _1:
        _sum_cells(row, first, weights, _1, sums)
    elif size == _2:
        _sum_cells(row, first, weights, _2, sums)
    elif size == _3:
        _sum_cells(row, first, weights, _3, sums)
    elif size == _4:
        _sum_cells(row, first, weights, _4, sums)
    else:
        _sum_cells(row, first, weights, size, sums)
    # The last one ends with the row, and nothing may be read behind that.
    last = cells - _1
    for channel in range(_3):
        total = _float(0)
        for k in range(size):
            total += _float(row[_3 * (first[last] + k) + channel]) * weights[last * size + k]
        sums[_3 * last + channel] = total


@_compiled
def _shrink(pixels: Any, first_x: Any, weights_x: Any, first_y: Any, weights_y: Any, out: Any) -> None:
    height, width = out.shape
    size = weights_y.size // height
    sums, total = np.empty(width, np.float32), np.empty(width, np.float32)
    summed = _uint(pixels.shape[0])
    for cell in range(height):
        total[:] = _float(0)
        for k in range(size):
            row, share = first_y[cell] + _uint(k), weights_y[cell * size + k]
            if share == _float(0):
                continue
            # Neighbouring cells share a row where a border runs through it.
            if row != summed:
                _sum_row(pixels[row], first_x, weights_x, sums)
                summed = row
            for i in range(width):
                total[i] += share * sums[i]
        for i in range(width):
            out[cell, i] = np.uint8(np.int32(np.rint(total[i])))
