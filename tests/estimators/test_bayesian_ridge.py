from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from decimal import Decimal, localcontext

import numpy as np
import pytest
from sklearn.linear_model import BayesianRidge
from sklearn.utils.estimator_checks import parametrize_with_checks

from memfeat.estimators import bayesian_ridge
from memfeat.estimators.bayesian_ridge import GramBayesianRidge

WITHIN = 1e-10
SHAPES = [(90, 30), (40, 39), (30, 90)]


@parametrize_with_checks([GramBayesianRidge()])
def test_scikit_learns_checks(estimator: object, check: object) -> None:
    check(estimator)


def data(rows: int, width: int, *, noise: float = 0.1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(rows + 25, width))
    signal = X @ generator.normal(size=width) / np.sqrt(width)
    return X, 0.8 + 0.1 * signal + noise * generator.normal(size=rows + 25)


def agree(X: np.ndarray, y: np.ndarray, rows: int, **parameters: object) -> GramBayesianRidge:
    """Fit both on the first rows and compare them on all, relatively."""
    ours = GramBayesianRidge(**parameters).fit(X[:rows], y[:rows])
    theirs = BayesianRidge(**parameters).fit(X[:rows], y[:rows])
    mean, deviation = ours.predict(X, return_std=True)
    expected_mean, expected_deviation = theirs.predict(X, return_std=True)
    np.testing.assert_allclose(mean, expected_mean, rtol=WITHIN)
    np.testing.assert_allclose(deviation, expected_deviation, rtol=WITHIN)
    assert ours.n_iter_ == theirs.n_iter_
    assert [ours.alpha_, ours.lambda_] == pytest.approx([theirs.alpha_, theirs.lambda_], rel=WITHIN)
    return ours


@pytest.mark.parametrize(("rows", "width"), [*SHAPES, (2, 1), (3, 1), (2, 5), (400, 2)])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_it_is_scikit_learns(rows: int, width: int, fit_intercept: bool) -> None:
    X, y = data(rows, width)
    ours = agree(X, y, rows, fit_intercept=fit_intercept)
    theirs = BayesianRidge(fit_intercept=fit_intercept).fit(X[:rows], y[:rows])
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(ours.sigma_, theirs.sigma_, rtol=1e-9, atol=1e-9 * theirs.sigma_.max())
    assert ours.intercept_ == pytest.approx(theirs.intercept_, rel=WITHIN)
    np.testing.assert_allclose(ours.X_offset_, theirs.X_offset_, atol=1e-15)
    assert ours.route_ == ("columns" if rows >= width else "rows")


@pytest.mark.parametrize(("rows", "width"), SHAPES)
def test_degenerate_columns(rows: int, width: int) -> None:
    X, y = data(rows, width)
    X[:, 1] = X[:, 2]
    X[:, 3] = 5.0
    X[:, 4] = 0.0
    X[:, 5] = X[:, 6] + X[:, 7]
    agree(X, y, rows)


@pytest.mark.parametrize("seed", range(5))
def test_columns_of_scales_from_one_to_a_million(seed: int) -> None:
    X, y = data(90, 30, seed=seed)
    scales = np.random.default_rng(seed).permutation(np.logspace(0, 6, 30))
    assert agree(X * scales, y, 90).route_ == "columns"
    agree((X + 10) * scales, y, 90)
    agree(X / scales, y, 90)
    agree(X * 1e-6, y, 90)


@pytest.mark.parametrize(("rows", "width"), [(90, 30), (30, 90)])
@pytest.mark.parametrize("decay", [1, 2, 3])
def test_columns_that_share_directions_as_embeddings_do(rows: int, width: int, decay: int) -> None:
    X, y = data(rows, width)
    axes = np.linalg.qr(np.random.default_rng(1).normal(size=(width, width)))[0]
    agree((X * 10 * np.arange(1, width + 1.0) ** -decay) @ axes, y, rows)


def test_parameters_have_the_meaning_that_they_have_in_scikit_learn() -> None:
    X, y = data(60, 20)
    given = {"alpha_1": 0.1, "alpha_2": 0.2, "lambda_1": 3.0, "lambda_2": 0.4}
    agree(X, y, 60, **given, alpha_init=2.0, lambda_init=0.5, tol=1e-8, max_iter=40)
    agree(X, y, 60, max_iter=1)


# --- where scikit-learn's own rounding exceeds the tolerance: judged by arithmetic of 50 digits

decimals = np.vectorize(Decimal, otypes=[object])


def exact(X: np.ndarray, y: np.ndarray, new: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and deviations by MacKay's updates from the definition."""
    X, y, new, prior = decimals(X), decimals(y), decimals(new), Decimal("2e-6")
    offset, mean = X.sum(axis=0) / len(X), y.sum() / len(y)
    X, y = X - offset, y - mean
    rows, width = X.shape
    gram, product = X.T @ X, X.T @ y
    alpha, lambda_ = 1 / (y @ y / rows + Decimal(float(np.finfo(float).eps))), Decimal(1)
    before, done = None, False
    while True:
        inverse = inverted(alpha * gram + lambda_ * decimals(np.eye(width)))
        weights = alpha * inverse @ product
        if done:
            break
        gamma = width - lambda_ * np.trace(inverse)
        errors = y - X @ weights
        lambda_ = (gamma + prior) / (weights @ weights + prior)
        alpha = (rows - gamma + prior) / (errors @ errors + prior)
        done = before is not None and abs(weights - before).sum() < Decimal("0.001")
        before = weights
    new = new - offset
    variance = 1 / alpha + ((new @ inverse) * new).sum(axis=1)
    return (new @ weights + mean).astype(np.float64), np.sqrt(variance.astype(np.float64))


def inverted(matrix: np.ndarray) -> np.ndarray:
    """Gauss and Jordan's elimination."""
    work = np.hstack([matrix, decimals(np.eye(len(matrix)))])
    for k in range(len(work)):
        work[k] = work[k] / work[k, k]
        for other in range(len(work)):
            if other != k:
                work[other] = work[other] - work[other, k] * work[k]
    return work[:, len(work) :]


def hard_cases() -> Iterator[tuple[str, np.ndarray, np.ndarray, int]]:
    for seed in range(2):
        generator = np.random.default_rng(seed)
        scales = generator.permutation(np.logspace(0, 6, 10))
        X, y = data(30, 10, seed=seed)
        yield f"scaled {seed}", X * scales, y, 30
        yield f"scaled, far from zero {seed}", (X + 10) * scales, y, 30
        yield f"as many rows as columns {seed}", X * scales, y, 10
        yield f"scaled, few rows {seed}", X * scales, y, 6
        yield f"few rows, large {seed}", X * 1e6, y, 6
        X, y = data(30, 10, noise=0.0, seed=seed)
        yield f"no noise {seed}", X * scales, y, 30
        yield f"no noise, copies {seed}", np.hstack([X, X[:, :1], X[:, 2:3] + X[:, 3:4]]), y, 30
        axes = np.linalg.qr(generator.normal(size=(10, 10)))[0]
        yield (
            f"collinear {seed}",
            (X * np.logspace(0, -5, 10)) @ axes,
            y + 1e-6 * generator.normal(size=55),
            30,
        )


HARD = {name: rest for name, *rest in hard_cases()}


@pytest.mark.parametrize("name", HARD)
def test_hard_cases_are_right_even_where_scikit_learn_is_not(name: str) -> None:
    X, y, rows = HARD[name]
    new = X[-5:]
    with localcontext(prec=50):
        expected_mean, expected_deviation = exact(X[:rows], y[:rows], new)
    mean, deviation = GramBayesianRidge().fit(X[:rows], y[:rows]).predict(new, return_std=True)
    np.testing.assert_allclose(mean, expected_mean, rtol=WITHIN)
    np.testing.assert_allclose(deviation, expected_deviation, rtol=WITHIN)


def test_singular_values_are_taken_where_products_lose_too_much() -> None:
    routes = {GramBayesianRidge().fit(X[:rows], y[:rows]).route_ for X, y, rows in HARD.values()}
    assert "singular values" in routes
    assert routes != {"singular values"}


@pytest.mark.parametrize("rows", [60, 12])
def test_all_routes_give_one_result(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = data(rows, 20)
    fitted = GramBayesianRidge().fit(X[:rows], y[:rows])
    monkeypatch.setattr(bayesian_ridge, "MOST_DOUBT", -1.0)
    careful = GramBayesianRidge().fit(X[:rows], y[:rows])
    assert (fitted.route_, careful.route_) == ("columns" if rows == 60 else "rows", "singular values")
    for ours, theirs in zip(
        fitted.predict(X, return_std=True), careful.predict(X, return_std=True), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


# --- input


def test_float32_is_computed_in_float64() -> None:
    X, y = data(60, 20)
    small = X.astype(np.float32)
    ours, same = GramBayesianRidge().fit(small, y), GramBayesianRidge().fit(small.astype(np.float64), y)
    assert np.array_equal(ours.coef_, same.coef_)
    assert np.array_equal(ours.predict(small), same.predict(small.astype(np.float64)))
    assert ours.predict(small).dtype == np.float64


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_neither_input_is_changed_nor_a_copy_held(order: str, dtype: type) -> None:
    generator = np.random.default_rng(0)
    X = np.asarray(generator.normal(size=(8000, 60)), dtype=dtype, order=order)
    X.setflags(write=False)
    y = generator.normal(size=8000)
    GramBayesianRidge().fit(X[:100], y[:100])
    tracemalloc.start()
    GramBayesianRidge().fit(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8000 * 60 * 8 / 2


def test_a_constant_target_is_predicted_as_it_is() -> None:
    X, _ = data(40, 5)
    mean, deviation = GramBayesianRidge().fit(X, np.full(65, 0.7)).predict(X, return_std=True)
    np.testing.assert_allclose(mean, 0.7, rtol=1e-12)
    assert np.isfinite(deviation).all()
    assert (deviation < 1e-3).all()


def test_columns_without_variance_predict_the_mean() -> None:
    y = np.arange(10.0)
    mean, deviation = GramBayesianRidge().fit(np.ones((10, 4)), y).predict(np.ones((3, 4)), return_std=True)
    expected = BayesianRidge().fit(np.ones((10, 4)), y).predict(np.ones((3, 4)), return_std=True)
    np.testing.assert_allclose(mean, expected[0], rtol=1e-12)
    np.testing.assert_allclose(deviation, expected[1], rtol=1e-12)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(bad: float) -> None:
    X, y = data(20, 3)
    broken = X.copy()
    broken[2, 1] = bad
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        GramBayesianRidge().fit(broken, y)
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        GramBayesianRidge().fit(X, np.where(np.arange(45) == 3, bad, y))
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        GramBayesianRidge().fit(X, y).predict(broken)


def test_values_too_large_to_be_squared_are_refused() -> None:
    X, y = data(20, 3)
    with pytest.raises(ValueError, match=r"overflow.*Divide"):
        GramBayesianRidge().fit(X * 1e200, y)
    with pytest.raises(ValueError, match=r"overflow.*Divide"):
        GramBayesianRidge().fit(X, y * 1e200)


def test_one_row_is_refused() -> None:
    with pytest.raises(ValueError, match="minimum of 2"):
        GramBayesianRidge().fit([[1.0, 2.0]], [1.0])
