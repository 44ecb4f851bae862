from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LinearRegression, Ridge, RidgeCV
from sklearn.model_selection import KFold, LeaveOneOut, cross_val_predict
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_info, threadpool_limits

from memfeat.estimators.ridge import PENALTIES, TunedRidge, leave_one_out

SHAPES = [(60, 20), (60, 1), (22, 20), (21, 20), (20, 20), (12, 20), (3, 20)]


@parametrize_with_checks([TunedRidge(), TunedRidge(alpha=2.0)])
@pytest.mark.filterwarnings("ignore:The penalty found")
def test_scikit_learns_checks(estimator: object, check: Callable[[object], None]) -> None:
    check(estimator)


def data(rows: int, width: int, *, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(rows * width)
    X = generator.normal(2, 1, size=(rows, width))
    return X, 0.5 + X @ generator.normal(size=width) / np.sqrt(width) + noise * generator.normal(size=rows)


@pytest.mark.parametrize(("rows", "width"), SHAPES)
@pytest.mark.parametrize("intercept", [True, False])
def test_leaving_one_out_is_fitting_without_it(rows: int, width: int, intercept: bool) -> None:
    X, y = data(rows, width)
    alphas = np.array([1e-3, 0.1, 10.0, 1e4])
    expected = [
        np.mean((cross_val_predict(Ridge(alpha=a, fit_intercept=intercept), X, y, cv=LeaveOneOut()) - y) ** 2)
        for a in alphas
    ]
    np.testing.assert_allclose(leave_one_out(X, y, alphas, intercept=intercept), expected, rtol=1e-8)


@pytest.mark.parametrize(("rows", "width"), [(60, 20), (12, 20), (60, 3)])
def test_the_penalty_is_that_of_scikit_learn(rows: int, width: int) -> None:
    X, y = data(rows, width)
    theirs = RidgeCV(alphas=PENALTIES).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = TunedRidge().fit(X, y)
    assert ours.alpha_ == theirs.alpha_
    assert ours.errors_.min() == pytest.approx(-theirs.best_score_, rel=1e-8)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-8)


def test_columns_of_different_scales_and_degenerate_ones() -> None:
    X, y = data(60, 8)
    X = np.hstack([X * np.logspace(0, 6, 8), X[:, :1], np.full((60, 1), 3.0)])
    alphas = np.array([0.01, 1.0, 100.0])
    expected = [
        np.mean((cross_val_predict(Ridge(alpha=a, solver="svd"), X, y, cv=LeaveOneOut()) - y) ** 2)
        for a in alphas
    ]
    np.testing.assert_allclose(leave_one_out(X, y, alphas), expected, rtol=1e-7)
    few = slice(0, 7)
    expected = [
        np.mean(
            (cross_val_predict(Ridge(alpha=a, solver="svd"), X[few], y[few], cv=LeaveOneOut()) - y[few]) ** 2
        )
        for a in alphas
    ]
    np.testing.assert_allclose(leave_one_out(X[few], y[few], alphas), expected, rtol=1e-2)


def test_a_given_penalty_is_plain_ridge() -> None:
    X, y = data(40, 6)
    ours, theirs = TunedRidge(alpha=3.0).fit(X, y), Ridge(alpha=3.0).fit(X, y)
    assert np.array_equal(ours.coef_, theirs.coef_)
    assert ours.intercept_ == theirs.intercept_
    assert not hasattr(ours, "errors_")


@pytest.mark.filterwarnings("ignore:The penalty found")
def test_sparse_columns_leave_out_fifths() -> None:
    X, y = data(50, 12)
    words = sparse.csr_array(np.where(X > 2.5, X, 0.0))
    alphas = [0.3, 3.0, 30.0]
    ours = TunedRidge(alphas=alphas, random_state=4).fit(words, y)
    parts = KFold(5, shuffle=True, random_state=4)
    expected = [np.mean((cross_val_predict(Ridge(alpha=a), words, y, cv=parts) - y) ** 2) for a in alphas]
    np.testing.assert_allclose(ours.errors_, expected, rtol=1e-10)
    best = Ridge(alpha=alphas[int(np.argmin(expected))]).fit(words, y)
    np.testing.assert_allclose(ours.predict(words), best.predict(words), rtol=1e-12)
    assert np.array_equal(
        TunedRidge(alphas=alphas, random_state=4).fit(words.tocsc(), y).errors_, ours.errors_
    )


def test_a_penalty_at_the_end_of_those_tried_is_told() -> None:
    X, y = data(40, 6, noise=0.001)
    with pytest.warns(UserWarning, match="alpha=1, is the smallest tried"):
        TunedRidge(alphas=[1, 10]).fit(X, y)
    y = np.random.default_rng(0).normal(size=40)
    with pytest.warns(UserWarning, match=r"is the largest\s+tried"):
        TunedRidge().fit(X, y)


@pytest.mark.parametrize("alphas", [[], [0.0, 1.0], [np.nan], [[1.0]], [-1.0]])
def test_penalties_must_be_numbers_above_zero(alphas: object) -> None:
    X, y = data(20, 3)
    with pytest.raises(ValueError, match="above zero"):
        TunedRidge(alphas=alphas).fit(X, y)


def test_a_tiny_penalty_is_least_squares() -> None:
    X, y = data(40, 6)
    expected = LinearRegression().fit(X, y).predict(X)
    np.testing.assert_allclose(TunedRidge(alpha=1e-9).fit(X, y).predict(X), expected, rtol=1e-8)


@pytest.mark.filterwarnings("ignore:The penalty found")
def test_constant_targets_and_columns_predict_the_mean() -> None:
    X, y = data(20, 3)
    assert TunedRidge().fit(X, np.full(20, 0.7)).predict(X) == pytest.approx(np.full(20, 0.7))
    assert TunedRidge().fit(np.ones((20, 3)), y).predict(np.ones((2, 3))) == pytest.approx([y.mean()] * 2)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(bad: float) -> None:
    X, y = data(20, 3)
    broken = X.copy()
    broken[2, 1] = bad
    for given in (broken, sparse.csr_array(broken)):
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            TunedRidge().fit(given, y)


@pytest.mark.parametrize("alpha", [None, 2.0])
def test_blas_has_one_thread_for_sparse_columns_alone(
    alpha: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[set[int]] = []
    real = Ridge.fit

    def threads() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    def listening(self: Ridge, *given: object) -> Ridge:
        heard.append(threads())
        return real(self, *given)

    monkeypatch.setattr(Ridge, "fit", listening)
    X, y = data(40, 6)
    rows = sparse.csr_matrix(np.where(X > 2, X, 0))
    with threadpool_limits(2, user_api="blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = threads()
        fitted = TunedRidge(alpha=alpha).fit(rows, y)
        assert threads() == before
        assert all(found == {1} for found in heard) and len(heard) == (1 if alpha else 5 * len(PENALTIES) + 1)
        heard.clear()
        TunedRidge(alpha=alpha).fit(X, y)
        assert heard == [before]
        plain = real(Ridge(alpha=fitted.alpha_), rows, y)
    np.testing.assert_allclose(fitted.coef_, plain.coef_, rtol=1e-10)
    assert fitted.intercept_ == pytest.approx(plain.intercept_, rel=1e-10)
