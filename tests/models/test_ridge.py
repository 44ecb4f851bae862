from __future__ import annotations

import numpy as np
from scipy import sparse
from sklearn.linear_model import Ridge, RidgeCV

from memfeat import models
from memfeat.estimators.ridge import PENALTIES


def data() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    X = generator.normal(size=(60, 10))
    return X, X @ generator.normal(size=10) + 3 * generator.normal(size=60)


def test_it_finds_the_penalty_that_scikit_learn_finds() -> None:
    X, y = data()
    ours, theirs = models.get("ridge").build(0).fit(X, y), RidgeCV(alphas=PENALTIES).fit(X, y)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-9)


def test_a_given_alpha_is_taken_on_words_too() -> None:
    X, y = data()
    words = sparse.csr_array(np.maximum(X, 0))
    spec = models.get("ridge")
    assert spec.takes_sparse
    fitted = spec.build(0, alpha=3.0).fit(words, y)
    np.testing.assert_allclose(
        fitted.predict(words), Ridge(alpha=3.0).fit(words, y).predict(words), rtol=1e-12
    )


def test_the_seed_decides_which_words_are_left_out_together() -> None:
    assert models.get("ridge").build(7).get_params()["random_state"] == 7
