from __future__ import annotations

import numpy as np

from memfeat import models


def test_it_learns_its_rows_by_heart_unless_restrained() -> None:
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(60, 3)), generator.normal(size=60)
    assert np.array_equal(models.get("tree").build(0).fit(X, y).predict(X), y)
    assert np.unique(models.get("tree").build(0, max_depth=2).fit(X, y).predict(X)).size <= 4


def test_one_split_is_the_best_one() -> None:
    X = np.array([[1.0], [2.0], [3.0], [4.0]])
    y = np.array([0.1, 0.2, 0.9, 0.8])
    assert models.get("tree").build(0, max_depth=1).fit(X, y).predict(X).round(3).tolist() == [
        0.15,
        0.15,
        0.85,
        0.85,
    ]


def test_equal_splits_are_drawn_by_the_seed() -> None:
    column = np.random.default_rng(0).normal(size=(40, 1))
    y = np.random.default_rng(1).normal(size=40)
    chosen = {
        int(models.get("tree").build(seed, max_depth=1).fit(np.hstack([column] * 9), y).tree_.feature[0])
        for seed in range(12)
    }
    assert len(chosen) > 1
    again = [models.get("tree").build(3).fit(np.hstack([column] * 9), y).tree_.feature for _ in range(2)]
    assert np.array_equal(*again)
