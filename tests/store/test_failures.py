from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memfeat.errors import StoreError, UsageError
from memfeat.store.failures import (
    Failure,
    failure_path,
    list_failures,
    read_failure,
    remove_failure,
    scan_failures,
    write_failure,
)


def test_a_failure_reads_back_with_time_and_host(store, source: Callable) -> None:
    failure = Failure(
        "a/ü.mp4", "cpu", "NoFramesError", "no frame", source("x"), {"hog": "k1"}, details="long\nstory"
    )
    path = write_failure(store.path, failure)
    assert path == failure_path(store.path, "a/ü.mp4", "cpu")
    found = read_failure(store.path, "a/ü.mp4", "cpu")
    assert found.host and datetime.fromisoformat(found.when).tzinfo is not None
    assert found == Failure(
        **{
            name: getattr(failure, name)
            for name in ("id", "stage", "type", "message", "source", "keys", "details")
        },
        when=found.when,
        host=found.host,
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.text(), st.text())
def test_any_message_survives(store, message: str, details: str) -> None:
    write_failure(store.path, Failure("a", "cpu", "T", message, details=details))
    found = read_failure(store.path, "a", "cpu")
    assert (found.message, found.details) == (message, details)


def test_stages_are_apart_and_success_removes_one(store) -> None:
    for stage in ("cpu", "clip-vit"):
        write_failure(store.path, Failure("a", stage, "T", "m"))
    write_failure(store.path, Failure("a", "cpu", "Later", "m"))
    assert [(f.stage, f.type) for f in list_failures(store.path)] == [("clip-vit", "T"), ("cpu", "Later")]
    assert remove_failure(store.path, "a", "cpu") and not remove_failure(store.path, "a", "cpu")
    assert read_failure(store.path, "a", "cpu") is None and len(list_failures(store.path)) == 1
    assert (
        remove_failure(store.path, "a", "clip-vit")
        and not failure_path(store.path, "a", "cpu").parent.exists()
    )
    assert list_failures(store.path) == []


@pytest.mark.parametrize("stage", ["", "../x", "a/b", "CPU", ".x", "a b"])
def test_stages_cannot_leave_the_folder(store, stage: str) -> None:
    with pytest.raises(UsageError, match="A stage has"):
        write_failure(store.path, Failure("a", stage, "T", "m"))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"id": 3}', "\0"])
def test_damaged_records_are_problems_not_crashes(store, text: str) -> None:
    write_failure(store.path, Failure("b", "cpu", "T", "m"))
    path = write_failure(store.path, Failure("a", "cpu", "T", "m"))
    path.write_text(text)
    with pytest.raises(StoreError, match="is damaged"):
        read_failure(store.path, "a", "cpu")
    found, problems = scan_failures(store.path)
    assert [failure.id for failure in found] == ["b"]
    assert [(p.kind, p.where) for p in problems] == [
        ("damaged failure", path.relative_to(store.path).as_posix())
    ]
    write_failure(store.path, Failure("a", "cpu", "T", "again"))
    assert read_failure(store.path, "a", "cpu").message == "again"


def test_wrong_fields_are_damage(store) -> None:
    path = write_failure(store.path, Failure("a", "cpu", "T", "m"))
    data = json.loads(path.read_text())
    for change in ({"message": 1}, {"keys": {"hog": 1}}, {"keys": []}, {"source": {"size": 1}}):
        path.write_text(json.dumps(data | change))
        with pytest.raises(StoreError):
            read_failure(store.path, "a", "cpu")


def test_a_record_in_the_wrong_place_is_a_problem(store) -> None:
    path = write_failure(store.path, Failure("a", "cpu", "T", "m"))
    path.rename(path.with_name("gpu.json"))
    found, problems = scan_failures(store.path)
    assert found == [] and "speaks of 'a', stage 'cpu'" in problems[0].message


def test_no_folder_is_made_where_no_store_is(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        write_failure(tmp_path / "typo", Failure("a", "cpu", "T", "m"))
    assert not (tmp_path / "typo").exists()
