"""What was measured: rows with ratios and checks, as JSON, as a table and as a plot."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .compare import MEMFEAT, NAIVE, Comparison, Ratio, Time

SIGNS = {">=": "≥", "<=": "≤", "==": "="}


@dataclass
class Check:
    """One figure and, where there is one, the bound it is held to."""

    what: str
    value: float
    sign: str = ""
    bound: float | None = None
    unit: str = ""

    @property
    def passed(self) -> bool | None:
        if self.bound is None:
            return None
        if self.sign == ">=":
            return self.value >= self.bound
        return self.value <= self.bound if self.sign == "<=" else self.value == self.bound

    @property
    def verdict(self) -> str:
        return {True: "pass", False: "MISS", None: ""}[self.passed]

    @property
    def target(self) -> str:
        return "" if self.bound is None else f"{SIGNS[self.sign]} {number(self.bound)}{self.unit}"


@dataclass
class Limit:
    """The least time that a unit can take on this machine, and why."""

    seconds: float
    why: str


@dataclass
class Row:
    """One stage."""

    stage: str
    title: str
    unit: str = ""
    naive: Time | None = None
    memfeat: Time | None = None
    ratio: Ratio | None = None
    limit: Limit | None = None
    checks: list[Check] = field(default_factory=list)

    @classmethod
    def of(cls, comparison: Comparison, title: str, *, limit: Limit | None = None) -> Row:
        return cls(
            comparison.stage,
            title,
            comparison.unit,
            comparison.mean(NAIVE),
            comparison.mean(MEMFEAT),
            comparison.ratio(),
            limit,
        )

    def at_least(self, bound: float, *, summed: bool = False) -> Row:
        """Hold the median of the ratios, or the ratio of the sums, to a bound."""
        assert self.ratio is not None
        value = self.ratio.summed if summed else self.ratio.median
        what = "ratio of summed processor time" if summed else "median ratio"
        return self.check(what, value, ">=", bound, "×")

    def check(
        self, what: str, value: float, sign: str = "", bound: float | None = None, unit: str = ""
    ) -> Row:
        self.checks.append(Check(what, float(value), sign, bound, unit))
        return self

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        for key, check in zip(data["checks"], self.checks, strict=True):
            key["passed"] = check.passed
        data["naive"] = self.naive and self.naive._asdict()
        data["memfeat"] = self.memfeat and self.memfeat._asdict()
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Row:
        checks = [
            Check(**{key: value for key, value in each.items() if key != "passed"}) for each in data["checks"]
        ]
        return cls(
            data["stage"],
            data["title"],
            data["unit"],
            data["naive"] and Time(**data["naive"]),
            data["memfeat"] and Time(**data["memfeat"]),
            data["ratio"] and Ratio(**data["ratio"]),
            data["limit"] and Limit(**data["limit"]),
            checks,
        )


@dataclass
class Report:
    """All rows of one run, and where, when and on what they were measured."""

    about: dict[str, Any]
    rows: list[Row]

    def write(self, file: Path) -> None:
        data = {**self.about, "rows": [row.to_json() for row in self.rows]}
        file.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, file: Path) -> Report:
        data = json.loads(file.read_text(encoding="utf-8"))
        rows = [Row.from_json(row) for row in data.pop("rows")]
        return cls(data, rows)

    def keep_others(self, earlier: Report) -> None:
        """Take over the rows of an earlier run that this one, of a few stages, did not measure.

        Only on the same machine, clips and settings: rows of one table must be comparable.
        """
        same = ("machine", "clips", "full", "versions")
        again = {row.stage for row in self.rows}
        others = any(row.stage not in again for row in earlier.rows)
        if others and all(earlier.about[key] == self.about[key] for key in same):
            mine = {row.stage: row for row in self.rows}
            self.rows = [mine.pop(row.stage, row) for row in earlier.rows] + list(mine.values())
            self.about["apart"] = sorted({*earlier.about.get("apart", ()), *again})

    def missed(self) -> list[str]:
        return [
            f"{row.stage}: {check.what}" for row in self.rows for check in row.checks if check.passed is False
        ]

    def heading(self) -> list[str]:
        about = self.about
        versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
        return [
            f"{about['machine']}, {about['date']}; load {about['load']:.1f} when it began.",
            f"{about['clips']}{'' if about['full'] else '; a quick run on a small sample'}.",
            f"{versions}.",
            *(
                [f"Measured again in a run of their own: {', '.join(about['apart'])}."]
                if about.get("apart")
                else []
            ),
        ]

    def text(self) -> str:
        """Return the table for a terminal."""
        lines = [*self.heading(), ""]
        table = [("stage", "per", "naive", "memfeat", "ratio", "(quartiles)", "wall", "limit")]
        places: list[tuple[int, Row]] = []
        for row in self.rows:
            places.append((len(table), row))
            table.append(cells(row))
        widths = [max(len(line[k]) for line in table) for k in range(len(table[0]))]
        lines.append("  ".join(cell.ljust(width) for cell, width in zip(table[0], widths, strict=True)))
        for at, row in places:
            lines.append(
                "  ".join(cell.ljust(width) for cell, width in zip(table[at], widths, strict=True)).rstrip()
            )
            for check in row.checks:
                value = f"{number(check.value)}{check.unit}"
                lines.append(f"    {check.what:<58} {value:>10}  {check.target:<9} {check.verdict}".rstrip())
        missed = self.missed()
        bounded = sum(check.passed is not None for row in self.rows for check in row.checks)
        lines += [
            "",
            f"{bounded - len(missed)} of {bounded} targets met."
            + "".join(f"\n  missed: {m}" for m in missed),
        ]
        return "\n".join(lines)

    def markdown(self) -> str:
        """Return the tables for the manual."""
        header = ["stage", "per", "naive", "memfeat", "ratio", "quartiles", "wall", "limit"]
        speed = [cells(row) for row in self.rows if row.ratio]
        checks = [
            (row.stage, check.what, f"{number(check.value)}{check.unit}", check.target, check.verdict)
            for row in self.rows
            for check in row.checks
        ]
        return "\n\n".join(
            [
                "  \n".join(self.heading()),
                markdown_table(header, speed),
                markdown_table(["stage", "figure", "measured", "target", ""], checks),
            ]
        )


def cells(row: Row) -> tuple[str, ...]:
    if row.ratio is None or row.naive is None or row.memfeat is None:
        return (row.stage, row.unit, "", "", "", "", "", "")
    ratio = row.ratio
    return (
        row.stage,
        row.unit,
        seconds(row.naive.cpu),
        seconds(row.memfeat.cpu),
        f"{number(ratio.median)}×",
        f"{number(ratio.first_quartile)}–{number(ratio.third_quartile)}",
        f"{number(row.naive.wall / row.memfeat.wall)}×",
        seconds(row.limit.seconds) if row.limit else "",
    )


def seconds(value: float) -> str:
    for scale, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if value >= scale:
            return f"{number(value / scale)} {unit}"
    return f"{number(value / 1e-9)} ns"


def number(value: float) -> str:
    """Three significant digits, as a person would write them."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    if abs(value) < 1e-3:
        return f"{value:.1e}".replace(".0e", "e").replace("e-0", "e-")
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [list(header), ["---"] * len(header), *([cell or " " for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def plot(report: Report, file: Path) -> None:
    """Draw naive → memfeat → limit for each stage, on a logarithmic axis."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    rows = [row for row in report.rows if row.naive and row.memfeat][::-1]
    # The same picture from the same figures: no date, and names of parts that do not change.
    with mpl.rc_context({"svg.hashsalt": "memfeat", "svg.fonttype": "none", "font.size": 9}):
        figure, axes = pyplot.subplots(figsize=(8, 1.0 + 0.36 * len(rows)), layout="constrained")
        for y, row in enumerate(rows):
            assert row.naive is not None and row.memfeat is not None
            axes.plot([row.naive.cpu * 1e3, row.memfeat.cpu * 1e3], [y, y], color="0.75", zorder=1)
            if row.limit:
                ends = [row.memfeat.cpu * 1e3, row.limit.seconds * 1e3]
                axes.plot(ends, [y, y], color="0.85", linestyle=":", zorder=1)
                axes.scatter(ends[1], y, marker="|", s=90, color="0.35", label="limit", zorder=2)
            axes.scatter(row.naive.cpu * 1e3, y, color="tab:red", label=NAIVE, zorder=2)
            axes.scatter(row.memfeat.cpu * 1e3, y, color="tab:blue", label=MEMFEAT, zorder=2)
            label = f"{number(row.ratio.median)}×" if row.ratio else ""
            axes.annotate(label, (row.naive.cpu * 1e3, y), (8, 0), textcoords="offset points", va="center")
        axes.set_xscale("log")
        axes.margins(x=0.08)
        axes.set_xlim(right=axes.get_xlim()[1] * 4)  # room for the last ratio
        axes.set_yticks(range(len(rows)), [f"{row.stage} (per {row.unit})" for row in rows])
        axes.set_xlabel("processor time, milliseconds per unit (logarithmic)")
        axes.grid(axis="x", color="0.93")
        handles, labels = axes.get_legend_handles_labels()
        by_label = dict(zip(labels, handles, strict=True))
        order = [name for name in (NAIVE, MEMFEAT, "limit") if name in by_label]
        axes.legend([by_label[name] for name in order], order, loc="upper right")
        figure.savefig(file, metadata={"Date": None})
        pyplot.close(figure)
