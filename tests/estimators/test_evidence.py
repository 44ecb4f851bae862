from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg
from sklearn.linear_model import BayesianRidge

from memfeat.estimators.evidence import (
    NotPositiveError,
    Priors,
    Spectrum,
    diagonalised,
    effective_weights,
    maximise,
)


def data() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    X = generator.normal(size=(40, 5))
    y = X @ generator.normal(size=5) + generator.normal(size=40)
    return X - X.mean(axis=0), y - y.mean()


def tridiagonal(X: np.ndarray, y: np.ndarray) -> Spectrum:
    T, Q = linalg.hessenberg(X.T @ X, calc_q=True)  # tridiagonal, since the matrix is symmetric
    return Spectrum(
        T.diagonal().copy(), np.diag(T, 1).copy(), linalg.eigvalsh(T), Q.T @ X.T @ y, lambda q: Q @ q
    )


def diagonal(X: np.ndarray, y: np.ndarray) -> Spectrum:
    values, vectors = linalg.eigh(X.T @ X)
    return diagonalised(values, vectors.T @ X.T @ y, vectors)


@pytest.mark.parametrize("make", [tridiagonal, diagonal])
def test_solving_is_ridge_regression(make: object) -> None:
    X, y = data()
    spectrum = make(X, y)
    expected = np.linalg.solve(X.T @ X + 2.5 * np.eye(5), X.T @ y)
    np.testing.assert_allclose(spectrum.weights(spectrum.solve(2.5)), expected, rtol=1e-12)


@pytest.mark.parametrize("make", [tridiagonal, diagonal])
@pytest.mark.parametrize("scale", [1.0, 0.0])
def test_updates_are_scikit_learns(make: object, scale: float) -> None:
    X, y = data()
    y = X @ np.arange(5.0) + scale * y  # without noise, the sum of squares must not come from a difference
    y -= y.mean()
    found = maximise(make(X, y), y, Priors(alpha_init=1 / y.var()), predict=lambda w: X @ w)
    expected = BayesianRidge().fit(X, y)
    assert found.n_iter == expected.n_iter_
    assert found.alpha == pytest.approx(expected.alpha_, rel=1e-10)
    assert found.lambda_ == pytest.approx(expected.lambda_, rel=1e-10)
    np.testing.assert_allclose(found.weights, expected.coef_, rtol=1e-10, atol=1e-14)


def test_the_number_of_effective_weights_is_the_trace_of_the_hat_matrix() -> None:
    X, _ = data()
    hat = X @ np.linalg.solve(X.T @ X + 3.0 * np.eye(5), X.T)
    assert effective_weights(linalg.eigvalsh(X.T @ X), 2.0, 6.0) == pytest.approx(np.trace(hat), rel=1e-12)


def test_the_most_updates_are_the_most_updates() -> None:
    X, y = data()
    priors = Priors(alpha_init=1.0, max_iter=3, tol=1e-300)
    assert maximise(diagonal(X, y), y, priors, predict=lambda w: X @ w).n_iter == 3


def test_a_matrix_that_is_not_positive_definite_is_told() -> None:
    spectrum = Spectrum(np.ones(2), np.array([2.0]), np.ones(2), np.ones(2), lambda q: q)
    with pytest.raises(NotPositiveError):
        spectrum.solve(0.5)
