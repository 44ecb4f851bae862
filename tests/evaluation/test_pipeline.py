from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from memfeat import extractors, models
from memfeat.errors import StoreError, UsageError
from memfeat.estimators.principal_components import PrincipalComponents
from memfeat.evaluation.pipeline import Block, build, predict, preparation_of, reduced
from memfeat.evaluation.preparation import Blocks
from memfeat.models import ModelSpec


def block(name: str, width: int, preparation: str) -> Block:
    return Block(f"{name}:mean", name, "mean", width, "k", preparation)


@pytest.mark.parametrize("name", extractors.names())
def test_a_known_feature_is_prepared_as_its_extractor_says(name: str) -> None:
    assert preparation_of(name, 7, recorded="none") == extractors.get(name).preparation


def test_another_feature_is_prepared_as_recorded_or_by_width() -> None:
    assert preparation_of("stranger", 100, recorded="pca") == "pca"
    assert preparation_of("stranger", 100, recorded="nonsense") == "none"
    assert preparation_of("stranger", 1) == "zscore"


def test_brr_adds_nothing_to_unprepared_columns() -> None:
    from sklearn.linear_model import BayesianRidge

    generator = np.random.default_rng(0)
    X, y = generator.normal(3, 10, size=(50, 8)).astype(np.float32), generator.normal(size=50)
    ours = build([block("embedding", 8, "none")], models.get("brr")).fit(Blocks([X]), y)
    mean, sd = predict(ours, Blocks([X]), deviation=True)
    expected, deviation = BayesianRidge().fit(X.astype(float), y).predict(X.astype(float), return_std=True)
    np.testing.assert_allclose(mean, expected, rtol=1e-12)
    np.testing.assert_allclose(sd, deviation, rtol=1e-12)


def test_the_number_of_components_is_told_where_it_is_not_ten() -> None:
    generator = np.random.default_rng(0)
    blocks = [block("a", 30, "pca"), block("b", 30, "pca"), block("c", 1, "zscore")]
    X = Blocks(
        [generator.normal(size=(20, 30)), np.repeat(generator.normal(size=(4, 30)), 5, 0), np.ones((20, 1))]
    )
    fitted = build(blocks, models.get("brr")).fit(X, generator.normal(size=20))
    assert reduced(fitted) == {"b:mean": (3, 10)}
    assert isinstance(fitted.named_steps["features"].parts_[0][2], PrincipalComponents)


def test_a_block_survives_json_and_a_wrong_one_is_refused() -> None:
    one = block("a", 3, "pca")
    assert Block.from_dict(one.as_dict()) == one
    with pytest.raises(StoreError, match="no preparation 'magic'"):
        Block.from_dict({**one.as_dict(), "preparation": "magic"})
    with pytest.raises(StoreError, match="described wrongly"):
        Block.from_dict({"name": "a"})


def test_a_pipeline_needs_different_columns() -> None:
    with pytest.raises(UsageError, match="at least one feature"):
        build([], models.get("brr"))
    with pytest.raises(UsageError, match="given twice"):
        build([block("a", 1, "none")] * 2, models.get("brr"))


def test_a_wrong_number_of_columns_is_a_typed_error() -> None:
    fitted = build([block("a", 2, "none")], models.get("brr")).fit(Blocks([np.eye(4)[:, :2]]), np.arange(4.0))
    with pytest.raises(UsageError, match="fitted on 2 feature columns; 3 were given"):
        predict(fitted, Blocks([np.ones((1, 3))]), deviation=False)


def test_words_need_a_model_that_takes_sparse_matrices() -> None:
    captions = Block("captions:text", "captions", "text", 1, "text:captions", "tfidf")
    dense = ModelSpec(name="dense", summary="None.", build=lambda seed: None)
    with pytest.raises(
        UsageError, match=r"sparse matrix, which the model 'dense' does not take\. Use captions@tfidf-svd"
    ):
        build([captions], dense)
    sparse = ModelSpec(
        name="sparse", summary="None.", build=lambda seed, **given: Ridge(**given), takes_sparse=True
    )
    cells = np.empty((4, 1), dtype=object)
    cells[:, 0] = [("a dog",), ("two dogs",), ("the cat",), ("cats",)]
    fitted = build([captions], sparse, parameters={"alpha": 3.0}).fit(Blocks([cells]), np.arange(4.0))
    assert fitted.named_steps["model"].alpha == 3.0
    assert predict(fitted, Blocks([cells]), deviation=False)[0].shape == (4,)


def test_a_column_says_what_it_reads() -> None:
    assert block("a", 3, "pca").reductions == ("mean",)
    assert block("a", 6, "pca-m3s").reductions == ("mean", "first")
    captions = Block("captions:text", "captions", "text", 1, "text:captions", "tfidf")
    assert (captions.reductions, captions.is_text) == ((), True)
