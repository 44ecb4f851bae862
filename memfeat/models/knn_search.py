"""Nearest neighbours, as many and weighted as inner folds find best.

Tuned in the study of image memorability by classification, which gives no values: from one neighbour to
two hundred, equal or weighted by closeness, by Euclidean or Manhattan distance.
"""

from __future__ import annotations

from typing import Any

from memfeat.models import ModelSpec

SPACE = {
    "n_neighbors": {"low": 1, "high": 200, "log": True},
    "weights": ["uniform", "distance"],
    "p": [1, 2],
}


def build(seed: int, **parameters: Any) -> Any:
    """Return an unfitted `OptunaSearch` of nearest neighbours.

    Parameters are those of the search: ``n_trials`` (30), inner ``folds`` (5), and ``space``, which by default is
    ``SPACE``. `seed` decides the inner folds, what is tried and what the regressor draws.

    >>> build(0, n_trials=50).get_params()["n_trials"]
    50
    """
    from sklearn.neighbors import KNeighborsRegressor

    from memfeat.estimators.search import OptunaSearch

    if "algorithm" in parameters.get("space", {}):
        raise ValueError(
            "algorithm is brute and not searched: others find the same neighbours by trees, which are not saved. "
            "Leave it out of the space."
        )
    return OptunaSearch(
        **{
            "estimator": KNeighborsRegressor(algorithm="brute"),
            "space": SPACE,
            "random_state": seed,
            **parameters,
        }
    )


SPEC = ModelSpec(
    name="knn-search",
    summary="Nearest neighbours, their number, weights and distance found on inner folds.",
    build=build,
    takes_sparse=True,
)
