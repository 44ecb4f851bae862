from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from memfeat.errors import StoreError, UsageError
from memfeat.store.failures import Failure, write_failure
from memfeat.store.files import temporary_beside
from memfeat.store.index import FeatureCount
from memfeat.store.info import info
from memfeat.store.labels import Labels, write_labels
from memfeat.store.manifest import update_manifest
from memfeat.store.naming import video_path


def test_an_empty_store(store) -> None:
    found = info(store.path)
    assert (found.videos, found.bytes, found.features, found.labels, found.failures) == (0, 0, (), {}, {})
    assert (found.dataset, found.sample, found.note) == ("demo", False, "")


def test_everything_is_counted(filled, put: Callable, make) -> None:
    put("x.png", make.no_flow(), video={"counts": {"decoded": 1, "corrupt": 1, "damaged": True}})
    for number in range(3):
        write_failure(
            filled.path, Failure(f"f{number}", "cpu", "NoFramesError" if number else "Crashed", "m")
        )
    table = pd.DataFrame(
        {"y": [1.0, 2.0, np.nan], "split": ["train", "test", "train"]}, index=["a.mp4", "é.webm", "never.mp4"]
    )
    write_labels(filled.path, Labels(table, synthetic=True))
    update_manifest(filled.path, lambda manifest: replace(manifest, notes=("read me",)))
    found = info(filled.path)
    assert found.videos == 6 and found.notes == ("read me",) and "synthetic" in found.note
    assert found.bytes == sum(path.stat().st_size for path in filled.path.glob("videos/*/*.h5"))
    assert FeatureCount("flow", "key-flow", 5, 1) in found.features and len(found.features) == 5
    assert found.failures == {"Crashed": 1, "NoFramesError": 2}
    assert found.damaged == {"x.png": "1 frames decoded, 1 corrupt"}
    assert found.labels == {
        "y": {"n": 2, "mean": 1.5, "std": pytest.approx(0.5**0.5), "min": 1.0, "max": 2.0}
    }
    assert found.splits == {"test": 1, "train": 2}
    assert (found.unlabelled, found.unextracted) == (4, 1)


def test_damage_and_leftovers_are_listed_and_left_alone(filled) -> None:
    path = video_path(filled.path, "a.mp4")
    temporary = temporary_beside(path)
    temporary.touch()
    stray = temporary_beside(filled.path / "store.json")
    stray.touch()
    path.write_bytes(b"")
    failure = write_failure(filled.path, Failure("f", "cpu", "T", "m"))
    failure.write_text("{")
    found = info(filled.path)
    assert set(found.leftovers) == {temporary, stray} and temporary.exists()
    assert found.unreadable.keys() == {os.path.relpath(file, filled.path) for file in (path, failure)}
    assert found.videos == 4


def test_no_store_and_damaged_labels_are_errors(filled, tmp_path) -> None:
    with pytest.raises(UsageError):
        info(tmp_path / "none")
    write_labels(filled.path, Labels(pd.DataFrame({"y": [1.0]}, index=["a.mp4"])))
    (filled.path / "labels.csv").unlink()
    with pytest.raises(StoreError):
        info(filled.path)
