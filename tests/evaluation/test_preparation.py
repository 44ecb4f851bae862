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
