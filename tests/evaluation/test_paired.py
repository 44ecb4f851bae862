from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA

from memfeat.estimators.principal_components import PrincipalComponents
from memfeat.evaluation.paired import FittedOnFirst, WithClasses
from memfeat.evaluation.preparation import Blocks, PerFeature


class ClassMeans(TransformerMixin, BaseEstimator):
    """Distance to the mean of each class."""

    def fit(self, X, y=None, classes=None):
        labels = sorted({label for row in classes for label in row})
        self.means_ = np.stack([X[[label in row for row in classes]].mean(axis=0) for label in labels])
        return self

    def transform(self, X):
        return np.linalg.norm(X[:, None] - self.means_, axis=2)


def texts(*cells: tuple[str, ...]) -> np.ndarray:
    found = np.empty((len(cells), 1), dtype=object)
    found[:, 0] = cells
    return found


def test_components_of_first_frames_are_applied_to_means() -> None:
    generator = np.random.default_rng(0)
    first = generator.normal(size=(60, 4)) @ generator.normal(size=(4, 200)) + generator.normal(
        size=(60, 200)
    )
    mean = first + generator.normal(size=first.shape)
    theirs = PCA(10, whiten=True, svd_solver="randomized", random_state=0).fit(first[:40])
    for given in (Blocks([mean, first]), np.hstack([mean, first])):
        ours = FittedOnFirst(PrincipalComponents()).fit(given[:40])
        np.testing.assert_allclose(ours.transform(given), theirs.transform(mean), atol=1e-9)


def test_it_works_inside_per_feature_as_nested_blocks() -> None:
    generator = np.random.default_rng(1)
    mean, first, light = (
        generator.normal(size=(30, 5)),
        generator.normal(size=(30, 5)),
        generator.normal(size=(30, 1)),
    )
    X = Blocks([Blocks([mean, first]), light])
    assert X.shape == (30, 11)
    parts = [("grid", 10, FittedOnFirst(PrincipalComponents(2))), ("light", 1, "passthrough")]
    nested = PerFeature(parts).fit(X[:20]).transform(X)
    np.testing.assert_array_equal(
        nested,
        PerFeature(parts)
        .fit(np.hstack([mean, first, light])[:20])
        .transform(np.hstack([mean, first, light])),
    )


def test_classes_are_needed_to_fit_and_not_to_transform() -> None:
    values = np.array([[0.0], [2.0], [10.0]])
    fitted = WithClasses(ClassMeans()).fit(Blocks([values, texts(("run",), ("run", "jump"), ("jump",))]))
    assert fitted.transform(Blocks([values[:1], texts(())])).tolist() == [[6.0, 1.0]]
    with pytest.raises(ValueError, match="Values and classes are needed"):
        fitted.transform(values)


def test_halves_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="Values have 2 columns and first frames 3"):
        FittedOnFirst(PrincipalComponents()).fit(Blocks([np.ones((4, 2)), np.ones((4, 3))]))
