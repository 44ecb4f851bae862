from __future__ import annotations

import numpy as np

from memfeat import models
from memfeat.estimators.svr import ScaledSVR


def test_it_is_the_regression_with_the_settings_it_finds() -> None:
    generator = np.random.default_rng(0)
    X = generator.normal(size=(80, 3))
    y = 0.8 + 0.1 * np.tanh(X[:, 0]) + 0.02 * generator.normal(size=80)
    found = models.get("svr-search").build(1, n_trials=4).fit(X, y)
    assert set(found.best_params_) == {"C", "epsilon", "gamma_factor"}
    assert found.trials_[0]["params"] == {"C": 1.0, "epsilon": 0.1, "gamma_factor": 1.0}
    assert np.array_equal(found.predict(X), ScaledSVR(**found.best_params_).fit(X, y).predict(X))


def test_the_space_may_be_given() -> None:
    assert models.get("svr-search").build(0, space={"C": [1.0]}).space == {"C": [1.0]}
