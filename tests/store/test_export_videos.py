"""One file per video: what organisers ship, and what an import reads back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from memfeat.errors import UsageError
from memfeat.store.export_videos import export_videos
from memfeat.store.feature_store import FeatureStore
from memfeat.store.importing.importer import import_features


def test_frames_are_kept_and_reductions_are_vectors(filled, tmp_path: Path) -> None:
    done = export_videos(filled.filter(ids=["é.webm", "b/one.mp4"]), "clip", tmp_path / "out")
    assert (done.folder, done.ids, done.missing) == (tmp_path / "out" / "clip", ("é.webm", "b/one.mp4"), {})
    for id in done.ids:
        np.testing.assert_array_equal(np.load(done.folder / f"{id}.npy"), filled[id]["clip"].values)
    last = export_videos(filled.filter(ids=["a.mp4"]), "clip:last", tmp_path / "out")
    np.testing.assert_array_equal(np.load(last.folder / "a.mp4.npy"), filled["a.mp4"]["clip"].values[-1])
    assert last.folder.name == "clip-last"
    mean = export_videos(filled.filter(ids=["a.mp4"]), "hog", tmp_path / "out")
    np.testing.assert_array_equal(np.load(mean.folder / "a.mp4.npy"), filled["a.mp4"]["hog"].mean)


def test_videos_without_the_feature_are_named(filled, put: Callable, make, tmp_path: Path) -> None:
    put("x.png", make.no_flow())
    put("y.mp4", make.size())
    view = filled.filter(ids=["a.mp4", "x.png", "y.mp4"])
    done = export_videos(view, "flow", tmp_path)
    assert done.ids == ("a.mp4",)
    assert done.missing == {
        "x.png": "not applicable: needs 2 frames, the file has 1",
        "y.mp4": "not extracted: flow",
    }
    with pytest.raises(UsageError, match=r"Not one video .*x\.png"):
        export_videos(filled.filter(ids=["x.png"]), "flow", tmp_path)


@pytest.mark.parametrize(
    ("column", "words"),
    [("hgo", "Did you mean 'hog'"), ("clip:midle", "no reduction"), ("clip:", "A column is")],
)
def test_wrong_columns(filled, tmp_path: Path, column: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        export_videos(filled.filter(ids=["a.mp4"]), column, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "id", ["../x", "/x", "a/../../x", "./x", "a//b", "c:x", "nul.mp4", "d/CON", "a ", "a."]
)
def test_no_id_leaves_the_folder(store, put: Callable, make, tmp_path: Path, id: str) -> None:
    put(id, make.size())
    with pytest.raises(UsageError, match=r"cannot be the name of a file.*\.npz"):
        export_videos(store, "remux-size", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_ids_that_differ_in_case_are_refused(filled, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="case does not matter"):
        export_videos(filled, "clip", tmp_path / "out")


@pytest.mark.parametrize("feature", ["clip", "hog", "remux-size"])
def test_an_import_gives_back_every_bit(filled, tmp_path: Path, feature: str) -> None:
    view = filled.filter(ids=["b/one.mp4", "a.mp4", "c d.mp4", "é.webm"])
    done = export_videos(view, feature, tmp_path)
    other = FeatureStore.create(tmp_path / "other", dataset="other")
    back = import_features(other, done.folder, "again", new_ids=True)
    assert set(back.imported) == set(done.ids)
    for id in done.ids:
        record, again = filled[id][feature], other[id]["again"]
        name = "values" if "values" in record.arrays else "mean"
        np.testing.assert_array_equal(again.arrays[name], record.arrays[name])
        assert again.arrays[name].dtype == record.arrays[name].dtype
