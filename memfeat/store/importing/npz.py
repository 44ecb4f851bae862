"""An ``.npz`` archive: names and a matrix, or one array per video."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from memfeat.errors import UsageError
from memfeat.store.importing.table import ID_COLUMNS, TableShipment, choose
from memfeat.store.importing.values import Array


def read_npz(
    path: Path,
    *,
    id_column: str | None = None,
    columns: Sequence[str] | None = None,
    labels: Collection[str] = (),
) -> TableShipment:
    """Return the videos of an archive.

    Parameters
    ----------
    path
        The archive. With an array of names (``ids``, ``names``, ...) the other array has a row per name; without one,
        every array belongs to the video it is named after.
    id_column
        The array that names the videos, where it is called otherwise.
    columns
        The array with the features, where there are several.
    labels
        Names of the store's labels, which are no features; see `memfeat.store.importing.table.choose`.

    Raises
    ------
    UsageError
        It is no archive or a damaged one, holds Python objects, or several arrays and none was chosen.
    """
    try:
        loaded = np.load(path, allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            raise UsageError(f"{path} is no .npz archive.")
        with loaded as archive:
            return from_arrays(
                path, {name: archive[name] for name in archive.files}, id_column, columns, labels
            )
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        reason = str(error)
        if "allow_pickle" in reason or "pickle" in reason:
            reason = "it holds Python objects, and reading those can run any program. Save plain arrays"
        raise UsageError(f"{path} cannot be read as .npz: {reason}.") from error


def from_arrays(
    path: Path,
    arrays: dict[str, Array],
    id_column: str | None,
    columns: Sequence[str] | None,
    labels: Collection[str] = (),
) -> TableShipment:
    """Return the videos of named arrays, as `read_npz` tells."""
    if id_column is not None and id_column not in arrays:
        raise UsageError(
            f"{path} has no array {id_column!r}; it has {', '.join(list(arrays)[:5]) or 'none'}."
        )
    usual = [name for name in arrays if name.lower() in ID_COLUMNS and arrays[name].ndim == 1]
    usual = [name for name in usual if arrays[name].dtype.kind in "USOiu"]
    by = id_column or (usual[0] if usual else None)
    if by is None:
        if columns is not None:
            raise UsageError(f"{path} has no array of names, so every array is a video; leave columns out.")
        return TableShipment(path, list(arrays), list(arrays.values()))
    names = [name.decode() if isinstance(name, bytes) else str(name) for name in arrays[by].tolist()]
    chosen, said = choose([name for name in arrays if name != by], columns, path, labels)
    if len(chosen) > 1:
        raise UsageError(
            f"{path} has several arrays beside {by!r}: {', '.join(chosen[:5])}. Choose one with columns (--columns)."
        )
    rows = arrays[chosen[0]]
    if not rows.ndim:
        raise UsageError(f"{path}: {chosen[0]!r} is a single number; a row per video is needed.")
    return TableShipment(path, names, rows, remarks=said if len(said) > 1 else ())
