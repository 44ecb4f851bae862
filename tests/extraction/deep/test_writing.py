"""A finished video is committed whole, or what is wrong with it is on record."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest
from clips import write_clip
from tiny_networks import TinyClips, TinyImages

from memfeat.extraction.deep.decoding import Problem
from memfeat.extraction.deep.engine import Finished, process
from memfeat.extraction.deep.work import StoreJob, Work
from memfeat.extraction.deep.writing import STAGE, Writer, settle
from memfeat.store.failures import read_failure
from memfeat.store.feature_store import FeatureStore

torch = pytest.importorskip("torch", reason="needs the extra deep")


@pytest.fixture
def work(tmp_path, wanted_of):
    FeatureStore.create(tmp_path / "s", dataset="mine")
    return Work(tmp_path / "s", "r", tuple(wanted_of(TinyImages(), TinyClips())))


@pytest.fixture
def finished(work, tmp_path, runners_of):
    job = StoreJob(work, "a.mp4", write_clip(tmp_path / "a.mp4", frames=5))
    (item,) = process([job], runners_of(TinyImages(), TinyClips()), threads=1)
    return item


def changed(item, **parts):
    from dataclasses import replace

    return replace(item, **parts)


def test_all_features_go_in_with_one_commit(work, finished):
    outcome = settle(finished)
    assert (outcome.state, outcome.frames) == ("done", 5)
    assert set(outcome.computed) == {"tiny-images-random3", "tiny-clips-random3"}
    record = FeatureStore(work.store)["a.mp4"]
    assert record["tiny-images-random3"].values.shape == (5, 6)
    assert record["tiny-images-random3"].key == work.wanted[0].key
    assert record.video["counts"]["decoded"] == 5


def test_a_problem_of_the_video_is_recorded_for_all(work, finished):
    outcome = settle(changed(finished, problem=Problem("NoFrames", "none"), records=[]))
    assert (outcome.state, outcome.error) == ("failed", "NoFrames")
    failure = read_failure(work.store, "a.mp4", STAGE)
    assert failure.keys == {wanted.name: wanted.key for wanted in work.wanted}
    assert failure.source is not None
    assert "a.mp4" not in FeatureStore(work.store)
    settle(finished)
    assert read_failure(work.store, "a.mp4", STAGE) is None


def test_a_problem_of_one_network_leaves_the_other(work, finished):
    outcome = settle(
        changed(finished, problems={1: Problem("TooLong", "too long")}, records=finished.records[:1])
    )
    assert (outcome.state, outcome.computed) == ("failed", ("tiny-images-random3",))
    failure = read_failure(work.store, "a.mp4", STAGE)
    assert failure.keys == {work.wanted[1].name: work.wanted[1].key}
    assert failure.message == "tiny-clips-random3: too long"
    assert set(FeatureStore(work.store)["a.mp4"].features) == {"tiny-images-random3"}


def test_values_that_are_no_numbers_are_not_stored(work, finished):
    finished.records[1].arrays["values"] = np.full((1, 5), np.inf)
    assert settle(finished).error == "InvalidFeature"
    assert set(FeatureStore(work.store)["a.mp4"].features) == {"tiny-images-random3"}


def test_a_file_that_changes_meanwhile_is_no_feature(work, finished):
    write_clip(finished.job.path, frames=6, seed=9)
    outcome = settle(finished)
    assert (outcome.state, outcome.error) == ("failed", "Unreadable")
    assert "changed while it was read" in outcome.message


def test_a_store_that_cannot_be_written_is_no_fault_of_the_video(work, finished, monkeypatch):
    import errno

    from memfeat.extraction.deep import writing

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(writing, "commit", full)
    outcome = settle(finished)
    assert outcome.state == "setup"
    assert "No space left" in outcome.message


def test_a_writer_settles_in_order_in_a_thread_of_its_own(finished):
    seen = []

    def record(item):
        seen.append((item.frames, threading.current_thread().name))
        return settle(item)

    with Writer(record) as writer:
        for _ in range(20):
            writer.put(finished)
        outcomes = [*writer.outcomes(), *writer.finish()]
    assert len(outcomes) == len(seen) == 20
    assert {name for _, name in seen} == {"memfeat-writer"}
    assert not [thread for thread in threading.enumerate() if thread.name == "memfeat-writer"]


def test_an_error_outside_ends_the_writer_too(finished):
    with pytest.raises(KeyboardInterrupt), Writer(settle) as writer:
        writer.put(finished)
        raise KeyboardInterrupt
    assert not [thread for thread in threading.enumerate() if thread.name == "memfeat-writer"]


def test_a_writer_outlives_an_error_and_tells_of_it(finished):
    def odd(item):
        raise RuntimeError("odd")

    with Writer(odd) as writer:
        for _ in range(40):
            writer.put(finished)
        outcomes = list(writer.finish())
    assert {(outcome.state, outcome.message) for outcome in outcomes} == {("setup", "RuntimeError: odd")}


def test_nothing_to_do_is_present(work, tmp_path):
    job = StoreJob(work, "b.mp4", tmp_path / "b.mp4")
    assert settle(Finished(job, None, [], None, {}, 0)).state == "present"
