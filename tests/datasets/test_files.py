"""The tables of a release are found wherever they lie; two different ones of a kind are never mixed up."""

from __future__ import annotations

import hashlib

import pytest

from memfeat.datasets._files import find_files, one_file, sources
from memfeat.errors import LabelError


def put(root, name, text="x"):
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_names_fit_in_any_case_and_depth_and_come_in_order(tmp_path):
    put(tmp_path, "b/Train_Scores.CSV", "1")
    put(tmp_path, "a/x/y/dev_scores.csv", "2")
    put(tmp_path, "scores.txt", "3")
    assert [f.name for f in find_files(tmp_path, "*_scores.csv")] == ["dev_scores.csv", "Train_Scores.CSV"]
    assert find_files(tmp_path, "*_scores.csv", depth=1) == [tmp_path / "b/Train_Scores.CSV"]


def test_hidden_files_and_the_companions_of_macos_are_passed_over(tmp_path):
    for name in (".git/scores.csv", "._scores.csv", "__MACOSX/._scores.csv", ".scores.csv"):
        put(tmp_path, name)
    assert find_files(tmp_path, "*scores.csv") == []


def test_a_copy_counts_once_and_another_content_twice(tmp_path):
    first = put(tmp_path, "a/memento_train_data.json", "[1]")
    put(tmp_path, "b/memento_train_data.json", "[1]")
    assert find_files(tmp_path, "memento_*_data.json") == [first]
    other = put(tmp_path, "c/memento_train_data.json", "[2]")
    assert find_files(tmp_path, "memento_*_data.json") == [first, other]
    with pytest.raises(
        LabelError, match=r"2 different files that could be the list: .*a/mem.*c/mem.*Keep one"
    ):
        one_file(tmp_path, "memento_*_data.json", what="the list")


def test_files_of_other_names_are_not_copies(tmp_path):
    put(tmp_path, "train_1.txt", "same")
    put(tmp_path, "train_2.txt", "same")
    assert len(find_files(tmp_path, "train_?.txt")) == 2


def test_a_walk_through_links_ends(tmp_path):
    put(tmp_path, "a/scores.csv")
    (tmp_path / "a/up").symlink_to(tmp_path, target_is_directory=True)
    assert find_files(tmp_path, "scores.csv") == [tmp_path / "a/scores.csv"]


def test_none_is_none(tmp_path):
    assert one_file(tmp_path, "*.json", what="anything") is None


def test_a_link_to_nothing_is_told(tmp_path):
    (tmp_path / "scores.csv").symlink_to("gone.csv")
    with pytest.raises(LabelError, match=r"cannot be read: .*scores\.csv"):
        find_files(tmp_path, "scores.csv")


def test_sources_name_every_file_with_its_hash(tmp_path):
    files = [put(tmp_path, "b.csv", "b"), put(tmp_path, "a.csv", "a")]
    found = sources([*files, files[0]])
    assert found["name"] == "a.csv, b.csv"
    assert found["files"][1]["sha256"] == hashlib.sha256(b"b").hexdigest()
