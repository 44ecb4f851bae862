"""One video: measured, committed or recorded, and a small record of it."""

from __future__ import annotations

import pickle

import pytest
from clips import write_clip, write_text

from memfeat.extraction import attempts, task
from memfeat.extraction.task import Outcome, Task, lost, process
from memfeat.store.failures import list_failures
from memfeat.store.feature_store import FeatureStore


@pytest.fixture
def job(tmp_path):
    FeatureStore.create(tmp_path / "s", dataset="mine")
    clip = write_clip(tmp_path / "a.mp4", frames=3)
    with attempts.open_run(tmp_path / "s", "r"):
        yield Task(tmp_path / "s", "a.mp4", clip, ("contrast",), "r")


def test_done_then_present(job):
    first = process(job)
    assert (first.state, first.computed, first.frames) == ("done", ("contrast",), 3)
    assert first.seconds > 0
    assert process(job).state == "present"


def test_records_are_small_and_travel(job):
    outcome = process(job)
    assert isinstance(outcome, Outcome)
    assert pickle.loads(pickle.dumps(outcome)) == outcome
    assert len(pickle.dumps(outcome)) < 1000
    assert len(pickle.dumps(job)) < 1000


def test_a_bad_file_leaves_a_failure_and_no_marker(job):
    write_text(job.path)
    outcome = process(job)
    assert (outcome.state, outcome.error) == ("failed", "Unreadable")
    assert process(job).error == "Unreadable"
    assert len(list_failures(job.store)) == 1


def test_success_clears_the_failure(job):
    text = job.path.read_bytes()
    write_text(job.path)
    process(job)
    job.path.write_bytes(text)
    assert process(job).state == "done"
    assert list_failures(job.store) == []


def test_a_marker_of_this_run_is_a_crash(job):
    attempts.begin(job.store, job.video, run="r")
    outcome = process(job)
    assert (outcome.state, outcome.error) == ("failed", "Crashed")
    assert list_failures(job.store)[0].type == "Crashed"


def test_a_task_that_was_given_up_is_recorded(job):
    assert lost(job).error == "Crashed"
    assert list_failures(job.store)[0].keys.keys() == {"contrast"}


def test_no_memory_left_is_a_failure_of_the_video(job, monkeypatch):
    def hungry(path, wanted):
        raise MemoryError

    monkeypatch.setattr(task, "measure_video", hungry)
    assert process(job).error == "OutOfMemory"


def test_after_a_stop_nothing_begins(job):
    attempts.request_stop(job.store, "r")
    assert process(job).state == "skipped"
    assert len(FeatureStore(job.store)) == 0


def test_a_store_that_cannot_be_written_is_a_matter_of_the_machine(job, monkeypatch):
    monkeypatch.setattr(attempts, "_marker", lambda store, video, run: store / "nowhere" / "marker.txt")
    outcome = process(job)
    assert outcome.state == "setup"
    assert "cannot be written" in outcome.message
    assert list_failures(job.store) == []
