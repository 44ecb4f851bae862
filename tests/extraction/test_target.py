"""A job fills the right folder, or none."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from memfeat.dataset import Dataset
from memfeat.errors import SetupError, UsageError
from memfeat.extraction import target
from memfeat.extraction.target import check_content, prepare_store
from memfeat.store.feature_store import FeatureStore
from memfeat.store.labels import Labels

LABELS = Labels(pd.DataFrame({"score": [0.5]}, index=["a.mp4"]))


def test_a_new_store_has_the_labels(tmp_path):
    prepare_store(tmp_path / "s", Dataset("mine", {"a.mp4": Path("a.mp4")}, labels=LABELS))
    assert FeatureStore(tmp_path / "s").read_labels().targets == ("score",)


def test_the_store_of_another_dataset_and_other_folders_are_left_alone(tmp_path):
    prepare_store(tmp_path / "s", Dataset("mine", {}))
    with pytest.raises(UsageError, match=r"store of the dataset 'mine', not of 'other'. .*--name mine"):
        prepare_store(tmp_path / "s", Dataset("other", {}))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match="not empty and no feature store"):
        prepare_store(tmp_path / "full", Dataset("mine", {}))
    assert [file.name for file in (tmp_path / "full").iterdir()] == ["letter.txt"]


def test_what_a_store_keeps_of_other_files_and_loses_of_labels_is_told(tmp_path):
    from clips import write_image

    from memfeat import extractors
    from memfeat.dataset import scan
    from memfeat.extraction.run import extract

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_image(tmp_path / name / f"{name}.png")
    files = {name: scan(tmp_path / name).files for name in ("a", "b")}
    table = pd.DataFrame({"score": [0.5, 0.6]}, index=["a.png", "c.png"])
    first = Dataset("mine", files["a"], labels=Labels(table))
    store = tmp_path / "s"
    assert target.what_stays_and_goes(store, first) == []
    extract(first, store, extractors.select(["contrast"])[0], workers=0)
    assert target.what_stays_and_goes(store, first) == []
    kept, lost = target.what_stays_and_goes(store, Dataset("mine", files["b"], labels=Labels(table[:1])))
    assert "1 of its videos from before that are not among these files, such as a.png; they stay" in kept
    assert "2 labels in" in lost and "replaced by 1; 1 videos lose theirs, such as c.png" in lost
    assert target.what_stays_and_goes(store, Dataset("other", files["b"])) == []


def test_a_full_disk_is_said_before_anything_starts(tmp_path, monkeypatch):
    monkeypatch.setattr(target.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 2**20})())
    with pytest.raises(SetupError, match="Only 1 MB are free"):
        prepare_store(tmp_path / "s", Dataset("mine", {}))


def test_there_must_be_something_to_do():
    with pytest.raises(
        UsageError, match="no video or image to measure .only labels of 1 videos.*--labels-only"
    ):
        check_content(Dataset("mine", {}, labels=LABELS), labels_only=False)
    with pytest.raises(UsageError, match="neither labels nor texts"):
        check_content(Dataset("mine", {}), labels_only=True)
    check_content(Dataset("mine", {}, labels=LABELS), labels_only=True)
