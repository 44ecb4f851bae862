"""LaMem in miniature: the ways in which its split files are shipped and re-hosted, and what can be wrong with them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from memfeat import recipe
from memfeat.checking.check import check
from memfeat.datasets import load
from memfeat.datasets.lamem import LamemOptions, load_lamem
from memfeat.errors import LabelError, UsageError
from memfeat.evaluation.splits import plan

IMAGES = {f"{k:08}.jpg": round(0.5 + k / 100, 6) for k in range(1, 21)}
NAMES = list(IMAGES)


def part(fold: int, k: int) -> str:
    return "test" if k % 5 == fold - 1 else "val" if k % 5 == fold % 5 else "train"


def ship(
    root: Path, *, line: str = "{name} {score}", end: str = "\n", heading: str = "", suffix: str = "txt"
) -> Path:
    (root / "splits").mkdir(parents=True)
    for fold in range(1, 6):
        for role in ("train", "val", "test"):
            rows = [
                line.format(name=n, score=IMAGES[n]) for k, n in enumerate(NAMES) if part(fold, k) == role
            ]
            text = end.join([*([heading] if heading else []), *rows, ""])
            (root / "splits" / f"{role}_{fold}.{suffix}").write_text(text, encoding="utf-8", newline="")
    return root


def images(root: Path, *names: str) -> None:
    (root / "images").mkdir(exist_ok=True)
    for name in names:
        (root / "images" / name).write_bytes(name.encode())


def read(root: Path, **options):
    return load_lamem("lamem", root, LamemOptions(**options))


def test_a_release_in_miniature(tmp_path: Path) -> None:
    root = ship(tmp_path / "lamem")
    images(root, *NAMES[:-1], "00009999.jpg")
    dataset = load(recipe.load("lamem"), root=root)
    table = dataset.labels.table
    assert table.index.tolist() == NAMES
    assert table["memorability"].to_dict() == IMAGES
    assert dataset.labels.named_splits == {f"fold{k}": f"split:fold{k}" for k in range(1, 6)}
    assert table["split:fold2"].tolist() == [part(2, k) for k in range(20)]
    assert dataset.files[NAMES[0]] == root / "images" / NAMES[0]
    assert (dataset.missing, dataset.extra) == ((NAMES[-1],), ("images/00009999.jpg",))
    found = {finding.code for finding in check(dataset).findings}
    assert {"missing-files", "extra-files"} <= found


def test_its_folds_are_fitted_and_judged_in_turn(tmp_path: Path) -> None:
    labels = read(ship(tmp_path)).labels
    named = {name: labels.table[column].tolist() for name, column in labels.named_splits.items()}
    made = plan(NAMES, named=named)
    assert made.name == "5 official folds"
    for fold, one in enumerate(made.parts, 1):
        assert one.judged.tolist() == [k for k in range(20) if part(fold, k) == "test"]
        assert one.fit.size == 16


@pytest.mark.parametrize(
    "written",
    [
        {"line": "{name} {score} ", "end": "\r\n"},
        {"line": "{name}  {score}\t"},
        {"line": "{name}\t{score}"},
        {"line": "{name},{score}"},
        {"line": "images/{name},{score}", "heading": "image_path,memorability_score", "suffix": "csv"},
        {"line": "{score},lamem/images/{name}", "heading": "score,image", "suffix": "csv"},
        {"line": '"{name}" , {score}', "heading": '"file","rating"'},
        {"line": "{name} {score}\n"},
    ],
    ids=["crlf", "blanks", "tab", "comma", "heading", "columns-swapped", "quoted", "blank-lines"],
)
def test_ways_to_write_a_split_file(tmp_path: Path, written: dict) -> None:
    table = read(ship(tmp_path, **written)).labels.table
    assert table["memorability"].to_dict() == IMAGES
    assert table["split:fold5"].tolist() == [part(5, k) for k in range(20)]


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    root = ship(tmp_path)
    file = root / "splits" / "train_1.txt"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert read(root).labels.table.index.tolist() == NAMES


def test_further_columns_are_read_when_they_are_named(tmp_path: Path) -> None:
    root = ship(tmp_path, line="{name} {score} 0.25 7")
    dataset = read(root)
    assert dataset.labels.targets == ("memorability",)
    (said,) = [remark for remark in dataset.remarks if "4 columns" in remark]
    assert "not read" in said
    named = read(root, further=["false_alarm_rate"])
    assert named.labels.targets == ("memorability", "false_alarm_rate")
    assert set(named.labels.table["false_alarm_rate"]) == {0.25}
    headed = ship(tmp_path / "headed", line="{name},{score},0.5", heading="image,score,FAR", suffix="csv")
    assert set(read(headed, further=["FAR"]).labels.table["FAR"]) == {0.5}
    assert read(headed).labels.targets == ("memorability",)


def test_the_full_list_may_name_more(tmp_path: Path) -> None:
    root = ship(tmp_path)
    lines = [f"{name} {score}" for name, score in IMAGES.items()]
    (root / "splits" / "full.txt").write_text("\n".join([*lines, "00000099.jpg 0.9"]))
    table = read(root).labels.table
    assert len(table) == 21
    assert table.loc["00000099.jpg", ["memorability", "split:fold1"]].tolist() == [0.9, None]


def test_a_fold_in_part_is_said(tmp_path: Path) -> None:
    root = ship(tmp_path)
    (root / "splits" / "val_3.txt").unlink()
    dataset = read(root)
    assert "Fold 3 has no val_3" in " ".join(dataset.remarks)
    assert dataset.labels.table["split:fold3"].isna().sum() == 4


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("test_2", "00000001.jpg\n", r"test_2\.txt, line 1: 1 columns where 2 are needed"),
        ("test_2", "00000002.jpg 0.52\n00000007.jp", r"test_2\.txt, line 2: 1 columns .*cut off"),
        (
            "test_2",
            "00000002.jpg 0.52\n00000007.jpg high",
            r"line 2, column 'memorability': 'high' is no finite",
        ),
        ("test_2", "00000002.jpg high", r"line 1, column 'memorability': 'high' is no finite"),
        ("test_2", "00000002.jpg nan", r"line 1, column 'memorability': 'nan' where a score is needed"),
        ("test_2", "00000002.jpg 52", r"line 1, column 'memorability': 52 is above 1"),
        ("test_2", "00000002.jpg -0.1", r"line 1, column 'memorability': -0.1 is below 0"),
        (
            "test_2",
            "00000002.jpg 0.52\n00000002.jpg 0.52",
            r"lines 1, 2, column 'image': '00000002.jpg' stands 2",
        ),
        ("test_2", "00000002.jpg 0.53", r"00000002.jpg' has 0.53, and 0.52 in .*val_1\.txt, line 1"),
        ("test_2", "00000003.jpg 0.53", r"'00000003.jpg' is in val and in test of fold 2 .*seen"),
        ("test_2", "images/ 0.5", r"line 1, column 'image': 'images/' is none"),
        ("test_2", " \n\n", r"test_2\.txt is empty"),
    ],
)
def test_mistakes_are_located(tmp_path: Path, file: str, text: str, message: str) -> None:
    root = ship(tmp_path)
    (root / "splits" / f"{file}.txt").write_text(text)
    with pytest.raises(LabelError, match=message):
        read(root)


def test_files_that_are_no_text_or_are_there_twice(tmp_path: Path) -> None:
    root = ship(tmp_path / "one")
    (root / "splits" / "test_1.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LabelError, match=r"test_1\.txt is no UTF-8"):
        read(root)
    twice = ship(tmp_path / "two")
    ship(twice / "copy", line="{name} {score} 1")
    with pytest.raises(LabelError, match="different files for one part of fold 1"):
        read(twice)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"no train_1\.txt"):
        read(tmp_path / "empty")


def test_an_image_in_two_folders_is_no_guess(tmp_path: Path) -> None:
    root = ship(tmp_path)
    images(root, NAMES[0])
    (root / "more").mkdir()
    (root / "more" / NAMES[0]).write_bytes(b"other")
    assert read(root).files[NAMES[0]] == root / "images" / NAMES[0]  # where the release has it
    (root / "images" / NAMES[0]).rename(root / "splits" / NAMES[0])
    with pytest.raises(LabelError, match=f"'{NAMES[0]}' fits 2 files"):
        read(root)


def test_statistics_are_those_of_the_files(tmp_path: Path) -> None:
    found = read(ship(tmp_path)).labels.statistics().loc["memorability"]
    assert found["n"] == 20
    assert math.isclose(found["mean"], sum(IMAGES.values()) / 20)
