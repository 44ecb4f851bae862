from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stores import draw, make, name

from memfeat.errors import UsageError
from memfeat.evaluation.assemble import cells, resolve
from memfeat.evaluation.gather import gather
from memfeat.store.feature_store import FeatureStore
from memfeat.store.labels import Labels
from memfeat.store.texts import Texts, write_texts

CAPTIONS = {name(k): (f"a dog number {k}", "on grass") for k in range(8)}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    """Ten videos with two features; captions of eight, actions of two, and titles of one without a video."""
    store = make(tmp_path_factory.mktemp("stores") / "both", 10, features=["light", "grid"])
    texts = {
        "captions": CAPTIONS,
        "actions": {name(0): ("run",), name(1): ("run", "jump")},
        "grid": {name(3): ("a text that is called as a feature is",)},
    }
    write_texts(store.path, Texts(texts))
    return FeatureStore(store.path)


def test_texts_stand_beside_numbers(both: FeatureStore) -> None:
    rows = gather(both, target="score", columns=["captions", "light"])
    assert rows.ids == tuple(name(k) for k in range(8))
    assert rows.left_out == {"no captions": (name(8), name(9))}
    assert [(b.name, b.reduction, b.width, b.key, b.preparation, b.is_text) for b in rows.blocks] == [
        ("captions:text", "text", 1, "text:captions", "tfidf", True),
        ("light:mean", "mean", 1, "light-1", "zscore", False),
    ]
    captions, light = rows.X.arrays
    assert captions.shape == (8, 1) and captions[2, 0] == CAPTIONS[name(2)]
    np.testing.assert_array_equal(light[:, 0], draw(10)["light"][:8])
    assert rows.X[[1, 3]].arrays[0].tolist() == [[CAPTIONS[name(1)]], [CAPTIONS[name(3)]]]


def test_texts_alone_need_no_video(tmp_path: Path, both: FeatureStore) -> None:
    labels = both.read_labels()
    assert isinstance(labels, Labels)
    of_strangers = {**CAPTIONS, "without score.mp4": ("a cat",)}
    bare = FeatureStore.create(
        tmp_path / "bare", dataset="bare", labels=labels, texts=Texts({"captions": of_strangers})
    )
    rows = gather(bare, target="score", columns=["captions@tfidf-svd2"])
    assert rows.ids == tuple(CAPTIONS)
    assert rows.left_out == {"no score": ("without score.mp4",), "no captions": (name(8), name(9))}
    assert [b.name for b in rows.blocks] == ["captions:text@tfidf-svd2"]
    np.testing.assert_array_equal(rows.y, draw(10)["score"][:8])
    with pytest.raises(UsageError, match="It has the texts captions, which can be named"):
        gather(bare, target="score")
    with pytest.raises(
        UsageError, match="No video of .* has the feature 'light'; they have none and the texts captions"
    ):
        gather(bare, target="score", columns=["light"])


def test_one_feature_may_be_prepared_in_several_ways(both: FeatureStore) -> None:
    rows = gather(both, target="score", columns=["grid", "grid@l2", "grid:first@pca4"])
    assert [(b.name, b.preparation) for b in rows.blocks] == [
        ("grid:mean", "pca"),
        ("grid:mean@l2", "l2"),
        ("grid:first@pca4", "pca4"),
    ]
    assert rows.X.arrays[0] is rows.X.arrays[1]


def test_the_published_components_read_first_frames_too(both: FeatureStore) -> None:
    (pair,) = gather(both, target="score", columns=["grid@pca-m3s"]).X.arrays
    mean, first = pair.arrays
    np.testing.assert_array_equal(mean, draw(10)["grid"])
    np.testing.assert_array_equal(first, draw(10)["grid"] + 1)


def test_classes_come_from_texts_and_may_be_missing_for_a_row(both: FeatureStore) -> None:
    rows = gather(both, target="score", columns=["grid@class-prototypes"])
    values, classes = rows.X.arrays[0].arrays
    assert len(rows.ids) == 10 and rows.blocks[0].width == 91
    assert values.shape == (10, 90)
    assert classes[:, 0].tolist() == [("run",), ("run", "jump"), *[()] * 8]


def test_classes_are_needed_where_something_is_fitted(tmp_path: Path) -> None:
    plain = make(tmp_path / "plain", 6, features=["grid"])
    with pytest.raises(
        UsageError, match="needs a class for each row, from the texts actions or categories or"
    ):
        resolve(plain, ["grid@class-prototypes"])
    with pytest.raises(UsageError, match="from the texts titles; .* has no texts"):
        resolve(plain, ["grid@class-prototypes-titles"])
    (wanted,) = resolve(plain, ["grid@class-prototypes"], fitting=False)
    rows = gather(plain, target="score", columns=[wanted.name], fitting=False)
    assert rows.X.arrays[0].arrays[1].tolist() == [[()]] * 6


def test_a_name_of_both_is_the_feature_unless_texts_are_asked_for(both: FeatureStore) -> None:
    feature, texts = resolve(both, ["grid", "grid:text"])
    assert (feature.texts, texts.texts) == ("", "grid")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["lihgt"], r"they have grid, light and the texts captions, actions, grid.* Did you mean 'light'"),
        (["caption"], "Did you mean 'captions'"),
        (["captions:first"], "are texts and have no reduction 'first'"),
        (["captions@pca"], "holds texts, and the preparation 'pca' is for numbers. Use captions@tfidf"),
        (["light@tfidf"], "holds numbers, and the preparation 'tfidf' is for texts. Use light@zscore"),
        (["light", "light:mean"], "'light:mean' is asked for twice"),
        (["light:text"], "no reduction 'text'"),
    ],
)
def test_columns_that_cannot_be_had_are_refused(both: FeatureStore, columns: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        gather(both, target="score", columns=columns)


def test_a_text_column_no_row_has_is_accounted_for(both: FeatureStore) -> None:
    view = both.filter(ids=[name(8), name(9)])
    with pytest.raises(UsageError, match=r"No (row|text) of made"):
        gather(view, target="score", columns=["captions"])
    with pytest.raises(UsageError, match="light:mean, captions:text: 2 no captions"):
        gather(view, target="score", columns=["light", "captions"])


def test_cells_are_tuples() -> None:
    found = cells({"a": ["x", "y"]}, ["b", "a"])
    assert found.dtype == object and found.tolist() == [[()], [("x", "y")]]
