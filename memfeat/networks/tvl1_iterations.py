r"""The iterations of TV-L1 on batches of pairs, in plain torch.

Flow is kept multiplied by :math:`t = \tau/\theta` and image gradients divided by it, as in
`memfeat.kernels.tvl1_loops`. Products and sums are separate operations: fused ones may round differently at the end
of a vector, and a pair's result would depend on its place in the batch.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from memfeat.networks.tvl1_sampling import median_filtered


class Rules(NamedTuple):
    """The parameters of the iterations on one level, scaled like the flow.

    Attributes
    ----------
    tolerance
        Iterations of a pair end once the squared changes of its flow add up to this or less.
    """

    tau: float
    bound: float
    tolerance: float
    outer: int
    inner: int
    median: int


class Linearised(NamedTuple):
    """The second image around the flow: its gradient, one over the square of that, and the rest of the difference.

    Attributes
    ----------
    gradient
        (N, 2, H, W).
    inverse, rest
        (N, H, W).
    """

    gradient: Tensor
    inverse: Tensor
    rest: Tensor


def relax(flow: Tensor, dual: Tensor, linear: Linearised, rules: Rules) -> None:
    """Iterate each pair until its flow changes no more, or for as long as the rules allow.

    Parameters
    ----------
    flow
        float32 (N, 2, H, W), changed in place.
    dual
        float32 (N, 2, 2, H, W) by flow component and direction, changed in place. Zero in the last column for the
        direction to the right, in the last row for that downwards, as at the beginning.
    linear
        The linearised images.
    rules
        Parameters.
    """
    pairs = torch.arange(len(flow), device=flow.device)
    done = torch.zeros(len(flow), dtype=torch.bool, device=flow.device)
    work = _Work(flow, dual, linear)
    for _ in range(rules.outer):
        work.smooth(rules.median)
        for _ in range(rules.inner):
            ended = (work.iterate(rules.tau, rules.bound) <= rules.tolerance) & ~done
            if not ended.any():
                continue
            work.write(ended, pairs, flow, dual)
            done |= ended
            left = len(done) - int(done.sum())
            if left == 0:
                return
            # Pairs that have ended are copied out at once, and iterated on in vain until leaving them out pays.
            if left <= 0.75 * len(done):
                work, pairs, done = work.only(~done), pairs[~done], done[~done]
    work.write(~done, pairs, flow, dual)


class _Field:
    """Two planes per pair, whose neighbours are the same memory read from another start.

    What a row, a plane or a pair reads beyond its end belongs to the next and has to be zero or to be overwritten.
    """

    def __init__(self, values: Tensor) -> None:
        size, width = values.numel(), values.shape[-1]
        memory = values.new_zeros(size + 2 * width)
        self.here, self.left, self.right, self.above, self.below = (
            memory[width + offset : width + offset + size].view(values.shape)
            for offset in (0, -1, 1, -width, width)
        )
        self.here.copy_(values)


class _Work:
    """Pairs that are iterated, in memory of their own."""

    def __init__(self, flow: Tensor, dual: Tensor, linear: Linearised) -> None:
        self._flow = _Field(flow)
        self._right, self._down = _Field(dual[:, :, 0]), _Field(dual[:, :, 1])
        self._linear = linear
        self._against = -linear.inverse
        self._force = torch.empty_like(linear.rest)
        self._step, self._across, self._along, self._length = (torch.empty_like(flow) for _ in range(4))

    def smooth(self, size: int) -> None:
        """Filter the flow by its median."""
        if size:
            self._flow.here.copy_(median_filtered(self._flow.here, size))

    def iterate(self, tau: float, bound: float) -> Tensor:
        """Do one iteration and return the sum of each pair's squared changes of flow, float64 (N,)."""
        flow, gradient, step = self._flow.here, self._linear.gradient, self._step
        torch.mul(gradient, flow, out=step)
        force = torch.add(step[:, 0], step[:, 1], out=self._force)
        force.add_(self._linear.rest).mul_(self._against).clamp_(-bound, bound)
        divergence = torch.sub(self._right.here, self._right.left, out=self._length)
        divergence.add_(self._down.here).sub_(self._down.above).mul_(tau)
        torch.mul(force[:, None], gradient, out=step)
        flow.add_(step.add_(divergence))
        # By rows, and those in double precision: the order in which threads add must not show.
        change = step.mul_(step).sum(-1).sum((1, 2), dtype=torch.float64)
        # There is no gradient across the image's border.
        across = torch.sub(self._flow.right, flow, out=self._across)
        across[..., -1] = 0
        along = torch.sub(self._flow.below, flow, out=self._along)
        along[..., -1, :] = 0
        length = torch.mul(across, across, out=self._length)
        length.add_(torch.mul(along, along, out=step)).sqrt_().add_(1)
        self._right.here.add_(across).div_(length)
        self._down.here.add_(along).div_(length)
        return change

    def write(self, rows: Tensor, pairs: Tensor, flow: Tensor, dual: Tensor) -> None:
        """Copy the chosen rows to where their pairs are."""
        to = pairs[rows]
        flow[to] = self._flow.here[rows]
        dual[to] = torch.stack([self._right.here[rows], self._down.here[rows]], dim=2)

    def only(self, rows: Tensor) -> _Work:
        """Return the chosen rows alone."""
        dual = torch.stack([self._right.here[rows], self._down.here[rows]], dim=2)
        return _Work(self._flow.here[rows], dual, Linearised(*(part[rows] for part in self._linear)))
