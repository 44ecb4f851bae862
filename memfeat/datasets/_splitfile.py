"""Lists of names by split: tables, and the pickled pair of lists that one project shares, read without trusting it."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from memfeat.dataset import nfc
from memfeat.datasets._release import read_csv
from memfeat.errors import LabelError

# What numpy needs to rebuild an array of strings; anything else in a pickle could run code.
_ALLOWED = {
    *((f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")),
    *((f"numpy.{core}.multiarray", "scalar") for core in ("core", "_core")),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy", "str_"),
    ("_codecs", "encode"),
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, and only lists of names are read")
        return super().find_class(module, name)


def read_splits(file: Path, key: Callable[[str], str]) -> dict[str, str]:
    """Return the split of each id.

    Parameters
    ----------
    file
        ``.pkl``: a pair (or triple) of lists of names, for train, val (and test). Otherwise a table with the
        columns ``video`` and ``split``.
    key
        From a name to its id; empty where the name is none.

    Raises
    ------
    LabelError
        The file cannot be read, holds something else than names, or a name twice.
    """
    splits: dict[str, str] = {}
    if file.suffix.lower() in (".pkl", ".pickle"):
        for split, names in zip(("train", "val", "test"), _read_pickle(file), strict=False):
            for position, name in enumerate(names, 1):
                if not (id := key(nfc(name))):
                    raise LabelError(
                        f"{file}, entry {position} of {split}: {name!r} is no video of the release."
                    )
                if id in splits:
                    raise LabelError(f"{file}, entry {position} of {split}: {id} is in {splits[id]} too.")
                splits[id] = split
        return splits
    table = read_csv(file)
    ids = table.keys(table.column("video", "video_id", "name", "id"), key, "a video of the release is needed")
    values = table.names(table.column("split", "set", "subset", "partition"), unique=False)
    return dict(zip(ids, values, strict=True))


def _read_pickle(file: Path) -> list[list[str]]:
    try:
        content = _Unpickler(io.BytesIO(file.read_bytes())).load()
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise LabelError(f"{file} cannot be read as lists of names: {error}.") from error
    parts = list(content) if isinstance(content, tuple | list) else []
    lists = [list(part) if isinstance(part, list | tuple | np.ndarray) else None for part in parts]
    if len(lists) not in (2, 3) or not all(part and all(isinstance(n, str) for n in part) for part in lists):
        raise LabelError(f"{file} should hold two or three lists of names, for train, val and test.")
    return [part for part in lists if part is not None]
