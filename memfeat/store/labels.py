"""Scores, splits and groups as they were when the store was filled: ``labels.csv`` and its roles."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from memfeat.errors import LabelError, SetupError, StoreError, UsageError
from memfeat.store.files import write_atomically
from memfeat.store.manifest import Manifest, read_manifest, update_manifest
from memfeat.store.naming import check_id

FILE_NAME = "labels.csv"
COUNT = "n:"
SPLIT = "split:"
SYNTHETIC_NOTE = "synthetic score, computed by a formula: no person was asked"
RESERVED_SPLITS = ("auto", "official", "k-fold", "all-folds")
"""Ways to split that `memfeat.evaluation.splits.plan` knows beside a dataset's own names."""


class Labels:
    """A table of labels, one row per id.

    Parameters
    ----------
    table
        DataFrame whose index holds the ids. Columns: one per target (numbers, NaN where unlabelled);
        ``split`` and ``group`` (text, missing where unknown); ``split:<name>``, a further split that the
        dataset comes with, such as one of several folds (text likewise); ``n:<target>`` (number of
        annotations behind a target).
    targets
        Names of the target columns. Default: every column that is not one of the others.
    synthetic
        True when the scores were computed and not measured on people; shown wherever they are used.
    note
        A sentence that travels with the scores.
    source
        Where the labels came from, JSON-able: file name, sha256, ...

    Raises
    ------
    LabelError
        Ids repeat or are none; a target has text or infinity in it, a reserved name, or is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"score": [0.5, None], "split": ["train", "test"]}, index=["a.mp4", "b.mp4"])
    >>> labels = Labels(table)
    >>> labels.targets, labels.has_split, labels.table.loc["a.mp4", "score"].item()
    (('score',), True, 0.5)
    """

    def __init__(
        self,
        table: pd.DataFrame,
        *,
        targets: Sequence[str] | None = None,
        synthetic: bool = False,
        note: str = "",
        source: Mapping[str, Any] | None = None,
    ) -> None:
        columns = [_column_name(name) for name in table.columns]
        if len(set(columns)) != len(columns):
            raise LabelError(f"The columns of a label table must differ; got {', '.join(columns)}.")
        others = [name for name in columns if _is_text(name) or name.startswith(COUNT)]
        self.targets = (
            tuple(name for name in columns if name not in others) if targets is None else tuple(targets)
        )
        if set(self.targets) != set(columns) - set(others):
            raise LabelError(
                f"The table has the columns {', '.join(columns) or 'none'}; beside split, split:<name>, group "
                f"and n:<target> these must be the targets, which are {', '.join(self.targets) or 'none'}."
            )
        if stray := [
            name for name in others if name.startswith(COUNT) and name[len(COUNT) :] not in self.targets
        ]:
            raise LabelError(f"{stray[0]!r} counts the annotations of a target that is not in the table.")
        self.synthetic = synthetic
        self.note = note or (SYNTHETIC_NOTE if synthetic else "")
        self.source = dict(source or {})
        ids = _ids(table.index)
        data: dict[str, Any] = {name: _numbers(table[name]) for name in columns if not _is_text(name)}
        named = [name for name in columns if name.startswith(SPLIT)]
        texts = [name for name in ("split", *named, "group") if name in others]
        for name in texts:  # as objects: other types would turn None into NaN
            data[name] = pd.Series(_text(table[name]), index=ids, dtype=object)
        order = [*self.targets, *texts]
        order += [COUNT + name for name in self.targets if COUNT + name in others]
        self.table = pd.DataFrame(
            {name: data[name] for name in order}, index=ids, columns=pd.Index(order, dtype=object)
        )

    @property
    def has_split(self) -> bool:
        """Whether the table has the column ``split``, which says what rows train and what rows test."""
        return "split" in self.table

    @property
    def named_splits(self) -> dict[str, str]:
        """Name of each further split → its column."""
        return {name[len(SPLIT) :]: name for name in map(str, self.table) if name.startswith(SPLIT)}

    @property
    def has_group(self) -> bool:
        """Whether the table has groups that must not be torn apart."""
        return "group" in self.table

    @property
    def annotations(self) -> dict[str, str]:
        """Target → column with its numbers of annotations, where known."""
        return {name: COUNT + name for name in self.targets if COUNT + name in self.table}

    def statistics(self) -> pd.DataFrame:
        """Return n, mean, std, min and max of each target; n leaves unlabelled rows out."""
        table = self.table[list(self.targets)].agg(["count", "mean", "std", "min", "max"]).T
        return table.rename(columns={"count": "n"}).astype({"n": int})

    def __repr__(self) -> str:
        also = [name for name in map(str, self.table) if _is_text(name)]
        text = f"<{len(self.table)} labels: {', '.join([*self.targets, *also])}>"
        return f"{text[:-1]}; {self.note}>" if self.note else text


def write_labels(store: str | Path, labels: Labels) -> None:
    """Write ``labels.csv`` and its entry in ``store.json``.

    Floats are written so that they read back bit for bit.
    """
    text = _to_csv(labels.table)
    entry = {
        "targets": list(labels.targets),
        "synthetic": labels.synthetic,
        "note": labels.note,
        "source": labels.source,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }

    def change(manifest: Manifest) -> Manifest:
        # The table goes first: if writing it fails, the entry still belongs to the old one.
        write_atomically(Path(store, FILE_NAME), text)
        return replace(manifest, labels=entry)

    update_manifest(store, change)


def read_labels(store: str | Path) -> Labels | None:
    """Return the labels of a store, or None when it has none.

    Raises
    ------
    StoreError
        The table is damaged or missing.
    """
    entry = read_manifest(store).labels
    path = Path(store, FILE_NAME)
    if entry is None:
        return None
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise StoreError(
            f"{path} is missing, though store.json speaks of it. Restore it, or extract again."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path} cannot be read: {error}.") from error
    try:
        targets = [str(name) for name in entry["targets"]]
        table = _from_csv(text)
        return Labels(
            table,
            targets=targets,
            synthetic=entry["synthetic"] is True,
            note=str(entry["note"]),
            source=entry["source"],
        )
    except (StoreError, LabelError, UsageError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise StoreError(
            f"{path} does not fit its entry in store.json: {error}. Extract again to rewrite both."
        ) from error


def labels_unchanged(store: str | Path) -> bool:
    """Return whether ``labels.csv`` is byte for byte what was written (True when the store has no labels)."""
    entry = read_manifest(store).labels
    if entry is None:
        return True
    try:
        data = Path(store, FILE_NAME).read_bytes()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise SetupError(
            f"{Path(store, FILE_NAME)} cannot be read: {error}. Check its permissions."
        ) from error
    return hashlib.sha256(data).hexdigest() == entry.get("sha256")


def _column_name(name: object) -> str:
    if not isinstance(name, str) or not name.strip() or not name.isprintable() or name == "id":
        raise LabelError(f"A column of labels needs a printable name other than 'id'; got {name!r}.")
    if name.startswith(SPLIT):
        check_split_name(name[len(SPLIT) :])
    return name


def check_split_name(name: str) -> str:
    """Return `name`, or raise LabelError when no split of a dataset can be called so.

    >>> check_split_name("fold1")
    'fold1'
    """
    if name != name.strip() or not name or name in RESERVED_SPLITS:
        raise LabelError(
            f"A split cannot be called {name!r}: give it a name without blanks around it, other than "
            f"{', '.join(RESERVED_SPLITS)}, which are ways to split."
        )
    return name


def _is_text(column: str) -> bool:
    return column in ("split", "group") or column.startswith(SPLIT)


def _ids(index: Iterable[object]) -> pd.Index:
    ids = [check_id(value) if isinstance(value, str) else value for value in index]
    if wrong := [value for value in ids if not isinstance(value, str)]:
        raise LabelError(f"Ids are text; got {wrong[0]!r}. Read the id column as str.")
    found = pd.Index(ids, dtype=object, name="id")
    if found.has_duplicates:
        twice = list(found[found.duplicated()].unique())
        raise LabelError(
            f"{len(twice)} ids have more than one row of labels, such as {twice[0]!r}. Keep one each."
        )
    return found


def _numbers(column: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        values = np.array([math.nan if pd.isna(value) else float(value) for value in column], np.float64)
    except (TypeError, ValueError) as error:
        raise LabelError(f"The column {column.name!r} needs numbers: {error}.") from error
    if np.isinf(values).any():
        raise LabelError(f"The column {column.name!r} holds infinity. Leave unlabelled rows empty.")
    return values


def _text(column: pd.Series[Any]) -> list[str | None]:
    values = [None if pd.isna(value) else str(value) for value in column]
    if any(value is not None and not value.strip() for value in values):
        raise LabelError(
            f"The column {column.name!r} holds empty text. Leave it missing where it is unknown."
        )
    return values


def _to_csv(table: pd.DataFrame) -> str:
    buffer = io.StringIO()
    # Left unquoted, a text with a carriage return would come back as two rows.
    returns = any("\r" in value for name in table for value in table[name] if isinstance(value, str))
    if returns:
        writer = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    else:
        writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["id", *table.columns])
    for row in zip(table.index, *(table[name].tolist() for name in table.columns), strict=True):
        writer.writerow(["" if pd.isna(value) else value for value in row])
    return buffer.getvalue()


def _from_csv(text: str) -> pd.DataFrame:
    rows = list(csv.reader(io.StringIO(text, newline="")))
    if not rows or rows[0][:1] != ["id"]:
        raise StoreError("the first column must be called 'id'")
    if wrong := next((row for row in rows if len(row) != len(rows[0])), None):
        raise StoreError(
            f"the row of {wrong[0] if wrong else ''!r} has {len(wrong)} cells, the heading {len(rows[0])}"
        )
    cells = [[value or None for value in row[1:]] for row in rows[1:]]
    return pd.DataFrame(cells, index=[row[0] for row in rows[1:]], columns=rows[0][1:], dtype=object)
