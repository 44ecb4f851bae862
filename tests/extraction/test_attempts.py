"""Markers blame the video that ended its worker, in its own run only."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from memfeat.errors import CrashedError, SetupError
from memfeat.extraction import attempts


def test_a_marker_left_behind_in_the_same_run_is_a_crash(tmp_path):
    with attempts.open_run(tmp_path, "r1"):
        attempts.begin(tmp_path, "a.mp4", run="r1")
        with pytest.raises(CrashedError, match="--retry-failed"):
            attempts.begin(tmp_path, "a.mp4", run="r1")
        attempts.begin(tmp_path, "b.mp4", run="r1")
        attempts.end(tmp_path, "b.mp4", run="r1")
        attempts.begin(tmp_path, "b.mp4", run="r1")
    assert not (tmp_path / "attempts").exists()


def test_a_marker_of_another_run_is_none(tmp_path):
    with attempts.open_run(tmp_path, "r1"), attempts.open_run(tmp_path, "r2"):
        attempts.begin(tmp_path, "a.mp4", run="r1")
        attempts.begin(tmp_path, "a.mp4", run="r2")
        attempts.request_stop(tmp_path, "r1")
        assert attempts.stop_requested(tmp_path, "r1")
        assert not attempts.stop_requested(tmp_path, "r2")


def test_what_a_killed_run_left_is_cleared_and_a_living_one_kept(tmp_path):
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    for run, pid in (("dead", int(dead.stdout)), ("elsewhere", 1)):
        (tmp_path / "attempts" / run).mkdir(parents=True)
        host = "another-host" if run == "elsewhere" else __import__("socket").gethostname()
        (tmp_path / "attempts" / run / "owner.json").write_text(json.dumps({"pid": pid, "host": host}))
    with attempts.open_run(tmp_path, "mine"):
        assert {folder.name for folder in (tmp_path / "attempts").iterdir()} == {"elsewhere", "mine"}


def test_another_run_may_take_the_folder_away(tmp_path):
    with attempts.open_run(tmp_path, "mine"):
        shutil.rmtree(tmp_path / "attempts")
    assert not (tmp_path / "attempts").exists()


def test_a_store_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "attempts").write_text("in the way")
    with pytest.raises(SetupError, match="attempts"), attempts.open_run(tmp_path, "mine"):
        pass
