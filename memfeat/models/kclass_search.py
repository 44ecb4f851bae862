"""Scores by classification, with the network's settings found on inner folds.

The space is that of the study of image memorability by classification (32 to 1,024 units, dropout, ReLU or tanh, Adam,
RMSprop or SGD). Its own figure was the one that the search maximised; here the judged rows are outside.
"""

from __future__ import annotations

from typing import Any

from memfeat.models import ModelSpec

SPACE = {
    "hidden": [[32], [64], [128], [256], [512], [1024]],
    "activation": ["relu", "tanh"],
    "dropout": [0.0, 0.25, 0.5],
    "optimizer": ["adam", "rmsprop", "sgd"],
}


def build(seed: int, **parameters: Any) -> Any:
    """Return an unfitted `OptunaSearch` of `memfeat.estimators.kclass.KClassRegressor`.

    Parameters are those of the search: ``n_trials`` (30), inner ``folds`` (5), ``space``, which by default is
    ``SPACE``; and ``n_classes`` (4). `seed` decides the inner folds, what is tried and where networks begin.

    >>> build(0, n_classes=2).estimator.n_classes
    2
    """
    from memfeat.estimators.kclass import KClassRegressor
    from memfeat.estimators.search import OptunaSearch

    classes = {name: parameters.pop(name) for name in ("n_classes",) if name in parameters}
    estimator = KClassRegressor(random_state=seed, **classes)
    return OptunaSearch(**{"estimator": estimator, "space": SPACE, "random_state": seed, **parameters})


SPEC = ModelSpec(
    name="kclass-search",
    summary="Softmax network over balanced classes, its units, dropout, activation and optimiser found on inner folds.",
    build=build,
    needs_deep=True,
)
