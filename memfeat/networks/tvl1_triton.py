"""The iterations of TV-L1 on a GPU: one kernel per iteration and one for the median, compiled by Triton.

They do what `memfeat.networks.tvl1_iterations` does in some forty passes over memory. A program works on some pixels of
one pair, reads what the iteration before has left and writes elsewhere: the flow to the right and below, which the dual
variables need, it computes for itself. All programs of a pair first look at its changes in the iteration before, and
return where they say that it has ended: the device goes on while the host asks only now and then which pairs are left.
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

_PIXELS = 512
"""Of one program."""
_WARPS = 8
"""Of one program: two pixels per thread, whose values need no more registers than let three programs run at once."""
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
    # What was given and a second memory are written in turn; a pair's last iteration says where its results are.
    flows, duals = (flow, torch.empty_like(flow)), (dual, torch.empty_like(dual))
    sides = torch.zeros_like(pairs)
    f = d = latest = 0
    shape: dict[str, Any] = {"TILES": changes.shape[-1], "PIXELS": _PIXELS, "num_warps": _WARPS}
    for _ in range(rules.outer):
        if rules.median:
            _smooth(flows[f], flows[1 - f], pairs, rules.median)
            f = 1 - f
        for number in range(1, rules.inner + 1):
            before, after = changes[latest], changes[1 - latest]
            f_to, d_to, latest = 1 - f, 1 - d, 1 - latest
            _iterate[tiles, len(pairs)](
                flows[f], duals[d], flows[f_to], duals[d_to], gradient, inverse, rest, before, after, sides,
                f_to + 2 * d_to, pairs, height, width, rules.tau, rules.bound, rules.tolerance, **shape,
            )  # fmt: skip
            f, d = f_to, d_to
            if number % _UNASKED == 0 or number == rules.inner:
                pairs = pairs[after[pairs].sum(dim=1, dtype=torch.float64) > rules.tolerance]
                if not len(pairs):
                    break
        if not len(pairs):
            break
    for bit, (given, second) in enumerate((flows, duals)):
        there = (sides >> bit & 1).bool().reshape(-1, *[1] * (given.ndim - 1))
        torch.where(there, second, given, out=given)


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


def _smooth(flow: Tensor, smooth: Tensor, pairs: Tensor, size: int) -> None:
    """Write the median-filtered flow of some pairs."""
    height, width = flow.shape[-2:]
    if size == 5:
        tiles = triton.cdiv(height * width, _PIXELS)
        _median25[tiles, len(pairs), 2](flow, smooth, pairs, height, width, PIXELS=_PIXELS, num_warps=_WARPS)
    else:
        smooth[pairs] = median_filtered(flow[pairs], size)


@triton.jit
def _change(changes, pair, TILES: tl.constexpr):
    # In double precision: all programs and the host have to come to the same sum.
    return tl.sum(tl.load(changes + pair * TILES + tl.arange(0, TILES)).to(tl.float64), axis=0)


@triton.jit
def _dual(p, size, there):
    """Load the dual variables of some pixels: of both flow components to the right, then of both downwards."""
    right1, right2 = tl.load(p, there, 0.0), tl.load(p + 2 * size, there, 0.0)
    return right1, right2, tl.load(p + size, there, 0.0), tl.load(p + 3 * size, there, 0.0)


@triton.jit
def _moved(u, g, inverse, rest, size, there, divergence1, divergence2, tau, bound):
    """Return the flow of some pixels before the iteration, and by how much it changes."""
    u1, u2 = tl.load(u, there, 0.0), tl.load(u + size, there, 0.0)
    g1, g2 = tl.load(g, there, 0.0), tl.load(g + size, there, 0.0)
    force = -(tl.load(rest, there, 0.0) + g1 * u1 + g2 * u2) * tl.load(inverse, there, 0.0)
    force = tl.minimum(tl.maximum(force, -bound), bound)
    return u1, u2, force * g1 + tau * divergence1, force * g2 + tau * divergence2


# One kernel for every side: Triton compiles numbers 0 and 1 into kernels of their own.
@triton.jit(do_not_specialize=["side"])
def _iterate(
    flow, dual, flow_to, dual_to, gradient, inverse, rest, before, after, sides, side, pairs, height, width,
    tau, bound, tolerance, TILES: tl.constexpr, PIXELS: tl.constexpr,
):  # fmt: skip
    """Do one iteration and leave the sum of the squared changes of flow; zero for a pair that has ended."""
    tile, pair = tl.program_id(0), tl.load(pairs + tl.program_id(1)).to(tl.int64)
    if _change(before, pair, TILES) <= tolerance:
        tl.store(after + pair * TILES + tile, 0.0)
        return
    size = height * width
    i = tile * PIXELS + tl.arange(0, PIXELS)
    x, inside = i % width, i < size
    has_left, has_above = inside & (x > 0), inside & (i >= width)
    has_right, has_below = inside & (x < width - 1), i < size - width
    # Pointers first, then steps from them: most steps become a part of the load.
    u, p, g = flow + pair * 2 * size + i, dual + pair * 4 * size + i, gradient + pair * 2 * size + i
    w, r, down = inverse + pair * size + i, rest + pair * size + i, p + size

    right1, right2, down1, down2 = _dual(p, size, inside)
    left1, left2 = tl.load(p - 1, has_left, 0.0), tl.load(p + 2 * size - 1, has_left, 0.0)
    above1 = tl.load(down - width, has_above, 0.0)
    above2 = tl.load(down + 2 * size - width, has_above, 0.0)
    divergence1, divergence2 = right1 - left1 + (down1 - above1), right2 - left2 + (down2 - above2)
    u1, u2, d1, d2 = _moved(u, g, w, r, size, inside, divergence1, divergence2, tau, bound)
    tl.store(after + pair * TILES + tile, tl.sum(d1 * d1 + d2 * d2, axis=0))
    u1, u2 = u1 + d1, u2 + d2

    # The same one pixel to the right, where this one is on the left, ...
    r1, r2, b1, b2 = _dual(p + 1, size, has_right)
    above1 = tl.load(down - width + 1, has_above & has_right, 0.0)
    above2 = tl.load(down + 2 * size - width + 1, has_above & has_right, 0.0)
    divergence1, divergence2 = r1 - right1 + (b1 - above1), r2 - right2 + (b2 - above2)
    v1, v2, d1, d2 = _moved(u + 1, g + 1, w + 1, r + 1, size, has_right, divergence1, divergence2, tau, bound)
    # There is no gradient across the image's border.
    dx1, dx2 = tl.where(has_right, v1 + d1 - u1, 0.0), tl.where(has_right, v2 + d2 - u2, 0.0)

    # ... and one below, where this one is above.
    u, p, g, w, r = u + width, p + width, g + width, w + width, r + width
    r1, r2, b1, b2 = _dual(p, size, has_below)
    left1 = tl.load(p - 1, has_left & has_below, 0.0)
    left2 = tl.load(p + 2 * size - 1, has_left & has_below, 0.0)
    divergence1, divergence2 = r1 - left1 + (b1 - down1), r2 - left2 + (b2 - down2)
    v1, v2, d1, d2 = _moved(u, g, w, r, size, has_below, divergence1, divergence2, tau, bound)
    dy1, dy2 = tl.where(has_below, v1 + d1 - u1, 0.0), tl.where(has_below, v2 + d2 - u2, 0.0)

    shrink1 = 1.0 / (1.0 + tl.sqrt(dx1 * dx1 + dy1 * dy1))
    shrink2 = 1.0 / (1.0 + tl.sqrt(dx2 * dx2 + dy2 * dy2))
    u, p = flow_to + pair * 2 * size + i, dual_to + pair * 4 * size + i
    tl.store(u, u1, inside)
    tl.store(u + size, u2, inside)
    tl.store(p, (right1 + dx1) * shrink1, inside)
    tl.store(p + size, (down1 + dy1) * shrink1, inside)
    tl.store(p + 2 * size, (right2 + dx2) * shrink2, inside)
    tl.store(p + 3 * size, (down2 + dy2) * shrink2, inside)
    tl.store(sides + pair, side, tile == 0)


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
    size = height * width
    offset = (tl.load(pairs + tl.program_id(1)).to(tl.int64) * 2 + tl.program_id(2)) * size
    plane = flow + offset
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
    tl.store(smooth + offset + i, tl.minimum(tl.maximum(low, high), middle), inside)
