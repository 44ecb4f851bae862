import json

import pytest

from memfeat.extraction.summary import Summary


def made(**counts):
    return Summary(run="r", dataset="d", store="features/d", started="2026-01-01T00:00:00+00:00", **counts)


@pytest.mark.parametrize(
    ("counts", "code"),
    [
        ({"total": 2, "done": 2}, 0),
        ({"total": 2, "present": 2}, 0),
        ({"total": 2, "done": 1, "failed": 1}, 3),
        ({"total": 2, "present": 1, "failed_before": 1}, 3),
        ({"total": 2, "done": 1, "failed": 1, "interrupted": True}, 130),
    ],
)
def test_exit_codes(counts, code):
    assert made(**counts).exit_code == code


def test_words_name_what_went_wrong_and_what_to_do():
    failures = [{"id": f"v{n}", "type": "NoFrames", "message": "nothing decodes"} for n in range(12)]
    text = "\n".join(
        made(
            total=20, done=4, failed=12, failed_before=1, not_started=3, interrupted=True, seconds=2.0,
            failures=failures, damaged={"x": "3 corrupt frames"},
            dropped={"y": {"hog": "other content"}, "z": {"*": "unreadable"}},
        ).lines()
    )  # fmt: skip
    for words in (
        "4 measured", "2.00 videos/s", "v0: NoFrames: nothing decodes", "and 2 more",
        "memfeat store failures features/d",
        "--retry-failed", "1 damaged file, measured as far as they decode", "x: 3 corrupt frames",
        "1 changed video: features", "1 damaged file of the store replaced", "Interrupted; 3 videos left.",
    ):  # fmt: skip
        assert words in text


def test_the_file_is_written_whole(tmp_path):
    summary = made(total=1, done=1, features={"hog": "0" * 16})
    summary.write(tmp_path / "last-run.json")
    assert json.loads((tmp_path / "last-run.json").read_text()) == summary.to_json()
    assert [file.name for file in tmp_path.iterdir()] == ["last-run.json"]


def test_bytes_that_are_no_text_do_not_stop_the_summary(tmp_path):
    summary = made(
        total=1, failed=1, failures=[{"id": "v", "type": "Empty", "message": "/d\udcff/v: no bytes"}]
    )
    summary.write(tmp_path / "last-run.json")
    assert json.loads((tmp_path / "last-run.json").read_text())["failures"] == summary.failures
