"""How sure a figure is: percentile bootstrap intervals, for one sample or for the mean over folds.

A resample of n rows with replacement is a vector of n counts. Means over a resample are then products with
the counts, and the ranks within it follow from their running sums, so that 2,000 resamples of thousands of
rows need no sorting; ranks are those of the resample itself, ties included.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from memfeat.errors import UsageError, nearest
from memfeat.metrics import METRICS, check_pair, is_constant

Vector = npt.NDArray[np.float64]
CELLS = 2_000_000  # resamples x rows that are in memory at a time


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric with its interval and all that is needed to read it."""

    metric: str
    value: float | None
    """None: undefined (a constant on one side, or fewer than two rows, in any fold)."""
    low: float | None
    high: float | None
    n: int
    """Number of videos."""
    level: float
    resamples: int
    degenerate: int
    """Resamples without a value (constant by chance): left out of the interval."""
    folds: int | None = None
    """Number of folds of which `value` is the mean; None when all rows are one sample."""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-able values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Figure:
        """Return the figure that `as_dict` described."""
        return cls(**values)

    def __str__(self) -> str:
        """Return the value with interval and n.

        >>> print(Figure("spearman", 0.2713, 0.2, 0.34, 632, 0.95, 2000, 0))
        0.271 [0.200, 0.340] (95 % interval, n = 632)
        >>> print(Figure("spearman", None, None, None, 632, 0.95, 2000, 2000))
        undefined (n = 632)
        """
        if self.value is None:
            return f"undefined (n = {self.n})"
        digits = 5 if self.metric == "mse" else 3
        value = f"{self.value:.{digits}f}"
        if self.low is None or self.high is None:
            return f"{value} (no interval, n = {self.n})"
        interval = f"[{self.low:.{digits}f}, {self.high:.{digits}f}]"
        return f"{value} {interval} ({100 * self.level:g} % interval, n = {self.n})"


def figures(
    truth: npt.ArrayLike,
    predicted: npt.ArrayLike,
    *,
    folds: npt.ArrayLike | None = None,
    units: npt.ArrayLike | None = None,
    metrics: Sequence[str] = ("spearman", "pearson", "mse"),
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Figure]:
    """Return each metric with its percentile bootstrap interval.

    Parameters
    ----------
    truth, predicted
        Shape (n,): one row per video.
    folds
        Shape (n,), the fold in which each row was held out. When given, a value is the mean of the metric
        over folds, and rows are resampled within each fold: the folds are part of the procedure, not of the
        sample, and rows of different folds were predicted by different models.
    units
        Shape (n,), the video of each row. Needed when a video is held out more than once, as in repeated
        k-fold: the videos are then resampled, and each draw holds for all folds. Rows resampled within folds
        would count repeats as new videos and make the interval too narrow. Ignored when no video repeats.
    metrics
        Names from `memfeat.metrics.METRICS`. All are computed on the same resamples.
    resamples
        Number of bootstrap resamples; 0 gives values without intervals.
    level
        Coverage of the interval, in (0, 1).
    seed
        Seed of the resampling; equal input and seed give equal intervals.

    Returns
    -------
    dict of str to Figure

    Raises
    ------
    UsageError
        Unequal lengths, values that are not finite, an unknown metric, an impossible level.

    Notes
    -----
    Percentile interval: Efron, B. and Tibshirani, R. (1993), An Introduction to the Bootstrap, chapter 13.

    Examples
    --------
    >>> found = figures([1, 2, 3, 4, 5, 6], [1, 3, 2, 4, 6, 5], resamples=200)
    >>> round(found["spearman"].value, 3), found["spearman"].n
    (0.886, 6)
    >>> figures([1, 2, 3, 4], [1, 2, 5, 5], folds=["a", "a", "b", "b"], resamples=0)["spearman"].value is None
    True
    """
    if not 0 < level < 1:
        raise UsageError(f"level={level} is no coverage; give a number between 0 and 1, such as 0.95.")
    drawn = resampled(
        truth, predicted, folds=folds, units=units, metrics=metrics, resamples=resamples, seed=seed
    )
    return drawn.figures(level=level)


@dataclass(frozen=True)
class Resampled:
    """Metrics of one prediction, with their values in every resample of its rows; made by `resampled`.

    Two of the same rows, drawn with the same seed, went through the same resamples: their difference is paired.
    """

    values: Mapping[str, float | None]
    """None: undefined, as in `Figure`."""
    draws: Mapping[str, Vector]
    """Shape (resamples,); NaN where a resample has no value."""
    n: int
    """Number of videos."""
    folds: int | None
    sample: str
    """Digest of true scores, folds and units in their order, and of the seed: equal for the same resamples."""

    def figures(self, *, level: float = 0.95) -> dict[str, Figure]:
        """Return each metric with its percentile interval."""
        found = {}
        for name, value in self.values.items():
            draws = self.draws[name]
            usable = draws[np.isfinite(draws)]
            low = high = None
            if value is not None and usable.size:
                low, high = (float(q) for q in np.quantile(usable, [(1 - level) / 2, (1 + level) / 2]))
            found[name] = Figure(
                metric=name,
                value=value,
                low=low,
                high=high,
                n=self.n,
                level=level,
                resamples=int(draws.size),
                degenerate=int(draws.size - usable.size),
                folds=self.folds,
            )
        return found

    def minus(self, other: Resampled) -> Resampled:
        """Return what this prediction has more than another of the same rows, resample by resample.

        Undefined where either is.

        Raises
        ------
        UsageError
            The other one is of other rows or folds, or was drawn with another seed.
        """
        _same_sample([self, other])
        values = {}
        for name, value in self.values.items():
            theirs = other.values[name]
            values[name] = None if value is None or theirs is None else value - theirs
        draws = {name: self.draws[name] - other.draws[name] for name in self.draws}
        return replace(self, values=values, draws=draws)


def resampled(
    truth: npt.ArrayLike,
    predicted: npt.ArrayLike,
    *,
    folds: npt.ArrayLike | None = None,
    units: npt.ArrayLike | None = None,
    metrics: Sequence[str] = ("spearman", "pearson", "mse"),
    resamples: int = 2000,
    seed: int = 0,
) -> Resampled:
    """Return each metric and its values in every resample, for intervals and for paired differences.

    Parameters and errors are those of `figures`.

    Examples
    --------
    >>> truth = np.arange(30.0)
    >>> good, poor = (resampled(truth, truth + k * np.sin(truth), resamples=500) for k in (5, 9))
    >>> more = good.minus(poor).figures()["spearman"]
    >>> more.value > 0 and more.low > 0
    True
    """
    x, y = check_pair(truth, predicted)
    for name in metrics:
        if name not in METRICS:
            raise UsageError(
                f"Unknown metric {name!r}; there are {', '.join(METRICS)}.{nearest(name, METRICS)}"
            )
    if resamples < 0:
        raise UsageError(f"resamples={resamples}; give 0 (no intervals) or more.")
    parts = _parts(folds, x.size)
    video, n = _videos(units, x.size)
    members = [video[rows] for rows in parts] if n < x.size else None
    values: dict[str, float | None] = {}
    for name in metrics:
        found = [METRICS[name](x[rows], y[rows]) for rows in parts]
        defined = [v for v in found if v is not None]
        values[name] = float(np.mean(defined)) if len(defined) == len(parts) else None
    state = hashlib.sha256(x.tobytes() + video.tobytes() + f"{seed} {resamples}".encode())
    for rows in parts:
        state.update(rows.tobytes())
    return Resampled(
        values=values,
        draws=_resampled([(x[rows], y[rows]) for rows in parts], members, n, metrics, resamples, seed),
        n=n,
        folds=None if folds is None else len(parts),
        sample=state.hexdigest(),
    )


def average(several: Sequence[Resampled]) -> Resampled:
    """Return the mean over several predictions of the same rows, such as those of a model's seeds.

    Undefined where any is.

    Raises
    ------
    UsageError
        There is none, or they are not of the same rows, folds and seed of the resamples.
    """
    _same_sample(several)
    values: dict[str, float | None] = {}
    for name in several[0].values:
        defined = [v for one in several if (v := one.values[name]) is not None]
        values[name] = float(np.mean(defined)) if len(defined) == len(several) else None
    draws = {name: np.mean([one.draws[name] for one in several], axis=0) for name in several[0].draws}
    return replace(several[0], values=values, draws=draws)


def _same_sample(several: Sequence[Resampled]) -> None:
    if len({one.sample for one in several}) != 1:
        raise UsageError(
            f"{len(several)} predictions are not of the same rows in the same folds, drawn with the same seed; "
            "only such can be paired."
        )


def _parts(folds: npt.ArrayLike | None, n: int) -> list[npt.NDArray[np.intp]]:
    if folds is None:
        return [np.arange(n)]
    names = np.asarray(folds)
    if names.shape != (n,):
        raise UsageError(f"folds has shape {names.shape}; one fold for each of the {n} rows was expected.")
    return [np.flatnonzero(names == name) for name in np.unique(names)]


def _videos(units: npt.ArrayLike | None, n: int) -> tuple[npt.NDArray[np.intp], int]:
    """Return the number of each row's video, and how many videos there are."""
    if units is None:
        return np.arange(n), n
    names = np.asarray(units)
    if names.shape != (n,):
        raise UsageError(f"units has shape {names.shape}; one video for each of the {n} rows was expected.")
    distinct, numbers = np.unique(names, return_inverse=True)
    return numbers, int(distinct.size)


def _resampled(
    parts: list[tuple[Vector, Vector]],
    members: list[npt.NDArray[np.intp]] | None,
    videos: int,
    metrics: Sequence[str],
    resamples: int,
    seed: int,
) -> dict[str, Vector]:
    """Return each metric's mean over parts in every resample; NaN where any part has no value.

    Rows are drawn part by part; with `members`, the videos of each part's rows, one draw of videos serves all.
    """
    generator = np.random.default_rng(seed)
    total = {name: np.zeros(resamples) for name in metrics}
    prepared = [_Part(x, y) for x, y in parts]

    def add(part: _Part, rows: slice, counts: Vector) -> None:
        for name, values in part.evaluate(counts, metrics).items():
            total[name][rows] += values / len(parts)

    if members is not None:
        for rows, counts in _draw(generator, resamples, videos):
            for part, of_rows in zip(prepared, members, strict=True):
                add(part, rows, counts[:, of_rows])
        return total
    for part in prepared:
        for rows, counts in _draw(generator, resamples, part.n):
            add(part, rows, counts)
    return total


def _draw(generator: np.random.Generator, resamples: int, n: int) -> Iterator[tuple[slice, Vector]]:
    """Yield blocks of resamples as counts, shape (block, n)."""
    block = max(1, CELLS // n)
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        chosen = generator.integers(0, n, (size, n)) + n * np.arange(size)[:, None]
        counts = np.bincount(chosen.ravel(), minlength=size * n).reshape(size, n)
        yield slice(start, start + size), counts.astype(np.float64)


class _Part:
    """One sample, prepared for many resamples of it."""

    def __init__(self, x: Vector, y: Vector) -> None:
        self.n = x.size
        self.constant = is_constant(x) or is_constant(y)
        self.squares = (x - y) ** 2
        self.x, self.y = (_centred(v) for v in (x, y))
        self.order_x, self.order_y = _Order(x), _Order(y)

    def evaluate(self, counts: Vector, metrics: Sequence[str]) -> dict[str, Vector]:
        """Return each metric in each resample, shape (block,); NaN where it has no value."""
        groups = [order.counts(counts) for order in (self.order_x, self.order_y)]
        degenerate = np.any([(group > 0).sum(axis=1) < 2 for group in groups], axis=0) | self.constant
        found = {}
        for name in metrics:
            with np.errstate(invalid="ignore", divide="ignore"):
                if name == "mse":
                    found[name] = counts @ self.squares / counts.sum(axis=1)
                    continue
                correlate = self._pearson if name == "pearson" else self._spearman
                found[name] = np.where(degenerate, np.nan, correlate(counts, *groups))
        return found

    def _pearson(self, counts: Vector, _x: Vector, _y: Vector) -> Vector:
        # Both sides are centred on the sample's mean already, so these differences lose no digits.
        moments = np.stack([self.x, self.y, self.x * self.x, self.y * self.y, self.x * self.y], axis=1)
        x, y, xx, yy, xy = (counts @ moments / counts.sum(axis=1, keepdims=True)).T
        return _ratio(xy - x * y, xx - x * x, yy - y * y)

    def _spearman(self, counts: Vector, group_x: Vector, group_y: Vector) -> Vector:
        middle = (counts.sum(axis=1, keepdims=True) + 1) / 2
        x, y = (_mean_ranks(group) - middle for group in (group_x, group_y))
        both = np.einsum("rn,rn,rn->r", counts, x[:, self.order_x.of_row], y[:, self.order_y.of_row])
        return _ratio(both, (group_x * x * x).sum(axis=1), (group_y * y * y).sum(axis=1))


class _Order:
    """The distinct values of a sample in rising order, and which of them each row has."""

    def __init__(self, values: Vector) -> None:
        distinct, self.of_row = np.unique(values, return_inverse=True)
        self._rows = np.argsort(self.of_row, kind="stable")
        self._starts = np.searchsorted(self.of_row[self._rows], np.arange(distinct.size))

    def counts(self, counts: Vector) -> Vector:
        """Sum counts of rows to counts of distinct values, shape (block, distinct)."""
        summed: Vector = np.add.reduceat(counts[:, self._rows], self._starts, axis=1)
        return summed


def _mean_ranks(group: Vector) -> Vector:
    ranks: Vector = np.cumsum(group, axis=1) - (group - 1) / 2
    return ranks


def _centred(values: Vector) -> Vector:
    scale = np.abs(values).max()
    scaled = values / scale if scale > 0 else values
    centred: Vector = scaled - scaled.mean()
    return centred


def _ratio(covariance: Vector, variance_x: Vector, variance_y: Vector) -> Vector:
    clipped: Vector = np.clip(covariance / np.sqrt(variance_x * variance_y), -1.0, 1.0)
    return clipped
