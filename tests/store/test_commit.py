from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from memfeat.errors import SetupError, StoreError, UsageError
from memfeat.store import commit as module
from memfeat.store.canonical import InvalidFeatureError
from memfeat.store.commit import commit
from memfeat.store.files import temporary_beside
from memfeat.store.hdf5 import UnavailableError
from memfeat.store.naming import video_path
from memfeat.store.record import FeatureRecord, read_marks, read_video
from memfeat.store.schema import NewerSchemaError
from memfeat.store.source import Source


def visible(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir() if entry.name != ".lock")


def test_a_commit_says_what_it_did_and_leaves_one_file(put: Callable, make, store) -> None:
    done = put("a.mp4", make.hog(), make.contrast())
    assert done.path == video_path(store.path, "a.mp4") and visible(done.path) == [done.path.name]
    assert (done.written, done.kept, done.dropped) == (("contrast", "hog"), (), {})


def test_features_are_added_beside_those_there(put: Callable, make) -> None:
    path = put("a.mp4", make.contrast(1), make.no_flow()).path
    before = read_video(path)
    done = put("a.mp4", make.hog(2), video={"counts": {"decoded": 5}})
    assert (done.written, done.kept) == (("hog",), ("contrast", "flow"))
    after = read_video(path)
    np.testing.assert_array_equal(after["contrast"].values, before["contrast"].values)
    assert (
        after["flow"].reason == before["flow"].reason
        and after["contrast"].provenance == before["contrast"].provenance
    )
    assert after.video == {"counts": {"decoded": 5}}


def test_many_additions_leave_no_dead_space(put: Callable, make) -> None:
    once = put("a.mp4", make.contrast(), make.hog(), make.flow()).path.stat().st_size
    for _ in range(3):
        for feature in (make.flow(), make.hog(), make.contrast()):
            size = put("b.mp4", feature).path.stat().st_size
    assert size == once


def test_mapping_and_iterable_are_the_same(store, make, source: Callable) -> None:
    records = {"hog": make.hog(), "flow": make.flow()}
    options = {"source": source("x"), "video": {}}
    assert commit(store.path, "a", features=records, **options).written == ("flow", "hog")
    assert commit(str(store.path), "b", features=records.values(), **options).written == ("flow", "hog")


def test_same_key_overwrites(put: Callable, make) -> None:
    put("a.mp4", make.contrast(1))
    done = put("a.mp4", make.contrast(2))
    np.testing.assert_array_equal(read_video(done.path)["contrast"].values, make.contrast(2).values)
    assert done.dropped == {}


def test_another_key_is_an_error_that_names_both_and_what_differs(put: Callable, make) -> None:
    path = put("a.mp4", make.contrast(1, key="k-old", size=256, weights="601")).path
    new = make.contrast(2, key="k-new", size=128, weights="601")
    with pytest.raises(
        StoreError, match=r"k-old; the new one has k-new\. They differ in parameters\.size: 256 → 128\. "
    ):
        put("a.mp4", make.hog(), new)
    assert read_marks(path).keys() == {"contrast"} and read_marks(path)["contrast"].key == "k-old"
    put("a.mp4", new, replace=True)
    assert read_marks(path)["contrast"].key == "k-new"


def test_a_key_that_differs_without_a_reason_on_record_still_names_both(put: Callable, make) -> None:
    put("a.mp4", replace(make.contrast(), provenance={}))
    with pytest.raises(StoreError, match=r"with the key key-contrast; the new one has other\. Replace it"):
        put("a.mp4", replace(make.contrast(key="other"), provenance={}))


def test_features_of_other_content_are_dropped_and_named(put: Callable, make) -> None:
    put("a.mp4", make.contrast(), make.hog(), content="old")
    done = put("a.mp4", make.hog(7, key="another"), content="new")
    assert done.dropped == {"contrast": "measured from other content of the video"}
    found = read_video(done.path)
    assert list(found) == ["hog"] and found["hog"].source == found.source


def test_a_touched_video_keeps_its_features(put: Callable, make, source: Callable) -> None:
    put("a.mp4", make.contrast(), content="same")
    touched = replace(source("same"), mtime_ns=5)
    done = put("a.mp4", make.hog(), source=touched)
    assert done.kept == ("contrast",) and read_video(done.path).source == touched


@pytest.mark.parametrize("damage", [b"", b"junk" * 100])
def test_a_damaged_file_is_replaced_and_named(put: Callable, make, damage: bytes) -> None:
    path = put("a.mp4", make.contrast()).path
    path.write_bytes(damage)
    done = put("a.mp4", make.hog())
    assert list(done.dropped) == ["*"] and "damaged" in done.dropped["*"]
    assert list(read_video(path)) == ["hog"]


def test_a_file_with_links_is_replaced_unread(put: Callable, make) -> None:
    path = put("a.mp4", make.contrast()).path
    with h5py.File(path, "a") as file:
        file["leak"] = h5py.ExternalLink("/etc/secret.h5", "/")
    assert "link to another file" in put("a.mp4", make.hog()).dropped["*"]
    assert list(read_video(path)) == ["hog"]


def test_values_that_rotted_are_dropped_not_carried_along(put: Callable, make) -> None:
    path = put("a.mp4", make.contrast(), make.hog()).path
    with h5py.File(path, "a") as file:
        file["contrast/values"][0] = 1e9
    done = put("a.mp4", make.flow())
    assert done.kept == ("hog",) and "have changed on the disk" in done.dropped["contrast"]
    assert list(read_video(path)) == ["flow", "hog"]


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied"), OSError(24, "Too many open files")]
)
def test_a_file_that_cannot_be_read_now_is_left_alone(
    put: Callable, make, error: OSError, monkeypatch
) -> None:
    path = put("a.mp4", make.contrast()).path
    before = path.read_bytes()

    original = Path.open

    def fail(path: object, *rest: object, **options: object) -> object:
        if isinstance(path, Path) and path.suffix != ".h5":
            return original(path, *rest, **options)
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(h5py.File, "__init__", fail)
        patched.setattr(Path, "open", fail)
        with pytest.raises(UnavailableError, match=f"cannot be read now: {error.strerror}"):
            put("a.mp4", make.hog())
    assert path.read_bytes() == before


def test_a_newer_file_is_left_alone(put: Callable, make) -> None:
    path = put("a.mp4", make.contrast()).path
    with h5py.File(path, "a") as file:
        file.attrs["schema"] = 2
    before = path.read_bytes()
    with pytest.raises(NewerSchemaError):
        put("a.mp4", make.hog())
    assert path.read_bytes() == before


def test_a_file_of_another_id_is_left_alone(put: Callable, make, store) -> None:
    stranger = put("b.mp4", make.contrast()).path
    path = video_path(store.path, "a.mp4")
    path.parent.mkdir()
    stranger.rename(path)
    with pytest.raises(StoreError, match=r"belongs to the id 'b\.mp4', not 'a\.mp4'"):
        put("a.mp4", make.hog())


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_never_reach_the_store(put: Callable, make, bad: float, store) -> None:
    record = make.contrast()
    record.arrays["values"][1] = bad
    with pytest.raises(InvalidFeatureError):
        put("a.mp4", make.hog(), record)
    assert not video_path(store.path, "a.mp4").exists()


def test_what_cannot_be_a_commit_is_refused(put: Callable, make, tmp_path: Path, source: Callable) -> None:
    with pytest.raises(UsageError, match="at least one feature"):
        put("a.mp4")
    with pytest.raises(UsageError, match="plain JSON values"):
        put("a.mp4", make.hog(), video={"rate": float("nan")})
    with pytest.raises(UsageError, match="control character"):
        put("a\n.mp4", make.hog())
    with pytest.raises(UsageError, match="There is no folder"):
        commit(tmp_path / "typo", "a", source=source("a"), video={}, features=[make.hog()])
    assert not (tmp_path / "typo").exists()


@pytest.mark.parametrize("id", ["../../outside.mp4", "/abs.mp4", ".hidden", " a ", "日本.mp4", "cafe\u0301"])
def test_ugly_ids_come_back_as_they_went_in(put: Callable, make, id: str, store) -> None:
    done = put(id, make.size())
    assert done.path.resolve().is_relative_to(store.path.resolve())
    assert read_video(done.path).id == id.replace("e\u0301", "é")


def test_interruption_before_the_last_step_changes_nothing(
    put: Callable, make, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put("a.mp4", make.contrast()).path
    before = path.read_bytes()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_check", interrupt)
    with pytest.raises(KeyboardInterrupt):
        put("a.mp4", make.hog())
    assert path.read_bytes() == before and visible(path) == [path.name]


def test_a_write_that_reads_back_wrong_is_refused(
    put: Callable, make, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put("a.mp4", make.contrast()).path
    before = path.read_bytes()
    original = module._write

    def rot(temporary: Path, *rest: object) -> object:
        digests = original(temporary, *rest)
        with h5py.File(temporary, "a") as file:
            file["hog/mean"][2] = 0.123
        return digests

    monkeypatch.setattr(module, "_write", rot)
    with pytest.raises(SetupError, match="cannot be read back as it was written"):
        put("a.mp4", make.hog())
    assert path.read_bytes() == before and visible(path) == [path.name]


@pytest.mark.parametrize("limit", [700, 3000, 200_000])
def test_a_full_disk_is_a_setup_error_and_changes_nothing(put: Callable, make, limit: int) -> None:
    path = put("a.mp4", make.contrast()).path
    before = path.read_bytes()
    big = FeatureRecord("big", "k", {"values": np.zeros((400, 400)), "times": np.arange(400.0)})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        with pytest.raises(SetupError, match=r"File too large|ulimit -f"):
            put("a.mp4", big)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before and visible(path) == [path.name]
    assert put("a.mp4", big).kept == ("contrast",)


def test_a_store_that_may_not_be_written_is_a_setup_error(put: Callable, make, store, monkeypatch) -> None:
    (store.path / "videos").touch()
    with pytest.raises(SetupError, match="Creating the folder"):
        put("a.mp4", make.hog())
    (store.path / "videos").unlink()

    def deny(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "fsync", deny)
    with pytest.raises(SetupError, match=r"Permission denied\. Ask for write permission"):
        put("a.mp4", make.hog())


def test_leftovers_of_killed_writers_do_not_disturb_and_go(put: Callable, make) -> None:
    path = put("a.mp4", make.contrast()).path
    mine, other = temporary_beside(path), temporary_beside(path.with_name("other.h5"))
    for left in (mine, other):
        left.write_bytes(b"half a file")
    assert put("a.mp4", make.hog()).kept == ("contrast",)
    assert not mine.exists() and other.exists()


def test_reading_goes_on_while_a_file_is_replaced(put: Callable, make) -> None:
    path = put("a.mp4", make.contrast(1)).path
    with h5py.File(path) as held:  # as in a notebook, with h5py's own settings
        assert put("a.mp4", make.contrast(2), make.hog()).dropped == {}
        assert put("a.mp4", make.flow()).kept == ("contrast", "hog")
        np.testing.assert_array_equal(held["contrast/values"][:], make.contrast(1).values)


def test_source_in_the_record_must_be_the_commits(put: Callable, make) -> None:
    with pytest.raises(UsageError, match="other content than the commit's source"):
        put("a.mp4", replace(make.hog(), source=Source(1, 1, "ff" * 32)))
