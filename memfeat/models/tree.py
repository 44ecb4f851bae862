"""A regression tree."""

from __future__ import annotations

from typing import Any

from memfeat.models import ModelSpec


def build(seed: int, **parameters: Any) -> Any:
    """Return an unfitted ``sklearn.tree.DecisionTreeRegressor``.

    The defaults are scikit-learn's: it grows until each leaf holds one row or equal scores, which learns the
    noise of the scores by heart. ``min_samples_leaf``, ``max_depth`` or `tree-search` restrain it.

    >>> build(0, max_depth=4).get_params()["max_depth"]
    4
    """
    from sklearn.tree import DecisionTreeRegressor

    return DecisionTreeRegressor(**{"random_state": seed, **parameters})


SPEC = ModelSpec(
    name="tree",
    summary="Regression tree (scikit-learn's), grown to the end unless its depth or leaves are limited.",
    build=build,
    takes_sparse=True,
)
