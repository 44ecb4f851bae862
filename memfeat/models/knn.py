"""The mean score of the nearest training rows."""

from __future__ import annotations

from typing import Any

from memfeat.models import ModelSpec


def build(seed: int, **parameters: Any) -> Any:
    """Return an unfitted ``sklearn.neighbors.KNeighborsRegressor``, by default with 5 neighbours of equal weight.

    ``algorithm`` is ``brute`` and cannot be another: all find the same neighbours, and a tree of rows is compiled code
    that a saved model could not be trusted to hold.

    The number is scikit-learn's default. Distances are Euclidean on the columns as they come, so that columns of
    larger numbers count for more; each row is compared with all (``algorithm="brute"``), since trees of rows gain
    nothing beyond a dozen columns. Nothing in it is random: `seed` changes nothing.

    >>> build(0, n_neighbors=20).get_params()["n_neighbors"]
    20
    """
    from sklearn.neighbors import KNeighborsRegressor

    if parameters.get("algorithm", "brute") != "brute":
        raise ValueError(
            f"algorithm is brute, not {parameters['algorithm']}: others find the same neighbours by trees, which are "
            "not saved. Leave it out."
        )
    return KNeighborsRegressor(**{"algorithm": "brute", **parameters})


SPEC = ModelSpec(
    name="knn",
    summary="Mean score of the nearest training rows (scikit-learn's k-nearest neighbours, k = 5).",
    build=build,
    takes_sparse=True,
)
