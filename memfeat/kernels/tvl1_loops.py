r"""The compiled loops of TV-L1 optical flow, which `memfeat.kernels.tvl1` calls.

They share one file: numba's cache on disk notices no change in the file of a callee.

The state of a pyramid level is a flat float32 array of rows. A row holds ten planes of `_PITCH` columns: the
flow, its dual variables, and what stays constant between two warps. A level wider than `_STRIP` is cut into
strips, each with rows of its own. Constant distances between planes let LLVM vectorise without checks for
overlap, unsigned indices without Python's wrap-around: separate arrays are slower.

Flow is kept multiplied by :math:`t = \tau/\theta` and image gradients divided by it, which saves six
multiplications a pixel. The scheme of Zach, Pock and Bischof then reads, for each flow component :math:`u`
with dual variable :math:`p` and gradient component :math:`g`,

.. math::
    u \leftarrow u + g \operatorname{clip}(-\rho / |\nabla I|^2, \pm\lambda\theta t^2) + \tau \operatorname{div} p,
    \qquad p \leftarrow (p + \nabla u) / (1 + |\nabla u|).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped, unused-ignore]
from numba.extending import intrinsic

__all__ = ["BORDER", "fill_source", "solve_level", "state_size"]

BORDER = 4
"""Zeros around a warp source: outside an image everything is zero, as far as a cubic kernel can reach."""

_STRIP = 256
_PITCH = _STRIP + 16  # whole cache lines, with room for the neighbour on the right
_ROW = 10 * _PITCH
_LANES = 16

_uint = np.uint64
_float = np.float32
_1, _2, _3, _4 = _uint(1), _uint(2), _uint(3), _uint(4)
_END, _NEXT_ROW = _uint(_STRIP - 1), _uint(_ROW)
_U1, _U2, _P11, _P21, _P12, _P22, _GX, _GY, _INVERSE, _RHO = (_uint(k * _PITCH) for k in range(10))
_K1, _K2, _K3, _K4, _K5, _K6, _K7 = (_uint(k * _PITCH) for k in range(1, 8))
_FLAT = _float(np.finfo(_float).eps)

# Not "afn": an approximate square root may be NaN at zero. All values are finite, whatever the images.
_FAST = ("nnan", "ninf", "nsz", "arcp", "contract", "reassoc")

_Function = TypeVar("_Function", bound=Callable[..., Any])
_options: dict[str, Any] = {"cache": True, "nogil": True, "fastmath": set(_FAST), "error_model": "numpy"}
_compiled = cast("Callable[[_Function], _Function]", numba.njit(**_options))
_inlined = cast("Callable[[_Function], _Function]", numba.njit(forceinline=True, **_options))
_intrinsic = cast("Callable[[_Function], Any]", intrinsic)


def state_size(height: int, width: int) -> int:
    """Return how many float32 values the state of a level of `height` × `width` pixels takes."""
    return -(-width // _STRIP) * (height + 2) * _ROW


@_compiled
def solve_level(
    flow: Any, first: Any, source: Any, state: Any, padded: Any, tau: Any, scale: Any, bound: Any,
    tolerance: float, warps: int, outer: int, inner: int, median: int,
) -> None:  # fmt: skip
    """Refine `flow` (2, H, W) in place, between the image `first` (H, W) and the second's warp source.

    `state` starts as zeros; `padded` has `median // 2` rows and columns more than the level on each side.
    An outer iteration ends once an iteration's squared changes of flow add up to `tolerance` or less.
    """
    height, width = first.shape
    strips = (width + _STRIP - 1) // _STRIP
    planes = np.empty(8 * _PITCH, np.float32)
    columns, lines = np.empty(_STRIP, np.int32), np.empty(_STRIP, np.int32)
    for strip in range(strips):
        for y in range(height):
            here = _row(strip, y, height)
            u1, u2 = flow[0, y, strip * _STRIP :], flow[1, y, strip * _STRIP :]
            for k in range(_width(strip, width)):
                state[here + _U1 + _uint(k)] = u1[k] * scale
                state[here + _U2 + _uint(k)] = u2[k] * scale
    limit = tolerance * scale * scale
    for _ in range(warps):
        for strip in range(strips):
            for y in range(height):
                _warp_row(state, strip, y, first, source, scale, planes, columns, lines)
        change, rounds = 2 * limit + 1, 0
        while change > limit and rounds < outer:
            if median > 1:
                for component in range(2):
                    _median(state, _uint(component * _PITCH), padded, planes, median)
            done = 0
            while change > limit and done < inner:
                change = _iterate(state, height, width, tau, bound)
                done += 1
            rounds += 1
    for strip in range(strips):
        for y in range(height):
            here = _row(strip, y, height)
            u1, u2 = flow[0, y, strip * _STRIP :], flow[1, y, strip * _STRIP :]
            for k in range(_width(strip, width)):
                u1[k] = state[here + _U1 + _uint(k)] / scale
                u2[k] = state[here + _U2 + _uint(k)] / scale


@_compiled
def fill_source(image: Any, source: Any) -> None:
    """Interleave an image (H, W) with its centred gradient: (value, d/dx, d/dy, 0) within `BORDER` zeros."""
    height, width = image.shape
    for y in range(height):
        above, row, below = image[max(y - 1, 0)], image[y], image[min(y + 1, height - 1)]
        to = source[y + BORDER]
        for x in range(width):
            to[x + BORDER, 0] = row[x]
            to[x + BORDER, 1] = _float(0.5) * (row[min(x + 1, width - 1)] - row[max(x - 1, 0)])
            to[x + BORDER, 2] = _float(0.5) * (below[x] - above[x])


@_compiled
def _row(strip: int, y: int, height: int) -> Any:
    # One row more above, whose dual variables stay zero, and one below, for a copy of the last flow.
    return _uint((strip * (height + 2) + y + 1) * _ROW)


@_compiled
def _width(strip: int, width: int) -> int:
    return min(width - strip * _STRIP, _STRIP)


@_inlined
def _iterate(state: Any, height: int, width: int, tau: Any, bound: Any) -> float:
    """Do one iteration over the level, rows of dual variables trailing; return the flow's squared change."""
    change = 0.0
    for y in range(height):
        change += _primal_row(state, y, height, width, tau, bound)
        if y > 0:
            _dual_row(state, y - 1, height, width)
    # No gradient across the lower border either.
    for strip in range((width + _STRIP - 1) // _STRIP):
        last = _row(strip, height - 1, height)
        for x in range(_P11):
            state[last + _NEXT_ROW + x] = state[last + x]
    _dual_row(state, height - 1, height, width)
    return change


@_inlined
def _primal_row(state: Any, y: int, height: int, width: int, tau: Any, bound: Any) -> Any:
    change = left1 = left2 = _float(0)
    for strip in range((width + _STRIP - 1) // _STRIP):
        here = _row(strip, y, height)
        next1, next2 = state[here + _P11 + _END], state[here + _P21 + _END]
        lanes = (_width(strip, width) + _LANES - 1) // _LANES * _LANES
        change += _primal(state, here, lanes, left1, left2, tau, bound)
        left1, left2 = next1, next2
    return change


@_inlined
def _primal(state: Any, here: Any, lanes: int, left1: Any, left2: Any, tau: Any, bound: Any) -> Any:
    """Update the flow of a row in one strip; return the sum of its squared changes."""
    above, change = here - _NEXT_ROW, _float(0)
    for x in range(_uint(lanes)):
        i, j = here + x, above + x
        u1, u2 = state[i + _U1], state[i + _U2]
        gx, gy = state[i + _GX], state[i + _GY]
        p11, p21 = state[i + _P11], state[i + _P21]
        force = -(state[i + _RHO] + (gx * u1 + gy * u2)) * state[i + _INVERSE]
        force = min(max(force, -bound), bound)
        d1 = force * gx + tau * (p11 - left1 + (state[i + _P12] - state[j + _P12]))
        d2 = force * gy + tau * (p21 - left2 + (state[i + _P22] - state[j + _P22]))
        left1, left2 = p11, p21
        state[i + _U1] = u1 + d1
        state[i + _U2] = u2 + d2
        change += d1 * d1 + d2 * d2
    return change


@_inlined
def _dual_row(state: Any, y: int, height: int, width: int) -> None:
    strips = (width + _STRIP - 1) // _STRIP
    for strip in range(strips):
        here = _row(strip, y, height)
        count = _width(strip, width)
        lanes = (count + _LANES - 1) // _LANES * _LANES
        end = here + _uint(count)
        # There is no gradient across the image's border.
        right = _row(strip + 1, y, height) if strip + 1 < strips else end - _1
        state[end + _U1], state[end + _U2] = state[right + _U1], state[right + _U2]
        _dual(state, here, lanes)
        if strip + 1 == strips:
            # The padding is zero again and so never moves.
            state[end + _U1] = state[end + _U2] = _float(0)
            state[end + _P11] = state[end + _P21] = state[end + _P12] = state[end + _P22] = _float(0)


@_inlined
def _dual(state: Any, here: Any, lanes: int) -> None:
    """Update the dual variables of a row in one strip from its flow and that of the row below."""
    below, one = here + _NEXT_ROW, _float(1)
    for x in range(_uint(lanes)):
        i, j = here + x, below + x
        dx = state[i + _U1 + _1] - state[i + _U1]
        dy = state[j + _U1] - state[i + _U1]
        shrink = one / (one + np.sqrt(dx * dx + dy * dy))
        state[i + _P11] = (state[i + _P11] + dx) * shrink
        state[i + _P12] = (state[i + _P12] + dy) * shrink
        dx = state[i + _U2 + _1] - state[i + _U2]
        dy = state[j + _U2] - state[i + _U2]
        shrink = one / (one + np.sqrt(dx * dx + dy * dy))
        state[i + _P21] = (state[i + _P21] + dx) * shrink
        state[i + _P22] = (state[i + _P22] + dy) * shrink


@_compiled
def _warp_row(
    state: Any, strip: int, y: int, first: Any, source: Any, scale: Any, weights: Any, columns: Any, lines: Any
) -> None:  # fmt: skip
    """Sample the second image and its gradient where a row's flow points, and linearise there."""
    height, width = first.shape
    here = _row(strip, y, height)
    x_start, count = strip * _STRIP, _width(strip, width)
    values = first[y, x_start:]
    unscale = _float(1) / scale
    # From here on outwards every tap is zero.
    nowhere, right, bottom = _float(-3), _float(width + 1), _float(height + 1)
    for k in range(count):
        x = _uint(k)
        to_x = min(max(_float(np.int32(x_start + k)) + state[here + _U1 + x] * unscale, nowhere), right)
        to_y = min(max(_float(y) + state[here + _U2 + x] * unscale, nowhere), bottom)
        column, line = np.floor(to_x), np.floor(to_y)
        columns[k], lines[k] = np.int32(column), np.int32(line)
        w0, w1, w2, w3 = _cubic(to_x - column)
        weights[x], weights[x + _K1], weights[x + _K2], weights[x + _K3] = w0, w1, w2, w3
        w0, w1, w2, w3 = _cubic(to_y - line)
        weights[x + _K4], weights[x + _K5], weights[x + _K6], weights[x + _K7] = w0, w1, w2, w3
    samples, pitch = source.reshape(source.size), source.shape[1]
    for k in range(count):
        i, x = here + _uint(k), _uint(k)
        start = (lines[k] + BORDER - 1) * pitch + columns[k] + BORDER - 1
        state[i + _RHO], state[i + _GX], state[i + _GY] = _sample(
            samples, _uint(start * 4), _uint(pitch * 4),
            weights[x], weights[x + _K1], weights[x + _K2], weights[x + _K3],
            weights[x + _K4], weights[x + _K5], weights[x + _K6], weights[x + _K7],
        )  # fmt: skip
    flat = _FLAT * unscale * unscale
    for k in range(count):
        i = here + _uint(k)
        gx, gy = state[i + _GX] * unscale, state[i + _GY] * unscale
        state[i + _GX], state[i + _GY] = gx, gy
        state[i + _INVERSE] = _float(1) / max(gx * gx + gy * gy, flat)
        state[i + _RHO] -= gx * state[i + _U1] + gy * state[i + _U2] + values[k]


@_compiled
def _cubic(t: Any) -> Any:
    """Return the four weights of Keys' cubic convolution with a = -0.75, at `t` between the middle two."""
    a, one = _float(-0.75), _float(1)
    s = one - t
    w0, w3 = a * t * s * s, a * s * t * t
    w1 = ((a + _float(2)) * t - (a + _float(3))) * t * t + one
    return w0, w1, one - w0 - w1 - w3, w3


@_intrinsic
def _sample(
    typing: Any, source: Any, start: Any, pitch: Any,
    x0: Any, x1: Any, x2: Any, x3: Any, y0: Any, y1: Any, y2: Any, y3: Any,
) -> Any:  # fmt: skip
    """Sum 4 × 4 pixels of four channels with the weights of columns and of rows; return three channels."""
    # One vector per row of pixels, spelled out: numba keeps LLVM from vectorising straight-line code.
    types: Any = numba.types
    signature = types.UniTuple(types.float32, 3)(source, start, pitch, x0, x1, x2, x3, y0, y1, y2, y3)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lane, single = ir.IntType(32), ir.FloatType()
        add, multiply = partial(builder.fadd, flags=_FAST), partial(builder.fmul, flags=_FAST)

        def pick(vector: Any, lanes: list[int]) -> Any:
            return builder.shuffle_vector(vector, vector, ir.Constant(ir.VectorType(lane, len(lanes)), lanes))

        def join(values: list[Any]) -> Any:
            vector = ir.Constant(ir.VectorType(single, len(values)), ir.Undefined)
            for k, value in enumerate(values):
                vector = builder.insert_element(vector, value, lane(k))
            return vector

        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        pointer = builder.gep(array.data, [arguments[1]])
        rows = []
        for weight in arguments[7:]:
            pixels = builder.load(builder.bitcast(pointer, ir.VectorType(single, 16).as_pointer()))
            pixels.align = 4
            rows.append(multiply(pixels, pick(join([weight]), [0] * 16)))
            pointer = builder.gep(pointer, [arguments[2]])
        total = add(add(rows[0], rows[1]), add(rows[2], rows[3]))
        total = multiply(total, pick(join(arguments[3:7]), [k // 4 for k in range(16)]))
        for half in (8, 4):
            total = add(pick(total, list(range(half))), pick(total, list(range(half, 2 * half))))
        channels = [builder.extract_element(total, lane(k)) for k in range(3)]
        return context.make_tuple(builder, signature.return_type, channels)

    return signature, generate


@_compiled
def _median(state: Any, plane: Any, padded: Any, ranks: Any, size: int) -> None:
    """Replace a flow component by its median over `size` × `size` pixels, the border repeated outwards."""
    radius = size // 2
    height, width = padded.shape[0] - 2 * radius, padded.shape[1] - 2 * radius
    for y in range(-radius, height + radius):
        to = padded[y + radius]
        for strip in range((width + _STRIP - 1) // _STRIP):
            here = _row(strip, min(max(y, 0), height - 1), height) + plane
            inside = to[radius + strip * _STRIP :]
            for k in range(_width(strip, width)):
                inside[k] = state[here + _uint(k)]
        for k in range(radius):
            to[k], to[width + radius + k] = to[radius], to[width + radius - 1]
    for strip in range((width + _STRIP - 1) // _STRIP):
        x_start, count = strip * _STRIP, _width(strip, width)
        for y in range(height):
            to_row = _row(strip, y, height) + plane
            if size == 3:
                _rank3(padded, y, x_start, count + 2, ranks)
                _median3(ranks, state, to_row, count)
            else:
                _rank5(padded, y, x_start, count + 4, ranks)
                _median5(ranks, state, to_row, count)


@_compiled
def _rank3(padded: Any, y: int, x_start: int, count: int, ranks: Any) -> None:
    """Sort each column of three rows; rank k goes to plane k."""
    a, b, c = padded[y, x_start:], padded[y + 1, x_start:], padded[y + 2, x_start:]
    for k in range(count):
        i = _uint(k)
        ranks[i] = min(min(a[k], b[k]), c[k])
        ranks[i + _K1] = _middle(a[k], b[k], c[k])
        ranks[i + _K2] = max(max(a[k], b[k]), c[k])


@_compiled
def _median3(ranks: Any, state: Any, to_row: Any, count: int) -> None:
    for k in range(count):
        i, i1, i2 = _uint(k), _uint(k) + _K1, _uint(k) + _K2
        low = max(max(ranks[i], ranks[i + _1]), ranks[i + _2])
        high = min(min(ranks[i2], ranks[i2 + _1]), ranks[i2 + _2])
        state[to_row + i] = _middle(low, _middle(ranks[i1], ranks[i1 + _1], ranks[i1 + _2]), high)


@_compiled
def _middle(a: Any, b: Any, c: Any) -> Any:
    return max(min(a, b), min(max(a, b), c))


@_compiled
def _rank5(padded: Any, y: int, x_start: int, count: int, ranks: Any) -> None:
    a, b, c = padded[y, x_start:], padded[y + 1, x_start:], padded[y + 2, x_start:]
    d, e = padded[y + 3, x_start:], padded[y + 4, x_start:]
    for k in range(count):
        i = _uint(k)
        r0, r1, r2, r3, r4 = _sort5(a[k], b[k], c[k], d[k], e[k])
        ranks[i], ranks[i + _K1], ranks[i + _K2], ranks[i + _K3], ranks[i + _K4] = r0, r1, r2, r3, r4


@_compiled
def _sort5(a: Any, b: Any, c: Any, d: Any, e: Any) -> Any:
    a, b = min(a, b), max(a, b)
    c, d = min(c, d), max(c, d)
    a, c = min(a, c), max(a, c)
    b, d = min(b, d), max(b, d)
    b, c = min(b, c), max(b, c)
    return min(a, e), max(a, min(b, e)), max(b, min(c, e)), max(c, min(d, e)), max(d, e)


@_compiled
def _sort5_at(ranks: Any, i: Any) -> Any:
    return _sort5(ranks[i], ranks[i + _1], ranks[i + _2], ranks[i + _3], ranks[i + _4])


@_compiled
def _median5(ranks: Any, state: Any, to_row: Any, count: int) -> None:
    for k in range(count):
        i = _uint(k)
        # mkl is rank l among five columns' ranks k. These thirteen are all that can be the median of 25.
        _, _, _, m03, m04 = _sort5_at(ranks, i)
        _, _, m12, m13, m14 = _sort5_at(ranks, i + _K1)
        _, m21, m22, m23, _ = _sort5_at(ranks, i + _K2)
        m30, m31, m32, _, _ = _sort5_at(ranks, i + _K3)
        m40, m41, _, _, _ = _sort5_at(ranks, i + _K4)
        # The shortest network that a search found: right for all 252 matrices of zeros and ones that are
        # sorted along both axes, and so for all values.
        a = min(min(max(m31, m03), m23), m14)
        b = min(m41, max(max(m30, m21), m13))
        c = max(m40, m12)
        low, high = max(min(a, b), min(c, m22)), min(max(a, b), max(c, m22))
        state[to_row + i] = min(max(low, high), max(min(low, high), min(m32, m04)))
