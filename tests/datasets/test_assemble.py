"""Rows, files and texts become one dataset; what is withheld, missing or left over is said."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from memfeat.dataset import Scan
from memfeat.datasets import get
from memfeat.datasets._assemble import Release, ReleaseOptions, assemble, listed
from memfeat.errors import UsageError
from memfeat.recipe import available, load, parse


def release(tmp_path, **changes):
    file = tmp_path / "scores.csv"
    file.write_text("x")
    table = pd.DataFrame(
        {"score": [0.5, None, 0.7], "decay": [None, None, 0.1], "split": ["train", "test", None]},
        index=["b", "c", "a"],
    )
    given = {
        "table": table,
        "targets": ["score", "decay"],
        "aliases": {"a": ["a"], "b": ["b"], "c": ["c"]},
        "texts": {"captions": {"a": ["one", "two"], "b": []}, "actions": {}},
        "files": [file],
        "ids": "letters",
        "text_sources": {"captions": "captions.txt", "actions": "nowhere"},
    }
    return Release(**{**given, **changes})


def scan(*names):
    return Scan({name: Path(name) for name in names}, ("scanned",))


def test_everything_arrives(tmp_path):
    made = assemble("x", release(tmp_path), scan("v/b.mp4", "v/c.webm", "z.mp4"), ReleaseOptions(), note="hm")
    assert made.labels.table.index.tolist() == ["a", "b", "c"]
    assert made.labels.table.loc["b", "score"] == 0.5
    assert made.labels.note == "hm"
    assert made.labels.source["name"] == "scores.csv"
    assert made.texts["captions"] == {"a": ("one", "two")}
    assert made.texts.fields == ("captions",)
    assert made.texts.source == {"captions": "captions.txt"}
    assert {id: path.name for id, path in made.files.items()} == {"b": "b.mp4", "c": "c.webm"}
    assert (made.missing, made.extra, made.ids) == (("a",), ("z.mp4",), "letters")
    assert "1 of 3 ids have no file: a." in made.remarks
    assert "1 files are named in no table, they are left out: z.mp4." in made.remarks
    assert "1 of 1 rows of test have no score, decay; they are kept without a label." in made.remarks
    assert "1 of 1 rows of train have no decay; they are kept without a label." in made.remarks
    assert not any("no split have" in remark for remark in made.remarks)
    assert "scanned" in made.remarks


def test_files_that_no_table_names_can_be_part_of_it(tmp_path):
    made = assemble(
        "x", release(tmp_path), scan("a.mp4", "z.mp4"), ReleaseOptions(include_extra=True), note=""
    )
    assert list(made.files) == ["a", "z.mp4"]
    assert made.extra == ("z.mp4",)
    assert "z.mp4" not in made.labels.table.index


def test_without_any_file_scores_remain(tmp_path):
    made = assemble("x", release(tmp_path), Scan({}, ()), ReleaseOptions(), note="")
    assert made.files == {}
    assert made.missing == ("a", "b", "c")
    assert sum("There is no video or image here" in remark for remark in made.remarks) == 1
    assert not any("have no file" in remark for remark in made.remarks)


def test_without_texts_there_are_none(tmp_path):
    assert assemble("x", release(tmp_path, texts={}), scan("a.mp4"), ReleaseOptions(), note="").texts is None


def test_a_misspelt_option_is_named():
    with pytest.raises(UsageError, match="'vidoes'.*Did you mean 'videos'"):
        parse({"vidoes": "x"}, where="recipe", model=ReleaseOptions)


@pytest.mark.parametrize("file", list(available()), ids=lambda file: file.stem)
def test_every_shipped_recipe_fits_its_adapter_and_its_scores(file):
    made = load(str(file))
    adapter = get(made.dataset.adapter)
    parse(made.dataset.options(), where=file.name, model=adapter.options)
    known = {published.target for published in adapter.published}
    assert not known or made.fit.target in known


def test_lists_are_short():
    assert listed(["a", "b"]) == "a, b"
    assert listed(map(str, range(9))) == "0, 1, 2, 3, 4 and 4 more"
