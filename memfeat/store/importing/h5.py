"""An HDF5 file: names and a matrix, or one dataset per video. Nothing that points outside the file is followed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import h5py
import numpy as np

from memfeat.errors import StoreError, UsageError
from memfeat.store.hdf5 import member
from memfeat.store.importing.npz import from_arrays
from memfeat.store.importing.table import TableShipment
from memfeat.store.importing.values import MAX_NUMBERS, Array

MAX_BYTES = 64 << 30
_FILTERS = {
    h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32, h5py.h5z.FILTER_LZF,
    h5py.h5z.FILTER_SCALEOFFSET,
}  # fmt: skip
_DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, MemoryError, OverflowError)


def read_h5(
    path: Path,
    *,
    id_column: str | None = None,
    columns: Sequence[str] | None = None,
    labels: Collection[str] = (),
) -> TableShipment:
    """Return the videos of an HDF5 file with datasets and no groups.

    Parameters
    ----------
    path
        The file; its datasets are taken as `memfeat.store.importing.npz.read_npz` takes arrays.
    id_column, columns, labels
        Likewise.

    Raises
    ------
    UsageError
        It is damaged or no HDF5; holds groups, links to other files, external storage, virtual datasets or filters
        other than HDF5's own; or several datasets and none was chosen.
    """
    try:
        with h5py.File(path, "r", locking=False) as file:
            arrays: dict[str, Array] = {}
            for raw in file.id:
                name = raw.decode()
                arrays[name] = _read(path, name, member(file, name, h5py.Dataset))
    except StoreError as error:
        raise UsageError(f"{path} is refused: {str(error).split('. Run')[0]}.") from error
    except FileNotFoundError as error:
        raise UsageError(f"There is no file {path}.") from error
    except _DAMAGE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UsageError(f"{path} cannot be read as HDF5 ({reason}).") from error
    return from_arrays(path, arrays, id_column, columns, labels)


def _read(path: Path, name: str, dataset: h5py.Dataset) -> Array:
    created = dataset.id.get_create_plist()
    filters = {created.get_filter(number)[0] for number in range(created.get_nfilters())}
    problem = ""
    if created.get_layout() == h5py.h5d.VIRTUAL:
        problem = "is a virtual dataset"
    elif created.get_external_count():
        problem = "keeps its values in another file"
    elif not filters <= _FILTERS:
        problem = f"needs the filters {sorted(filters - _FILTERS)}, which are not HDF5's own"
    elif dataset.shape is None or dataset.ndim > 3 or dataset.nbytes > MAX_BYTES:
        problem = (
            f"has the shape {dataset.shape}; at most three dimensions and {MAX_BYTES >> 30} GiB are read"
        )
    elif dataset.ndim and dataset.size // max(1, dataset.shape[0]) > MAX_NUMBERS and dataset.ndim > 1:
        problem = f"has the shape {dataset.shape}; at most {MAX_NUMBERS:,} numbers per video are read"
    elif _incomplete(dataset):  # HDF5 would fill what was never written with zeros
        problem = "was not written to its end"
    if problem:
        raise UsageError(f"{path} is refused: {name!r} {problem}.")
    if h5py.check_string_dtype(dataset.dtype) is not None:
        return np.asarray(dataset.asstr()[()], dtype=object)
    return np.asarray(dataset[()])


def _incomplete(dataset: h5py.Dataset) -> bool:
    if not dataset.size:
        return False
    if dataset.chunks is None:
        compact = dataset.id.get_create_plist().get_layout() == h5py.h5d.COMPACT
        return not compact and dataset.id.get_storage_size() < dataset.nbytes
    chunks = 1
    for length, step in zip(dataset.shape, dataset.chunks, strict=True):
        chunks *= -(-length // step)
    return bool(dataset.id.get_num_chunks() < chunks)
