from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.utils.estimator_checks import check_estimator

from memfeat.estimators.principal_components import PrincipalComponents


@pytest.fixture
def wide() -> np.ndarray:
    generator = np.random.default_rng(0)
    structure = generator.normal(size=(80, 5)) @ generator.normal(size=(5, 300))
    return structure + generator.normal(size=(80, 300)) + 3


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learns_contract_is_kept() -> None:
    results = check_estimator(PrincipalComponents(), on_fail=None)
    assert [result["check_name"] for result in results if result["status"] == "failed"] == []


def test_components_are_those_of_the_covariance_matrix(wide: np.ndarray) -> None:
    scores = PrincipalComponents(5).fit(wide).transform(wide)
    values, vectors = np.linalg.eigh(np.cov(wide.T))
    by_hand = (wide - wide.mean(axis=0)) @ vectors[:, ::-1][:, :5] / np.sqrt(values[::-1][:5])
    np.testing.assert_allclose(np.abs(scores), np.abs(by_hand), atol=1e-6)  # signs are free


def test_new_rows_are_projected_as_scikit_learn_does(wide: np.ndarray) -> None:
    ours = PrincipalComponents().fit(wide[:60])
    theirs = PCA(10, whiten=True, svd_solver="randomized", random_state=0).fit(wide[:60])
    np.testing.assert_allclose(ours.transform(wide), theirs.transform(wide), atol=1e-10)


def test_a_whitened_feature_has_uncorrelated_scores_of_variance_one(wide: np.ndarray) -> None:
    scores = PrincipalComponents().fit_transform(wide)
    np.testing.assert_allclose(scores.mean(axis=0), 0.0, atol=1e-12)
    # The randomised decomposition is exact for leading directions and close for the rest.
    np.testing.assert_allclose(np.cov(scores.T), np.eye(10), atol=0.02)


def test_directions_without_variance_are_left_out(wide: np.ndarray) -> None:
    fitted = PrincipalComponents().fit(np.repeat(wide[:3], 8, axis=0))
    assert fitted.components_.shape == (2, 300)
    assert PrincipalComponents().fit_transform(np.ones((9, 40))).tolist() == [[0.0]] * 9


def test_rows_are_projected_alike_in_chunks(wide: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = PrincipalComponents(4).fit(wide)
    whole = fitted.transform(wide)
    monkeypatch.setattr("memfeat.estimators.principal_components.ROWS_AT_A_TIME", 7)
    np.testing.assert_allclose(fitted.transform(wide), whole, atol=1e-12)


def test_float32_is_computed_in_float64_and_left_as_it_was(wide: np.ndarray) -> None:
    stored = wide.astype(np.float32)
    before = stored.copy()
    scores = PrincipalComponents().fit_transform(stored)
    theirs = PCA(10, whiten=True, svd_solver="randomized", random_state=0).fit_transform(stored.astype(float))
    np.testing.assert_allclose(scores, theirs, atol=1e-9)
    np.testing.assert_array_equal(stored, before)
    double = before.astype(float)
    PrincipalComponents().fit(double)
    np.testing.assert_array_equal(double, before.astype(float))


@pytest.mark.parametrize(("rows", "k"), [(2, 1), (5, 4), (11, 10), (40, 10)])
def test_few_rows_give_fewer_components(wide: np.ndarray, rows: int, k: int) -> None:
    scores = PrincipalComponents().fit_transform(wide[:rows])
    assert scores.shape == (rows, k)
    np.testing.assert_allclose(scores.var(axis=0, ddof=1), 1.0)


def test_equal_rows_do_not_blow_up(wide: np.ndarray) -> None:
    # scikit-learn whitens the third direction, which is rounding noise, and multiplies new rows by 1e15.
    three = np.repeat(wide[:3], 8, axis=0)
    fitted = PrincipalComponents().fit(three)
    assert fitted.components_.shape[0] == 2
    assert np.abs(fitted.transform(wide)).max() < 100
    assert PrincipalComponents().fit_transform(np.ones((9, 40))).tolist() == [[0.0]] * 9


def test_a_narrow_feature_has_as_many_components_as_columns(wide: np.ndarray) -> None:
    assert PrincipalComponents().fit_transform(wide[:, :3]).shape == (80, 3)
