from __future__ import annotations

import numpy as np
from sklearn.svm import SVR

from memfeat import models


def test_it_is_scikit_learns_on_the_standardised_target() -> None:
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(80, 5)), 0.8 + 0.1 * generator.normal(size=80)
    expected = y.mean() + y.std() * SVR(C=2).fit(X, (y - y.mean()) / y.std()).predict(X)
    np.testing.assert_allclose(models.get("svr").build(0, C=2).fit(X, y).predict(X), expected, rtol=1e-10)


def test_scores_that_deviate_by_a_tenth_are_learned_all_the_same() -> None:
    # scikit-learn's epsilon of 0.1 takes the errors of such a target for none.
    generator = np.random.default_rng(1)
    X = generator.uniform(-1, 1, size=(200, 1))
    y = 0.8 + 0.08 * X[:, 0]
    assert np.corrcoef(models.get("svr").build(0).fit(X, y).predict(X), y)[0, 1] > 0.99
    assert np.ptp(SVR().fit(X, y).predict(X)) < 0.01
