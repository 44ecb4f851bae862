"""Bars for people at a terminal, lines for log files."""

from __future__ import annotations

import io
import itertools

from rich.console import Console

from memfeat.extraction import progress
from memfeat.extraction.progress import ConsoleReporter, Silent


def plain(**options):
    return Console(file=io.StringIO(), force_terminal=False, width=200, **options)


def test_lines_say_rate_time_left_and_failures(monkeypatch):
    clock = itertools.count(0, 6)
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    console = plain()
    with ConsoleReporter(console) as reporter:
        reporter.start("Measuring", 4)
        for failed in (False, True, False, False):
            reporter.step(failed)
    lines = console.file.getvalue().splitlines()
    assert lines[:2] == ["Measuring (4)", "Measuring: 2/4, 0.17/s, 0:00:12 left, 1 failed"]
    assert lines[-1] == "Measuring: 4/4, 0.17/s, 0:00:00 left, 1 failed"


def test_a_stage_without_steps_is_said_and_details_come_between_steps(monkeypatch):
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    console = plain()
    with ConsoleReporter(console) as reporter:
        reporter.start("Loading 2 networks (cpu)", 0)
        reporter.start("Computing", 3)
        for now in (1.0, 11.0, 12.0):
            reporter.detail(f"{now} frames/s")
        now = 24.0
        reporter.step()
    assert console.file.getvalue().splitlines() == [
        "Loading 2 networks (cpu) …",
        "Computing (3)",
        "Computing: 0/3, 11.0 frames/s",
        "Computing: 1/3, 0.04/s, 0:00:48 left, 12.0 frames/s",
    ]


def test_a_terminal_gets_a_bar():
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with ConsoleReporter(console) as reporter:
        reporter.start("Measuring", 2)
        reporter.step()
        reporter.say("a [note]")
        reporter.step(True)
    text = console.file.getvalue()
    assert "Measuring" in text
    assert "2/2" in text
    assert "1 failed" in text
    assert "a [note]" in text


def test_silence():
    reporter = Silent()
    reporter.start("x", 1)
    reporter.step()
    reporter.say("y")
