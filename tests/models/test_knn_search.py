from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsRegressor

from memfeat import models


def test_it_is_the_regressor_with_the_settings_it_finds() -> None:
    generator = np.random.default_rng(0)
    X = generator.normal(size=(80, 3))
    y = 0.8 + 0.1 * np.tanh(X[:, 0]) + 0.02 * generator.normal(size=80)
    found = models.get("knn-search").build(1, n_trials=3, folds=2).fit(X, y)
    assert set(found.best_params_) == {"n_neighbors", "weights", "p"}
    plain = KNeighborsRegressor(algorithm="brute", **found.best_params_).fit(X, y)
    assert np.array_equal(found.predict(X), plain.predict(X))


def test_trees_of_rows_are_not_searched_because_they_are_not_saved() -> None:
    with pytest.raises(ValueError, match="algorithm is brute and not searched"):
        models.get("knn-search").build(0, space={"algorithm": ["brute", "kd_tree"]})


def test_the_seed_decides_what_is_tried() -> None:
    X, y = np.random.default_rng(0).normal(size=(60, 2)), np.random.default_rng(1).normal(size=60)
    tried = [
        models.get("knn-search").build(seed, n_trials=2, folds=2).fit(X, y).trials_ for seed in (1, 1, 2)
    ]
    assert tried[0] == tried[1]
    assert tried[0] != tried[2]
