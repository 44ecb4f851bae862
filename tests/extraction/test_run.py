"""A store is brought to the asked state from whatever state it is in; bad input is recorded and the rest goes on."""

from __future__ import annotations

import json
import os

import av
import numpy as np
import pandas as pd
import pytest
from clips import (
    truncated,
    write_audio_only,
    write_clip,
    write_empty,
    write_gif,
    write_image,
    write_text,
)

from memfeat import extractors
from memfeat.dataset import Dataset, scan
from memfeat.errors import SetupError, UsageError
from memfeat.extraction import task
from memfeat.extraction.run import SUMMARY_FILE, extract
from memfeat.store.failures import list_failures
from memfeat.store.feature_store import FeatureStore
from memfeat.store.importing.importer import import_features
from memfeat.store.labels import Labels
from memfeat.store.texts import Texts
from memfeat.store.verify import verify

CHEAP = extractors.select(["contrast", "remux-size"])[0]


@pytest.fixture
def videos(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    for number in range(3):
        write_clip(folder / f"v{number}.mp4", frames=4 + number, seed=number)
    return folder


def run(videos, store, wanted=CHEAP, **options):
    dataset = Dataset("mine", scan(videos).files)
    return extract(dataset, store, wanted, workers=0, **options)


def marks(store):
    return {file.name: file.stat().st_mtime_ns for file in (store / "videos").glob("*/*.h5")}


def test_every_video_gets_every_feature(videos, tmp_path):
    summary = run(videos, tmp_path / "s")
    assert (summary.total, summary.done, summary.present, summary.failed) == (3, 3, 0, 0)
    assert summary.frames == 4 + 5 + 6
    assert summary.exit_code == 0
    store = FeatureStore(tmp_path / "s")
    assert list(store) == ["v0.mp4", "v1.mp4", "v2.mp4"]
    assert len(store["v2.mp4"]["contrast"].values) == 6
    assert verify(tmp_path / "s").ok
    assert not (tmp_path / "s" / "attempts").exists()


def test_a_second_run_computes_nothing(videos, tmp_path, monkeypatch):
    run(videos, tmp_path / "s")
    before = marks(tmp_path / "s")
    monkeypatch.setattr(task, "measure_video", None)
    summary = run(videos, tmp_path / "s")
    assert (summary.done, summary.present) == (0, 3)
    assert marks(tmp_path / "s") == before


def test_only_what_is_missing_is_added(videos, tmp_path):
    run(videos, tmp_path / "s", wanted=CHEAP[:1])
    summary = run(videos, tmp_path / "s", wanted=CHEAP)
    assert summary.done == 3
    record = FeatureStore(tmp_path / "s")["v0.mp4"]
    assert set(record.features) == {"contrast", "remux-size"}


def test_a_changed_video_is_measured_again_and_a_touched_one_is_not(videos, tmp_path):
    run(videos, tmp_path / "s", wanted=extractors.select(["contrast", "brightness"])[0])
    write_clip(videos / "v1.mp4", frames=9, seed=7)
    os.utime(videos / "v2.mp4")
    summary = run(videos, tmp_path / "s", wanted=CHEAP[:1])
    assert (summary.done, summary.present) == (1, 2)
    assert list(summary.dropped) == ["v1.mp4"]
    assert "brightness" in summary.dropped["v1.mp4"]
    store = FeatureStore(tmp_path / "s")
    assert len(store["v1.mp4"]["contrast"].values) == 9
    assert "brightness" not in store["v1.mp4"]
    assert "brightness" in store["v2.mp4"]


def test_force_measures_again(videos, tmp_path):
    run(videos, tmp_path / "s")
    before = marks(tmp_path / "s")
    assert run(videos, tmp_path / "s", force=True).done == 3
    assert marks(tmp_path / "s") != before


def test_a_feature_measured_otherwise_is_refused_unless_forced(videos, tmp_path):
    run(videos, tmp_path / "s")

    class Newer(type(extractors.get("contrast"))):
        version = 99

    newer = Newer()
    with pytest.raises(UsageError, match=r"'contrast' with the key .* --force"):
        run(videos, tmp_path / "s", wanted=[newer])


def test_bad_files_are_recorded_by_kind_and_the_rest_goes_on(videos, tmp_path):
    write_empty(videos / "empty.mp4")
    write_text(videos / "text.mp4")
    write_audio_only(videos / "sound.mp4")
    truncated(videos / "v0.mp4", fraction=0.2, to=videos / "cut.mp4")
    write_image(videos / "one.png")
    write_gif(videos / "moving.gif")
    (videos / "link.mp4").symlink_to(videos / "nowhere.mp4")
    summary = run(videos, tmp_path / "s", wanted=extractors.select(["contrast", "flow"])[0])
    assert summary.done == 5
    kinds = {failure["id"]: failure["type"] for failure in summary.failures}
    assert kinds.pop("cut.mp4") in {"Unreadable", "NoFrames"}
    assert kinds == {
        "empty.mp4": "EmptyFile", "text.mp4": "Unreadable", "sound.mp4": "NoVideoStream", "link.mp4": "MissingFile",
    }  # fmt: skip
    assert summary.exit_code == 3
    assert {failure.id for failure in list_failures(tmp_path / "s")} == {*kinds, "cut.mp4"}
    assert FeatureStore(tmp_path / "s")["one.png"]["flow"].status == "not_applicable"
    assert verify(tmp_path / "s").ok
    for failure in summary.failures:
        assert "Traceback" not in failure["message"]


def test_failures_are_not_tried_again_until_asked_or_changed(videos, tmp_path):
    write_empty(videos / "bad.mp4")
    assert run(videos, tmp_path / "s").failed == 1
    again = run(videos, tmp_path / "s")
    assert (again.failed, again.failed_before, again.exit_code) == (0, 1, 3)
    retried = run(videos, tmp_path / "s", retry_failed=True)
    assert (retried.failed, retried.failed_before) == (1, 0)
    write_clip(videos / "bad.mp4", frames=3)
    mended = run(videos, tmp_path / "s")
    assert (mended.done, mended.failed, mended.exit_code) == (1, 0, 0)
    assert list_failures(tmp_path / "s") == []


def test_an_unexpected_error_is_one_failure_with_its_trace(videos, tmp_path, monkeypatch):
    real = task.measure_video

    def sometimes(path, wanted):
        if path.name == "v1.mp4":
            raise ZeroDivisionError("by v1")
        return real(path, wanted)

    monkeypatch.setattr(task, "measure_video", sometimes)
    summary = run(videos, tmp_path / "s")
    assert (summary.done, summary.failed) == (2, 1)
    [failure] = list_failures(tmp_path / "s")
    assert (failure.type, failure.message) == ("Unexpected", "ZeroDivisionError: by v1")
    assert "sometimes" in failure.details


def test_a_file_that_changes_while_it_is_read_is_a_failure(videos, tmp_path, monkeypatch):
    real = task.measure_video

    def growing(path, wanted):
        measured = real(path, wanted)
        with path.open("ab") as file:
            file.write(b"more")
        return measured

    monkeypatch.setattr(task, "measure_video", growing)
    summary = run(videos, tmp_path / "s")
    assert summary.failed == 3
    assert "changed while it was read" in summary.failures[0]["message"]
    assert len(FeatureStore(tmp_path / "s")) == 0


def test_a_broken_machine_stops_the_run(videos, tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise SetupError("No space left on the disk.")

    monkeypatch.setattr(task, "commit", full)
    with pytest.raises(SetupError, match="No space left"):
        run(videos, tmp_path / "s")
    assert not (tmp_path / "s" / "attempts").exists()


def test_other_folders_and_other_datasets_are_left_alone(videos, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("precious")
    with pytest.raises(UsageError, match="not empty and no feature store"):
        run(videos, tmp_path / "thesis")
    run(videos, tmp_path / "s")
    with pytest.raises(UsageError, match="store of the dataset 'mine', not of 'other'"):
        extract(Dataset("other", scan(videos).files), tmp_path / "s", CHEAP, workers=0)


def test_odd_names_get_a_file_each(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    names = [
        "a b.mp4",
        "é.mp4",
        "日本.mp4",
        ".dot.mp4",
        "x/a.mp4",
        "y/a.mp4",
        "A.mp4",
        "a.mp4",
        "100%.mp4",
        "-f.mp4",
        "c:d.mp4",
    ]
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        write_clip(folder / name, frames=2)
    summary = run(folder, tmp_path / "s", wanted=CHEAP[:1])
    assert summary.done == len(names)
    assert sorted(FeatureStore(tmp_path / "s")) == sorted(names)


def test_the_summary_is_written_for_programs(videos, tmp_path):
    write_empty(videos / "bad.mp4")
    summary = run(videos, tmp_path / "s")
    written = json.loads((tmp_path / "s" / SUMMARY_FILE).read_text())
    assert written == json.loads(json.dumps(summary.to_json()))
    parts = ("done", "present", "failed", "failed_before", "not_started")
    assert sum(written[part] for part in parts) == written["total"] == 4
    assert written["features"]["contrast"] == CHEAP[0].key()


def test_values_are_those_of_a_direct_measurement(videos, tmp_path):
    from memfeat.measure import measure_video

    run(videos, tmp_path / "s")
    direct = measure_video(videos / "v1.mp4", CHEAP).features["contrast"].arrays
    stored = FeatureStore(tmp_path / "s")["v1.mp4"]["contrast"]
    np.testing.assert_array_equal(stored.values, direct["values"])
    np.testing.assert_array_equal(stored.times, direct["times"])


def test_a_file_cut_between_packets_is_said_to_end_early(tmp_path):
    folder = tmp_path / "cut"
    folder.mkdir()
    whole = write_clip(tmp_path / "whole.mp4", frames=50, container_options={"movflags": "faststart"})
    with av.open(str(whole)) as container:
        end = [packet.pos + packet.size for packet in container.demux(video=0) if packet.size][24]
    (folder / "cut.mp4").write_bytes(whole.read_bytes()[:end])
    summary = extract(Dataset("cut", scan(folder).files), tmp_path / "s", CHEAP, workers=0)
    assert "ends before its stated end" in summary.damaged["cut.mp4"]


def test_labels_and_texts_alone_make_a_store(videos, tmp_path, monkeypatch):
    table = pd.DataFrame({"y": [0.5, np.nan]}, index=["v0.mp4", "ghost.mp4"])
    texts = Texts({"captions": {"ghost.mp4": ["boo"]}})
    bare = Dataset("mine", {}, Labels(table), texts=texts)
    with pytest.raises(UsageError, match=r"labels of 2 videos, captions of 1.*--labels-only"):
        extract(bare, tmp_path / "s", CHEAP, workers=0)
    assert not (tmp_path / "s").exists()
    summary = extract(bare, tmp_path / "s", CHEAP, workers=0, labels_only=True)
    assert (summary.total, summary.labels, summary.texts, summary.exit_code) == (0, 2, {"captions": 1}, 0)
    assert summary.features == {}
    store = FeatureStore(tmp_path / "s")
    assert store.ids == ()
    assert store.labels["y"].dropna().to_dict() == {"v0.mp4": 0.5}
    assert store.texts["captions"] == {"ghost.mp4": ("boo",)}

    monkeypatch.setattr(task, "measure_video", None)
    full = Dataset("mine", scan(videos).files, Labels(table.assign(y=[0.7, 0.8])))
    summary = extract(full, tmp_path / "s", CHEAP, workers=0, labels_only=True)
    assert summary.lines() == ["Written: labels of 2 videos. No video was opened."]
    store = FeatureStore(tmp_path / "s")
    assert store.ids == ()
    assert store.labels["y"].to_dict() == {"v0.mp4": 0.7, "ghost.mp4": 0.8}
    assert store.texts is not None


def test_extraction_writes_texts(videos, tmp_path):
    texts = Texts({"captions": {"v0.mp4": ["a", "b"]}})
    extract(Dataset("mine", scan(videos).files, texts=texts), tmp_path / "s", CHEAP, workers=0)
    assert FeatureStore(tmp_path / "s").texts["captions"]["v0.mp4"] == ("a", "b")


@pytest.mark.parametrize("labels_only", [True, False])
def test_nothing_at_all_makes_no_store(tmp_path, labels_only):
    with pytest.raises(UsageError, match="neither labels nor texts|no video or image"):
        extract(Dataset("mine", {}), tmp_path / "s", CHEAP, workers=0, labels_only=labels_only)
    assert not (tmp_path / "s").exists()


def test_own_features_are_measured_beside_imported_ones_and_resumed(videos, tmp_path, monkeypatch):
    table = pd.DataFrame({"y": [0.1, 0.2, 0.3]}, index=["v0.mp4", "v1.mp4", "v2.mp4"])
    dataset = Dataset("mine", scan(videos).files, Labels(table))
    store = tmp_path / "s"
    extract(dataset, store, CHEAP, workers=0, labels_only=True)
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    for number in range(3):
        (shipped / f"v{number}.txt").write_text(f"{number} 1 2")
    import_features(store, shipped, "organisers")
    summary = extract(dataset, store, CHEAP, workers=0)
    assert (summary.done, summary.dropped, summary.failed) == (3, {}, 0)
    record = FeatureStore(store)["v1.mp4"]
    assert set(record.features) == {"contrast", "remux-size", "organisers"}
    assert record.source.size == (videos / "v1.mp4").stat().st_size
    assert verify(store).ok
    monkeypatch.setattr(task, "measure_video", None)
    assert extract(dataset, store, CHEAP, workers=0).present == 3
    assert len(import_features(store, shipped, "organisers").present) == 3
