"""Pytest plugin: says which extras are missing and, where all were promised, makes failures of such skips.

``make test`` skips what needs a library of an extra that was left out. With MEMFEAT_ALL_EXTRAS=1 in the
environment there is no such excuse: a test or a file that is skipped for want of a library fails.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Generator, Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
MISSING_LIBRARY = re.compile(
    r"could not import|no module named|not installed|needs? the .*\b(extra|library|package)\b|memfeat\[",
    re.IGNORECASE,
)


def all_extras_promised() -> bool:
    """Whether a skip for a missing library is a failure in this run."""
    return os.environ.get("MEMFEAT_ALL_EXTRAS", "") not in ("", "0")


def extras() -> dict[str, list[str]]:
    """The distributions of each extra, by the extra's name, as pyproject.toml lists them."""
    groups = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    return {
        name: [re.split(r"[\s\[<>=!~;]", line, maxsplit=1)[0] for line in lines]
        for name, lines in groups.items()
    }


def left_out(groups: dict[str, list[str]]) -> dict[str, list[str]]:
    """The extras of `groups` that lack a distribution here, and which."""
    found = {name: [each for each in needed if not _installed(each)] for name, needed in groups.items()}
    return {name: missing for name, missing in found.items() if missing}


def _installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


def _make_failure(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if report.skipped and not hasattr(report, "wasxfail") and MISSING_LIBRARY.search(reason):
        report.outcome = "failed"
        report.longrepr = f"every extra was promised (MEMFEAT_ALL_EXTRAS), yet this was skipped. {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if all_extras_promised():
        _make_failure(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if all_extras_promised():
        _make_failure(report)
    return report


def summary(missing: dict[str, list[str]]) -> Iterable[str]:
    """What to print below the results about the extras in `missing`."""
    for name, distributions in missing.items():
        yield f"{name}: {', '.join(distributions)} not installed"
    if missing:
        wanted = ",".join(["dev", *missing])
        yield f"tests that need them were skipped; run them with: make test EXTRAS={wanted}"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    lines = list(summary({name: missing for name, missing in left_out(extras()).items() if name != "dev"}))
    if lines:
        terminalreporter.section("extras left out")
        for line in lines:
            terminalreporter.write_line(line)
