"""Columns of a store in a format for other programs."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from memfeat.errors import UsageError
from memfeat.store.feature_store import FeatureStore
from memfeat.store.files import make_folder, replacing
from memfeat.store.matrix import Matrix, Missing

Format = Literal["csv", "parquet", "npy"]


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
    each id. ``npy`` is the bare array; beside it lie ``<name>.ids.txt`` and ``<name>.columns.json``.

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
        The format is unknown, or ``npy`` is asked to carry labels; columns as in `load_matrix`.
    SetupError
        The file cannot be written.
    """
    store = store if isinstance(store, FeatureStore) else FeatureStore(store)
    path = Path(path)
    kind = path.suffix.removeprefix(".") if format is None else format
    if kind not in get_args(Format):
        raise UsageError(f"The format of an export is csv, parquet or npy; got {kind!r} for {path}.")
    if kind == "npy" and labels:
        raise UsageError(
            "An npy file holds one array and no labels. Export csv or parquet, or leave labels out."
        )
    if path.is_dir():
        raise UsageError(f"{path} is a folder; give the name of a file.")
    matrix = store.matrix(columns, missing=missing)
    make_folder(path.parent)
    sidecars: tuple[Path, ...] = ()
    if kind == "npy":
        sidecars = _write_npy(matrix, path)
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
