"""Of several videos that were open in a process that died, the one that did it is found."""

from __future__ import annotations

import json

import pytest
from deep_marks import leave

from memfeat.errors import SetupError
from memfeat.extraction.deep import markers


def test_a_dead_process_leaves_suspects_and_a_culprit(tmp_path):
    leave(tmp_path, "a.mp4")
    leave(tmp_path, "b.mp4", "alone")
    assert [markers.look(tmp_path, name) for name in ("a.mp4", "b.mp4", "c.mp4")] == [
        "suspect",
        "culprit",
        "free",
    ]


def test_what_this_process_marks_blames_nobody(tmp_path):
    markers.begin(tmp_path, "a.mp4", run="r", alone=True)
    assert markers.look(tmp_path, "a.mp4") == "free"
    markers.end(tmp_path, "a.mp4")
    markers.end(tmp_path, "a.mp4")
    markers.tidy(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_living_process_of_another_run_blames_nobody(tmp_path):
    leave(tmp_path, "a.mp4")
    (file,) = (tmp_path / markers.FOLDER).iterdir()
    known = json.loads(file.read_text())
    file.write_text(json.dumps({**known, "pid": 1}))
    assert markers.look(tmp_path, "a.mp4") == "free"
    file.write_text(json.dumps({**known, "pid": 1, "host": "elsewhere"}))
    assert markers.look(tmp_path, "a.mp4") == "suspect"


def test_a_damaged_marker_blames_nobody(tmp_path):
    leave(tmp_path, "a.mp4", "alone")
    (file,) = (tmp_path / markers.FOLDER).iterdir()
    for text in ("", "{", "[]", "{}"):
        file.write_text(text)
        assert markers.look(tmp_path, "a.mp4") == "free"


def test_marks_of_other_runs_stay_when_tidying(tmp_path):
    leave(tmp_path, "a.mp4")
    markers.tidy(tmp_path)
    assert markers.look(tmp_path, "a.mp4") == "suspect"


def test_a_store_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / markers.FOLDER).write_text("in the way")
    with pytest.raises(SetupError, match="cannot be written"):
        markers.begin(tmp_path, "a.mp4", run="r")
