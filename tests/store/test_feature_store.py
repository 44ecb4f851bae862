from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import memfeat
from memfeat.errors import StoreError, UsageError
from memfeat.store.failures import Failure, write_failure
from memfeat.store.feature_store import FeatureStore, UnknownIdError
from memfeat.store.labels import Labels, write_labels
from memfeat.store.naming import video_path

IDS = ("B/one.mp4", "a.mp4", "b/one.mp4", "c d.mp4", "é.webm")


@pytest.fixture
def labelled(filled) -> FeatureStore:
    # In another order than the files, with one id that has no file and one file without labels.
    index = ["é.webm", "never.mp4", "a.mp4", "B/one.mp4", "c d.mp4"]
    table = pd.DataFrame(
        {"score": [0.9, 0.5, 0.1, 0.2, np.nan], "split": ["test", "test", "train", "train", "train"]},
        index=index,
    )
    write_labels(filled.path, Labels(table))
    return FeatureStore(filled.path)


def test_it_is_a_mapping_of_records(filled) -> None:
    assert isinstance(memfeat.FeatureStore(filled.path), FeatureStore)
    assert len(filled) == 5 and tuple(filled) == filled.ids == IDS
    assert "a.mp4" in filled and "x.mp4" not in filled and 3 not in filled
    assert filled["a.mp4"]["hog"].mean.shape == (6,) and filled["a.mp4"]["contrast"].times[1] == 0.04
    assert dict(filled.items())["é.webm"].id == "é.webm" and filled.get("x.mp4") is None
    assert filled.load("a.mp4", only=["hog"]).features.keys() == {"hog"}
    assert filled != FeatureStore(filled.path) and len({filled, filled}) == 1


def test_one_video_is_found_without_listing_the_store(filled, opened: list[str]) -> None:
    filled["a.mp4"]
    assert opened == [video_path(filled.path, "a.mp4").name]


def test_an_unknown_id_is_a_key_error_with_the_nearest(filled) -> None:
    with pytest.raises(
        UnknownIdError, match=r"^[^'\"].*no features of 'a\.mp3' among its 5 videos\. Did you mean 'a\.mp4'"
    ) as caught:
        filled["a.mp3"]
    assert isinstance(caught.value, KeyError) and isinstance(caught.value, UsageError)
    with pytest.raises(UnknownIdError):
        filled[3]


def test_a_file_of_another_id_is_refused(filled) -> None:
    video_path(filled.path, "a.mp4").write_bytes(video_path(filled.path, "é.webm").read_bytes())
    with pytest.raises(StoreError, match=r"belongs to 'é\.webm', not 'a\.mp4'"):
        filled["a.mp4"]


def test_features_are_counted_per_key(filled, put: Callable, make) -> None:
    put("x.mp4", make.hog(key="other"), make.no_flow())
    table = filled.features()
    assert table.loc["contrast"].tolist() == ["key-contrast", 5, 0]
    assert table.loc["flow"].tolist() == ["key-flow", 5, 1]
    assert set(table.loc["hog", "key"]) == {"key-hog", "other"}
    assert list(filled.filter(ids=["x.mp4"]).features().index) == ["flow", "hog"]


def test_labels_join_by_id_never_by_position(labelled) -> None:
    frame = labelled.to_pandas(["contrast", "hog"])
    assert tuple(frame.index) == IDS
    scores = {"é.webm": 0.9, "a.mp4": 0.1, "B/one.mp4": 0.2}
    for id in IDS:
        assert frame.loc[id, "score"] == scores[id] if id in scores else np.isnan(frame.loc[id, "score"])
        assert frame.loc[id, "contrast:mean"] == labelled[id]["contrast"].mean[0]
    assert labelled.labels.index.tolist()[1] == "never.mp4"


def test_a_label_with_a_columns_name_is_refused(filled) -> None:
    write_labels(filled.path, Labels(pd.DataFrame({"contrast:mean": [1.0]}, index=["a.mp4"])))
    with pytest.raises(UsageError, match="A feature and a label are called 'contrast:mean'"):
        filled.to_pandas(["contrast"])


def test_views_by_split(labelled) -> None:
    view = labelled.filter(split="train")
    assert view.ids == ("B/one.mp4", "a.mp4", "c d.mp4") and "é.webm" not in view
    assert view.matrix(["hog"]).ids == view.ids
    test = labelled.filter(split="test")
    assert test.ids == ("é.webm",) and test.labels.index.tolist() == ["never.mp4", "é.webm"]
    assert test.matrix(["hog"]).missing == {"never.mp4": "not extracted: hog"}
    with pytest.raises(UsageError, match=r"no split 'dev'; it has test, train"):
        labelled.filter(split="dev")


def test_views_by_ids_keep_the_order_given(labelled) -> None:
    view = labelled.filter(ids=["é.webm", "a.mp4"])
    assert view.ids == ("é.webm", "a.mp4") and view.matrix(["hog"]).ids == view.ids
    assert view.filter(ids=["a.mp4"]).ids == ("a.mp4",)
    with pytest.raises(UnknownIdError):
        view["c d.mp4"]
    with pytest.raises(UsageError, match=r"1 ids are not in .*, such as 'c d\.mp4'"):
        view.filter(ids=["c d.mp4"])
    with pytest.raises(UsageError, match=r"such as 'zzz'"):
        labelled.filter(ids=["a.mp4", "zzz"])


def test_views_by_condition(labelled) -> None:
    assert labelled.filter(where="score > 0.15").ids == ("B/one.mp4", "é.webm")
    assert labelled.filter(where=lambda table: table["score"] < 0.5, split="train").ids == (
        "B/one.mp4",
        "a.mp4",
    )
    for where in ("nothing > 3", "score", "score +", lambda table: table["x"], lambda table: True):
        with pytest.raises(UsageError, match="where"):
            labelled.filter(where=where)


def test_views_do_not_change_the_store(labelled) -> None:
    labelled.filter(ids=["a.mp4"])
    assert labelled.ids == IDS


def test_failed_videos_belong_to_the_store(labelled) -> None:
    write_failure(labelled.path, Failure("broken.mp4", "cpu", "NoFramesError", "no frame"))
    assert [failure.id for failure in labelled.failures()] == ["broken.mp4"]
    assert labelled.filter(ids=["a.mp4"]).failures() == []
    assert labelled.filter(ids=["broken.mp4", "a.mp4"]).matrix(["hog"]).missing == {
        "broken.mp4": "NoFramesError: no frame"
    }


def test_a_store_without_labels_has_an_empty_table(filled) -> None:
    assert filled.labels.empty and filled.read_labels() is None and filled.note == ""
    assert filled.to_pandas(["contrast"]).shape == (5, 1)
    with pytest.raises(UsageError, match="no split 'train'; it has none"):
        filled.filter(split="train")


def test_create_makes_and_reopens(tmp_path: Path) -> None:
    labels = Labels(pd.DataFrame({"y": [1.0]}, index=["a"]), synthetic=True, note="made up")
    store = FeatureStore.create(
        tmp_path / "s", dataset="d", sample=True, notes=["n"], extra={"root": "/x"}, labels=labels
    )
    assert (store.dataset, store.sample, store.note, store.manifest.notes) == ("d", True, "made up", ("n",))
    assert repr(store) == "<FeatureStore d (sample): 0 videos; empty; made up>"
    with pytest.raises(UsageError, match="already holds"):
        FeatureStore.create(tmp_path / "s", dataset="d")
    again = FeatureStore.create(tmp_path / "s", dataset="d", exist_ok=True)
    assert again.read_labels().targets == ("y",)


def test_no_store_lists_those_nearby(filled) -> None:
    with pytest.raises(UsageError, match=r"Stores nearby: .*demo"):
        FeatureStore(filled.path.with_name("dmeo"))


def test_repr_tells_what_is_there(labelled) -> None:
    assert repr(labelled) == "<FeatureStore demo: 5 videos; clip, contrast, flow, hog, remux-size>"
    assert "1 of 2 chosen videos" in repr(labelled.filter(split="test"))


def test_workers_load_neither_pandas_nor_anything_heavier() -> None:
    code = (
        "import sys, memfeat.store, memfeat.store.commit, memfeat.store.failures, memfeat.store.record; "
        "print([name for name in ('pandas', 'pyarrow', 'scipy', 'cv2', 'numba', 'torch') if name in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )
    light = "import sys, memfeat, memfeat.store; print([n for n in ('h5py', 'numpy', 'pandas') if n in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", light], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )
