"""The manual's tables and plots, written from committed results: ``python -m benchmarks.page``."""

from __future__ import annotations

from pathlib import Path

from .report import Report, plot

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGES = ROOT / "docs" / "benchmarks"
SHOWN = ("generated", "real")


def write(name: str) -> None:
    """Write the table and the plot of one set of results below docs."""
    report = Report.read(RESULTS / name / "report.json")
    PAGES.mkdir(exist_ok=True)
    # Not .md: Sphinx would take it for a page of its own.
    (PAGES / f"{name}.inc").write_text(report.markdown(), encoding="utf-8")
    plot(report, PAGES / f"{name}.svg")


if __name__ == "__main__":
    for each in SHOWN:
        if (RESULTS / each / "report.json").is_file():
            write(each)
