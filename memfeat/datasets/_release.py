"""Reading the tables of a release: every problem is told with its file, its line and its column."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from memfeat.dataset import nfc
from memfeat.datasets._files import find_files, one_file, sources
from memfeat.errors import LabelError, nearest

__all__ = [
    "Table",
    "find_files",
    "json_table",
    "one_file",
    "plain_texts",
    "read_csv",
    "read_json",
    "sources",
    "whole_number",
]

_BLANK = frozenset({"", "na", "n/a", "nan", "null", "none", "-"})
_INTEGER = re.compile(r"(\d+)(?:\.0*)?")
_SHOWN = 3


@dataclass(frozen=True)
class Table:
    """Cells as a file has them, by line (or, for JSON, by number of the entry, from 1).

    Examples
    --------
    >>> table = json_table(Path("a.json"), [{"filename": " a.mp4", "mem_score": 0.5}])
    >>> table.names("filename").tolist(), table.numbers("mem_score", low=0, high=1).tolist()
    (['a.mp4'], [0.5])
    >>> table.numbers("mem_score", high=0.4)
    Traceback (most recent call last):
        ...
    memfeat.errors.LabelError: a.json, entry 1, column 'mem_score': 0.5 is above 0.4...
    """

    file: Path
    cells: pd.DataFrame
    unit: str = "line"

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return [str(column) for column in self.cells.columns]

    def error(self, row: object, column: str, problem: str) -> LabelError:
        """Return an error that names the file, the row and the column."""
        return LabelError(f"{self.file}, {self.unit} {row}, column {column!r}: {problem}")

    def column(self, *names: str) -> str:
        """Return the first of `names` that is a column, without regard to case, ``-``, ``_`` and blanks.

        Raises
        ------
        LabelError
            None is there.
        """
        column = self.optional(*names)
        if column is None:
            near = nearest(names[0], self.columns)
            raise LabelError(
                f"{self.file} has no column {names[0]!r}.{near} Its columns: {', '.join(self.columns)}."
            )
        return column

    def optional(self, *names: str) -> str | None:
        """Return the first of `names` that is a column, or None."""
        spelt = {_plain(column): column for column in self.columns}
        return next((spelt[_plain(name)] for name in names if _plain(name) in spelt), None)

    def names(self, column: str, *, unique: bool = True) -> pd.Series[Any]:
        """Return a column of names, stripped and in composed Unicode.

        Raises
        ------
        LabelError
            One is blank, or stands twice though they should be `unique`.
        """
        return self.keys(column, str, "", unique=unique)

    def integers(self, column: str, *, unique: bool = True) -> pd.Series[Any]:
        """Return a column of numbered ids as text without leading zeros: ``8``, ``00008`` and ``8.0`` are ``8``.

        Raises
        ------
        LabelError
            One is no whole number, or stands twice though they should be `unique`.
        """
        return self.keys(column, whole_number, "a whole number is needed", unique=unique)

    def keys(
        self, column: str, key: Callable[[str], str], needed: str, *, unique: bool = True
    ) -> pd.Series[Any]:
        """Return what `key` makes of a column of names.

        Parameters
        ----------
        column
            Its name.
        key
            From a name to what identifies its row; empty where the name is none.
        needed
            What a name should be, for the message.
        unique
            Whether every row is to have another one.

        Raises
        ------
        LabelError
            A name is blank or none, or stands twice.
        """
        rows: dict[str, list[object]] = {}
        found = []
        for row, cell in self.cells[column].items():
            name = "" if _is_blank(cell) else nfc(cell)
            if not name:
                raise self.error(row, column, "is empty; every row needs a name.")
            if not (made := key(name)):
                raise self.error(row, column, f"{name!r} is none; {needed}.")
            rows.setdefault(made, []).append(row)
            found.append(made)
        again = {name: at for name, at in rows.items() if len(at) > 1}
        if unique and again:
            name, at = next(iter(again.items()))
            rows_of = "lines" if self.unit == "line" else "entries"
            raise LabelError(
                f"{self.file}, {rows_of} {', '.join(map(str, at[:_SHOWN]))}, column {column!r}: {name!r} stands "
                f"{len(at)} times ({len(again)} names stand more than once). Keep one row each."
            )
        return pd.Series(found, index=self.cells.index, dtype=object)

    def numbers(
        self, column: str, *, low: float | None = None, high: float | None = None, withheld: bool = False
    ) -> pd.Series[Any]:
        """Return a column of numbers.

        Parameters
        ----------
        column
            Its name.
        low, high
            Least and greatest value that is possible.
        withheld
            Whether blank cells are in order (NaN then), as in a test set without scores.

        Raises
        ------
        LabelError
            A cell is blank, NaN, infinite, no number, or out of range.
        """
        values = [
            self._number(row, column, cell, low, high, withheld) for row, cell in self.cells[column].items()
        ]
        return pd.Series(np.array(values, np.float64), index=self.cells.index, name=column)

    def _number(
        self, row: object, column: str, cell: Any, low: float | None, high: float | None, withheld: bool
    ) -> float:
        if _is_blank(cell):
            if withheld:
                return math.nan
            raise self.error(row, column, f"{_shown(cell)} where a score is needed. Get the file again.")
        try:
            value = math.nan if isinstance(cell, bool) or "_" in str(cell) else float(cell)
        except (TypeError, ValueError, OverflowError):
            value = math.nan
        if not math.isfinite(value):
            raise self.error(
                row, column, f"{_shown(cell)} is no finite number. Write numbers with a point, as in 0.75."
            )
        if low is not None and value < low:
            raise self.error(row, column, f"{value:g} is below {low:g}, the least that is possible.")
        if high is not None and value > high:
            raise self.error(row, column, f"{value:g} is above {high:g}, the most that is possible.")
        return value

    def texts(self, *columns: str) -> pd.Series[Any]:
        """Return the texts of some columns, one tuple per row: blanks left out, white space made plain.

        A cell may be one text or a list of texts.
        """
        rows = [
            tuple(text for column in columns for text in plain_texts(self.cells.at[row, column]))
            for row in self.cells.index
        ]
        return pd.Series(rows, index=self.cells.index, dtype=object)


def plain_texts(cell: Any) -> tuple[str, ...]:
    r"""Return the texts of a cell, or of a list of cells nested in any way, without blank ones.

    >>> plain_texts([" a  dog\n", "", ["runs", None]])
    ('a dog', 'runs')
    """
    if isinstance(cell, list | tuple):
        return tuple(text for part in cell for text in plain_texts(part))
    text = "" if cell is None or isinstance(cell, float) else " ".join(nfc(cell).split())
    return (text,) if text and text.lower() not in ("nan", "none", "null") else ()


def whole_number(name: str) -> str:
    """Return a whole number without leading zeros, or nothing.

    >>> whole_number("00008"), whole_number("8.0"), whole_number("8a")
    ('8', '8', '')
    """
    found = _INTEGER.fullmatch(name)
    return str(int(found[1])) if found else ""


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "-", name.strip().lower())


def _is_blank(cell: Any) -> bool:
    if isinstance(cell, str):
        return cell.strip().lower() in _BLANK
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def _shown(cell: Any) -> str:
    return "is empty" if cell in (None, "") else repr(cell)[:60]


def read_csv(
    file: Path,
    *,
    required: Sequence[str] = (),
    header: Sequence[str] | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
) -> Table:
    """Read a table of text with every cell as it was written.

    A byte-order mark, CRLF, tabs or semicolons, and line breaks inside quotes are accepted; rows are known by
    the line they begin on.

    Parameters
    ----------
    file
        CSV or TSV in UTF-8.
    required
        Columns that must be there.
    header
        Names of the columns where the file does not give them.
    delimiter
        What separates cells; guessed from the first line.
    encoding
        How the release writes its text where that is not UTF-8.

    Raises
    ------
    LabelError
        It cannot be read, a row has too few or too many cells, or a column is missing or there twice.
    """
    rows = _read_rows(file, delimiter, encoding)
    if header is None:
        if not rows:
            raise LabelError(f"{file} is empty. Get it again.")
        header = rows.pop(0)[1]
    columns = [nfc(name) for name in header]
    while columns and not columns[-1]:
        columns.pop()
    if twice := [name for name in columns if columns.count(name) > 1]:
        raise LabelError(f"{file} has several columns named {twice[0]!r}. Rename them.")
    for line, cells in rows:
        if len(cells) < len(columns) or any(cell.strip() for cell in cells[len(columns) :]):
            raise LabelError(
                f"{file}, line {line}: {len(cells)} cells where there are {len(columns)} columns "
                f"({', '.join(columns)}). The file may be cut off or badly quoted; get it again."
            )
    cut = [cells[: len(columns)] for _, cells in rows]
    table = Table(file, pd.DataFrame(cut, index=[line for line, _ in rows], columns=columns, dtype=object))
    for name in required:
        table.column(name)
    return table


def _read_rows(file: Path, delimiter: str | None, encoding: str | None) -> list[tuple[int, list[str]]]:
    """Return the cells of each row that is not blank, with the line it begins on."""
    try:
        data = file.read_bytes()
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if encoding is None:
            raise LabelError(
                f"{file} is no UTF-8 text ({error.reason} at byte {error.start}). Save it as CSV in UTF-8."
            ) from error
        text = data.decode(encoding, errors="replace")
    except OSError as error:
        raise LabelError(f"{file} cannot be read: {error.strerror}.") from error
    if delimiter is None:
        delimiter = max(",;\t", key=text.partition("\n")[0].count)
    rows: list[tuple[int, list[str]]] = []
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((begins, cells))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise LabelError(
            f"{file}, line {begins}: cannot be read as a table ({error}). Its end may be missing; get it again."
        ) from error
    return rows


def read_json(file: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    LabelError
        It cannot be read, or an object has a field twice; where its content breaks off is said by line and
        column.
    """

    def once(fields: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(fields)
        if len(made) < len(fields):  # json would keep the last one and drop the others in silence
            names = [name for name, _ in fields]
            twice = next(name for name in names if names.count(name) > 1)
            raise LabelError(f"{file}: {twice!r} stands twice in one object. Keep one of them.")
        return made

    try:
        return json.loads(file.read_text(encoding="utf-8-sig"), object_pairs_hook=once)
    except UnicodeDecodeError as error:
        raise LabelError(f"{file} is no UTF-8 text ({error.reason} at byte {error.start}).") from error
    except OSError as error:
        raise LabelError(f"{file} cannot be read: {error.strerror}.") from error
    except (json.JSONDecodeError, RecursionError) as error:
        place = (
            f", line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        )
        detail = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
        raise LabelError(
            f"{file}{place}: is no complete JSON ({detail}). Its end may be missing; get it again."
        ) from error


def json_table(file: Path, entries: Any, *, keys: Sequence[object] | None = None) -> Table:
    """Return a list of JSON objects as a table; a field that an entry lacks is None.

    Parameters
    ----------
    file
        Where they are from, for messages.
    entries
        The list.
    keys
        What to call the rows in messages; their number from 1 when not given.

    Raises
    ------
    LabelError
        It is no list of objects, or an empty one.
    """
    if not isinstance(entries, list) or not entries:
        what = type(entries).__name__ if not isinstance(entries, list) else "an empty list"
        raise LabelError(f"{file} should hold a list of entries; it holds {what}. Is it the right file?")
    named = list(keys) if keys is not None else list(range(1, len(entries) + 1))
    for name, entry in zip(named, entries, strict=True):
        if not isinstance(entry, Mapping):
            raise LabelError(f"{file}, entry {name}: {str(entry)[:60]!r} is no object with fields.")
    columns = list(dict.fromkeys(str(field) for entry in entries for field in entry))
    cells = {field: [entry.get(field) for entry in entries] for field in columns}
    frame = pd.DataFrame(
        {field: pd.Series(column, index=named, dtype=object) for field, column in cells.items()}
    )
    return Table(file, frame, "entry")
