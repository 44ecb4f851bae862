from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from stores import draw, make, name, put

from memfeat import models
from memfeat.errors import UsageError
from memfeat.evaluation.ablate import ablate, by_module, systems
from memfeat.evaluation.compare import compare
from memfeat.evaluation.comparison.systems import System
from memfeat.store.feature_store import FeatureStore

FAST: dict[str, Any] = {"resamples": 50, "cache": None, "folds": 3}


def test_each_column_is_left_out_and_taken_alone(store: FeatureStore) -> None:
    found = ablate(store, **FAST)
    assert [(line.name, line.features) for line in found.lines] == [
        ("only embedding", ("embedding",)),
        ("only grid", ("grid",)),
        ("only light", ("light",)),
        ("without embedding", ("grid", "light")),
        ("without grid", ("embedding", "light")),
        ("without light", ("embedding", "grid")),
        ("all", ("embedding", "grid", "light")),
    ]
    assert found.about.baseline == "all"
    assert [line.raw is not None for line in found.lines] == [False, False, True, False, False, False, False]


def test_its_figures_are_those_of_a_comparison(store: FeatureStore) -> None:
    found = ablate(store, columns=["light", "embedding"], ways=["leave-one-out"], **FAST)
    alone = compare(store, [System(name="x", features=("embedding",))], **FAST)
    assert found.lines[0].name == "without light" and found.lines[0].raw is None
    assert found.lines[0].figures == alone.lines[0].figures
    full = compare(store, [System(name="x", features=("light", "embedding"))], **FAST)
    less = alone.lines[0].figures["mse"].value - full.lines[0].figures["mse"].value
    assert found.lines[0].difference["mse"].value == pytest.approx(less)


def test_two_columns_are_not_said_twice() -> None:
    units = {"a": ["a"], "b": ["b"]}
    assert [s.name for s in systems(["a", "b"], units, model="brr")] == ["only a", "only b", "all"]


def test_modules_are_taken_as_a_whole() -> None:
    def modules(features: Any) -> dict[str, list[str]]:
        return {"raw": ["hog@pca-m3s", "flow"], "scene": ["net"], "similarity": ["net@dbscan"]}

    spec = replace(models.get("brr"), modules=modules)
    columns = ["hog@pca-m3s", "flow:mean-per-frame", "net", "net@kde", "captions@tfidf-svd50"]
    assert by_module(spec, columns) == {
        "raw": ["hog@pca-m3s", "flow:mean-per-frame"],
        "scene": ["net"],
        "similarity": ["net@kde"],
        "other": ["captions@tfidf-svd50"],
    }
    made = {s.name: s.features for s in systems(columns, by_module(spec, columns), model="m3s")}
    assert made["without raw"] == ("net", "net@kde", "captions@tfidf-svd50")
    assert made["only raw"] == ("hog@pca-m3s", "flow:mean-per-frame")
    assert made["all"] == tuple(columns)


def test_features_of_random_weights_are_marked(tmp_path: Path) -> None:
    made = make(tmp_path / "s", 20, features=["light"])
    for k, values in enumerate(draw(20)["embedding"]):
        put(made, name(k), {"net-random7": values})
    found = ablate(made, **FAST)
    assert "* net-random7: RANDOM weights (seed 7)" in " ".join(found.to_text().split())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"columns": ["light"]}, "two features or modules; there is light"),
        ({"columns": ["light", "lihgt"]}, "Did you mean 'light'"),
        ({"ways": []}, "give one-at-a-time or leave-one-out"),
        ({"ways": ["add-one"]}, "give one-at-a-time or leave-one-out"),
        ({"by": "module"}, "'brr' has no modules"),
        ({"model": "bbr"}, "Did you mean 'brr'"),
    ],
)
def test_what_cannot_be_ablated_is_refused(store: FeatureStore, given, words) -> None:
    with pytest.raises(UsageError, match=words):
        ablate(store, **{**FAST, **given})
