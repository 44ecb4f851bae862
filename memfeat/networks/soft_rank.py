"""Ranks that have a derivative.

Blondel, M., Teboul, O., Berthet, Q. and Djolonga, J. (2020), Fast Differentiable Sorting and Ranking, ICML.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.optimize import isotonic_regression
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

STRENGTH = 1e-3
"""Default regularisation, for scores in [0, 1]. In simulated batches of 32 predictions the correlation of these
ranks is within .004 of Spearman's on average, and a third of the predictions have a gradient; at .01 nearly all
have one, and the correlation lies nearer to Pearson's."""


def soft_rank(scores: Tensor, *, strength: float = STRENGTH) -> Tensor:
    r"""Return differentiable ranks: the lowest score is near 1, the highest near n.

    The ranks of :math:`\theta` are the vertex of the permutahedron of :math:`\rho = (1, \dots, n)` on which
    :math:`\theta` has the largest inner product. Taking off a quadratic term with weight
    :math:`\varepsilon` (`strength`) turns that into a Euclidean projection,

    .. math:: r_\varepsilon(\theta) = \operatorname{argmin}_{\mu \in P(\rho)} \tfrac12
        \|\mu - \theta / \varepsilon\|^2,

    which is an isotonic regression of the sorted :math:`\theta / \varepsilon - \rho` (pool adjacent
    violators, O(n log n), exact).

    Parameters
    ----------
    scores
        Shape (n,), finite.
    strength
        :math:`\varepsilon` in the unit of the scores. Where neighbours in order are further apart than
        `strength`, ranks are exact and have no gradient; scores closer than that share a block, within
        which ranks are linear in the scores. From 2 (max - min) / n on there is one block: all ranks are
        linear, and a correlation of them is Pearson's correlation of the scores.

    Returns
    -------
    Tensor
        Shape (n,), dtype and device of `scores`. Ranks sum to n (n + 1) / 2; equal scores share a rank.

    Raises
    ------
    ValueError
        Another shape, values that are not finite, or a strength that is not positive.

    Examples
    --------
    >>> soft_rank(torch.tensor([0.8, 0.2, 0.5, 0.5]), strength=1e-3)
    tensor([4.0000, 1.0000, 2.5000, 2.5000])
    """
    if scores.ndim != 1 or scores.numel() == 0:
        raise ValueError(f"soft_rank takes scores of shape (n,), n > 0; got {tuple(scores.shape)}.")
    if not strength > 0:
        raise ValueError(
            f"The strength of a soft rank must be positive, in the scores' unit; got {strength}."
        )
    if not torch.isfinite(scores).all():
        raise ValueError("soft_rank takes finite scores; some are NaN or infinite.")
    ranks: Tensor = _SoftRank.apply(scores, float(strength))
    return ranks


class _SoftRank(Function):
    """Projection on the permutahedron of (1, ..., n), computed in float64 on the CPU."""

    @staticmethod
    def forward(context: Any, scores: Tensor, strength: float) -> Tensor:
        values = scores.detach().cpu().numpy().astype(np.float64) / strength
        order = np.argsort(-values, kind="stable")
        ordered = values[order]
        dual = isotonic_regression(ordered - np.arange(values.size, 0, -1), increasing=False)
        ranks = np.empty_like(values)
        ranks[order] = ordered - dual.x
        context.order, context.starts, context.strength = order, dual.blocks[:-1], strength
        return torch.as_tensor(ranks).to(scores)

    @staticmethod
    @once_differentiable  # type: ignore[misc,unused-ignore]
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        # The fitted values of an isotonic regression are block means, so its Jacobian averages within blocks.
        order, starts = context.order, context.starts
        ordered = gradient.detach().cpu().numpy().astype(np.float64)[order]
        lengths = np.diff(np.append(starts, ordered.size))
        means = np.add.reduceat(ordered, starts) / lengths
        found = np.empty_like(ordered)
        found[order] = (ordered - np.repeat(means, lengths)) / context.strength
        return torch.as_tensor(found).to(gradient), None
