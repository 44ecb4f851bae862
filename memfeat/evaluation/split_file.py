"""A split as a table by id, so that it can be published, repeated exactly, or made by somebody else.

One row per video. The column ``split`` holds the fold that a row was held out in, or ``train``, ``val`` and
``test``; ``fit`` are rows that were only fitted. Repeats and several splits stand in columns of their own,
``split:<name>``: the ``labels.csv`` of a store is such a table too.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from memfeat.errors import LabelError, UsageError, nearest
from memfeat.evaluation.splits import FIT, MIN_JUDGED, Part, Plan, own, role
from memfeat.matching import match
from memfeat.store.labels import SPLIT

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 3


def to_table(ids: Sequence[str], plan: Plan) -> pd.DataFrame:
    """Return the table that `load` reads: every row that is used, by id.

    Parameters
    ----------
    ids
        The ids that the plan was made for.
    plan
        A plan.

    Examples
    --------
    >>> from memfeat.evaluation.splits import plan
    >>> ids = [f"v{k}" for k in range(6)]
    >>> to_table(ids, plan(ids, split=["train"] * 3 + ["dev"] * 3))["split"].tolist()
    ['fit', 'fit', 'fit', 'dev', 'dev', 'dev']
    """
    import pandas as pd

    columns: dict[str, dict[int, str]] = {}
    for part in plan.parts:
        where = columns.setdefault(f"{SPLIT}{part.of}" if part.of else "split", {})
        where |= {int(k): where.get(int(k), FIT) for k in part.fit}
        where |= {int(k): part.name.removeprefix(part.of).strip() for k in part.judged}
    rows = plan.used.tolist()
    table = {"id": [ids[k] for k in rows]}
    table |= {column: [where.get(k, "") for k in rows] for column, where in columns.items()}
    return pd.DataFrame(table).sort_values("id", ignore_index=True)


def load(path: str | Path, ids: Sequence[str], *, mode: str = "auto") -> Plan:
    """Make the plan that a table describes, for the rows that can be used.

    Parameters
    ----------
    path
        CSV with the columns ``id`` and ``split``, or ``split:<name>`` for several.
    ids
        Unique ids of the rows that can be used, in any order.
    mode
        ``auto``: all of the table; the name of a split: its column ``split:<name>`` alone.

    Returns
    -------
    Plan

    Raises
    ------
    UsageError
        There is no such file or column.
    LabelError
        The file is no such table, an id stands twice or fits several rows, or a part is too small. The message
        names the line.
    """
    path = Path(path)
    cells = _read(path)
    columns = [name for name in cells[0] if name == "split" or name.startswith(SPLIT)]
    if mode != "auto":
        known = [name.removeprefix(SPLIT) for name in columns]
        if SPLIT + mode not in columns:
            raise UsageError(
                f"{path} has no column {SPLIT + mode!r}.{nearest(mode, known)} A split file replaces --split, "
                f"which may only pick one of its own: {', '.join(known)}."
            )
        columns = [SPLIT + mode]
    elif "split" in columns and len(columns) > 1:
        raise UsageError(
            f"{path} has several splits ({', '.join(columns)}). Pick one by name with --split, or leave "
            "one kind in the file."
        )
    rows, notes = _matched(path, cells, ids)
    parts: list[Part] = []
    kinds = []
    for column in columns:
        at = cells[0].index(column)
        values = [cells[line][at] if line else None for line in rows]
        made, kind, said = _parts(path, column, values)
        parts += made
        kinds.append(kind)
        notes += said
    what = kinds[0] if len(columns) == 1 else f"{', '.join(dict.fromkeys(kinds))}, {len(columns)} times"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    return Plan(
        kind="official" if len(parts) == 1 else "k-fold",
        name=parts[0].name if len(parts) == 1 else what,
        rule=f"as {path.name} says (sha256 {digest}…)",
        parts=tuple(parts),
        notes=tuple(dict.fromkeys(notes)),
    )


def _read(path: Path) -> list[list[str]]:
    """Return the cells of a table, stripped, heading first; the index of a row is its line less one."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            cells = [[cell.strip() for cell in row] for row in csv.reader(file)]
    except FileNotFoundError as error:
        raise UsageError(f"There is no split file {str(path)!r}.") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LabelError(f"{path} cannot be read as a table of splits: {error}.") from error
    heading = cells[0] if cells else []
    if "id" not in heading or not any(name == "split" or name.startswith(SPLIT) for name in heading):
        raise LabelError(
            f"{path} is no table of splits: its columns are {', '.join(heading) or 'none'}; id and split, or "
            f"id and {SPLIT}<name>, are needed."
        )
    if twice := [name for name, count in Counter(heading).items() if count > 1]:
        raise LabelError(f"{path} has several columns named {twice[0]!r}. Keep one.")
    for line, row in enumerate(cells, 1):
        if row and len(row) != len(heading):
            raise LabelError(f"{path}, line {line}: {len(row)} cells, the heading has {len(heading)}.")
    return cells


def _matched(path: Path, cells: list[list[str]], ids: Sequence[str]) -> tuple[list[int], list[str]]:
    """Return the row of the table for each id (0 for none), and what to say of those without a partner."""
    at = cells[0].index("id")
    lines: dict[str, int] = {}
    for line, row in enumerate(cells[1:], 1):
        if row:
            if not row[at]:
                raise LabelError(f"{path}, line {line + 1}: the column 'id' is empty.")
            if row[at] in lines:
                first = lines[row[at]] + 1
                raise LabelError(f"{path}, lines {first} and {line + 1}: {row[at]!r} stands twice. Keep one.")
            lines[row[at]] = line
    exact = lines.keys() & set(ids)
    try:
        # Where ids are those of the rows, a name that is none of them is another video, not a short form of one.
        matches = match(exact or lines, ids)
    except LabelError as error:
        raise LabelError(f"{path}: {error}") from error
    if not matches.video_of:
        example = f"{next(iter(lines))!r} against {ids[0]!r}" if lines and ids else "the table is empty"
        raise LabelError(f"No id of {path} is among the {len(ids)} rows that can be used ({example}).")
    strangers = sorted(lines.keys() - matches.video_of.keys())
    of_id = {video: lines[name] for name, video in matches.video_of.items()}
    notes = []
    for names, what in (
        (strangers, f"of {path.name} are not among the rows that can be used"),
        (sorted(matches.videos_without_row), f"are not in {path.name} and are neither fitted nor judged"),
    ):
        if names:
            more = ", …" if len(names) > _SHOWN else ""
            notes.append(f"{len(names)} ids {what}: {', '.join(names[:_SHOWN])}{more}")
    return [of_id.get(name, 0) for name in ids], notes


def _parts(path: Path, column: str, values: list[str | None]) -> tuple[list[Part], str, list[str]]:
    """Return the parts of one column, what they are, and notes."""
    of = column.removeprefix(SPLIT) if column.startswith(SPLIT) else ""
    names = {value for value in values if value}
    if any(role(name) and name != FIT for name in names):
        made, why_not = own(values, (), len(values), of=of)
        if made is None:
            raise LabelError(f"{path}, column {column!r}: no split can be made of it, because {why_not}.")
        # Rows that are not in the file have been counted already.
        return (
            list(made.parts),
            "official split",
            [note for note in made.notes if "without a split" not in note],
        )
    held = np.array([value or "" for value in values])
    parts = []
    for name in sorted(names - {FIT}, key=_natural):
        judged, fit = np.flatnonzero(held == name), np.flatnonzero((held != name) & (held != ""))
        if min(judged.size, fit.size) < MIN_JUDGED:
            raise LabelError(
                f"{path}, column {column!r}: {name!r} has {judged.size} rows to be judged and {fit.size} to be "
                f"fitted; at least {MIN_JUDGED} each are needed."
            )
        parts.append(Part(f"{of} {name}".strip(), fit, judged, of))
    if not parts:
        raise LabelError(f"{path}, column {column!r} names no rows to be judged.")
    return parts, f"{len(parts)}-fold", []


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in re.split(r"(\d+)", name)]
