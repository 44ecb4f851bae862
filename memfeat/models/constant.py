"""The baseline that knows no feature: the mean of the training scores."""

from __future__ import annotations

from typing import Any

from memfeat.models import ModelSpec


def build(seed: int, **parameters: Any) -> Any:
    """Return an unfitted ``sklearn.dummy.DummyRegressor``, by default one that predicts the training mean.

    Its squared error is what a model has to beat; its correlation is undefined. ``strategy="median"`` predicts
    the median. Nothing in it is random: `seed` changes nothing.

    >>> build(0).fit([[0], [1]], [0.6, 0.8]).predict([[5]])
    array([0.7])
    """
    from sklearn.dummy import DummyRegressor

    return DummyRegressor(**parameters)


SPEC = ModelSpec(
    name="constant",
    summary="Mean of the training scores: the error to beat, without a correlation.",
    build=build,
    takes_sparse=True,
)
