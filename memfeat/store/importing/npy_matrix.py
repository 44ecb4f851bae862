"""One ``.npy`` with a row per video, and beside it ``<name>.ids.txt`` with an id per line, as exports are."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from memfeat.errors import UsageError
from memfeat.store.importing.table import TableShipment


def read_npy_matrix(path: Path) -> TableShipment:
    """Return the rows of an array; UsageError when it cannot be read or its list of ids is missing."""
    ids = path.with_suffix(".ids.txt")
    try:
        names = ids.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise UsageError(
            f"{path} is one array, and the file that names its rows, {ids.name}, cannot be read: {error.strerror}. "
            "Write it with one id per line; or give a folder with one .npy per video."
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{ids} is no UTF-8 text: {error}.") from error
    try:
        rows = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UsageError(f"{path} cannot be read as .npy: {error}.") from error
    if not isinstance(rows, np.ndarray) or rows.ndim not in (1, 2, 3):
        raise UsageError(f"{path} holds no array with a row per video.")
    return TableShipment(path, [name.removesuffix("\r") for name in names if name.strip()], rows)
