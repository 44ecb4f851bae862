"""A comparison as plain text: one block per metric, or all side by side where the terminal is wide enough."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from memfeat.evaluation.comparison.lines import (
    NAMES,
    About,
    Line,
    cell,
    difference_cell,
    spread_cell,
)

_GAP = "  "


def as_text(lines: Sequence[Line], about: About, *, width: int = 80) -> str:
    """Return the comparison in fixed columns, with what must be known of it below.

    Parameters
    ----------
    lines, about
        The comparison.
    width
        Of the terminal: metrics stand side by side where all of them fit, else one below the other.
    """
    mark = "*" if about.note else ""
    title = f"{about.dataset}: {about.target}{mark}, {about.how}, n = {about.judged}"
    text = [title, ""]
    blocks = [_metric(lines, metric, about, raw=metric == "spearman") for metric in NAMES]
    names = [["system", *(line.name for line in lines)]]
    whole = [*names, *(column for block in blocks for column in block)]
    if _width(whole) <= width:
        text += _table(whole)
    else:
        for metric, block in zip(NAMES, blocks, strict=True):
            for chunk in _packed(names, block, NAMES[metric], width):
                text += [*_table(chunk), ""]
        text.pop()
    text.append("")
    for remark in (
        *(f"{line.name} failed: {line.failure}" for line in lines if line.failure),
        *remarks(lines, about),
        *([f"* {about.note}"] if about.note else []),
    ):
        text += _wrapped(remark, width)
    return "\n".join(text) + "\n"


def remarks(lines: Sequence[Line], about: About) -> list[str]:
    """Return what must be known beside the figures, the caution of the scores and failures apart."""
    return [
        *legend(lines, about),
        *_features(lines),
        f"rows: {about.rows}, {about.rule}",
        *([f"{about.damaged} videos did not decode cleanly"] if about.damaged else []),
        *_notes(lines),
        *(f"note: {note}" for note in about.notes),
    ]


def legend(lines: Sequence[Line], about: About) -> list[str]:
    """Return what the columns of a comparison mean, a sentence for each kind that is there."""
    found = []
    if about.resamples:
        found.append(
            f"[ ]: {100 * about.level:g} % bootstrap intervals, {about.resamples} resamples of the same rows for "
            "all systems"
        )
    if len(lines) > 1:
        found.append(f"difference: the system minus {about.baseline}, resampled in pairs")
    # A constant has no figure and no interval that resamples could be left out of.
    defined = [f for line in lines for f in line.figures.values() if f.value is not None]
    degenerate = max((f.degenerate for f in defined), default=0)
    if degenerate:
        found.append(f"up to {degenerate} resamples were constant and are left out of an interval")
    if any(line.spread for line in lines):
        found.append("±: standard deviation over seeds, whose mean is the figure")
    if any(line.raw for line in lines):
        found.append(
            "raw rho: Spearman's correlation of the column itself with the score, nothing fitted; the figures "
            "beside it are of held-out predictions"
        )
    return found


def _metric(lines: Sequence[Line], metric: str, about: About, *, raw: bool) -> list[list[str]]:
    """Return the columns of one metric, each with its heading."""
    figures = [
        cell(line.figures[metric]) if line.figures else "failed" if line.failure else "" for line in lines
    ]
    columns = [[NAMES[metric], *figures]]
    if any(line.spread for line in lines):
        columns.append(["±", *(spread_cell(line, metric) for line in lines)])
    if raw and any(line.raw for line in lines):
        columns.append(["raw rho", *(cell(line.raw, signed=True) if line.raw else "" for line in lines)])
    if len(lines) > 1:
        columns.append(["difference", *(difference_cell(line, metric, about) for line in lines)])
    return columns


def _packed(
    names: list[list[str]], columns: list[list[str]], metric: str, width: int
) -> Iterator[list[list[str]]]:
    """Yield the names with as many columns as fit beside them, then with the next ones, which name the metric."""
    chunk = [*names, columns[0]]
    for column in columns[1:]:
        if _width([*chunk, column]) > width:
            yield chunk
            chunk = [*names, [f"{metric} {column[0]}", *column[1:]]]
        else:
            chunk.append(column)
    yield chunk


def _table(columns: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(text) for text in column) for column in columns]
    rows = [
        _GAP.join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in zip(*columns, strict=True)
    ]
    return [rows[0], _GAP.join("-" * width for width in widths), *rows[1:]]


def _width(columns: Sequence[Sequence[str]]) -> int:
    return sum(max(len(text) for text in column) for column in columns) + len(_GAP) * (len(columns) - 1)


def _features(lines: Sequence[Line]) -> list[str]:
    """Say which columns the systems have, unless their names say it: once where all have the same."""
    found = []
    of = {line.features for line in lines if line.features}
    if len(of) == 1:
        found.append(f"features: {', '.join(next(iter(of)))}")
    for line in lines:
        told = len(of) == 1 or not line.features or "+".join(line.features) in line.name
        said = [] if told else [", ".join(line.features)]
        if line.parameters:
            said.append(line.parameters)
        if said:
            found.append(f"{line.name}: {'; '.join(said)}")
    return found


def _notes(lines: Sequence[Line]) -> list[str]:
    """Return what fits had to say, each remark once with the systems that it is of."""
    of: dict[str, list[str]] = {}
    for line in lines:
        for note in line.notes:
            of.setdefault(note, []).append(line.name)
    return [f"{', '.join(names)}: {note}" for note, names in of.items()]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()), width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
