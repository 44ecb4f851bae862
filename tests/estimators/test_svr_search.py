from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.utils.estimator_checks import parametrize_with_checks

from memfeat.estimators import svr, svr_search
from memfeat.estimators.search import OptunaSearch
from memfeat.estimators.svr import ScaledSVR
from memfeat.estimators.svr_search import SVRSearch

SPACE = {
    "C": {"low": 0.1, "high": 10.0, "log": True},
    "epsilon": {"low": 0.01, "high": 1.0, "log": True},
    "gamma": ["scale", "auto"],
    "gamma_factor": {"low": 0.1, "high": 10.0, "log": True},
}


@parametrize_with_checks([SVRSearch(ScaledSVR(), {"C": [0.5, 1.0]}, n_trials=2, folds=2)])
def test_scikit_learns_checks(estimator: object, check: Callable[[object], None]) -> None:
    check(estimator)


def data(dtype: type = np.float64) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    X = generator.normal(2, 3, size=(90, 4))
    y = 0.8 + 0.05 * np.sin(X[:, 0]) + 0.05 * generator.normal(size=90)
    return X.astype(dtype), y


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_it_finds_what_a_search_without_shared_distances_finds(dtype: type) -> None:
    X, y = data(dtype)
    ours = SVRSearch(ScaledSVR(), SPACE, n_trials=12, random_state=5).fit(X, y)
    plain = OptunaSearch(ScaledSVR(), SPACE, n_trials=12, random_state=5).fit(X, y)
    assert [trial["params"] for trial in ours.trials_] == [trial["params"] for trial in plain.trials_]
    scores = [[trial["score"] for trial in search.trials_] for search in (ours, plain)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-9)
    assert np.array_equal(ours.predict(X), plain.predict(X))


def test_predictions_of_a_fold_are_those_of_the_regressor() -> None:
    X, y = data()
    search = SVRSearch(ScaledSVR(), SPACE)
    inside, outside = np.arange(70), np.arange(70, 90)
    settings = {"C": 3.0, "epsilon": 0.2, "gamma": "auto", "gamma_factor": 0.5}
    found = search._predicted(settings, search._prepared(X), y, inside, outside)
    expected = ScaledSVR(**settings).fit(X[inside], y[inside]).predict(X[outside])
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_distances_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = data()
    made = []
    original = svr.squared_distances
    monkeypatch.setattr(svr_search, "squared_distances", lambda *given: made.append(1) or original(*given))
    SVRSearch(ScaledSVR(), SPACE, n_trials=3).fit(X, y)
    assert made == [1]


def test_distances_too_large_for_memory_are_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = data()
    whole = SVRSearch(ScaledSVR(), SPACE, n_trials=3).fit(X, y)
    monkeypatch.setattr(svr_search, "squared_distances", lambda *given: pytest.fail("they were made"))
    small = SVRSearch(ScaledSVR(most_memory=0.0), SPACE, n_trials=3).fit(X, y)
    assert small.best_params_ == whole.best_params_


def test_settings_that_the_regressor_refuses_are_passed_over() -> None:
    X, y = data()
    search = SVRSearch(ScaledSVR(), {"C": [1.0, -1.0]}, n_trials=5).fit(X, y)
    assert search.best_params_ == {"C": 1.0}


def test_another_regressor_is_refused() -> None:
    with pytest.raises(ValueError, match="ScaledSVR; got a Ridge"):
        SVRSearch(Ridge(), {"alpha": [1.0]}).fit(*data())
