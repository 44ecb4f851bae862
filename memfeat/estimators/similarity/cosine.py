"""Cosines between rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def directions(rows: Array) -> Array:
    """Return the rows divided by their length, shape as given; a row of zeros stays zeros.

    Examples
    --------
    >>> directions(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    divided: Array = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return divided


def cosines(rows: Array, points: Array) -> Array:
    """Return the cosines of the angles between rows and points, in -1..1; 0 with a row of zeros.

    Parameters
    ----------
    rows, points
        Shapes (n, k) and (m, k).

    Returns
    -------
    (n, m)

    Examples
    --------
    >>> cosines(np.array([[2.0, 0.0], [0.0, 0.0]]), np.array([[1.0, 1.0]])).round(4).tolist()
    [[0.7071], [0.0]]
    """
    found: Array = np.clip(directions(rows) @ directions(points).T, -1.0, 1.0)
    return found
