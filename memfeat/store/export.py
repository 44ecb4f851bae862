"""Columns of a store in a format for other programs."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import h5py
import numpy as np

from memfeat.errors import UsageError
from memfeat.store.feature_store import FeatureStore
from memfeat.store.files import environment_error, make_folder, replacing
from memfeat.store.matrix import Matrix, Missing

Format = Literal["csv", "parquet", "npy", "npz", "h5"]
ARRAYS = ("npy", "npz", "h5")
"""Formats without labels."""
IDS = "ids"
"""What the ids are called in npz and h5."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote.

    Parameters
    ----------
    path
        The table or array.
    sidecars
        Files beside it (``npy`` only): ids, one per line, and columns as JSON.
    rows, columns
        Its size, without the id and labels.
    missing, dropped
        As in `memfeat.store.matrix.Matrix`.
    note
        What must be said of the labels in it; empty without labels.
    """

    path: Path
    sidecars: tuple[Path, ...]
    rows: int
    columns: int
    missing: dict[str, str]
    dropped: dict[str, str]
    note: str = ""


def export(
    store: str | Path | FeatureStore,
    columns: list[str],
    path: str | Path,
    *,
    format: Format | None = None,
    labels: bool = False,
    missing: Missing = "drop",
) -> Exported:
    """Write columns of a store, or of a view of it, to a file of another format.

    ``csv`` and ``parquet`` have a first column ``id``, one column per number, and with `labels` the labels of
    each id. ``npy`` is the bare array; beside it lie ``<name>.ids.txt`` and ``<name>.columns.json``. ``npz`` and ``h5``
    hold ``ids`` (n,), as text, and one array (n, width) per column, under the column's name, in its own type. All of
    them can be imported again, without the loss of a bit.

    Parameters
    ----------
    store
        Folder of a store, or a `FeatureStore`.
    columns
        As in `memfeat.store.matrix.load_matrix`.
    path
        File to write; one that exists is replaced.
    format
        Default: by the ending of `path`.
    labels
        Join the labels by id.
    missing
        As in `memfeat.store.matrix.load_matrix`.

    Raises
    ------
    UsageError
        The format is unknown, or ``npy``, ``npz`` or ``h5`` is asked to carry labels; columns as in `load_matrix`.
    SetupError
        The file cannot be written.
    """
    store = store if isinstance(store, FeatureStore) else FeatureStore(store)
    path = Path(path)
    kind = path.suffix.removeprefix(".") if format is None else format
    if kind not in get_args(Format):
        known = " or ".join(", ".join(get_args(Format)).rsplit(", ", 1))
        raise UsageError(f"The format of an export is {known}; got {kind!r} for {path}.")
    if kind in ARRAYS and labels:
        raise UsageError(
            f"The format {kind} holds arrays and no labels. Export csv or parquet, or leave labels out."
        )
    if path.is_dir():
        raise UsageError(f"{path} is a folder; give the name of a file.")
    matrix = store.matrix(columns, missing=missing)
    make_folder(path.parent)
    sidecars: tuple[Path, ...] = ()
    if kind == "npy":
        sidecars = _write_npy(matrix, path)
    elif kind == "npz":
        _write_npz(matrix, path)
    elif kind == "h5":
        _write_h5(matrix, path)
    else:
        _write_table(store, matrix, path, parquet=kind == "parquet", labels=labels)
    note = store.note if labels else ""
    return Exported(path, sidecars, *matrix.shape, matrix.missing, matrix.dropped, note)


def _write_table(store: FeatureStore, matrix: Matrix, path: Path, *, parquet: bool, labels: bool) -> None:
    table = matrix.to_pandas()
    if labels:
        if twice := sorted({*table.columns} & {*store.labels.columns}):
            raise UsageError(f"A feature and a label are called {twice[0]!r}. Export without labels.")
        table = table.join(store.labels, how="left")
    with replacing(path) as temporary:
        if parquet:
            table.attrs = {"note": store.note} if labels and store.note else {}
            table.reset_index().to_parquet(temporary, index=False)
        else:
            table.to_csv(temporary, lineterminator="\n")


def _write_npz(matrix: Matrix, path: Path) -> None:
    arrays: dict[str, Any] = {IDS: np.array(matrix.ids, dtype=np.str_)}
    arrays |= {column.name: matrix.block(column.name) for column in matrix.columns}
    with replacing(path) as temporary, temporary.open("xb") as file:
        np.savez(file, **arrays)


def _write_h5(matrix: Matrix, path: Path) -> None:
    with replacing(path) as temporary:
        try:
            with h5py.File(temporary, "x", locking=False) as file:
                # Of fixed length: strings of variable length lie in a heap that damage makes dangerous.
                ids = [id.encode() for id in matrix.ids]
                text = h5py.string_dtype("utf-8", max(map(len, ids)))
                file.create_dataset(IDS, data=np.array(ids, dtype=text))
                for column in matrix.columns:
                    item = file.create_dataset(column.name, data=matrix.block(column.name))
                    item.attrs["feature_key"] = column.key
        except (OSError, RuntimeError) as error:
            raise environment_error(f"Writing {path}", error) from error


def _write_npy(matrix: Matrix, path: Path) -> tuple[Path, ...]:
    ids, columns = path.with_suffix(".ids.txt"), path.with_suffix(".columns.json")
    described = [asdict(column) for column in matrix.columns]
    # All three are complete before the first takes its place.
    with ExitStack() as stack:
        parts = {part: stack.enter_context(replacing(part)) for part in (path, columns, ids)}
        with parts[path].open("xb") as file:
            np.save(file, matrix.to_numpy(), allow_pickle=False)
        parts[ids].write_text("".join(f"{id}\n" for id in matrix.ids), encoding="utf-8")
        parts[columns].write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    return ids, columns
