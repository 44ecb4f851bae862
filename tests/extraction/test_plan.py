"""What is left to do is told from the store and the files alone."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from clips import write_clip, write_empty

from memfeat import extractors
from memfeat.dataset import Dataset, scan
from memfeat.errors import UsageError
from memfeat.extraction import plan as planning
from memfeat.extraction.run import extract, recipes_of
from memfeat.extraction.task import STAGE
from memfeat.store import failures

ONE = extractors.select(["contrast"])[0]
TWO = extractors.select(["contrast", "brightness"])[0]


def make_plan(store, files, wanted, **options):
    return planning.make_plan(store, files, recipes_of(wanted), stage=STAGE, **options)


@pytest.fixture
def half_done(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    write_clip(folder / "a.mp4", frames=2)
    write_empty(folder / "bad.mp4")
    extract(Dataset("mine", scan(folder).files), tmp_path / "s", ONE, workers=0)
    write_clip(folder / "new.mp4", frames=2)
    return folder, tmp_path / "s"


def test_present_failed_and_new_are_told_apart(half_done):
    folder, store = half_done
    plan = make_plan(store, scan(folder).files, ONE)
    assert (plan.present, [failure.id for failure in plan.failed], plan.todo) == (
        ["a.mp4"],
        ["bad.mp4"],
        ["new.mp4"],
    )


def test_more_features_mean_more_to_do(half_done):
    folder, store = half_done
    assert make_plan(store, scan(folder).files, TWO).todo == ["a.mp4", "bad.mp4", "new.mp4"]


def test_options(half_done):
    folder, store = half_done
    files = scan(folder).files
    assert make_plan(store, files, ONE, retry_failed=True).todo == ["bad.mp4", "new.mp4"]
    assert make_plan(store, files, ONE, force=True).todo == ["a.mp4", "bad.mp4", "new.mp4"]


def test_a_touched_file_is_looked_at_again(half_done):
    folder, store = half_done
    os.utime(folder / "a.mp4")
    assert "a.mp4" in make_plan(store, scan(folder).files, ONE).todo


def test_an_unreadable_store_file_is_measured_again(half_done):
    folder, store = half_done
    next(store.glob("videos/*/*.h5")).write_bytes(b"not hdf5")
    assert "a.mp4" in make_plan(store, scan(folder).files, ONE).todo


def test_another_key_is_refused_before_anything_starts(half_done):
    folder, store = half_done

    class Newer(type(extractors.get("contrast"))):
        version = 7

    with pytest.raises(UsageError, match=r"They differ in version: 1 → 7\. Use --force"):
        make_plan(store, scan(folder).files, [Newer()])


def test_a_failure_counts_for_what_is_lacking(half_done):
    folder, store = half_done
    failure = failures.read_failure(store, "bad.mp4", STAGE)
    (brightness,) = extractors.select(["brightness"])[0]
    failures.write_failure(
        store, replace(failure, id="a.mp4", keys={"brightness": brightness.key()}, source=None)
    )
    plan = make_plan(store, scan(folder).files, TWO)
    assert [failure.id for failure in plan.failed] == ["a.mp4"]
    assert "a.mp4" in make_plan(store, scan(folder).files, ONE).present


def test_failures_of_another_stage_do_not_count(half_done):
    folder, store = half_done
    plan = planning.make_plan(store, scan(folder).files, recipes_of(ONE), stage="deep")
    assert plan.todo == ["bad.mp4", "new.mp4"]
