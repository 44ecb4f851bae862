from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import SVR
from sklearn.utils.estimator_checks import parametrize_with_checks

from memfeat.estimators import svr
from memfeat.estimators.svr import ScaledSVR, svr_path


@parametrize_with_checks([ScaledSVR()])
def test_scikit_learns_checks(estimator: object, check: Callable[[object], None]) -> None:
    check(estimator)


def data(
    rows: int = 120, width: int = 8, *, scale: float = 1.0, far: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(rows + width)
    X = generator.normal(size=(rows + 20, width))
    y = 0.8 + 0.05 * np.sin(X[:, 0]) + 0.05 * generator.normal(size=rows + 20)
    return X * scale + far, y


def plainly(X: np.ndarray, y: np.ndarray, new: np.ndarray, **settings: object) -> np.ndarray:
    """The same by scikit-learn alone."""
    mean, deviation = y.mean(), y.std()
    return mean + deviation * SVR(**settings).fit(X, (y - mean) / deviation).predict(new)


@pytest.mark.parametrize(
    "settings",
    [{}, {"C": 0.1}, {"C": 10.0, "epsilon": 0.01}, {"gamma": "auto"}, {"gamma": 0.7}, {"tol": 1e-6}],
)
@pytest.mark.parametrize("width", [1, 8, 300])
def test_it_is_scikit_learns_on_the_standardised_target(settings: dict[str, object], width: int) -> None:
    X, y = data(width=width)
    ours = ScaledSVR(**settings).fit(X[:120], y[:120])
    np.testing.assert_allclose(ours.predict(X), plainly(X[:120], y[:120], X, **settings), rtol=1e-10)


@pytest.mark.parametrize(("scale", "far"), [(1e-6, 0), (1e6, 0), (1, 1e4)])
def test_units_and_origin_of_the_columns_do_not_matter(scale: float, far: float) -> None:
    X, y = data()
    near = ScaledSVR().fit(X[:120], y[:120]).predict(X)
    moved = X * scale + far
    np.testing.assert_allclose(ScaledSVR().fit(moved[:120], y[:120]).predict(moved), near, rtol=1e-6)


def test_the_factor_multiplies_gamma() -> None:
    X, y = data()
    near = ScaledSVR(gamma_factor=3.0).fit(X, y)
    assert near.gamma_ == pytest.approx(3 * ScaledSVR().fit(X, y).gamma_)
    assert np.array_equal(near.predict(X), ScaledSVR(gamma=near.gamma_).fit(X, y).predict(X))


def test_units_of_the_target_do_not_matter() -> None:
    X, y = data()
    hundred = ScaledSVR().fit(X, 100 * y - 3).predict(X)
    np.testing.assert_allclose(hundred, 100 * ScaledSVR().fit(X, y).predict(X) - 3, rtol=1e-7)


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 30), st.integers(1, 5), st.integers(0, 99), st.floats(1e-3, 10))
def test_the_kernel_is_the_gaussian_of_distances(rows: int, width: int, seed: int, gamma: float) -> None:
    X = np.random.default_rng(seed).normal(3, 1, size=(rows, width))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(svr, "AT_A_TIME", 4)
        found = svr.gaussian(svr.squared_distances(X), gamma)
    np.testing.assert_allclose(found, rbf_kernel(X, gamma=gamma), rtol=1e-10, atol=1e-14)
    assert np.array_equal(found, found.T)
    assert (found.diagonal() == 1).all()


def test_a_path_is_what_single_fits_are(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = data()
    made = []
    original = svr.squared_distances
    monkeypatch.setattr(svr, "squared_distances", lambda *given: made.append(1) or original(*given))
    path = svr_path(X, y, C=[0.1, 1, 10], epsilon=0.2)
    assert made == [1]
    assert [each.C for each in path] == [0.1, 1, 10]
    for each in path:
        alone = ScaledSVR(C=each.C, epsilon=0.2).fit(X, y)
        assert np.array_equal(each.predict(X), alone.predict(X))
        assert vars(each).keys() == vars(alone).keys()


@pytest.mark.parametrize(
    ("given", "message"),
    [({"C": []}, "C is empty"), ({"C": [1, -1]}, "'C' parameter"), ({"C": [1], "gamma": 0}, "gamma")],
)
def test_a_path_says_what_is_wrong(given: dict[str, object], message: str) -> None:
    X, y = data()
    with pytest.raises(ValueError, match=message):
        svr_path(X, y, **given)


def test_a_kernel_too_large_for_memory_is_left_to_libsvm(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = data()
    whole = ScaledSVR().fit(X, y)
    monkeypatch.setattr(svr, "squared_distances", lambda *given: pytest.fail("it was made"))
    small = ScaledSVR(most_memory=8 * 139**2 / 2**30).fit(X, y)
    np.testing.assert_allclose(small.predict(X), whole.predict(X), rtol=1e-10)


def test_float32_comes_near_float64() -> None:
    X, y = data()
    small = X.astype(np.float32)
    fitted = ScaledSVR().fit(small, y)
    assert fitted.support_vectors_.dtype == np.float32
    np.testing.assert_allclose(
        fitted.predict(small), ScaledSVR().fit(small.astype(float), y).predict(small), rtol=1e-9
    )


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3])
def test_a_constant_target_is_predicted_as_it_is(value: float) -> None:
    X, _ = data()
    fitted = ScaledSVR().fit(X, np.full(140, value))
    assert fitted.predict(X) == pytest.approx(np.full(140, value), abs=1e-15)
    assert fitted.target_deviation_ == 1.0


def test_columns_without_variance_predict_one_value() -> None:
    y = np.arange(10.0)
    assert np.ptp(ScaledSVR().fit(np.ones((10, 3)), y).predict(np.ones((4, 3)))) == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(bad: float) -> None:
    X, y = data()
    broken = X.copy()
    broken[3, 2] = bad
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        ScaledSVR().fit(broken, y)
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        ScaledSVR().fit(X, y).predict(broken)
