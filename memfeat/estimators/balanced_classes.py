"""Balanced classes of scores, and the way back from the probabilities of classes to a score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BalancedClasses:
    """Classes of scores, as equal in size as ties allow; class k holds scores in (cuts[k-1], cuts[k]]."""

    cuts: Float64
    """Highest score of each class but the last, increasing; every cut is one of the scores."""
    class_means: Float64
    """Mean score of each class."""
    upper_edges: Float64
    """The cuts, and the maximum of the scale for the last class."""
    members: tuple[int, ...]
    """Scores in each class; none is empty."""

    @property
    def n_classes(self) -> int:
        """How many classes there are: fewer than asked for when ties leave no score between two cuts."""
        return len(self.members)

    def assign(self, scores: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return the class of each score, counted from 0.

        >>> make([0.1, 0.2, 0.3, 0.4], 2).assign([0.0, 0.2, 0.21, 0.9]).tolist()
        [0, 0, 1, 1]
        """
        return np.searchsorted(self.cuts, np.asarray(scores, np.float64), side="left").astype(np.int64)


def make(scores: npt.ArrayLike, n_classes: int, *, scale_maximum: float | None = None) -> BalancedClasses:
    """Return `n_classes` balanced classes of these scores, cut at their quantiles.

    Parameters
    ----------
    scores
        Shape (n,), finite, n > 0: training rows only.
    n_classes
        From 1 on. Equal scores share a class, so ties may leave fewer.
    scale_maximum
        Upper edge of the last class; None takes 1 for scores in [0, 1], and else the highest score.

    Raises
    ------
    ValueError
        Fewer scores than classes, or a scale that ends below the highest score.

    Examples
    --------
    >>> classes = make([0.5, 0.6, 0.7, 0.8, 0.9, 0.95], 3)
    >>> classes.cuts.tolist(), classes.upper_edges.tolist(), classes.members
    ([0.6, 0.8], [0.6, 0.8, 1.0], (2, 2, 2))
    """
    values = np.asarray(scores, np.float64)
    if int(n_classes) != n_classes or not 1 <= n_classes <= values.size:
        raise ValueError(f"{n_classes!r} classes cannot be made of {values.size} scores.")
    highest = float(values.max())
    if scale_maximum is None:
        scale_maximum = 1.0 if values.min() >= 0 and highest <= 1 else highest
    if scale_maximum < highest:
        raise ValueError(f"scale_maximum is {scale_maximum:g}, and a score is {highest:g}.")
    shares = np.arange(1, int(n_classes)) / n_classes
    # A cut that is a score has a member below it, so no class is empty once equal cuts are merged.
    cuts = np.unique(np.quantile(values, shares, method="inverted_cdf"))
    cuts = cuts[cuts < highest]
    assigned = np.searchsorted(cuts, values, side="left")
    members = np.bincount(assigned, minlength=len(cuts) + 1)
    return BalancedClasses(
        cuts=cuts,
        class_means=np.bincount(assigned, weights=values, minlength=len(cuts) + 1) / members,
        upper_edges=np.append(cuts, scale_maximum),
        members=tuple(int(count) for count in members),
    )
