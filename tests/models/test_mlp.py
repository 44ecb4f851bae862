from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.neural_network import MLPRegressor

from memfeat import models


def data() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    X = generator.normal(size=(150, 4))
    return X, 0.8 + 0.1 * np.tanh(X[:, 0])


@pytest.fixture(autouse=True)
def few_epochs() -> object:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Stochastic Optimizer")
        yield


def test_it_is_scikit_learns_on_the_standardised_target() -> None:
    X, y = data()
    plain = MLPRegressor(random_state=3, max_iter=5).fit(X, (y - y.mean()) / y.std())
    ours = models.get("mlp").build(3, max_iter=5).fit(X, y)
    np.testing.assert_allclose(ours.predict(X), y.mean() + y.std() * plain.predict(X), rtol=1e-10)


def test_the_seed_makes_it_repeatable() -> None:
    X, y = data()
    fits = [models.get("mlp").build(seed, max_iter=3).fit(X, y).predict(X) for seed in (1, 1, 2)]
    assert np.array_equal(fits[0], fits[1])
    assert not np.array_equal(fits[0], fits[2])


def test_parameters_are_those_of_the_perceptron() -> None:
    X, y = data()
    fitted = models.get("mlp").build(0, hidden_layer_sizes=[7], max_iter=2).fit(X, y)
    assert fitted.regressor_.coefs_[0].shape == (4, 7)
