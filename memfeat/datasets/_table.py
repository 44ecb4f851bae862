"""From a table as somebody wrote it to labels by video id: roles of columns, cells, matching, and what to say."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pandas as pd

from memfeat.dataset import nfc
from memfeat.errors import LabelError, nearest
from memfeat.matching import Matches, match, resemblance
from memfeat.store.labels import Labels
from memfeat.store.source import Source
from memfeat.video.header import IMAGE_SUFFIXES, VIDEO_SUFFIXES

_SHOWN = 5
_BLANK = frozenset({"", "na", "n/a", "nan", "null", "none", "-"})
_SPLIT_NAMES = ("split", "set", "subset", "partition")
_COUNT_HINTS = ("annotation", "nb_", "n_", "count", "num_")
_NAME_HEADINGS = ("video", "image", "file", "filename", "name", "clip", "stem", "path", "id")
"""Headings of the column of names, though a file may be called so too."""
_MEDIA = (*VIDEO_SUFFIXES, *IMAGE_SUFFIXES)
_IN_RECIPE = "under [dataset] in a recipe, pipelines/NAME.toml"
_NOT_SCORES = ("", "index", "unnamed: 0", "width", "height", "fps", "frames", "num_frames", "duration")


@dataclass(frozen=True)
class Roles:
    """Which columns mean what; None is guessed."""

    id: str | None = None
    targets: list[str] | None = None
    split: str | None = None
    group: str | None = None
    annotations: dict[str, str] = field(default_factory=dict)


def read_table(file: Path) -> pd.DataFrame:
    """Read a CSV, TSV or parquet file with every cell as text: nothing is converted behind the user's back.

    The index is the line number in the file. A byte-order mark, CRLF and ``;`` or tab as separators are accepted.

    Raises
    ------
    LabelError
        The file is empty, is no table, or its rows have different lengths.
    """
    try:
        if file.suffix.lower() == ".parquet":
            table = pd.read_parquet(file).reset_index(drop=True)
            text = table.map(lambda cell: "" if pd.isna(cell) else str(cell))
            text.index = pd.RangeIndex(1, len(text) + 1)
        else:
            cells = pd.read_csv(
                file,
                header=None,
                dtype=str,
                keep_default_na=False,
                encoding="utf-8-sig",
                sep=_separator(file),
                index_col=False,
                skip_blank_lines=False,
                on_bad_lines="error",
            ).fillna("")
            # The header is a row like any other: pandas would rename a column that stands twice.
            text = cells.iloc[1:].set_axis(cells.iloc[0].tolist(), axis=1)
            text.index = pd.RangeIndex(2, len(text) + 2)
    except UnicodeDecodeError as error:
        raise LabelError(
            f"{file} cannot be read as a table: it is no UTF-8 text ({error.reason} at byte {error.start}). "
            "Save it as CSV in UTF-8."
        ) from error
    except pd.errors.EmptyDataError as error:
        raise LabelError(
            f"{file} cannot be read as a table: it is empty. Write a heading such as video,memorability, and a line "
            "per video."
        ) from error
    except (pd.errors.ParserError, ValueError, OSError) as error:
        why = _damage(file) if isinstance(error, pd.errors.ParserError) else ""
        reason = why or f"{str(error).strip().rstrip('.')}."
        raise LabelError(f"{file} cannot be read as a table: {reason}") from error
    text.columns = pd.Index([nfc(column) for column in text.columns])
    # Spreadsheets leave columns without name or content at the right edge.
    text = text.loc[:, [bool(name) or bool((text.iloc[:, at] != "").any()) for at, name in enumerate(text)]]
    twice = sorted({str(column) for column in text.columns[text.columns.duplicated()]})
    if twice:
        raise LabelError(
            f"{file} has several columns named {', '.join(name or '(nothing)' for name in twice)}. Rename them."
        )
    return text[(text != "").any(axis=1)]


def _separator(file: Path) -> str:
    with file.open(encoding="utf-8-sig") as lines:
        first = lines.readline()
    return max(",;\t", key=first.count)


def _damage(file: Path) -> str:
    """Return which line of a text table is no row of it; empty where none is found."""
    separator, begins, expected = _separator(file), 1, 0
    with file.open(encoding="utf-8-sig", newline="") as text:
        rows = csv.reader(text, delimiter=separator, strict=True)
        try:
            for cells in rows:
                expected = expected or max(len(cells), 1)
                if len(cells) > expected:
                    comma = (
                        "put cells that hold a comma between quotation marks, and "
                        if separator == ","
                        else ""
                    )
                    return (
                        f"line {begins} has {len(cells)} fields, the first line {expected}. Separate columns "
                        f"the same way in every line; {comma}write numbers with a point."
                    )
                begins = rows.line_num + 1
        except csv.Error:
            return f"the quotation marks of the row that begins in line {begins} do not pair up. Close or remove them."
    return ""


def to_labels(
    table: pd.DataFrame,
    file: Path,
    ids: Sequence[str] | None,
    roles: Roles,
    *,
    synthetic: bool,
    note: str,
) -> tuple[Labels, list[str], Matches]:
    """Turn a table of text into labels by video id, and say what was guessed, blank or left without a partner.

    Without `ids` (there is no video), the names in the table are the ids.

    Raises
    ------
    LabelError
        A named column does not exist, no column fits, a cell is no number, or rows and videos do not match
        one to one.
    """
    remarks: list[str] = []
    named = [roles.id, roles.split, roles.group, *(roles.targets or []), *roles.annotations.values()]
    if not any(column in table.columns for column in named):
        _refuse_no_heading(table, file, ids or ())
    if table.empty:
        raise LabelError(f"{file} has no rows.")
    for column in named:
        if column is not None and column not in table.columns:
            raise LabelError(
                f"{file} has no column {column!r}.{nearest(column, table.columns)} "
                f"Its columns: {', '.join(map(str, table.columns))}."
            )
    id_column = roles.id or _guess_id(table, file, ids or (), remarks)
    split = roles.split or next((c for c in table.columns if c.lower() in _SPLIT_NAMES), None)
    taken = {id_column, split, roles.group, *roles.annotations.values()}
    targets = roles.targets or _guess_targets(table, file, taken, remarks)
    if split is not None and roles.split is None:
        remarks.append(f"Column {split!r} is read as the split.")

    names = _names(table, file, id_column)
    matches = match(names.tolist(), ids if ids is not None else names.tolist())
    if not matches.video_of:
        raise LabelError(
            f"No row of {file} (column {id_column!r}, e.g. {names.iloc[0]!r}) names a video "
            f'(e.g. {next(iter(ids or ["none"]))!r}). Name the right column with id = "…" {_IN_RECIPE}.'
        )
    columns: dict[str, pd.Series] = {target: _numbers(table[target], file) for target in targets}
    columns |= {f"n:{target}": _numbers(table[column], file) for target, column in roles.annotations.items()}
    for role, column in (("split", split), ("group", roles.group)):
        if column is not None:
            columns[role] = table[column].map(nfc)
    labels = pd.DataFrame(columns)
    labels.index = pd.Index([matches.video_of.get(name) for name in names], dtype=object, name="id")
    labels = labels[labels.index.notna()].sort_index()

    for target in targets:
        low, high = labels[target].min(), labels[target].max()
        if low < 0 or high > 1:
            remarks.append(
                f"The scores {target!r} lie between {low:g} and {high:g}, not between 0 and 1: networks with a sigmoid "
                "refuse them without scale_target, and errors such as MSE are on that scale."
            )
        blank = int(labels[target].isna().sum())
        if blank:
            remarks.append(
                f"{blank} of {len(labels)} rows have no {target!r}; they are kept without a label."
            )
    remarks += _unmatched(f"rows of {file.name} name no video", matches.rows_without_video)
    remarks += _unmatched(f"videos have no row in {file.name}", matches.videos_without_row)
    known = {"name": file.name, "sha256": Source.of(file).sha256}
    return (
        Labels(labels, targets=tuple(targets), synthetic=synthetic, note=note, source=known),
        remarks,
        matches,
    )


def _refuse_no_heading(table: pd.DataFrame, file: Path, ids: Sequence[str]) -> None:
    """Raise when the first line is a row: it names a file that no other row names, or holds a number for a name."""
    columns = [str(column) for column in table.columns]
    numbers = [column for column in columns if _is_number(column)]
    for column in columns:
        if column in numbers and not _counts(numbers):
            what = f"{column!r} is a number"
        elif PurePosixPath(column).suffix.lower() in _MEDIA or _names_a_file(column, table, ids):
            what = f"{column!r} is a file, not what a column is called"
        else:
            continue
        line = (", ".join(columns[:_SHOWN]) + (", …" if len(columns) > _SHOWN else "")).strip()
        names = [f"column{place}" for place in range(1, len(columns) + 1)]
        names[:2] = ["video", "memorability"][: len(names)]
        separator = "," if file.suffix.lower() == ".parquet" else _separator(file)
        raise LabelError(
            f"{file} seems to have no heading: its first line is {line!r}, and {what}. Put a line above it that names "
            f"the columns, such as {separator.join(names)!r}; where that line is the heading, name the columns with "
            f'id = "…" and targets = ["…"] {_IN_RECIPE}.'
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.lower() not in _BLANK


def _counts(headings: Sequence[str]) -> bool:
    """Return whether headings count something: years, answers, or columns that pandas gave no name."""
    if not all(heading.isdecimal() for heading in headings):
        return False
    values = [int(heading) for heading in headings]
    steps = range(values[0], values[0] + len(values))
    return values == [*steps] and (len(values) > 1 or values[0] <= 1 or 1900 <= values[0] <= 2100)


def _names_a_file(heading: str, table: pd.DataFrame, ids: Sequence[str]) -> bool:
    """Return whether a heading is the name of a file that no row names."""

    def named(names: Sequence[str]) -> set[str]:
        try:
            return set(match(names, ids).video_of.values())
        except LabelError:  # said where the column is read
            return set()

    if heading.lower() in _NAME_HEADINGS or not (file := named([heading])):
        return False
    return not any(file <= named(sorted(set(table[column].map(nfc)))) for column in table.columns)


def _names(table: pd.DataFrame, file: Path, id_column: str) -> pd.Series:
    names = table[id_column].map(nfc)
    empty = names.index[names == ""]
    if len(empty):
        raise LabelError(f"{file}, line {empty[0]}: the column {id_column!r} is empty.")
    again = names[names.duplicated(keep=False)]
    if len(again):
        lines = ", ".join(str(line) for line in again.index[again == again.iloc[0]])
        raise LabelError(
            f"{file} has {again.nunique()} ids more than once, e.g. {again.iloc[0]!r} in lines {lines}. "
            "Keep one row per video."
        )
    return names


def _unmatched(what: str, names: tuple[str, ...]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return [f"{len(names)} {what}: {', '.join(names[:_SHOWN])}{more}."]


def _numbers(cells: pd.Series, file: Path) -> pd.Series:
    def number(line: int, cell: str) -> float:
        text = cell.strip()
        if text.lower() in _BLANK:
            return math.nan
        try:
            value = float(text)
        except ValueError:
            value = math.inf
        if math.isinf(value):
            raise LabelError(
                f"{file}, line {line}, column {cells.name!r}: {cell!r} is no finite number. "
                "Write numbers with a point, and leave the cell empty where there is no score."
            )
        return value

    numbers = [number(line, cell) for line, cell in zip(cells.index.tolist(), cells.tolist(), strict=True)]
    return pd.Series(numbers, index=cells.index, dtype=float)


def _guess_id(table: pd.DataFrame, file: Path, ids: Sequence[str], remarks: list[str]) -> str:
    def hits(column: str) -> int:
        names = table[column].map(nfc)
        if names.duplicated().any() or (names == "").all():
            return 0
        try:
            return len(match(names.tolist(), ids).video_of)
        except LabelError:
            return 0

    best = max(table.columns, key=hits)
    if hits(best) == 0:
        _explain_nearest(table, file, ids)
        raise LabelError(
            f"No column of {file} names the videos once each (columns: {', '.join(table.columns)}; a video is called "
            f'{next(iter(ids))!r}). Name the column with id = "…" {_IN_RECIPE}, one row per video.'
        )
    remarks.append(f"Column {best!r} is read as the video's name.")
    return str(best)


def _explain_nearest(table: pd.DataFrame, file: Path, ids: Sequence[str]) -> None:
    """Raise what is wrong with the column that names some videos, if any does: repeated or ambiguous names."""
    found = {column: resemblance(set(table[column].map(nfc)), ids) for column in table.columns}
    best = max(found, key=found.__getitem__)
    if found[best]:
        match(_names(table, file, best).tolist(), ids)


def _guess_targets(table: pd.DataFrame, file: Path, taken: set[str | None], remarks: list[str]) -> list[str]:
    def possible(column: str) -> bool:
        low = column.lower()
        if column in taken or low in _NOT_SCORES or low == "id" or low.endswith("_id"):
            return False
        return not any(low.startswith(hint) or hint in low for hint in _COUNT_HINTS)

    def numeric(column: str) -> bool:
        filled = _filled(table[column])
        return len(filled) > 0 and bool(pd.to_numeric(filled, errors="coerce").notna().mean() > 0.5)

    considered = [str(column) for column in table.columns if possible(column)]
    targets = [column for column in considered if numeric(column)]
    if not targets:
        raise LabelError(
            f"No column of {file} holds scores (columns: {', '.join(table.columns)}){_why_none(table, considered)}. "
            "In the column of scores write numbers with a point, such as 0.85; one that is called like an id, a size "
            f'or a count must be named with targets = ["…"] {_IN_RECIPE}.'
        )
    remarks.append(f"Read as scores: {', '.join(targets)}.")
    return targets


def _filled(cells: pd.Series) -> pd.Series:
    cells = cells.str.strip()
    return cells[~cells.str.lower().isin(_BLANK)]


def _why_none(table: pd.DataFrame, considered: Sequence[str]) -> str:
    """Return the first cell of each column that is no number, those with a digit in them first."""
    found = []
    for column in considered:
        filled = _filled(table[column])
        wrong = filled[pd.to_numeric(filled, errors="coerce").isna()]
        if len(wrong):
            found.append((wrong.index[0], column, wrong.iloc[0]))
    found.sort(key=lambda cell: not any(sign.isdigit() for sign in cell[2]))
    said = [f"line {line}, column {column!r}: {cell[:60]!r} is no number" for line, column, cell in found]
    return ": " + "; ".join(said[:_SHOWN]) if said else ""
