"""CSV and TSV with a heading and a row per video, read to the last bit and row by row."""

from __future__ import annotations

import csv
from collections.abc import Collection, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from memfeat.errors import UsageError
from memfeat.store.importing.table import TableShipment, choose, find_id_column
from memfeat.store.importing.values import Array, FeatureFileError

_NO_NUMBER = ("", "nan", "na", "null", "none")


def read_delimited(
    path: Path,
    *,
    id_column: str | None = None,
    columns: Sequence[str] | None = None,
    labels: Collection[str] = (),
) -> TableShipment:
    """Return the rows of a table between commas, semicolons or tabs.

    Parameters
    ----------
    path
        The table, with a heading.
    id_column
        Column that names the videos; see `find_id_column`.
    columns
        Columns that hold the feature, in this order; ``hog:mean`` also means ``hog:mean[0]``, ``hog:mean[1]``,
        .... Default: all others but labels.
    labels
        Names of the store's labels; see `memfeat.store.importing.table.choose`.

    Raises
    ------
    UsageError
        The table cannot be read or has no heading, a row has another number of cells, a column is missing or holds
        text, or a name is there twice.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "a.csv")
    ...     _ = file.write_text("id,x,y\\n007,0.1,0.2\\n")
    ...     read_delimited(file).read("007").array
    array([0.1, 0.2])
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            separator = _separator(path, file.readline())
            file.seek(0)
            return _read(path, csv.reader(file, delimiter=separator, strict=True), id_column, columns, labels)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read as a table: {error}.") from error


def _read(
    path: Path,
    lines: Any,
    id_column: str | None,
    columns: Sequence[str] | None,
    labels: Collection[str],
) -> TableShipment:
    heading: list[str] = next(lines, [])
    by, remarks = find_id_column(heading, id_column, path)
    _refuse_no_heading(heading, path)
    chosen, said = choose([name for name in heading if name != by], columns, path, labels)
    name_at, at = heading.index(by), [heading.index(name) for name in chosen]
    take = itemgetter(*at) if len(at) > 1 else lambda cells: (cells[at[0]],)
    names: list[str] = []
    rows: list[Array | FeatureFileError] = []
    for cells in lines:
        if not any(cells):
            continue
        if len(cells) != len(heading):
            raise UsageError(
                f"{path}, line {lines.line_num} has {len(cells)} cells, the heading {len(heading)}. Restore it from "
                "a copy."
            )
        name = cells[name_at].strip()
        row = _numbers(take(cells), f"{path}, line {lines.line_num} ({name!r})", chosen)
        if not names and isinstance(row, FeatureFileError):
            raise UsageError(f"{row} Choose the columns that hold the feature with columns (--columns).")
        names.append(name)
        rows.append(row[0] if len(at) == 1 and not isinstance(row, FeatureFileError) else row)
    return TableShipment(path, names, rows, remarks=[*remarks, *said])


def _numbers(cells: Sequence[str], where: str, columns: Sequence[str]) -> Array | FeatureFileError:
    try:
        if not any("_" in cell for cell in cells):  # float() takes 1_000 for a number
            return np.array(cells, dtype=np.float64)
    except ValueError:
        pass
    found = np.empty(len(cells))
    for place, (cell, column) in enumerate(zip(cells, columns, strict=True)):
        try:
            if "_" in cell:
                raise ValueError
            found[place] = np.nan if cell.strip().lower() in _NO_NUMBER else float(cell)
        except ValueError:
            return FeatureFileError(f"{where}, column {column!r}: {cell!r} is no number.")
    return found


def _refuse_no_heading(names: Sequence[str], path: Path) -> None:
    """Raise when a heading holds numbers, unless they count the columns."""
    try:
        numbers = [float(name) for name in names[1:]]
    except ValueError:
        return
    if numbers and numbers not in ([*range(len(numbers))], [*range(1, len(numbers) + 1)]):
        raise UsageError(
            f"{path} has no heading: its first line is {', '.join(names[:3])}, …. Put a line with names above."
        )


def _separator(path: Path, heading: str) -> str:
    return "\t" if path.suffix.lower() == ".tsv" else max(",;\t", key=heading.count)
