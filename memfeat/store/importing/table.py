"""What all files with a row per video share: named rows, the column of names, and the choice of columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from memfeat.errors import UsageError, nearest
from memfeat.store.importing.values import Array, FeatureFileError, Shipment, Values, checked
from memfeat.store.labels import COUNT, SPLIT

ID_COLUMNS = ("id", "ids", "video_id", "video", "video_name", "name", "names", "filename", "file", "image")
_SHOWN = 5


class TableShipment(Shipment):
    """The rows of one file.

    Parameters
    ----------
    path
        The file.
    names
        Name of each row.
    rows
        (n,) or (n, 1): a number for each; (n, D) or (n, T, D); or a list with an array for each row, or why it
        cannot be used.
    remarks
        As in `Shipment`.

    Raises
    ------
    UsageError
        Names repeat or are empty, or there are not as many as rows.

    Examples
    --------
    >>> TableShipment(Path("a.npz"), ["x", "y"], np.eye(2)).read("y").array
    array([0., 1.])
    """

    def __init__(
        self,
        path: Path,
        names: Sequence[str],
        rows: Sequence[Array | FeatureFileError] | Array,
        *,
        remarks: Sequence[str] = (),
    ) -> None:
        if len(names) != len(rows):
            raise UsageError(f"{path} has {len(names)} names for {len(rows)} rows. Restore it from a copy.")
        if not len(names):
            raise UsageError(f"{path} has no row.")
        if blank := [row for row, name in enumerate(names, 1) if not name.strip()]:
            raise UsageError(f"{path}: row {blank[0]} has no name.")
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            raise UsageError(
                f"{path} has {len(twice)} names more than once, such as {twice[0]!r}. Keep one row each."
            )
        self.path = path
        if isinstance(rows, np.ndarray) and rows.ndim == 2 and rows.shape[1] == 1:
            rows = rows[:, 0]  # one number per video, which keeps its 64 bits
        self._rows: dict[str, Any] = dict(zip(names, rows, strict=True))
        super().__init__(names, remarks=remarks)

    def files(self, name: str) -> tuple[Path, ...]:
        """Return the one file."""
        return (self.path,)

    def read(self, name: str) -> Values:
        """Return one row."""
        row = self._rows[name]
        if isinstance(row, FeatureFileError):
            raise row
        return Values(checked(np.asarray(row), f"{self.path}, {name!r}"))


def find_id_column(columns: Sequence[str], given: str | None, path: Path) -> tuple[str, list[str]]:
    """Return the column that names the videos, and what was guessed.

    It is the one given; else the one column with a usual name (``id``, ``video_id``, ...); else the first.

    Raises
    ------
    UsageError
        There is no such column, several have usual names, or two columns share a name.
    """
    if len(set(columns)) != len(columns):
        twice = next(name for name, count in Counter(columns).items() if count > 1)
        raise UsageError(f"{path} has two columns called {twice!r}. Name them apart.")
    if given is not None:
        if given not in columns:
            listed = ", ".join(columns[:_SHOWN])
            raise UsageError(f"{path} has no column {given!r}; it has {listed}.{nearest(given, columns)}")
        return given, []
    usual = [name for name in columns if name.strip().lower() in ID_COLUMNS]
    if len(usual) > 1:
        raise UsageError(
            f"Any of {', '.join(usual)} may name the videos in {path}. Say which with id_column (--id-column)."
        )
    if not columns:
        raise UsageError(f"{path} has no column.")
    if usual:
        return usual[0], []
    return columns[0], [f"The videos of {path.name} are named by its first column, {columns[0]!r}."]


def pick(known: Sequence[str], wanted: Sequence[str] | None, where: object) -> list[str]:
    """Return the names that are wanted, ``a`` also meaning ``a[0]``, ``a[1]`` and so on, in their order.

    >>> pick(["hog:mean[0]", "hog:mean[1]", "size"], ["hog:mean"], "a.csv")
    ['hog:mean[0]', 'hog:mean[1]']

    Raises
    ------
    UsageError
        There is no such name, or none at all.
    """
    if wanted is None:
        if not known:
            raise UsageError(f"{where} has names and no numbers.")
        return list(known)
    chosen: list[str] = []
    for name in wanted:
        parts = [one for one in known if one.startswith(f"{name}[") and one[-1] == "]"]
        found = [name] if name in known else parts
        if not found:
            more = ", …" if len(known) > _SHOWN else ""
            raise UsageError(
                f"{where} has no column {name!r}; it has {', '.join(known[:_SHOWN])}{more}.{nearest(name, known)}"
            )
        chosen += found
    return chosen


def choose(
    known: Sequence[str], wanted: Sequence[str] | None, where: object, labels: Collection[str] = ()
) -> tuple[list[str], list[str]]:
    """Return the columns that hold the feature, and what to say of those taken and left out.

    Without `wanted` these are all but labels, which are what a model predicts: columns named like one of `labels`, or
    as every store calls its labels (``split``, ``group``, ``split:<name>``, ``n:<target>`` and the target it counts).

    >>> choose(["hog", "score", "n:score"], None, "a.csv")[0]
    ['hog']

    Raises
    ------
    UsageError
        There is no such column, or nothing but labels.
    """
    counted = [name.strip()[len(COUNT) :] for name in known if name.strip().startswith(COUNT)]
    named = {name.strip().casefold() for name in (*labels, *counted, "split", "group")}
    found = [
        name
        for name in known
        if name.strip().casefold() in named or name.strip().casefold().startswith((COUNT, SPLIT))
    ]
    if wanted is not None:
        chosen = pick(known, wanted, where)
        given = [name for name in chosen if name in found]
        said = (
            f"Columns taken that are named like labels: {_some(given)}. A model that predicts a label from itself "
            "is given the answer."
        )
        return chosen, [_taken(chosen), *([said] if given else [])]
    if known and len(found) == len(known):
        raise UsageError(
            f"{where} has names and labels ({_some(found)}), and no other column. Labels are what models predict and "
            "no feature; name columns that are one all the same with columns (--columns)."
        )
    chosen = pick([name for name in known if name not in found], None, where)
    left = (
        f"Columns left out: {_some(found)}. They are named like labels, which are what models predict; name columns "
        "with --columns to take them all the same."
    )
    return chosen, [_taken(chosen), *([left] if found else [])]


def _taken(columns: Sequence[str]) -> str:
    if len(columns) <= _SHOWN:
        return f"Columns taken: {', '.join(columns)}."
    return f"Columns taken: {len(columns)}, from {columns[0]!r} to {columns[-1]!r}."


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
