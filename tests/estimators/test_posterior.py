from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg

from memfeat.estimators import centred, posterior
from memfeat.estimators.centred import Centred
from memfeat.estimators.evidence import Priors
from memfeat.estimators.posterior import Posterior, by_columns, by_rows, by_singular_values

ROUTES = {"columns": by_columns, "rows": by_rows, "singular values": by_singular_values}


def data(rows: int, width: int, *, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(rows + width)
    X = generator.normal(1, 1, size=(rows, width))
    y = X @ generator.normal(size=width) / np.sqrt(width) + generator.normal(size=rows)
    return X * generator.permutation(np.logspace(0, np.log10(scale), width)), y - y.mean()


def covariance(made: Posterior) -> np.ndarray:
    along = (made.directions * made.variances) @ made.directions.T
    if not made.rest:
        return along
    return along + made.rest * (np.eye(len(along)) - made.directions @ made.directions.T)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(("rows", "width"), [(30, 7), (30, 1), (9, 9), (6, 20), (2, 3), (5, 2)])
def test_weights_and_covariance_are_those_of_the_closed_form(route: str, rows: int, width: int) -> None:
    X, y = data(rows, width)
    made = ROUTES[route](Centred(X), y, Priors(alpha_init=1 / y.var()))
    centred_X = X - X.mean(axis=0)
    alpha, lambda_ = made.evidence.alpha, made.evidence.lambda_
    expected = np.linalg.inv(alpha * centred_X.T @ centred_X + lambda_ * np.eye(width))
    np.testing.assert_allclose(covariance(made), expected, rtol=1e-9, atol=1e-9 * expected.max())
    np.testing.assert_allclose(made.weights, alpha * expected @ (centred_X.T @ y), rtol=1e-7, atol=1e-9)
    if made.rest:
        np.testing.assert_allclose(
            made.directions.T @ made.directions, np.eye(made.variances.size), atol=1e-12
        )


@pytest.mark.parametrize(("rows", "width"), [(60, 40), (20, 60)])
def test_blocks_do_not_matter(rows: int, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = data(rows, width)
    priors = Priors(alpha_init=1 / y.var())
    route = by_columns if rows > width else by_rows
    whole = route(Centred(X), y, priors)
    monkeypatch.setattr(posterior, "AT_A_TIME", 7)
    monkeypatch.setattr(centred, "AT_A_TIME", 7)
    blocked = route(Centred(X), y, priors)
    np.testing.assert_allclose(blocked.weights, whole.weights, rtol=1e-10)
    np.testing.assert_allclose(covariance(blocked), covariance(whole), rtol=1e-9, atol=1e-12)


def test_doubt_is_small_where_products_are_good_enough() -> None:
    X, y = data(60, 20)
    assert by_columns(Centred(X), y, Priors(alpha_init=1.0)).doubt < 1e-13
    assert by_rows(Centred(X[:15]), y[:15] - y[:15].mean(), Priors(alpha_init=1.0)).doubt < 1e-12
    assert by_singular_values(Centred(X), y, Priors(alpha_init=1.0)).doubt == 0


@pytest.mark.parametrize("rows", [80, 30])
def test_doubt_tells_of_lost_digits(rows: int) -> None:
    # Directions, not columns, of very different lengths, and a target that is made of the short ones.
    generator = np.random.default_rng(0)
    lengths = np.logspace(0, -7, 40)
    axes = linalg.qr(generator.normal(size=(40, 40)))[0]
    scores = generator.normal(size=(rows, 40))
    X = (scores * lengths) @ axes
    y = scores.sum(axis=1) - scores.sum(axis=1).mean()
    route = by_columns if rows > 40 else by_rows
    priors = Priors(alpha_init=1e12, lambda_init=1e-6, max_iter=1)
    products, values = (each(Centred(X), y, priors) for each in (route, by_singular_values))
    off = np.abs(products.weights - values.weights).max() / np.abs(values.weights).max()
    assert off > 1e-9
    assert products.doubt > 1e-9


def test_short_columns_keep_their_digits_beside_long_ones() -> None:
    # Judged in arithmetic of more digits, in which products lose nothing that shows.
    X, y = data(80, 30, scale=1e6)
    made = by_columns(Centred(X), y, Priors(alpha_init=1 / y.var()))
    exact = X.astype(np.longdouble)
    exact = exact - exact.mean(axis=0)
    ridge = np.longdouble(made.evidence.lambda_) / np.longdouble(made.evidence.alpha)
    left = exact.T @ (y - exact @ made.weights) - ridge * made.weights
    gram = np.asarray(exact.T @ exact, dtype=np.float64) + float(ridge) * np.eye(30)
    scale = np.sqrt(gram.diagonal())
    change = np.linalg.solve(gram / np.outer(scale, scale), np.asarray(left, np.float64) / scale) / scale
    assert np.abs(X @ change).max() < 1e-12 * np.abs(X @ made.weights).max()
    assert made.doubt < 1e-11
