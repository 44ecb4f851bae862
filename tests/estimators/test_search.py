from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from memfeat.estimators.search import OptunaSearch
from memfeat.metrics import spearman

ALPHA = {"alpha": {"low": 0.01, "high": 100.0, "log": True}}
NEIGHBOURS = {"n_neighbors": {"low": 1, "high": 30}, "weights": ["uniform", "distance"]}


@parametrize_with_checks([OptunaSearch(Ridge(), ALPHA, n_trials=2, folds=2)])
def test_scikit_learns_checks(estimator: object, check: Callable[[object], None]) -> None:
    check(estimator)


def data(rows: int = 80, width: int = 5) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(rows)
    X = generator.normal(size=(rows, width))
    return X, X[:, 0] + generator.normal(size=rows)


def test_scores_are_means_of_correlations_over_inner_folds() -> None:
    X, y = data()
    search = OptunaSearch(KNeighborsRegressor(), NEIGHBOURS, n_trials=6, folds=4, random_state=3).fit(X, y)
    for trial in search.trials_:
        found = []
        for inside, outside in KFold(4, shuffle=True, random_state=3).split(X):
            model = KNeighborsRegressor(**trial["params"]).fit(X[inside], y[inside])
            found.append(spearman(y[outside], model.predict(X[outside])))
        assert trial["score"] == pytest.approx(np.mean(found), rel=1e-12)
    assert search.best_score_ == max(trial["score"] for trial in search.trials_)
    best = KNeighborsRegressor(**search.best_params_).fit(X, y)
    assert np.array_equal(search.predict(X), best.predict(X))


def test_the_regressors_own_settings_come_first() -> None:
    X, y = data()
    search = OptunaSearch(KNeighborsRegressor(7, weights="distance"), NEIGHBOURS, n_trials=3).fit(X, y)
    assert search.trials_[0]["params"] == {"n_neighbors": 7, "weights": "distance"}
    # Where they are outside the space, it is searched all the same.
    outside = OptunaSearch(KNeighborsRegressor(40), NEIGHBOURS, n_trials=3).fit(X, y)
    assert all(trial["params"]["n_neighbors"] <= 30 for trial in outside.trials_)


def test_equal_seeds_find_equal_settings_and_others_others() -> None:
    X, y = data()
    made = [
        OptunaSearch(Ridge(), ALPHA, n_trials=4, random_state=seed).fit(X, y).trials_ for seed in (1, 1, 2)
    ]
    assert made[0] == made[1]
    assert made[0] != made[2]


def test_it_finds_a_depth_that_does_not_learn_noise_by_heart() -> None:
    X, y = data(300)
    space = {"max_depth": {"low": 1, "high": 20}, "min_samples_leaf": {"low": 1, "high": 50, "log": True}}
    search = OptunaSearch(DecisionTreeRegressor(random_state=0), space, n_trials=15).fit(X[:200], y[:200])
    wild = DecisionTreeRegressor(random_state=0).fit(X[:200], y[:200])
    assert spearman(y[200:], search.predict(X[200:])) > spearman(y[200:], wild.predict(X[200:])) + 0.1


def test_choices_may_be_lists() -> None:
    X, y = data(40)
    space = {"hidden_layer_sizes": [[3], [4, 2]], "max_iter": [2, 3]}
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        search = OptunaSearch(MLPRegressor(random_state=0), space, n_trials=3).fit(X, y)
    assert search.best_params_["hidden_layer_sizes"] in space["hidden_layer_sizes"]
    assert len(heard) == 1  # of the last fit; not of the fifteen that were tried and dropped


def test_what_is_kept_is_plain() -> None:
    X, y = data()
    search = OptunaSearch(KNeighborsRegressor(), NEIGHBOURS, n_trials=3).fit(X, y)
    kept = {
        name: value
        for name, value in vars(search).items()
        if name.endswith("_") and name != "best_estimator_"
    }
    assert json.loads(json.dumps(kept)) == kept
    assert clone(search).get_params()["n_trials"] == 3


def test_rows_outside_the_fit_have_no_part_in_it() -> None:
    X, y = data()
    first = OptunaSearch(Ridge(), ALPHA, n_trials=4).fit(X[:60], y[:60])
    X[60:], y[60:] = 1e6, -1e6
    again = OptunaSearch(Ridge(), ALPHA, n_trials=4).fit(X[:60], y[:60])
    assert first.trials_ == again.trials_


def test_a_constant_prediction_counts_as_no_correlation() -> None:
    X, y = data()
    search = OptunaSearch(DummyRegressor(), {"strategy": ["mean", "median"]}, n_trials=2).fit(X, y)
    assert search.best_score_ == 0


def test_settings_that_cannot_be_fitted_are_passed_over() -> None:
    X, y = data(20)
    search = OptunaSearch(KNeighborsRegressor(), {"n_neighbors": [3, 5000]}, n_trials=8).fit(X, y)
    assert search.best_params_ == {"n_neighbors": 3}
    assert None in [trial["score"] for trial in search.trials_]
    with pytest.raises(ValueError, match=r"None of 2 settings of KNeighborsRegressor.*n_neighbors"):
        OptunaSearch(KNeighborsRegressor(), {"n_neighbors": [4000, 5000]}, n_trials=2).fit(X, y)


def test_sparse_columns_stay_sparse() -> None:
    X, y = data()
    X = np.maximum(X, 0)
    dense = OptunaSearch(Ridge(solver="lsqr"), ALPHA, n_trials=3).fit(X, y)
    words = OptunaSearch(Ridge(solver="lsqr"), ALPHA, n_trials=3).fit(sparse.csr_array(X), y)
    np.testing.assert_allclose(words.predict(sparse.csr_array(X)), dense.predict(X), rtol=1e-6)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({}, "empty"),
        ({"beta": [1]}, "no parameter 'beta'.*alpha"),
        ({"alpha": []}, "range or a list"),
        ({"alpha": "auto"}, "range or a list"),
        ({"alpha": {"low": 1}}, "must be like"),
        ({"alpha": {"low": 2, "high": 1}}, "must be like"),
        ({"alpha": {"low": 1, "high": 2, "lgo": True}}, "must be like"),
        ({"alpha": {"low": 0.0, "high": 1.0, "log": True}}, "begin above 0"),
    ],
)
def test_a_wrong_space_is_told(space: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OptunaSearch(Ridge(), space).fit(*data())


def test_rows_of_a_group_stay_in_one_inner_fold() -> None:
    """Each row stands there five times: one neighbour is perfect unless its twins are kept out of its fold."""
    generator = np.random.default_rng(0)
    X = np.repeat(generator.normal(size=(40, 2)), 5, axis=0)
    y = np.repeat(generator.normal(size=40), 5)
    groups = np.repeat(np.arange(40), 5)
    search = OptunaSearch(KNeighborsRegressor(), {"n_neighbors": [1]}, n_trials=1)
    assert clone(search).fit(X, y).best_score_ > 0.9
    assert abs(clone(search).fit(X, y, groups=groups).best_score_) < 0.5
    assert len(clone(search)._parts(200, np.repeat([0, 1], 100))) == 2
    for wrong in (np.zeros(200), groups[:-1]):
        with pytest.raises(ValueError, match="two groups at least"):
            clone(search).fit(X, y, groups=wrong)


def test_too_few_rows_are_told() -> None:
    X, y = data(3)
    with pytest.raises(ValueError, match="minimum of 4"):
        OptunaSearch(Ridge(), ALPHA).fit(X, y)
