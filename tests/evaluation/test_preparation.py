from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from memfeat.errors import UsageError
from memfeat.estimators.principal_components import PrincipalComponents
from memfeat.estimators.tfidf import CaptionTfidf
from memfeat.evaluation.preparation import Blocks, PerFeature


@pytest.fixture
def wide() -> np.ndarray:
    generator = np.random.default_rng(0)
    return (
        generator.normal(size=(80, 5)) @ generator.normal(size=(5, 300)) + generator.normal(size=(80, 300))
    ) + 3


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_principal_components_keep_scikit_learns_contract() -> None:
    failed = [
        r["check_name"]
        for r in check_estimator(PrincipalComponents(), on_fail=None)
        if r["status"] == "failed"
    ]
    assert failed == []


def test_components_are_scikit_learns(wide: np.ndarray) -> None:
    ours = PrincipalComponents().fit(wide[:60])
    theirs = PCA(10, whiten=True, svd_solver="randomized", random_state=0).fit(wide[:60])
    np.testing.assert_allclose(ours.transform(wide), theirs.transform(wide), atol=1e-10)


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


def test_scores_do_not_depend_on_how_many_rows_are_transformed_at_once(wide: np.ndarray, monkeypatch) -> None:
    fitted = PrincipalComponents(4).fit(wide)
    whole = fitted.transform(wide)
    monkeypatch.setattr("memfeat.estimators.principal_components.ROWS_AT_A_TIME", 7)
    np.testing.assert_allclose(fitted.transform(wide), whole, atol=1e-12)


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


def parts() -> list[tuple[str, int, object]]:
    return [
        ("wide", 300, PrincipalComponents()),
        ("scalar", 1, StandardScaler()),
        ("as it is", 2, "passthrough"),
    ]


def test_per_feature_is_a_column_transformer(wide: np.ndarray) -> None:
    other = np.random.default_rng(5).normal(50, 9, size=(80, 3))
    array = np.hstack([wide, other])
    theirs = ColumnTransformer(
        [
            ("a", PCA(10, whiten=True, svd_solver="randomized", random_state=0), slice(0, 300)),
            ("b", StandardScaler(), slice(300, 301)),
            ("c", "passthrough", slice(301, 303)),
        ]
    ).fit(array[:60])
    for given in (Blocks([wide, other[:, :1], other[:, 1:]]), array):
        ours = PerFeature(parts()).fit(given[:60])
        np.testing.assert_allclose(ours.transform(given), theirs.transform(array), atol=1e-9)
        np.testing.assert_array_equal(
            PerFeature(parts()).fit_transform(given[:60]), ours.transform(given[:60])
        )
        assert ours.n_features_in_ == 303


def test_each_block_keeps_its_dtype_and_all_becomes_float64() -> None:
    X = Blocks([np.ones((4, 2), np.float32), np.full((4, 1), 2.0**30 + 1)])
    assert [a.dtype for a in X[[0, 1]].arrays] == [np.float32, np.float64]
    prepared = PerFeature([("a", 2, "passthrough"), ("b", 1, "passthrough")]).fit_transform(X)
    assert prepared.dtype == np.float64
    assert prepared[0, 2] == 2**30 + 1  # float32 would have lost the one


def test_fitting_leaves_the_given_transformers_unfitted() -> None:
    scaler = StandardScaler()
    prepared = PerFeature([("a", 1, scaler)])
    prepared.fit(np.arange(4.0)[:, None])
    assert not hasattr(scaler, "mean_")
    assert not hasattr(clone(prepared), "parts_")


def test_blocks_work_with_scikit_learns_tools() -> None:
    generator = np.random.default_rng(0)
    blocks = Blocks([generator.normal(size=(30, 2)).astype(np.float32), generator.normal(size=(30, 1))])
    y = generator.normal(size=30)
    model = Pipeline(
        [("p", PerFeature([("a", 2, "passthrough"), ("b", 1, StandardScaler())])), ("m", Ridge())]
    )
    held_out = cross_val_predict(model, blocks, y, cv=3)
    np.testing.assert_allclose(
        held_out, cross_val_predict(model, np.hstack(blocks.arrays), y, cv=3), atol=1e-6
    )
    assert GridSearchCV(model, {"m__alpha": [0.1, 10]}, cv=3).fit(blocks, y).best_params_["m__alpha"] in (
        0.1,
        10,
    )


def test_one_sparse_part_makes_the_whole_sparse() -> None:
    texts = np.empty((3, 1), dtype=object)
    texts[:, 0] = [("a dog",), ("the cat", "cat"), ()]
    numbers = np.array([[1.0], [2.0], [3.0]], np.float32)
    parts = [
        ("captions", 1, CaptionTfidf(ngrams=1)),
        ("light", 1, StandardScaler()),
        ("raw", 1, "passthrough"),
    ]
    X = Blocks([texts, numbers, numbers])
    found = PerFeature(parts).fit_transform(X)
    assert found.format == "csr" and found.dtype == np.float64
    words = CaptionTfidf(ngrams=1).fit_transform(texts).toarray()
    scaled = StandardScaler().fit_transform(numbers)
    np.testing.assert_allclose(found.toarray(), np.hstack([words, scaled, numbers]), atol=1e-7)
    np.testing.assert_array_equal(found.toarray(), PerFeature(parts).fit(X).transform(X).toarray())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            Blocks([np.ones((3, 2)), np.ones((3, 2))]),
            r"blocks of \[2, 2\] columns; PerFeature has parts of \[2, 1\]",
        ),
        (np.ones((3, 5)), "5 features, but PerFeature is expecting 3"),
        (np.full((3, 3), np.nan), "NaN"),
    ],
)
def test_wrong_widths_are_refused(given: object, message: str) -> None:
    fitted = PerFeature([("a", 2, StandardScaler()), ("b", 1, "passthrough")]).fit(np.ones((3, 3)))
    with pytest.raises(ValueError, match=message):
        fitted.transform(given)


@pytest.mark.parametrize("arrays", [[], [np.ones(3)], [np.ones((3, 1)), np.ones((2, 1))]])
def test_blocks_that_do_not_fit_together_are_refused(arrays: list[np.ndarray]) -> None:
    with pytest.raises(UsageError, match="equal n"):
        Blocks(arrays)
