"""The report of `memfeat datasets check` as text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from memfeat.cli.console import output, show_table

if TYPE_CHECKING:
    from memfeat.checking.report import Comparison, Media, Report

_STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan"}
_MOST = 3
_NAMES = 6


def show(report: Report, place: Path, ids: int) -> None:
    """Print a report: what there is, the scores, what was found, and the verdict last."""
    from memfeat.checking.report import number

    console = output()

    def line(text: str = "") -> None:
        console.print(text, markup=False)

    line(f"{report.name} in {place}")
    for text in _contents(report):
        line(text)
    if report.note:
        line(f"note: {report.note}")
    for remark in report.remarks:
        line(f"as read: {remark}")
    if report.statistics:
        line()
        _scores(report)
    if report.annotations:
        line()
        _answers(report)
    for target, found in report.halves.items():
        line()
        text = (
            f"{target}: halves of the participants correlate {_short(found.split_half)} (Spearman, "
            f"{number(found.halvings, 'halving')}, sd {_short(found.deviation)}, {found.items:,} items)"
        )
        if found.reliability is not None:
            text += (
                f"; the scores of all are {_short(found.reliability)} reliable, and a perfect model reaches "
                f"about {_short(found.ceiling)}"
            )
        line(f"{text}.")
    if report.findings:
        line()
        show_table(
            "",
            ["", "code", "found"],
            [
                (Text(each.severity, style=_STYLES[each.severity]), each.code, each.shown(ids))
                for each in report.findings
            ],
        )
    line()
    line(report.verdict().capitalize())


def _contents(report: Report) -> list[str]:
    from memfeat.checking.report import number

    counts = report.counts
    kinds = [number(n, kind) for n, kind in ((counts.videos, "video"), (counts.images, "image")) if n]
    files = f" ({', '.join(kinds)}; {counts.both:,} with a row)" if kinds and counts.rows else ""
    lines = [f"{number(counts.rows, 'row')}, {number(counts.files, 'file')}{files}"]
    if counts.groups is not None:
        lines[0] += f", {number(counts.groups, 'group')}"
    if counts.texts:
        lines.append("texts: " + ", ".join(f"{field} of {n:,}" for field, n in counts.texts.items()))
    lines += _splits(counts.splits)
    if report.media is not None:
        lines.append(_media(report.media))
    return lines


def _splits(splits: dict[str, dict[str, int]]) -> list[str]:
    """Tell the sizes of each split; of further splits of equal sizes, once."""
    alike: dict[tuple[tuple[str, int], ...], list[str]] = {}
    lines = []
    for column, sizes in splits.items():
        name = column.partition(":")[2]
        if name:
            alike.setdefault(tuple(sizes.items()), []).append(name)
        else:
            lines.append(f"split: {_parts(sizes)}")
    for parts, names in alike.items():
        more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
        lines.append(f"split {', '.join(names[:_NAMES])}{more}: {_parts(dict(parts))}")
    return lines


def _parts(sizes: dict[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in sizes.items())


def _media(media: Media) -> str:
    parts = [f"{_frequent(media.sizes)} pixels"] if media.sizes else []
    if media.portrait and media.portrait < media.read:
        parts.append(f"{media.portrait:,} in portrait")
    if media.rates:
        parts.append(f"{_frequent(media.rates)} frames/s")
    if media.durations is not None:
        low, middle, high = (f"{seconds:.2f}" for seconds in media.durations)
        parts.append(f"{low} to {high} s (median {middle})")
    if media.frames is not None:
        few, middle_count, many = media.frames
        parts.append(f"{few:,} to {many:,} frames (median {middle_count:,})")
    parts += [_frequent(media.codecs), f"{media.bytes / 1e6:,.1f} MB"]
    return f"{'decoded' if media.decoded else 'headers'}: {'; '.join(part for part in parts if part)}"


def _frequent(counts: dict[str, int]) -> str:
    if len(counts) == 1:
        return next(iter(counts))
    shown = [f"{value} ({n:,})" for value, n in list(counts.items())[:_MOST]]
    others = len(counts) - _MOST
    more = f" and {others:,} other{'' if others == 1 else 's'}" if others > 0 else ""
    return ", ".join(shown) + more


def _scores(report: Report) -> None:
    published = {(each.target, each.split): each for each in report.comparisons}
    rows = []
    for each in report.statistics:
        split = each.split or _only_split(report)
        there = published.get((each.target, split)) or published.get((each.target, each.split))
        rows.append(
            (
                each.target,
                split or "all",
                f"{each.n:,}" if each.n == each.rows else f"{each.n:,}/{each.rows:,}",
                *(_number(value) for value in (each.mean, each.sd, each.low, each.high)),
                *([_published(there)] if published else []),
            )
        )
    header = ["target", "split", "n", "mean", "sd", "min", "max", *(["published"] if published else [])]
    show_table("", header, _once(rows))


def _published(row: Comparison | None) -> Text | str:
    if row is None:
        return ""
    return Text("differs", style="bold red") if row.differs else "same"


def _answers(report: Report) -> None:
    rows = []
    for each in report.annotations:
        found = each.reliability
        figures = (
            ("", "", "", "")
            if found is None
            else (
                _short(found.reliability),
                _short(found.split_half),
                _short(found.ceiling),
                f"{found.noise:.5f}",
            )
        )
        counts = (f"{each.low:,}–{each.high:,}", f"{each.median:g}")
        rows.append((each.target, each.split or _only_split(report) or "all", *counts, *figures))
    header = ["target", "split", "answers", "median", "reliable", "halves", "ceiling", "MSE floor"]
    show_table("", header, _once(rows))


def _only_split(report: Report) -> str | None:
    """Return the split that all rows are of, if they are."""
    splits = report.counts.splits.get("split", {})
    return next((name for name, n in splits.items() if n == report.counts.rows), None)


def _once(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Name a target in its first row only."""
    return [("", *row[1:]) if at and rows[at - 1][0] == row[0] else row for at, row in enumerate(rows)]


def _number(value: float | None) -> str:
    """Write shares with four digits and slopes with three that count."""
    if value is None:
        return ""
    return f"{value:.4f}" if abs(value) >= 0.1 else f"{value:#.3g}" if value else "0"


def _short(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
