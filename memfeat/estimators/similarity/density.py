"""Kernel density with the Epanechnikov kernel, and its bandwidth by cross-validated likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from math import lgamma, log, pi
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist
from sklearn.model_selection import KFold

Array = npt.NDArray[Any]
BANDWIDTHS = tuple((100.0 ** np.linspace(-1.0, 1.0, 100)).tolist())
"""The M3-S model's grid: 0.01 to 100 in equal ratios."""
FOLDS = 5
ROWS_AT_A_TIME = 256


def log_density(rows: Array, points: Array, bandwidth: float) -> Array:
    """Return the logarithm of the density that `points` give at each row.

    ``p(x) = c / (m h^k) sum_i max(0, 1 - |x - p_i|^2 / h^2)`` for m points in k dimensions, with c so that p
    integrates to 1: the estimate of scikit-learn's ``KernelDensity(kernel="epanechnikov")``. A row further
    than h from every point has density 0, logarithm minus infinity.

    Parameters
    ----------
    rows, points
        Shapes (n, k) and (m, k).
    bandwidth
        h, above 0.

    Returns
    -------
    (n,) float64

    Examples
    --------
    >>> points = np.array([[0.0], [3.0]])
    >>> np.exp(log_density(np.array([[0.0], [0.5], [9.0]]), points, 1.0)).round(6).tolist()
    [0.375, 0.28125, 0.0]
    """
    sums = np.empty(len(rows))
    for start in range(0, len(rows), ROWS_AT_A_TIME):
        chunk = slice(start, start + ROWS_AT_A_TIME)
        ratios = cdist(rows[chunk], points, "sqeuclidean") / bandwidth**2
        sums[chunk] = np.maximum(1.0 - ratios, 0.0).sum(axis=1)
    return _log(sums) + _log_normaliser(bandwidth, len(points), points.shape[1])


def choose_bandwidth(points: Array, bandwidths: Sequence[float] = BANDWIDTHS) -> float:
    """Return the bandwidth under which held-out points are likeliest, by 5-fold cross-validation.

    What scikit-learn's ``GridSearchCV(KernelDensity(kernel="epanechnikov"), {"bandwidth": bandwidths})``
    selects. The kernel ends at its bandwidth, so a bandwidth that leaves one held-out point without
    neighbours is out: in practice the point furthest from all others decides. Each point's distances are
    sorted once for all bandwidths.

    Parameters
    ----------
    points
        Shape (m, k); folds are consecutive rows.
    bandwidths
        Ascending, above 0.

    Returns
    -------
    float
        The largest bandwidth when none covers every held-out point, or when there is only one point.

    Examples
    --------
    >>> points = np.random.default_rng(0).normal(size=(500, 1))
    >>> 1.0 < choose_bandwidth(points) < 2.0
    True
    """
    widths = np.asarray(bandwidths, dtype=np.float64)
    if len(points) < 2:
        return float(widths[-1])
    likelihoods = []
    for fitted, held_out in KFold(min(FOLDS, len(points))).split(points):
        logs = np.zeros(len(widths))
        for start in range(0, len(held_out), ROWS_AT_A_TIME):
            squares = cdist(points[held_out[start : start + ROWS_AT_A_TIME]], points[fitted], "sqeuclidean")
            squares.sort(axis=1)
            for row in squares:
                within = np.searchsorted(row, widths**2)
                sums = np.concatenate([[0.0], np.cumsum(row)])[within]
                logs += _log(within - sums / widths**2)
        per_point = np.array([_log_normaliser(width, len(fitted), points.shape[1]) for width in widths])
        likelihoods.append(logs + len(held_out) * per_point)
    mean = np.mean(likelihoods, axis=0)
    return float(widths[np.argmax(mean)] if np.isfinite(mean).any() else widths[-1])


def _log_normaliser(bandwidth: float, points: int, dimensions: int) -> float:
    """Logarithm of c / (m h^k), with c = (k + 2) / (2 V) and V the volume of the unit ball."""
    volume = 0.5 * dimensions * log(pi) - lgamma(0.5 * dimensions + 1.0)
    return log(0.5 * dimensions + 1.0) - volume - log(points) - dimensions * log(bandwidth)


def _log(sums: Array) -> Array:
    with np.errstate(divide="ignore"):
        logarithms: Array = np.log(np.maximum(sums, 0.0))
    return logarithms
