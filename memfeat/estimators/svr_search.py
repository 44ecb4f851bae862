"""Settings of a support vector regression, found on distances that are computed once."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.svm import SVR

from memfeat.estimators.search import Array, OptunaSearch, Rows
from memfeat.estimators.svr import ScaledSVR, gaussian, squared_distances, standard, width


class SVRSearch(OptunaSearch):
    """`OptunaSearch` for `ScaledSVR`: the same settings are found, several times faster.

    A kernel is a function of distances, and these are the same for all settings and all inner folds. They are
    held in float64, 8 n^2 bytes; where that is more than the regressor's ``most_memory``, every fit computes
    its own kernel.

    Parameters
    ----------
    estimator
        A `ScaledSVR`.
    space, n_trials, folds, random_state
        As for `OptunaSearch`, whose attributes it has.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> y = np.sin(X[:, 0]) + 0.3 * np.random.default_rng(1).normal(size=60)
    >>> search = SVRSearch(ScaledSVR(), {"C": {"low": 0.1, "high": 10.0, "log": True}}, n_trials=5).fit(X, y)
    >>> len(search.trials_), search.trials_[0]["params"]
    (5, {'C': 1.0})
    """

    def _prepared(self, X: Any) -> Any:
        if not isinstance(self.estimator, ScaledSVR):
            raise ValueError(f"SVRSearch searches a ScaledSVR; got a {type(self.estimator).__name__}.")
        fits = 8 * len(X) ** 2 <= self.estimator.most_memory * 2**30
        return (X, squared_distances(X)) if fits else X

    def _predicted(self, settings: dict[str, Any], X: Any, y: Array, inside: Rows, outside: Rows) -> Array:
        if not isinstance(X, tuple):
            return super()._predicted(settings, X, y, inside, outside)
        rows, distances = X
        model = clone(self.estimator).set_params(**settings)
        model._validate_params()
        gamma = width(model.gamma, rows[inside]) * model.gamma_factor
        mean, deviation = standard(y[inside])
        fitted = SVR(C=model.C, epsilon=model.epsilon, tol=model.tol, kernel="precomputed").fit(
            gaussian(distances[np.ix_(inside, inside)], gamma), (y[inside] - mean) / deviation
        )
        kernel = gaussian(distances[np.ix_(outside, inside[fitted.support_])], gamma)
        return np.asarray(mean + deviation * (kernel @ fitted.dual_coef_[0] + fitted.intercept_[0]))
