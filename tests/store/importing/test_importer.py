"""Organisers' features become features of a store: whole or not at all, once, and beside memfeat's own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from memfeat.errors import LabelError, SetupError, UsageError
from memfeat.store import commit as commits
from memfeat.store.failures import list_failures
from memfeat.store.feature_store import FeatureStore
from memfeat.store.importing.importer import import_features
from memfeat.store.labels import Labels, write_labels
from memfeat.store.naming import video_path
from memfeat.store.source import Source
from memfeat.store.texts import Texts, write_texts
from memfeat.store.verify import verify

KINDS = ["C3D", "aesthetic_feat_dev-set_mean", "HMP", "LBP", "InceptionV3", "ColorHistogram"]


@pytest.fixture
def put_measured(labelled, make):
    """Measure a feature of a video with that content."""

    def put(id: str, content: str, *features):
        source = Source(len(content), 1, hashlib.sha256(content.encode()).hexdigest())
        video = {"header": {}, "counts": {"decoded": 4, "damaged": False}}
        return commits.commit(
            labelled.path, id, source=source, video=video, features=features or [make.contrast()]
        )

    return put


def stamps(store: FeatureStore) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in store.path.glob("videos/*/*.h5")}


@pytest.mark.parametrize("kind", KINDS)
def test_every_feature_of_mediaeval_2018_is_read_as_it_was_shipped(labelled, ship, kind):
    folder, true = ship(kind)
    done = import_features(labelled, folder, kind)
    assert done.imported == tuple(sorted(true))
    assert (done.failed, done.unmatched, done.without, done.present) == ({}, (), (), ())
    for id, vectors in true.items():
        record = labelled[id][kind]
        assert record.imported
        assert record.key == done.key
        stored = record.arrays["mean" if vectors.ndim == 1 else "values"]
        np.testing.assert_array_equal(stored, vectors.astype("f4"))
    columns = [kind] if vectors.ndim == 1 else [kind, f"{kind}:first", f"{kind}:last"]
    matrix = labelled.matrix(columns)
    assert matrix.ids == tuple(sorted(true))
    means = [np.atleast_2d(vectors.astype("f4")).mean(axis=0) for _, vectors in sorted(true.items())]
    np.testing.assert_allclose(matrix.block(kind), means, rtol=1e-5)
    assert verify(labelled.path).ok


def test_frames_are_told_by_their_indices_and_never_called_middle(labelled, ship):
    folder, _ = ship("LBP")
    done = import_features(labelled, folder, "lbp")
    record = labelled["video3.webm"]["lbp"]
    assert done.layout.frames == (0, 56, 112)
    assert record.provenance["recipe"]["frames"] == [0, 56, 112]
    assert record.provenance["imported"]["frames"] == [0, 56, 112]
    assert [file["name"] for file in record.provenance["imported"]["files"]] == [
        f"video3-{index}.txt" for index in (0, 56, 112)
    ]
    assert "times" not in record.arrays


def test_provenance_names_the_files_and_their_hashes(labelled, ship):
    folder, _ = ship("C3D")
    import_features(labelled, folder, "c3d", origin="MediaEval 2018", preparation="zscore")
    record = labelled["video10.webm"]["c3d"]
    expected = hashlib.sha256((folder / "video10.txt").read_bytes()).hexdigest()
    assert record.provenance["imported"] == {
        "format": "dense",
        "name": "video10",
        "files": [{"name": "video10.txt", "sha256": expected}],
    }
    assert record.source.sha256 == expected
    assert record.provenance["recipe"] == {
        "imported": "c3d", "origin": "MediaEval 2018", "width": 101, "frames": None,
    }  # fmt: skip
    assert record.provenance["preparation"] == "zscore"


def test_a_second_run_writes_nothing_and_a_changed_file_is_read_anew(labelled, ship):
    folder, _ = ship("C3D")
    first = import_features(labelled, folder, "c3d")
    before = stamps(labelled)
    again = import_features(labelled, folder, "c3d")
    assert (again.imported, again.present, again.key) == ((), first.imported, first.key)
    assert stamps(labelled) == before
    (folder / "video12.txt").write_text(" ".join(["0.5"] * 101))
    third = import_features(labelled, folder, "c3d")
    assert (third.imported, len(third.present)) == (("video12.webm",), 3)
    np.testing.assert_array_equal(labelled["video12.webm"]["c3d"].mean, np.full(101, 0.5, "f4"))


def test_two_folders_of_one_release_share_a_key(labelled, ship, tmp_path):
    folder, _ = ship("C3D")
    other = tmp_path / "test-set" / "C3D"
    other.mkdir(parents=True)
    for name in ("video3.txt", "video20.txt"):
        (folder / name).rename(other / name)
    one, two = (import_features(labelled, path, "c3d") for path in (folder, other))
    assert one.key == two.key
    assert len(labelled.matrix(["c3d"]).ids) == 4
    assert import_features(labelled, other, "c4d").key != one.key


def test_an_interrupted_import_leaves_whole_videos_and_goes_on(labelled, ship, monkeypatch):
    folder, _ = ship("C3D")
    real, calls = commits._write, []

    def stop_at_the_third(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(commits, "_write", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        import_features(labelled, folder, "c3d")
    monkeypatch.undo()
    assert len(labelled.ids) == 2
    assert verify(labelled.path).ok
    assert not list(labelled.path.rglob("*.tmp"))
    done = import_features(labelled, folder, "c3d")
    assert (len(done.imported), len(done.present)) == (2, 2)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        (" ".join(["1"] * 100), "100 numbers; 101 are expected"),
        (" ".join(["1"] * 100 + ["nan"]), "number 101 is 'nan'"),
        (" ".join(["1"] * 100 + ["1e999"]), "number 101 is '1e999'"),
        (" ".join(["1"] * 100 + ["0.1.2"]), "number 101 is '0.1.2'"),
        (" ".join(["1"] * 100 + ["1_0"]), "number 101 is '1_0'"),
        ("1 2\n" * 101, "101 lines"),
        (b"\xff\xfe\x00", "no text"),
    ],
)
def test_one_bad_file_fails_alone_and_is_named(labelled, ship, content, words):
    folder, _ = ship("C3D")
    bad = folder / "video12.txt"
    good = bad.read_text()
    bad.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = import_features(labelled, folder, "c3d", format="c3d")
    assert len(done.imported) == 3
    assert words in done.failed["video12.webm"]
    assert str(bad) in done.failed["video12.webm"]
    assert "video12.webm" not in labelled.ids
    (failure,) = list_failures(labelled.path)
    assert (failure.id, failure.type, failure.keys) == ("video12.webm", "FeatureFile", {"c3d": done.key})
    assert words in labelled.matrix(["c3d"]).missing["video12.webm"]
    bad.write_text(good)
    assert import_features(labelled, folder, "c3d", format="c3d").imported == ("video12.webm",)
    assert list_failures(labelled.path) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1:0.5 6076:1", "bin 6076 is out of range; bins run from 1 to 6075"),
        ("0:0.5", "bin 0 is out of range"),
        ("1:0.5 2", "pair 2 is '2'; bin:value is needed"),
        ("1:0.5 2:", "the value of bin 2 is ''"),
        ("1:0.5 1:0.7", "bin 1 is given twice"),
        ("-1:0.5", "'-1:0.5'; bin:value"),
        ("1:0.5\n2:0.5", "2 lines; 1 of"),
    ],
)
def test_a_bad_sparse_file_fails_alone(labelled, ship, line, words):
    folder, _ = ship("HMP")
    (folder / "video3.txt").write_text(line)
    done = import_features(labelled, folder, "hmp")
    assert words in done.failed["video3.webm"]
    assert len(done.imported) == 3


def test_videos_that_differ_are_refused_before_anything_is_written(labelled, ship):
    folder, _ = ship("LBP")
    (folder / "video3-56.txt").unlink()
    with pytest.raises(
        UsageError, match=r"3 have the frames 0, 56, 112 .*1 have the frames 0, 112 .*--frames"
    ):
        import_features(labelled, folder, "lbp")
    assert labelled.ids == ()
    done = import_features(labelled, folder, "lbp", frames=(0, 56, 112))
    assert list(done.failed) == ["video3.webm"]
    assert "the frames 0, 112; the frames 0, 56, 112 are expected" in done.failed["video3.webm"]
    for index in (0, 56, 112):
        (folder / f"video10-{index}.txt").write_text("1 2 3")
    with pytest.raises(UsageError, match=r"have 122 numbers .*have 3 numbers .*--width"):
        import_features(labelled, folder, "lbp2")
    done = import_features(labelled, folder, "lbp2", width=122, frames="any")
    assert "3 numbers; 122 are expected" in done.failed["video10.webm"]
    assert labelled["video3.webm"]["lbp2"].values.shape == (2, 122)


def test_frames_of_one_video_that_differ_in_width(labelled, ship):
    folder, _ = ship("LBP")
    (folder / "video3-56.txt").write_text("1 2 3")
    done = import_features(labelled, folder, "lbp")
    assert "video3-56.txt" in done.failed["video3.webm"]
    assert "one length" in done.failed["video3.webm"]


def test_unmatched_names_are_reported_both_ways(labelled, ship):
    folder, _ = ship("C3D", ("video3.webm", "video10.webm", "video999.webm"))
    done = import_features(labelled, folder, "c3d")
    assert done.unmatched == ("video999",)
    assert done.without == ("video12.webm", "video20.webm")
    text = "\n".join(done.lines())
    assert "2 imported" in text and "video999" in text and "video12.webm, video20.webm" in text
    more = import_features(labelled, folder, "c3d", new_ids=True)
    assert more.imported == ("video999",)
    assert "video999" in labelled.ids


def test_nothing_that_fits_is_an_error_with_what_to_do(labelled, ship, tmp_path):
    folder, _ = ship("C3D", ("clip1.webm",))
    with pytest.raises(UsageError, match=r"'clip1'.*'video10.webm'.*--new-ids"):
        import_features(labelled, folder, "c3d")
    empty = FeatureStore.create(tmp_path / "empty", dataset="none")
    with pytest.raises(UsageError, match="knows no video yet.*--labels-only"):
        import_features(empty, folder, "c3d")
    assert import_features(empty, folder, "c3d", new_ids=True).imported == ("clip1",)


def test_two_files_for_one_video_are_refused(labelled, ship):
    folder, _ = ship("C3D")
    (folder / "video3.webm.txt").write_text((folder / "video3.txt").read_text())
    with pytest.raises(LabelError, match="'video3.webm'"):
        import_features(labelled, folder, "c3d")
    (folder / "video3.webm.txt").unlink()
    (folder / "video3.csv").write_text((folder / "video3.txt").read_text())
    with pytest.raises(UsageError, match=r"video3\.csv and .*video3\.txt are both"):
        import_features(labelled, folder, "c3d")
    assert labelled.ids == ()


def test_one_name_for_two_videos_is_refused(tmp_path, ship):
    table = pd.DataFrame({"y": [1.0, 2.0]}, index=["a/video3.webm", "b/video3.webm"])
    store = FeatureStore.create(tmp_path / "s", dataset="d", labels=Labels(table))
    folder, _ = ship("C3D", ("video3.webm",))
    with pytest.raises(LabelError, match="fits 2 videos"):
        import_features(store, folder, "c3d")


def test_integers_match_whatever_their_zeros(tmp_path, ship):
    table = pd.DataFrame({"y": [1.0, 2.0]}, index=["7", "12"])
    store = FeatureStore.create(tmp_path / "s", dataset="d", labels=Labels(table))
    folder, _ = ship("LBP", ("00007.webm", "00012.webm"))
    assert import_features(store, folder, "lbp").imported == ("12", "7")


def test_ids_known_from_texts_alone_match(tmp_path, ship):
    store = FeatureStore.create(
        tmp_path / "s", dataset="d", texts=Texts({"captions": {"video3.webm": ["x"]}})
    )
    folder, _ = ship("C3D", ("video3.webm",))
    assert import_features(store, folder, "c3d").imported == ("video3.webm",)


def test_another_key_is_refused_unless_forced(labelled, ship):
    folder, _ = ship("C3D")
    import_features(labelled, folder, "c3d", origin="2018")
    before = stamps(labelled)
    with pytest.raises(UsageError, match=r"origin: '2018' → '2019'.*--force"):
        import_features(labelled, folder, "c3d", origin="2019")
    assert stamps(labelled) == before
    done = import_features(labelled, folder, "c3d", origin="2019", force=True)
    assert len(done.imported) == 4
    assert set(labelled.features()["key"]) == {done.key}


def test_own_and_imported_features_live_side_by_side(labelled, ship, put_measured):
    """In either order; a changed video drops what was measured from it and keeps what was imported."""
    folder, _ = ship("C3D")
    put_measured("video3.webm", "first cut")
    import_features(labelled, folder, "c3d")
    put_measured("video10.webm", "x")
    for id in ("video3.webm", "video10.webm"):
        assert set(labelled[id].features) == {"contrast", "c3d"}
        assert labelled[id].video["counts"]["decoded"] == 4
    done = put_measured("video3.webm", "second cut")
    assert done.kept == ("c3d",)
    assert (done.dropped, labelled["video3.webm"]["c3d"].imported) == ({}, True)
    assert labelled["video12.webm"].source.size == 0
    assert verify(labelled.path).ok
    matrix = labelled.matrix(["c3d", "contrast"])
    assert matrix.ids == ("video10.webm", "video3.webm")


def test_a_measured_feature_goes_stale_and_an_imported_one_stays(labelled, ship, put_measured, make):
    folder, _ = ship("C3D")
    import_features(labelled, folder, "c3d")
    put_measured("video3.webm", "first cut")
    done = put_measured("video3.webm", "second cut", make.hog())
    assert done.kept == ("c3d",)
    assert list(done.dropped) == ["contrast"]


def test_labels_can_be_rewritten_under_imported_features(labelled, ship):
    folder, _ = ship("C3D")
    import_features(labelled, folder, "c3d")
    write_labels(labelled.path, Labels(pd.DataFrame({"new": [1.0]}, index=["video3.webm"])))
    write_texts(labelled.path, Texts({"captions": {"video3.webm": ["x"]}}))
    store = FeatureStore(labelled.path)
    assert store.to_pandas(["c3d"]).loc["video3.webm", "new"] == 1.0


def test_three_vectors_in_one_file_are_first_middle_and_last(labelled, tmp_path):
    folder = tmp_path / "ResNet50"
    folder.mkdir()
    rng = np.random.default_rng(0)
    true = {id: rng.normal(size=(3, 2048)).astype("f4") for id in labelled.labels.index}
    for id, array in true.items():
        np.save(folder / f"{id.removesuffix('.webm')}.npy", array)
    done = import_features(labelled, folder, "resnet50")
    assert done.layout.frames == ("first", "middle", "last")
    assert any("--frames" in remark for remark in done.remarks)
    for id, array in true.items():
        np.testing.assert_array_equal(labelled[id]["resnet50"].values, array)
    assert import_features(labelled, folder, "r", frames=(0, 84, 167)).layout.frames == (0, 84, 167)


def test_one_vector_per_video(labelled, tmp_path):
    folder = tmp_path / "R3D"
    folder.mkdir()
    for number, id in enumerate(labelled.labels.index):
        array = np.full(512, number, "f4")
        np.save(folder / f"{id}.npy", array if number else array[None])
    done = import_features(labelled, folder, "r3d")
    assert (done.layout.frames, done.layout.width) == (None, 512)
    assert labelled.matrix(["r3d"]).shape == (4, 512)


def test_a_store_that_cannot_be_written_stops_the_import(labelled, ship, monkeypatch):
    folder, _ = ship("C3D")

    def full(*_, **__):
        raise SetupError("no space left")

    monkeypatch.setattr("memfeat.store.importing.importer.commit", full)
    with pytest.raises(SetupError):
        import_features(labelled, folder, "c3d")
    assert list_failures(labelled.path) == []


def test_progress_counts_every_video_of_both_stages(labelled, ship):
    folder, _ = ship("C3D")
    started: list[tuple[str, int]] = []
    steps: list[None] = []
    import_features(
        labelled,
        folder,
        "c3d",
        on_start=lambda *what: started.append(what),
        on_item=lambda: steps.append(None),
    )
    assert started == [("Reading c3d", 4), ("Importing c3d", 4)]
    assert len(steps) == 8


def test_the_page_describes_the_provenance(labelled, ship):
    page = (Path(__file__).parents[3] / "features" / "README.md").read_text("utf-8")
    folder, _ = ship("HMP")
    import_features(labelled, folder, "hmp")
    with h5py.File(video_path(labelled.path, "video3.webm")) as file:
        assert file["hmp"].attrs["origin"] == b"imported"
        provenance = json.loads(file["hmp"].attrs["provenance"])
        assert json.loads(file.attrs["source"])["size"] == 0
    for name in (*provenance["recipe"], *provenance["imported"]):
        assert f"`{name}`" in page
