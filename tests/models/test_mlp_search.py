from __future__ import annotations

import numpy as np
import pytest
from sklearn.neural_network import MLPRegressor

from memfeat import models


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_it_is_the_perceptron_with_the_settings_it_finds() -> None:
    generator = np.random.default_rng(0)
    X = generator.normal(size=(60, 3))
    y = 0.8 + 0.1 * np.tanh(X[:, 0]) + 0.02 * generator.normal(size=60)
    found = models.get("mlp-search").build(1, n_trials=2, folds=2).fit(X, y)
    settings = {name.removeprefix("regressor__"): value for name, value in found.best_params_.items()}
    plain = MLPRegressor(early_stopping=True, random_state=1, **settings).fit(X, (y - y.mean()) / y.std())
    np.testing.assert_allclose(found.predict(X), y.mean() + y.std() * plain.predict(X), rtol=1e-10)
