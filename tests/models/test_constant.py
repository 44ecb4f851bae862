from __future__ import annotations

import numpy as np
from scipy import sparse

from memfeat import models


def test_it_is_the_training_mean_whatever_the_columns() -> None:
    y = np.array([0.5, 0.6, 0.9, 0.9])
    for X in (np.eye(4), sparse.csr_array(np.eye(4))):
        np.testing.assert_allclose(models.get("constant").build(0).fit(X, y).predict(X[:2]), [0.725, 0.725])


def test_another_constant_by_name() -> None:
    assert models.get("constant").build(0, strategy="median").fit([[0]] * 3, [1.0, 2.0, 9.0]).predict(
        [[0]]
    ) == [2.0]
