from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from memfeat.store.failures import Failure, write_failure
from memfeat.store.files import locked, temporary_beside
from memfeat.store.hdf5 import digest, write_text
from memfeat.store.labels import Labels, write_labels
from memfeat.store.naming import video_path
from memfeat.store.verify import Report, verify


def kinds(report: Report) -> list[str]:
    return sorted({problem.kind for problem in report.problems})


def overwrite(path: Path, name: str, array: np.ndarray) -> None:
    """Put another array in place of one, with the digest that belongs to it."""
    with h5py.File(path, "a") as file:
        del file[name]
        write_text(file.create_dataset(name, data=array), "sha256", digest(array))


def test_a_sound_store_has_no_problems(filled, put: Callable, make) -> None:
    put("x.png", make.no_flow())
    report = verify(filled.path)
    assert report.ok and report == Report(6, 26, (), (), ())


def test_an_empty_store_is_sound(store) -> None:
    assert verify(store.path) == Report(0, 0, (), (), ())


@pytest.mark.parametrize(
    ("name", "array", "kind", "why"),
    [
        ("contrast/times", np.arange(3.0), "times", r"times has the shape \(3,\) for values of shape \(4,\)"),
        ("contrast/times", np.array([0.0, 1.0, 1.0, 2.0]), "times", "do not strictly increase"),
        ("flow/dt", np.array([1.0, 0.0, 1.0]), "times", "dt is not positive"),
        ("contrast/values", np.array([1.0, np.nan, 1.0, 1.0]), "values", "NaN"),
        ("hog/mean", np.array([np.inf] * 6, "f4"), "values", "infinite"),
        ("hog/mean", np.ones(6), "type", r"mean is float64 of shape \(6,\)"),
        ("clip/values", np.ones((4, 5)), "type", "values is float64"),
        ("contrast/values", np.ones(4, "f4"), "type", "values is float32"),
    ],
)
def test_what_the_format_promises_is_checked(
    filled, name: str, array: np.ndarray, kind: str, why: str
) -> None:
    overwrite(video_path(filled.path, "a.mp4"), name, array)
    (problem,) = verify(filled.path).problems
    assert problem.kind == kind and problem.where.endswith(name.split("/", maxsplit=1)[0])
    assert re.search(why, problem.message)


def test_one_flipped_bit_of_a_value_is_found(filled) -> None:
    path = video_path(filled.path, "a.mp4")
    with h5py.File(path) as file:
        place = file["hog/mean"].id.get_offset()
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    (problem,) = verify(filled.path).problems
    assert problem.kind == "values" and "mean has changed on the disk" in problem.message


@pytest.mark.parametrize("damage", [b"", b"junk"])
def test_unreadable_files_are_problems_and_the_rest_goes_on(filled, damage: bytes) -> None:
    path = video_path(filled.path, "a.mp4")
    path.write_bytes(damage)
    report = verify(filled.path)
    assert kinds(report) == ["unreadable"] and report.videos == 5 and report.features == 20
    assert report.problems[0].where == path.relative_to(filled.path).as_posix()


def test_links_are_problems(filled) -> None:
    with h5py.File(video_path(filled.path, "a.mp4"), "a") as file:
        file["x"] = h5py.ExternalLink("other.h5", "/")
    (problem,) = verify(filled.path).problems
    assert problem.kind == "unreadable" and "link to another file" in problem.message


def test_renamed_and_copied_files_are_problems(filled) -> None:
    path = video_path(filled.path, "a.mp4")
    path.rename(path.with_name("renamed.h5"))
    assert kinds(verify(filled.path)) == ["misplaced"]
    path.write_bytes(path.with_name("renamed.h5").read_bytes())
    assert kinds(verify(filled.path)) == ["misplaced", "twin"]


def test_mixed_keys_are_a_problem(filled, put: Callable, make) -> None:
    put("x.mp4", make.hog(key="another"))
    (problem,) = verify(filled.path).problems
    assert (problem.kind, problem.where) == ("keys", "hog")
    assert "another (1 videos), key-hog (5 videos)" in problem.message


def test_features_of_older_content_are_a_problem(filled) -> None:
    with h5py.File(video_path(filled.path, "a.mp4"), "a") as file:
        other = json.dumps({"size": 1, "mtime_ns": 1, "sha256": "ff"})
        del file["hog"].attrs["source"]
        write_text(file["hog"], "source", other)
    (problem,) = verify(filled.path).problems
    assert problem.kind == "stale" and problem.message.startswith("hog measured from other content")


def test_failures_on_record(filled) -> None:
    write_failure(filled.path, Failure("a.mp4", "cpu", "NoFramesError", "m", keys={"hog": "key-hog"}))
    write_failure(filled.path, Failure("a.mp4", "clip", "T", "m", keys={"clip": "other-key"}))
    write_failure(filled.path, Failure("never.mp4", "cpu", "T", "m", keys={"hog": "key-hog"}))
    report = verify(filled.path)
    assert report.ok and [(w.kind, w.where) for w in report.warnings] == [("failure", "failures of a.mp4")]
    write_failure(filled.path, Failure("b.mp4", "cpu", "T", "m")).write_text("{")
    assert kinds(verify(filled.path)) == ["damaged failure"]


def test_labels_and_videos_are_compared(filled) -> None:
    table = pd.DataFrame(
        {"y": [1.0] * 6}, index=["a.mp4", "B/one.mp4", "b/one.mp4", "c d.mp4", "z.mp4", "failed.mp4"]
    )
    write_labels(filled.path, Labels(table))
    write_failure(filled.path, Failure("failed.mp4", "cpu", "T", "m"))
    report = verify(filled.path)
    assert report.ok and [warning.kind for warning in report.warnings] == ["unlabelled", "unextracted"]
    assert "1 videos without labels, such as é.webm" in report.warnings[0].message
    assert "1 labels without features or a failure, such as z.mp4" in report.warnings[1].message


def test_changed_and_damaged_labels(filled) -> None:
    write_labels(filled.path, Labels(pd.DataFrame({"y": [1.0] * 5}, index=list(filled.ids))))
    path = filled.path / "labels.csv"
    assert verify(filled.path).warnings == ()
    path.write_text(path.read_text().replace("1.0", "2.0"))
    assert [(w.kind, w.message) for w in verify(filled.path).warnings] == [
        ("labels", "changed since it was written")
    ]
    path.write_text("nothing")
    assert kinds(verify(filled.path)) == ["labels"]
    path.unlink()
    assert kinds(verify(filled.path)) == ["labels"]


def test_damaged_videos_are_warned_of(store, put: Callable, make) -> None:
    put("cut.mp4", make.size(), video={"counts": {"decoded": 7, "corrupt": 2, "damaged": True}})
    (warning,) = verify(store.path).warnings
    assert warning.kind == "damaged" and warning.message == "cut.mp4: 7 frames decoded, 2 corrupt"


def test_leftovers_of_dead_writers_are_swept_and_those_in_use_kept(
    filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memfeat.store.verify._LOCK_SECONDS", 0.05)
    dead = temporary_beside(video_path(filled.path, "a.mp4"))
    busy = temporary_beside(video_path(filled.path, "é.webm"))
    old, new = (temporary_beside(filled.path / "store.json") for _ in range(2))
    for path in (dead, busy, old, new):
        path.touch()
    os.utime(old, (1, 1))
    with locked(busy.parent):
        report = verify(filled.path)
    assert report.ok and set(report.swept) == {dead, old}
    assert not dead.exists() and busy.exists() and new.exists()
    assert {w.where for w in report.warnings} == {
        path.relative_to(filled.path).as_posix() for path in (busy, new)
    }


def test_foreign_files_are_pointed_out(filled) -> None:
    (video_path(filled.path, "a.mp4").parent / "notes.txt").touch()
    report = verify(filled.path)
    assert report.ok and report.warnings[0].message == "no file of the format"
