from __future__ import annotations

import json

import pytest

from memfeat.checking.report import Counts, Finding, Report, in_order

COUNTS = Counts(rows=3, files=2, videos=2, images=0, both=2, texts={}, splits={}, groups=None)


def make(*severities: str) -> Report:
    return Report("pilot", COUNTS, findings=tuple(Finding(s, f"code-{s}", f"a {s}") for s in severities))


@pytest.mark.parametrize(
    ("severities", "ok", "code"),
    [((), True, 0), (("note", "warning"), True, 0), (("error",), False, 3), (("error", "note"), False, 3)],
)
def test_only_errors_decide_the_exit_code(severities, ok: bool, code: int) -> None:
    report = make(*severities)
    assert (report.ok, report.exit_code) == (ok, code)


def test_findings_by_severity_and_code() -> None:
    report = make("error", "note", "note")
    assert len(report.of("note")) == 2 and report.of("warning") == ()
    assert report["code-error"] == report.of("error")
    assert report["none"] == ()


def test_the_verdict_counts_in_words() -> None:
    assert make("error", "note", "note").verdict() == "1 error, no warnings, 2 notes."


def test_ids_are_shown_up_to_a_number() -> None:
    finding = Finding("note", "x", "four of them", tuple("abcd"))
    assert finding.shown(2) == "four of them: a, b and 2 more"
    assert finding.shown(4) == "four of them: a, b, c, d"
    assert finding.shown(0) == "four of them"


def test_groups_are_shown_together() -> None:
    finding = Finding("note", "x", "twins", ("a", "b", *"cdefg"), (("a", "b"), tuple("cdefg")))
    assert finding.shown() == "twins: a = b, c = d = e = f = …"
    assert finding.shown(1) == "twins: a = b and 1 more"


def test_errors_come_first_and_keep_their_order() -> None:
    found = [Finding(s, str(n), "") for n, s in enumerate(["note", "error", "warning", "error"])]
    assert [f.code for f in in_order(found)] == ["1", "3", "2", "0"]


def test_json_has_every_id() -> None:
    ids = tuple(f"v{n}" for n in range(50))
    report = Report("pilot", COUNTS, findings=(Finding("error", "missing-files", "gone", ids),))
    read = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert read["findings"][0]["ids"] == list(ids)
    assert read["found"] == {"error": 1, "warning": 0, "note": 0}
    assert read["schema"] == 1 and read["ok"] is False


def test_printing_a_report_shows_every_finding() -> None:
    assert str(make("error", "note")).splitlines() == [
        "pilot: 3 rows, 2 files. 1 error, no warnings, 1 note.",
        "error code-error: a error",
        "note code-note: a note",
    ]
