"""What a check found, for people, for scripts and for notebooks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from memfeat.errors import DataError
from memfeat.reliability import Agreement, Reliability

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""In the order of reports. Error: results would be wrong, or part of the data is not there. Warning: results may
mislead unless something is done. Note: worth knowing."""
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    >>> print(Finding("error", "missing-files", "2 videos have no file", ("a.mp4", "b.mp4")))
    error missing-files: 2 videos have no file: a.mp4, b.mp4
    """

    severity: Severity
    code: str
    """Stable name for scripts, such as ``missing-files``."""
    message: str
    ids: tuple[str, ...] = ()
    """Whom it is about, all of them; empty when it is about the whole."""
    groups: tuple[tuple[str, ...], ...] = ()
    """The same ids in the groups that belong together, such as copies of one file."""

    def shown(self, most: int = 5) -> str:
        """Return the message with the first `most` ids."""
        if not self.ids or most < 1:
            return self.message
        if self.groups:
            names = [" = ".join(group[:4]) + (" = …" if len(group) > 4 else "") for group in self.groups]
        else:
            names = list(self.ids)
        more = f" and {len(names) - most:,} more" if len(names) > most else ""
        return f"{self.message}: {', '.join(names[:most])}{more}"

    def __str__(self) -> str:
        return f"{self.severity} {self.code}: {self.shown()}"


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is."""

    rows: int
    """Items that the release's tables name."""
    files: int
    videos: int
    images: int
    """Files by suffix."""
    both: int
    """Items with a row and a file."""
    texts: dict[str, int]
    """Field → items that have such texts."""
    splits: dict[str, dict[str, int]]
    """Column (``split`` or ``split:<name>``) → split → rows."""
    groups: int | None
    """Different groups; None when the labels have none."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """The scores of one target, in one split or in all rows."""

    target: str
    split: str | None
    """None: all rows."""
    rows: int
    n: int
    """Rows with a score."""
    mean: float | None
    sd: float | None
    """With n - 1."""
    low: float | None
    high: float | None
    distinct: int
    """Different scores."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Published figures beside those of this copy. None: not published, or not here."""

    target: str
    split: str | None
    source: str
    published_n: int
    n: int
    published_mean: float | None
    mean: float | None
    published_sd: float | None
    sd: float | None
    differs: tuple[str, ...]
    """Which of ``n``, ``mean`` and ``sd`` differ by more than the published rounding."""


@dataclass(frozen=True, slots=True)
class Annotations:
    """The numbers of answers behind one target's scores, in one split or in all rows."""

    target: str
    split: str | None
    n: int
    """Rows with a count."""
    low: int
    median: float
    mean: float
    high: int
    reliability: Reliability | None
    """None where the target is no share of answers (a slope, another scale) or there are too few rows."""


@dataclass(frozen=True, slots=True)
class Media:
    """What the headers of the files say."""

    read: int
    """Headers that could be read."""
    sizes: dict[str, int]
    """``width×height`` → files, most frequent first."""
    portrait: int
    rates: dict[str, int]
    """Frames per second, rounded to 0.01 → videos, most frequent first."""
    durations: tuple[float, float, float] | None
    """Shortest, median, longest, in seconds."""
    frames: tuple[int, int, int] | None
    """Fewest, median, most frames that headers state (decoded ones after a deep check)."""
    codecs: dict[str, int]
    bytes: int
    decoded: bool
    """Whether every frame was decoded."""


@dataclass(frozen=True)
class Report:
    """All that `memfeat.checking.check.check` found.

    In a notebook, ``print(report)`` shows the findings, and ``report.table()`` the scores.
    """

    name: str
    counts: Counts
    statistics: tuple[Statistics, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    annotations: tuple[Annotations, ...] = ()
    halves: dict[str, Agreement] = field(default_factory=dict)
    media: Media | None = None
    findings: tuple[Finding, ...] = ()
    """Errors first."""
    remarks: tuple[str, ...] = ()
    """What the reader of the release guessed, left out or could not match."""
    note: str = ""
    """What must be said wherever the scores are used; mostly empty."""

    @property
    def ok(self) -> bool:
        """Whether there is no error; warnings do not matter."""
        return not self.of("error")

    @property
    def exit_code(self) -> int:
        """0, or 3 when there are errors."""
        return 0 if self.ok else DataError.exit_code

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """Return the findings of one severity."""
        return tuple(finding for finding in self.findings if finding.severity == severity)

    def __getitem__(self, code: str) -> tuple[Finding, ...]:
        """Return the findings of one code."""
        return tuple(finding for finding in self.findings if finding.code == code)

    def table(self) -> Any:
        """Return the score statistics as a DataFrame, a row per target and split; ``all`` are all rows."""
        import pandas as pd

        return pd.DataFrame([{**asdict(row), "split": row.split or "all"} for row in self.statistics])

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON-able values; every finding with all of its ids."""
        return {
            "schema": SCHEMA,
            "name": self.name,
            "ok": self.ok,
            "found": {severity: len(self.of(severity)) for severity in SEVERITIES},
            "counts": asdict(self.counts),
            "statistics": [asdict(row) for row in self.statistics],
            "published": [asdict(row) for row in self.comparisons],
            "annotations": [asdict(row) for row in self.annotations],
            "halves": {target: asdict(found) for target, found in self.halves.items()},
            "media": None if self.media is None else asdict(self.media),
            "findings": [asdict(finding) for finding in self.findings],
            "remarks": list(self.remarks),
            "note": self.note,
        }

    def __str__(self) -> str:
        lines = [
            f"{self.name}: {number(self.counts.rows, 'row')}, {number(self.counts.files, 'file')}. {self.verdict()}"
        ]
        return "\n".join([*lines, *(str(finding) for finding in self.findings)])

    def verdict(self) -> str:
        """Return the numbers of errors, warnings and notes, in words."""
        counts = [(len(self.of(severity)), severity) for severity in SEVERITIES]
        return ", ".join(number(n, severity) if n else f"no {severity}s" for n, severity in counts) + "."


def in_order(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Yield errors, then warnings, then notes, each in the order in which they were found."""
    return iter(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))


def number(n: int, noun: str) -> str:
    """Return a number and its noun.

    >>> number(1, "group"), number(1200, "group")
    ('1 group', '1,200 groups')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
