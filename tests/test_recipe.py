"""Recipes are found by name or path, checked whole, and say which key was meant."""

from __future__ import annotations

import pytest

from memfeat import recipe
from memfeat.errors import UsageError


def test_every_shipped_recipe_is_valid():
    found = list(recipe.available())
    assert "demo" in {file.stem for file in found}
    for file in found:
        assert recipe.load(str(file)).description


def test_a_recipe_of_the_working_folder_comes_first(tmp_path, monkeypatch):
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "demo.toml").write_text('description = "mine"')
    monkeypatch.chdir(tmp_path)
    assert recipe.load("demo").description == "mine"


def test_a_recipe_by_path_takes_its_name_from_the_file(tmp_path):
    file = tmp_path / "my-set.toml"
    file.write_text('features = ["hog", "flow"]\n[dataset]\nroot = "x"\nvideos = "clips"\n')
    loaded = recipe.load(str(file))
    assert loaded.name == "my-set"
    assert loaded.features.extract == ["hog", "flow"]
    assert loaded.dataset.options() == {"videos": "clips"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("descripton = 'x'", ["descripton", "Did you mean 'description'"]),
        ("[fit]\nmodle = 'brr'", ["modle", "[fit]", "Did you mean 'model'"]),
        ("[fit]\nfolds = 1", ["fit.folds", "greater than or equal to 2"]),
        ("[fit]\nfolds = 'five'", ["fit.folds", "'five'"]),
        ("name = '../up'", ["the name '../up'", "letters, digits"]),
        ("[dataset\n", ["not valid TOML"]),
    ],
)
def test_mistakes_are_named(tmp_path, text, words):
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        recipe.load(str(file))
    for word in [*words, str(file)]:
        assert word in str(caught.value)


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(UsageError, match="There is no recipe 'dmeo'. Did you mean 'demo'"):
        recipe.load("dmeo")
    with pytest.raises(UsageError, match=r"no recipe file 'nowhere/x\.toml'"):
        recipe.load("nowhere/x.toml")


def test_root_comes_from_the_call_then_the_variable_then_the_recipe(tmp_path, monkeypatch):
    for folder in ("given", "shared/mine", "own"):
        (tmp_path / folder).mkdir(parents=True)
    made = recipe.Recipe(name="mine", dataset=recipe.DatasetTable(root=str(tmp_path / "own")))
    monkeypatch.delenv("MEMFEAT_DATA", raising=False)
    assert made.root() == tmp_path / "own"
    monkeypatch.setenv("MEMFEAT_DATA", str(tmp_path / "shared"))
    assert made.root() == tmp_path / "shared" / "mine"
    assert made.root(tmp_path / "given") == tmp_path / "given"
    with pytest.raises(UsageError, match="--root"):
        made.root(tmp_path / "missing")
    with pytest.raises(UsageError, match="does not say where its data lie"):
        recipe.Recipe(name="other").root()


def test_a_recipe_that_cannot_be_read_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pipelines" / "folder.toml").mkdir(parents=True)
    (tmp_path / "pipelines" / "loop.toml").symlink_to("loop.toml")
    assert "folder" not in {file.stem for file in recipe.available()}
    with pytest.raises(UsageError, match=r"pipelines/loop\.toml cannot be read"):
        recipe.load("loop")


def test_parameters_of_the_model_have_a_table_of_their_own(tmp_path):
    file = tmp_path / "some.toml"
    file.write_text("[fit]\nmodel = 'svr'\n[fit.parameters]\nC = 10\nkernel = 'rbf'\n")
    assert recipe.load(str(file)).fit.parameters == {"C": 10, "kernel": "rbf"}
