from __future__ import annotations

from pathlib import Path

import pytest

from memfeat import extractors, models
from memfeat.errors import UsageError
from memfeat.evaluation.columns import parse_columns
from memfeat.evaluation.comparison import recipe
from memfeat.evaluation.comparison.systems import choose_baseline
from memfeat.evaluation.parameters import check

NAMES = sorted(file.stem for file in recipe.available())
GOOD = """
[compare]
baseline = "one"
[[systems]]
name = "one"
features = ["hog@pca20", "captions@tfidf-svd50"]
[[systems]]
name = "two"
model = "svr"
features = ["hog"]
parameters = { C = 3.0 }
note = "published: .5"
[[systems]]
name = "both"
fuse = ["one", "two"]
weights = "inner-folds"
"""


def written(folder: Path, text: str) -> str:
    file = folder / "mine.toml"
    file.write_text(text)
    return str(file)


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_names_models_features_and_parameters_that_there_are(name: str) -> None:
    pytest.importorskip("torch")
    loaded = recipe.load(name)
    assert loaded.description
    systems = loaded.made()
    choose_baseline(systems, loaded.compare.baseline)
    for system in systems:
        if system.fuse:
            continue
        check(models.get(system.model), system.parameters)
        for column in parse_columns(system.features or ()):
            known = column.feature in extractors.names() or extractors.is_network(column.feature)
            assert known or column.feature == "captions", column


def test_the_papers_systems_are_there() -> None:
    assert {"captions", "dreams-clip-brr", "ic-mlp", "kclass", "m3s", "m3s-modules", "m3s-raw"} <= set(NAMES)
    assert {"similarity-added", "similarity-alone"} <= set(NAMES)


def test_the_inputs_of_m3s_are_those_published() -> None:
    (m3s,) = [system for system in recipe.load("m3s").made() if system.name == "m3s"]
    (m3,) = [system for system in recipe.load("m3s").made() if system.name == "m3"]
    assert set(m3s.features) - set(m3.features) == {
        "hrnetv2-w48-ade20k@dbscan",
        "csn-ip-152-ig65m-kinetics@dbscan",
    }


def test_a_recipe_becomes_systems(tmp_path: Path) -> None:
    loaded = recipe.load(written(tmp_path, GOOD))
    one, two, both = loaded.made()
    assert (loaded.name, loaded.compare.baseline) == ("mine", "one")
    assert one.model == "brr" and one.features == ("hog@pca20", "captions@tfidf-svd50")
    assert two.model == "svr" and two.parameters == {"C": 3.0} and two.note == "published: .5"
    assert (both.model, both.fuse, both.weights) == ("late-fusion", ("one", "two"), "inner-folds")


def test_the_working_folder_comes_first(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pipelines" / "systems").mkdir(parents=True)
    (tmp_path / "pipelines" / "systems" / "m3s.toml").write_text(GOOD)
    assert [system.name for system in recipe.load("m3s").made()] == ["one", "two", "both"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.replace('s = ["hog"]', ' = ["hog"]'), r"key 'feature' at \[systems.1\]\. Did you mean 'features'"),
        (GOOD.replace("baseline", "base_line"), r"'base_line' at \[compare\]\. Did you mean 'baseline'"),
        (GOOD + "\n[compar]\nx = 1", "Did you mean 'compare'"),
        (GOOD.replace('weights = "inner-folds"', 'model = "svr"'), "a model, features or parameters of its own"),
        (GOOD.replace('note = "published: .5"', 'weights = "equal"'), "fuses nothing"),
        (GOOD.replace('name = "two"', 'name = "one"'), "Two systems are called 'one'"),
        ("[compare]\nseeds = [0]", r"has no \[\[systems\]\]"),
        ("systems = []", "systems"),
        ("[[systems", "not valid TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_the_nearest_right_thing(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        recipe.load(written(tmp_path, text)).made()


def test_a_recipe_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="Did you mean 'm3s-raw'.* captions, "):
        recipe.load("m3s-rwa")
    with pytest.raises(UsageError, match="no recipe file"):
        recipe.load("nowhere/x.toml")
