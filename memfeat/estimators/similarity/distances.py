"""Distances between rows."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
from scipy.spatial.distance import cdist

Array = npt.NDArray[Any]


def fractional_distances(rows: Array, points: Array, f: float) -> Array:
    """Return the distances ``(sum_k |u_k - v_k|^f)^(1/f)``.

    Parameters
    ----------
    rows, points
        Shapes (n, k) and (m, k).
    f
        Exponent, above 0: 2 is Euclidean, 1 city-block, below 1 fractional.

    Returns
    -------
    (n, m) float64

    Raises
    ------
    ValueError
        An exponent that is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> fractional_distances(np.array([[4.0, 9.0]]), np.zeros((1, 2)), 0.5).item()  # (2 + 3)^2
    25.0
    """
    if not f > 0:
        raise ValueError(f"f={f!r} is no exponent of a distance; give a number above 0, such as 0.5.")
    distances: Array = cdist(rows, points, "minkowski", p=f)
    return distances
