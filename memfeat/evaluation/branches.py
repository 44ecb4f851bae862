"""A pipeline whose model has one branch for each feature, however wide its prepared columns turn out to be."""

from __future__ import annotations

from typing import Any, Self

from sklearn.pipeline import Pipeline

BY_FEATURE = "by-feature"
"""What is given for the model's parameter ``branches``."""


class BranchedPipeline(Pipeline):  # type: ignore[misc]
    """Steps ``features`` and ``model``, whose ``branches`` become the features' widths when it is fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from memfeat.estimators.kclass import KClassRegressor
    >>> from memfeat.evaluation.preparation import PerFeature
    >>> features = PerFeature([("clip", 512, "passthrough"), ("hog", 900, "passthrough")])
    >>> BranchedPipeline([("features", features), ("model", KClassRegressor(branches="by-feature"))]).widths(
    ...     features.fit(np.zeros((3, 1412))), np.zeros((3, 1412)))
    [512, 900]
    """

    def fit(self, X: Any, y: Any = None, **parameters: Any) -> Self:
        """Fit the preparation of features on X, then the model on what it makes of them."""
        features, model = self.named_steps["features"], self.named_steps["model"]
        prepared = features.fit_transform(X)
        model.set_params(branches=self.widths(features, X))
        model.fit(prepared, y, **{name.removeprefix("model__"): value for name, value in parameters.items()})
        return self

    @staticmethod
    def widths(features: Any, X: Any) -> list[int]:
        """Return the number of columns that a fitted `PerFeature` makes of each feature of X."""
        return [int(part.shape[1]) for part in features.transform_apart(X[:1])]
