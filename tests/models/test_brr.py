from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import BayesianRidge

from memfeat import models


def test_it_is_scikit_learns_with_its_deviation() -> None:
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(40, 6)), generator.normal(size=40)
    mean, sd = models.get("brr").build(7).fit(X, y).predict(X, return_std=True)
    expected_mean, expected_sd = BayesianRidge().fit(X, y).predict(X, return_std=True)
    np.testing.assert_allclose(mean, expected_mean, rtol=1e-10)
    np.testing.assert_allclose(sd, expected_sd, rtol=1e-10)


def test_it_adds_no_scaling() -> None:
    # A prior shared by all weights makes the fit depend on units: z-scoring inside would hide that.
    generator = np.random.default_rng(1)
    X = generator.normal(size=(30, 20))
    y = X @ generator.normal(size=20) + generator.normal(size=30)
    scaled = X * np.r_[1e3, np.ones(19)]
    fit = models.get("brr").build(0).fit
    assert np.abs(fit(X, y).predict(X) - fit(scaled, y).predict(scaled)).max() > 1e-3


def test_the_deviation_is_that_of_the_noise_when_there_is_much_data() -> None:
    generator = np.random.default_rng(2)
    X = generator.normal(size=(3000, 3))
    y = X @ [1.0, -2.0, 0.5] + 0.3 * generator.normal(size=3000)
    _, sd = models.get("brr").build(0).fit(X, y).predict(X[:10], return_std=True)
    assert sd == pytest.approx(0.3, rel=0.05)


def test_its_parameters_are_those_of_the_estimator() -> None:
    assert models.get("brr").build(0, max_iter=5, alpha_1=0.5).get_params()["max_iter"] == 5
