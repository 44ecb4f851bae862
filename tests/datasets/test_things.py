"""THINGS in miniature: paths as the table and as the image archive write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from memfeat import recipe
from memfeat.datasets import load
from memfeat.datasets.things import ThingsOptions, load_things
from memfeat.errors import LabelError, UsageError

HEADING = "file_path,image_name,image_nr,cr\n"
ROWS = (
    "images/aardvark/aardvark_01b.jpg,aardvark_01b.jpg,1,0.5\n"
    "images/bat1/bat1_01b.jpg,bat1_01b.jpg,2,-0.05\n"
    "images/aardvark/aardvark_02s.jpg,aardvark_02s.jpg,3,\n"
)


def ship(root: Path, text: str = HEADING + ROWS) -> Path:
    (root / "THINGS_Memorability_Scores.csv").write_text(text)
    return root


def read(root: Path):
    return load_things("things", root, ThingsOptions())


@pytest.mark.parametrize("folder", ["images", "object_images", "."])
def test_a_release_in_miniature(tmp_path: Path, folder: str) -> None:
    root = ship(tmp_path)
    file = root / folder / "bat1" / "bat1_01b.jpg"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"x")
    dataset = load(recipe.load("things"), root=root)
    assert dataset.files == {"bat1/bat1_01b.jpg": file}
    assert dataset.labels.table["cr"].dropna().to_dict() == {
        "aardvark/aardvark_01b.jpg": 0.5,
        "bat1/bat1_01b.jpg": -0.05,
    }
    assert dataset.texts["categories"]["bat1/bat1_01b.jpg"] == ("bat",)
    assert "1 of 3 rows of no split have no cr" in " ".join(dataset.remarks)
    assert len(dataset.missing) == 2


def test_rates_are_targets_where_they_are_given(tmp_path: Path) -> None:
    labels = read(ship(tmp_path, "file_path,HR,FA,cr\nimages/a/a_1.jpg,0.75,0.25,0.5\n")).labels
    assert labels.targets == ("cr", "hit_rate", "false_alarm_rate")
    assert labels.table.iloc[0].tolist() == [0.5, 0.75, 0.25]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADING + ROWS.replace("-0.05", "-1.05"), r"line 3, column 'cr': -1.05 is below -1"),
        (
            HEADING + ROWS.replace("images/bat1/", ""),
            r"line 3, column 'file_path': 'bat1_01b.jpg' is none; object and",
        ),
        (
            HEADING + ROWS.replace("aardvark_02s", "aardvark_01b"),
            r"lines 2, 4, column 'file_path': 'aardvark/",
        ),
        ("file_path,score\na/b.jpg,1\n", r"no column 'cr'"),
    ],
)
def test_mistakes_are_located(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read(ship(tmp_path, text))


def test_a_folder_without_scores_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no THINGS_Memorability_Scores\.csv"):
        read(tmp_path)
