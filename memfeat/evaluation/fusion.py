"""Late fusion: one prediction from those of several systems, by weighted averages of scores or of ranks.

Early fusion needs nothing of its own: it is a list of columns, each with its own preparation. What late fusion
learns (weights, and what a rank among the training rows is worth) comes from predictions of inner folds of the
training rows, so that no member judges a row it was fitted on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from memfeat.errors import UsageError
from memfeat.evaluation.folds import Positions, assign
from memfeat.evaluation.splits import Part

Vector = npt.NDArray[np.float64]

METHODS = ("score-average", "rank-average")
WEIGHTS = ("equal", "inner-folds")
STEPS = 20
"""Weights found on inner folds are multiples of 1/20."""
_GRID_MEMBERS = 4  # 1,771 combinations; five members have 10,626


@dataclass(frozen=True, slots=True)
class Fusion:
    """What a late fusion has learned from its training rows."""

    method: str
    weights: Vector
    """One per member, at least 0, sum 1."""
    reference: Vector | None = None
    """Sorted inner-fold predictions of the training rows, shape (n, members), where ranks are averaged."""
    line: tuple[float, float] = (0.0, 1.0)
    """Score of the mean share 0, and what a share of 1 adds to it."""

    def combine(self, predictions: Vector) -> Vector:
        """Return the fused prediction of each row.

        With ranks, each member's prediction becomes its rank among that member's predictions of training rows,
        as a share; the weighted mean of the shares becomes a score by a rising line. A row's fused prediction
        does not depend on the rows beside it.

        Parameters
        ----------
        predictions
            Of the members, shape (n, members).
        """
        if self.reference is None:
            return _mean(predictions, self.weights)
        start, slope = self.line
        return np.asarray(start + slope * _mean(_shares(self.reference, predictions), self.weights))


def needs_inner(method: str, weights: str) -> bool:
    """Return whether a fusion needs predictions of inner folds.

    >>> needs_inner("score-average", "equal"), needs_inner("rank-average", "equal")
    (False, True)
    """
    return method == "rank-average" or weights == "inner-folds"


def learn(
    method: str,
    weights: str,
    members: int,
    *,
    inner: Vector | None = None,
    folds: Positions | None = None,
    y: Vector | None = None,
) -> Fusion:
    """Return the fusion of members.

    Parameters
    ----------
    method
        ``score-average`` or ``rank-average``.
    weights
        ``equal``, or ``inner-folds``: the multiples of 1/20 with the highest mean Spearman correlation over
        inner folds; of several such, the most even ones.
    members
        How many systems are fused.
    inner
        Inner-fold predictions of the training rows, shape (n, members), where `needs_inner`.
    folds, y
        Inner fold and score of each training row, shape (n,).

    Examples
    --------
    >>> y = np.arange(12.0)
    >>> noise = np.array([5.0, 1, 9, 3, 7, 0, 8, 2, 6, 4, 1, 3])
    >>> inner = np.stack([y, noise], axis=1)
    >>> learn("score-average", "inner-folds", 2, inner=inner, folds=np.arange(12) % 2, y=y).weights.tolist()
    [0.75, 0.25]
    """
    even = np.full(members, 1 / members)
    if not needs_inner(method, weights):
        return Fusion(method, even)
    if inner is None or folds is None or y is None:
        raise UsageError(f"{method} with {weights} weights needs predictions of inner folds.")
    reference = np.sort(inner, axis=0) if method == "rank-average" else None
    values = inner if reference is None else _shares(reference, inner)
    found = even if weights == "equal" else best_weights(values, folds, y)
    if reference is None:
        return Fusion(method, found)
    return Fusion(method, found, reference, _rising_line(values @ found, y))


def inner_parts(part: Part, group: Sequence[str | None] | None, *, folds: int, seed: int) -> list[Part]:
    """Return fits on inner folds of a part's training rows, with groups kept whole.

    Raises
    ------
    UsageError
        Too few training rows or groups for the folds.
    """
    rows = np.sort(part.fit)
    # Rows are in order of their ids, so a position as a name puts them in that order again; groups are in the
    # order in which they appear, whatever they are called. A row without a group is its own.
    names = [f"{k:012}" for k in rows]
    of = [(group[k] if group is not None else None) or int(k) for k in rows]
    numbers = {name: f"{k:012}" for k, name in enumerate(dict.fromkeys(of))}
    groups = [numbers[name] for name in of] if len(numbers) < rows.size else None
    try:
        fold_of = assign(names, groups, folds=folds, seed=seed)
    except UsageError as error:
        raise UsageError(f"Inner folds of {part.name}: {error}") from error
    return [
        Part(f"inner {fold + 1} of {part.name}", rows[fold_of != fold], rows[fold_of == fold])
        for fold in range(folds)
    ]


def best_weights(predictions: Vector, folds: Positions, y: Vector) -> Vector:
    """Return the weights, at least 0 and of sum 1, with the highest mean Spearman correlation over folds.

    Up to four members, every combination of multiples of 1/20 is tried. With more, steps of 1/20 are moved
    from one member to another for as long as that helps, from equal weights and from the best single member.

    Parameters
    ----------
    predictions
        Shape (n, members).
    folds, y
        Shape (n,).
    """
    members = predictions.shape[1]
    by_fold = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]

    def worth(steps: npt.NDArray[np.intp]) -> Vector:
        mixed = predictions @ (steps.T / STEPS)
        return np.asarray(np.mean([_spearman(mixed[rows], y[rows]) for rows in by_fold], axis=0))

    if members <= _GRID_MEMBERS:
        tried = np.array(list(_simplex(members, STEPS)), dtype=np.intp)
        return _most_even(tried, worth(tried)) / STEPS
    single = np.eye(members, dtype=np.intp) * STEPS
    even = np.full(members, STEPS // members)
    even[: STEPS - even.sum()] += 1
    ends = np.array([_climb(start, worth) for start in (even, single[int(np.argmax(worth(single)))])])
    return _most_even(ends, worth(ends)) / STEPS


def _climb(start: npt.NDArray[np.intp], worth: Any) -> npt.NDArray[np.intp]:
    here, value = start, float(worth(start[None])[0])
    while True:
        steps = []
        for giver in np.flatnonzero(here):
            for taker in range(here.size):
                if taker != giver:
                    moved = here.copy()
                    moved[giver] -= 1
                    moved[taker] += 1
                    steps.append(moved)
        values = worth(np.array(steps))
        best = int(np.argmax(values))
        if values[best] <= value + 1e-12:
            return here
        here, value = steps[best], float(values[best])


def _simplex(members: int, total: int) -> Iterator[tuple[int, ...]]:
    """Yield every way to share `total` among members."""
    if members == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _simplex(members - 1, total - first):
            yield (first, *rest)


def _most_even(tried: npt.NDArray[np.intp], values: Vector) -> Vector:
    best = tried[values >= values.max() - 1e-12]
    return np.asarray(best[int(np.argmin((best**2).sum(axis=1)))], np.float64)


def _spearman(columns: Vector, y: Vector) -> Vector:
    """Return the rank correlation of each column with y; 0 where one is constant, which knows nothing."""
    ranks = rankdata(columns, axis=0) - (len(y) + 1) / 2
    of_y = rankdata(y) - (len(y) + 1) / 2
    scale = np.sqrt((ranks**2).sum(axis=0) * (of_y**2).sum())
    found: Vector = np.divide(of_y @ ranks, scale, out=np.zeros(scale.shape), where=scale > 0)
    return found


def _mean(values: Vector, weights: Vector) -> Vector:
    # A matrix product may sum a row differently when it stands alone.
    return np.asarray((values * weights).sum(axis=1))


def _shares(reference: Vector, predictions: Vector) -> Vector:
    """Return each prediction's rank among the sorted reference of its column, as a share in (0, 1)."""
    return np.stack([_share(reference[:, k], predictions[:, k]) for k in range(predictions.shape[1])], axis=1)


def _share(reference: Vector, values: Vector) -> Vector:
    distinct, counts = np.unique(reference, return_counts=True)
    middles = (np.cumsum(counts) - counts / 2) / reference.size
    return np.interp(values, distinct, middles)


def _rising_line(shares: Vector, y: Vector) -> tuple[float, float]:
    """Return start and slope of the least-squares line from shares to scores.

    The order of predictions is what ranks are averaged for, so the line rises by a hundredth of the scores' own
    spread at least.
    """
    spread = float(shares.std()) or 1.0
    slope = float(np.mean((shares - shares.mean()) * (y - y.mean()))) / spread**2
    slope = max(slope, 0.01 * float(y.std()) / spread)
    return float(y.mean() - slope * shares.mean()), slope
