"""Agreement between true and predicted scores: Spearman, Pearson and mean squared error.

A correlation of a constant has no value. It is None here ("undefined"), never 0 and never NaN: a model that
predicts one number for every video must not enter a table with a figure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from memfeat.errors import UsageError

Vector = npt.NDArray[np.float64]

CONSTANT_WITHIN = 1e-13
"""Values whose range is below this share of their largest size differ by rounding only."""


def check_pair(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> tuple[Vector, Vector]:
    """Return both as float64 vectors, or say what keeps them from being compared.

    Raises
    ------
    UsageError
        Unequal lengths, no values at all, more than one axis, values that are no finite numbers.

    Examples
    --------
    >>> check_pair([1, 2], [3, 4])
    (array([1., 2.]), array([3., 4.]))
    """
    x, y = _vector(truth, "true"), _vector(predicted, "predicted")
    if x.size != y.size:
        raise UsageError(
            f"{x.size} true values against {y.size} predicted ones; they must pair up row by row."
        )
    if x.size == 0:
        raise UsageError("No values to compare; at least one pair of true and predicted value is needed.")
    return x, y


def is_constant(values: npt.NDArray[np.floating[Any]]) -> bool:
    """Return whether the values are one number, up to rounding (a range below 1e-13 of their size).

    >>> is_constant(np.array([0.8, 0.8])), is_constant(np.array([0.8, 0.9]))
    (True, False)
    """
    return bool(np.ptp(values) <= CONSTANT_WITHIN * np.max(np.abs(values)))


def pearson(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> float | None:
    """Pearson's product-moment correlation, in [-1, 1].

    Parameters
    ----------
    truth, predicted
        Shape (n,), any unit.

    Returns
    -------
    float or None
        ``cov(t, p) / (sd(t) sd(p))``; None when there are fewer than two pairs or one side is constant.

    Raises
    ------
    UsageError
        Unequal lengths, no values, values that are not finite.

    Examples
    --------
    >>> round(pearson([1, 2, 3], [1, 2, 4]), 4)
    0.982
    >>> pearson([1, 2, 3], [5, 5, 5]) is None
    True
    """
    x, y = check_pair(truth, predicted)
    if x.size < 2 or is_constant(x) or is_constant(y):
        return None
    # Scaling first keeps the squares of very large or very small values inside float64.
    return _correlation(x / np.abs(x).max(), y / np.abs(y).max())


def spearman(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> float | None:
    """Spearman's rank correlation, in [-1, 1]: Pearson's of the ranks, ties sharing their mean rank.

    Parameters
    ----------
    truth, predicted
        Shape (n,), any unit; only their order counts.

    Returns
    -------
    float or None
        None when there are fewer than two pairs or one side is constant.

    Raises
    ------
    UsageError
        Unequal lengths, no values, values that are not finite.

    Examples
    --------
    >>> round(spearman([1, 2, 3, 4], [10, 20, 20, 30]), 6)
    0.948683
    """
    x, y = check_pair(truth, predicted)
    if x.size < 2 or is_constant(x) or is_constant(y):
        return None
    return _correlation(rankdata(x), rankdata(y))


def mse(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> float | None:
    """Mean squared error, in the square of the score's unit; 0 is perfect. It always has a value.

    Raises
    ------
    UsageError
        Unequal lengths, no values, values that are not finite.

    Examples
    --------
    >>> mse([1, 2], [1, 4])
    2.0
    """
    x, y = check_pair(truth, predicted)
    return float(np.mean((x - y) ** 2))


METRICS: dict[str, Callable[[npt.ArrayLike, npt.ArrayLike], float | None]] = {
    "spearman": spearman,
    "pearson": pearson,
    "mse": mse,
}
"""Every metric by name, in the order of tables: the field's official one first."""


def _correlation(x: Vector, y: Vector) -> float:
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -1.0, 1.0))


def _vector(values: npt.ArrayLike, which: str) -> Vector:
    try:
        vector = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(f"The {which} values are not all numbers ({error}).") from None
    if vector.ndim != 1:
        raise UsageError(f"The {which} values have shape {vector.shape}; one axis of n values was expected.")
    bad = np.flatnonzero(~np.isfinite(vector))
    if bad.size:
        first = f"the first is {vector[bad[0]]} at position {bad[0]}"
        raise UsageError(
            f"{bad.size} of {vector.size} {which} values are not finite ({first}); leave them out."
        )
    return vector
