"""The radius of a neighbourhood for density-based clustering, read from the distances to near neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.cluster import DBSCAN
from sklearn.neighbors import NearestNeighbors

Array = npt.NDArray[Any]
RULES = ("k-distance", "most-clusters")
REACH = 1 + 1e-9  # so that rounding does not leave out the point at the chosen distance itself
CANDIDATES = np.arange(0.02, 1.0, 0.02)  # quantiles of the k-distances


def k_distances(points: Array, k: int) -> Array:
    """Return each point's distance to its k-th nearest point, itself being the first, in ascending order.

    A point is a core point of DBSCAN with ``min_samples=k`` exactly when this distance is at most eps.

    Parameters
    ----------
    points
        Shape (n, d), n at least k.
    k
        At least 1.

    Returns
    -------
    (n,) float64

    Examples
    --------
    >>> k_distances(np.array([[0.0], [1.0], [3.0], [7.0]]), 2).tolist()
    [1.0, 1.0, 2.0, 4.0]
    """
    neighbours = NearestNeighbors(n_neighbors=k).fit(points)
    return np.sort(neighbours.kneighbors(points)[0][:, -1].astype(np.float64))


def knee(ascending: Array) -> float:
    """Return the value at which an ascending curve turns up: furthest below the line between its ends.

    Parameters
    ----------
    ascending
        Shape (n,), at least one value.

    References
    ----------
    Ester, M. et al. (1996), A density-based algorithm for discovering clusters, KDD, section 4.2: the
    radius is read from the first valley of the sorted k-distances.
    Satopää, V. et al. (2011), Finding a "kneedle" in a haystack, ICDCS workshops.

    Examples
    --------
    >>> knee(np.array([1.0, 1.1, 1.2, 1.3, 4.0, 9.0]))
    1.3
    """
    height = ascending[-1] - ascending[0]
    if height <= 0:
        return float(ascending[-1])
    below = np.linspace(0.0, 1.0, len(ascending)) - (ascending - ascending[0]) / height
    return float(ascending[np.argmax(below)])


def choose_eps(points: Array, *, min_samples: int, rule: str = "k-distance") -> float:
    """Return DBSCAN's eps by a rule on the k-distances, with k = `min_samples`.

    ``"k-distance"`` is the knee of the sorted k-distances: about what separates the few sparse points from
    the rest, so that on data without gaps most points fall into one cluster. ``"most-clusters"`` is, among
    49 quantiles of the k-distances, the one with the most clusters (the smallest if several): many small
    clusters and a large share of noise, as in the M3-S model, whose radii were set by hand for its data.
    With both at least one point is a core point, so there is at least one cluster.

    Parameters
    ----------
    points
        Shape (n, d), n at least `min_samples`.
    min_samples
        Points within eps, itself included, that make a core point.
    rule
        One of the two.

    Returns
    -------
    float
        Above 0.

    Raises
    ------
    ValueError
        Another rule.

    Examples
    --------
    >>> line = np.concatenate([np.arange(20) * 0.1, 10 + np.arange(20) * 0.1, [30.0]])[:, None]
    >>> round(choose_eps(line, min_samples=3), 3)
    0.2
    """
    if rule not in RULES:
        raise ValueError(f"eps={rule!r}; expected a number above 0 or one of {', '.join(RULES)}.")
    sorted_distances = k_distances(points, min_samples)
    positive = sorted_distances[sorted_distances > 0]
    if not len(positive):
        return _between_groups(points)
    if rule == "k-distance":
        return REACH * max(knee(sorted_distances), float(positive[0]))
    candidates = REACH * np.unique(np.quantile(positive, CANDIDATES, method="higher"))
    found = [
        int(DBSCAN(eps=eps, min_samples=min_samples).fit(points).labels_.max()) + 1 for eps in candidates
    ]
    return float(candidates[int(np.argmax(found))])


def _between_groups(points: Array) -> float:
    """Half the smallest distance between points that differ; 1 when none do."""
    distinct = np.unique(points, axis=0)
    return float(k_distances(distinct, 2)[0]) / 2 if len(distinct) > 1 else 1.0
