from __future__ import annotations

import numpy as np
import pytest

from memfeat import models


def test_it_is_the_mean_of_the_nearest_five() -> None:
    generator = np.random.default_rng(0)
    X, y, new = generator.normal(size=(50, 3)), generator.normal(size=50), generator.normal(size=(4, 3))
    nearest = np.argsort(np.linalg.norm(new[:, None] - X, axis=2), axis=1)
    predicted = models.get("knn").build(0).fit(X, y).predict(new)
    np.testing.assert_allclose(predicted, y[nearest[:, :5]].mean(axis=1))
    one = models.get("knn").build(0, n_neighbors=1).fit(X, y).predict(new)
    np.testing.assert_allclose(one, y[nearest[:, 0]])


@pytest.mark.parametrize("algorithm", ["kd_tree", "auto"])
def test_trees_of_rows_are_refused_because_they_are_not_saved(algorithm: str) -> None:
    with pytest.raises(ValueError, match=f"algorithm is brute, not {algorithm}.*Leave it out"):
        models.get("knn").build(0, algorithm=algorithm)
    assert models.get("knn").build(0, algorithm="brute", p=1).p == 1


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="n_neighbors"):
        models.get("knn").build(0).fit([[1.0], [2.0]], [0.0, 1.0]).predict([[1.0]])
