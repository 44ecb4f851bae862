"""The iterations of TV-L1 on a GPU: two kernels per iteration and one for the median, compiled by Triton.

They do what `memfeat.networks.tvl1_iterations` does in some forty passes over memory. A program works on some pixels of
one pair. All programs of a pair first look at its changes in the iteration before, and return where they say that it
has ended: the device goes on while the host asks only now and then which pairs are left.
"""
# mypy: allow-untyped-defs, allow-untyped-decorators, allow-incomplete-defs

from __future__ import annotations

from typing import Any

import torch
import triton  # type: ignore[import-not-found, import-untyped]
import triton.language as tl  # type: ignore[import-not-found, import-untyped]
from torch import Tensor

from memfeat.networks import tvl1_iterations
from memfeat.networks.tvl1_iterations import Linearised, Rules
from memfeat.networks.tvl1_sampling import median_filtered

_PIXELS = 1024
"""Of one program."""
_UNASKED = 10
"""Iterations after which the host asks which pairs are left."""


def relax(flow: Tensor, dual: Tensor, linear: Linearised, rules: Rules) -> None:
    """Iterate each pair until its flow changes no more, as `tvl1_iterations.relax` does.

    Parameters
    ----------
    flow, dual
        float32 (N, 2, H, W) and (N, 2, 2, H, W), contiguous; changed in place.
    linear, rules
        As there.
    """
    height, width = flow.shape[-2:]
    tiles = triton.cdiv(height * width, _PIXELS)
    # Each program's sum of squared changes in the last iteration and the one before, in turn.
    changes = flow.new_zeros(2, len(flow), triton.next_power_of_2(tiles))
    changes[..., 0] = torch.inf
    gradient, inverse, rest = (part.contiguous() for part in linear)
    pairs = torch.arange(len(flow), dtype=torch.int32, device=flow.device)
    latest = 0
    for _ in range(rules.outer):
        _smooth(flow, pairs, rules.median)
        for number in range(1, rules.inner + 1):
            before, after = changes[latest], changes[1 - latest]
            latest = 1 - latest
            shape: dict[str, Any] = {"TILES": changes.shape[-1], "PIXELS": _PIXELS}
            _primal[tiles, len(pairs)](
                flow, dual, gradient, inverse, rest, before, after, pairs, height, width,
                rules.tau, rules.bound, rules.tolerance, **shape,
            )  # fmt: skip
            _dual[tiles, len(pairs)](flow, dual, before, pairs, height, width, rules.tolerance, **shape)
            if number % _UNASKED == 0 or number == rules.inner:
                pairs = pairs[after[pairs].sum(dim=1, dtype=torch.float64) > rules.tolerance]
                if not len(pairs):
                    return


def try_out(device: torch.device) -> None:
    """Compile the kernels and compare them with plain torch on a small problem.

    Raises
    ------
    RuntimeError
        They disagree.
    Exception
        Whatever Triton raises where it cannot compile.
    """
    generator = torch.Generator().manual_seed(0)
    flow, gradient = (torch.randn(2, 2, 33, 36, generator=generator).to(device) for _ in range(2))
    flow[0], gradient[0] = 0.1 * flow[0], 0  # the sooner to end
    rest = torch.randn(2, 33, 36, generator=generator).to(device)
    linear = Linearised(gradient, 1 / (gradient * gradient).sum(dim=1).clamp(min=1e-3), rest)
    rules = Rules(tau=0.25, bound=0.03, tolerance=0.05, outer=2, inner=9, median=5)
    results = []
    for each in (relax, tvl1_iterations.relax):
        ours, dual = flow.clone(), flow.new_zeros(2, 2, 2, 33, 36)
        each(ours, dual, linear, rules)
        results.append((ours, dual))
    apart = max(float((one - other).abs().max()) for one, other in zip(*results, strict=True))
    if not apart < 1e-3:
        raise RuntimeError(f"the kernels differ from plain torch by {apart:g}")


def _smooth(flow: Tensor, pairs: Tensor, size: int) -> None:
    """Filter the flow of some pairs by its median."""
    height, width = flow.shape[-2:]
    if size == 5:
        smooth = flow.new_empty(len(pairs), *flow.shape[1:])
        tiles = triton.cdiv(height * width, _PIXELS)
        _median25[tiles, len(pairs) * 2](flow, smooth, pairs, height, width, PIXELS=_PIXELS)
        flow[pairs] = smooth
    elif size:
        flow[pairs] = median_filtered(flow[pairs], size)


@triton.jit
def _change(changes, pair, TILES: tl.constexpr):
    # In double precision: both kernels and the host have to come to the same sum.
    return tl.sum(tl.load(changes + pair * TILES + tl.arange(0, TILES)).to(tl.float64), axis=0)


@triton.jit
def _primal(
    flow, dual, gradient, inverse, rest, before, after, pairs, height, width, tau, bound, tolerance,
    TILES: tl.constexpr, PIXELS: tl.constexpr,
):  # fmt: skip
    """Update the flow and leave the sum of its squared changes; zero for a pair that has ended."""
    tile, pair = tl.program_id(0), tl.load(pairs + tl.program_id(1)).to(tl.int64)
    if _change(before, pair, TILES) <= tolerance:
        tl.store(after + pair * TILES + tile, 0.0)
        return
    size = height * width
    i = tile * PIXELS + tl.arange(0, PIXELS)
    inside = i < size
    has_left, has_above = inside & (i % width > 0), i >= width
    u, p, g, one = flow + pair * 2 * size, dual + pair * 4 * size, gradient + pair * 2 * size, pair * size
    u1, u2 = tl.load(u + i, inside, 0.0), tl.load(u + size + i, inside, 0.0)
    g1, g2 = tl.load(g + i, inside, 0.0), tl.load(g + size + i, inside, 0.0)
    scale, difference = tl.load(inverse + one + i, inside, 0.0), tl.load(rest + one + i, inside, 0.0)
    force = -(difference + g1 * u1 + g2 * u2) * scale
    force = tl.minimum(tl.maximum(force, -bound), bound)
    right1, down1 = p + i, p + size + i
    right2, down2 = p + 2 * size + i, p + 3 * size + i
    divergence1 = tl.load(right1, inside, 0.0) - tl.load(right1 - 1, has_left, 0.0)
    divergence1 += tl.load(down1, inside, 0.0) - tl.load(down1 - width, inside & has_above, 0.0)
    divergence2 = tl.load(right2, inside, 0.0) - tl.load(right2 - 1, has_left, 0.0)
    divergence2 += tl.load(down2, inside, 0.0) - tl.load(down2 - width, inside & has_above, 0.0)
    d1, d2 = force * g1 + tau * divergence1, force * g2 + tau * divergence2
    tl.store(u + i, u1 + d1, inside)
    tl.store(u + size + i, u2 + d2, inside)
    tl.store(after + pair * TILES + tile, tl.sum(d1 * d1 + d2 * d2, axis=0))


@triton.jit
def _dual(
    flow, dual, before, pairs, height, width, tolerance, TILES: tl.constexpr, PIXELS: tl.constexpr
):  # fmt: skip
    """Update the dual variables from the flow that `_primal` has left."""
    pair = tl.load(pairs + tl.program_id(1)).to(tl.int64)
    if _change(before, pair, TILES) <= tolerance:
        return
    size = height * width
    i = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    inside = i < size
    has_right, has_below = inside & (i % width < width - 1), i < size - width
    for component in tl.static_range(2):
        u, p = flow + (pair * 2 + component) * size, dual + (pair * 2 + component) * 2 * size
        here = tl.load(u + i, inside, 0.0)
        # There is no gradient across the image's border.
        dx = tl.where(has_right, tl.load(u + i + 1, has_right, 0.0) - here, 0.0)
        dy = tl.where(has_below, tl.load(u + i + width, has_below, 0.0) - here, 0.0)
        length = 1.0 + tl.sqrt(dx * dx + dy * dy)
        tl.store(p + i, (tl.load(p + i, inside, 0.0) + dx) / length, inside)
        tl.store(p + size + i, (tl.load(p + size + i, inside, 0.0) + dy) / length, inside)


@triton.jit
def _sort5(a, b, c, d, e):
    a, b = tl.minimum(a, b), tl.maximum(a, b)
    c, d = tl.minimum(c, d), tl.maximum(c, d)
    a, c = tl.minimum(a, c), tl.maximum(a, c)
    b, d = tl.minimum(b, d), tl.maximum(b, d)
    b, c = tl.minimum(b, c), tl.maximum(b, c)
    second, third = tl.maximum(a, tl.minimum(b, e)), tl.maximum(b, tl.minimum(c, e))
    return tl.minimum(a, e), second, third, tl.maximum(c, tl.minimum(d, e)), tl.maximum(d, e)


@triton.jit
def _column(plane, x, y, height, width, inside):
    """Sort five pixels of a column around y, the border repeated outwards."""
    x = tl.minimum(tl.maximum(x, 0), width - 1)
    return _sort5(
        tl.load(plane + tl.maximum(y - 2, 0) * width + x, inside, 0.0),
        tl.load(plane + tl.maximum(y - 1, 0) * width + x, inside, 0.0),
        tl.load(plane + y * width + x, inside, 0.0),
        tl.load(plane + tl.minimum(y + 1, height - 1) * width + x, inside, 0.0),
        tl.load(plane + tl.minimum(y + 2, height - 1) * width + x, inside, 0.0),
    )


@triton.jit
def _median25(flow, smooth, pairs, height, width, PIXELS: tl.constexpr):
    """Write the median over 5 × 5 pixels of one flow component, as `tvl1_sampling.median_filtered` finds it."""
    number = tl.program_id(1).to(tl.int64)
    size = height * width
    plane = flow + (tl.load(pairs + number // 2).to(tl.int64) * 2 + number % 2) * size
    i = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    inside = i < size
    x, y = i % width, i // width
    a0, a1, a2, a3, a4 = _column(plane, x - 2, y, height, width, inside)
    b0, b1, b2, b3, b4 = _column(plane, x - 1, y, height, width, inside)
    c0, c1, c2, c3, c4 = _column(plane, x, y, height, width, inside)
    d0, d1, d2, d3, d4 = _column(plane, x + 1, y, height, width, inside)
    e0, e1, e2, e3, e4 = _column(plane, x + 2, y, height, width, inside)
    _, _, _, m03, m04 = _sort5(a0, b0, c0, d0, e0)
    _, _, m12, m13, m14 = _sort5(a1, b1, c1, d1, e1)
    _, m21, m22, m23, _ = _sort5(a2, b2, c2, d2, e2)
    m30, m31, m32, _, _ = _sort5(a3, b3, c3, d3, e3)
    m40, m41, _, _, _ = _sort5(a4, b4, c4, d4, e4)
    a = tl.minimum(tl.minimum(tl.maximum(m31, m03), m23), m14)
    b = tl.minimum(m41, tl.maximum(tl.maximum(m30, m21), m13))
    c = tl.maximum(m40, m12)
    low = tl.maximum(tl.minimum(a, b), tl.minimum(c, m22))
    high = tl.minimum(tl.maximum(a, b), tl.maximum(c, m22))
    middle = tl.maximum(tl.minimum(low, high), tl.minimum(m32, m04))
    tl.store(smooth + number * size + i, tl.minimum(tl.maximum(low, high), middle), inside)
