"""The recipes of the transfer and interestingness sets: a folder of images and a table, or the table alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from memfeat import recipe
from memfeat.datasets import get, load

INTERESTINGNESS = ("flickr", "gygli-scenes", "gygli-sun", "gygli-webcams", "mediaeval")


@pytest.mark.parametrize("name", [f"interestingness-{name}" for name in INTERESTINGNESS])
def test_interestingness_is_a_target_of_that_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").write_bytes(b"x")
    (tmp_path / "scores.csv").write_text("image,interestingness,votes\na.jpg,0.25,7\nb.jpg,0.5,8\n")
    plan = recipe.load(name)
    dataset = load(plan, root=tmp_path)
    assert plan.fit.target == "interestingness"
    assert dataset.labels.targets == ("interestingness",)
    assert dataset.labels.table["interestingness"].to_dict() == {"a.jpg": 0.25}
    assert dataset.missing == ("b.jpg",)


@pytest.mark.parametrize("name", ["bainbridge-faces", "cohendet150", "dubey", "libkuman"])
def test_transfer_sets_are_read_with_and_without_images(tmp_path: Path, name: str) -> None:
    targets = recipe.load(name).dataset.options()["targets"]
    (tmp_path / "images").mkdir()
    rows = "".join(f"{k}.jpg,{',0.5' * len(targets)}\n".replace(",,", ",") for k in range(3))
    (tmp_path / "scores.csv").write_text(f"image,{','.join(targets)}\n{rows}")
    alone = load(recipe.load(name), root=tmp_path)
    assert alone.labels.targets == tuple(targets)
    assert len(alone.labels.table) == 3 and alone.files == {}
    (tmp_path / "images" / "0.jpg").write_bytes(b"x")
    assert list(load(recipe.load(name), root=tmp_path).files) == ["0.jpg"]


def test_every_recipe_names_an_adapter_and_options_that_it_knows() -> None:
    for file in recipe.available():
        plan = recipe.load(str(file))
        adapter = get(plan.dataset.adapter)
        recipe.parse(plan.dataset.options(), where=str(file), model=adapter.options)
