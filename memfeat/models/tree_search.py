"""A regression tree, as deep as inner folds find best.

Tuned in the study of image memorability by classification, which gives no values: depth from 1 to 20, and from
1 to 200 rows in a leaf.
"""

from __future__ import annotations

from typing import Any

from memfeat.models import ModelSpec

SPACE = {
    "max_depth": {"low": 1, "high": 20},
    "min_samples_leaf": {"low": 1, "high": 200, "log": True},
}


def build(seed: int, **parameters: Any) -> Any:
    """Return an unfitted `OptunaSearch` of regression trees.

    Parameters are those of the search: ``n_trials`` (30), inner ``folds`` (5), and ``space``, which by default is
    ``SPACE``. `seed` decides the inner folds, what is tried and what the regressor draws.

    >>> build(0, n_trials=50).get_params()["n_trials"]
    50
    """
    from sklearn.tree import DecisionTreeRegressor

    from memfeat.estimators.search import OptunaSearch

    return OptunaSearch(
        **{
            "estimator": DecisionTreeRegressor(random_state=seed),
            "space": SPACE,
            "random_state": seed,
            **parameters,
        }
    )


SPEC = ModelSpec(
    name="tree-search",
    summary="Regression tree, its depth and size of leaves found on inner folds.",
    build=build,
    takes_sparse=True,
)
