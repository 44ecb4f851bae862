"""Held-out predictions on disk, by the digest of all they depend on, so that no fit is made twice.

One JSON file for each fit, ``<folder>/<two digits>/<digest>.json``; it is written whole or not at all, and two
processes that make the same fit write the same bytes. The folder can be deleted at any time.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from memfeat.store.files import write_atomically

Vector = npt.NDArray[np.float64]
FOLDER = Path("runs", "cache")
"""Where predictions are kept unless another folder is given, below the working folder."""
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Held:
    """What one fit predicts of the rows it has not seen."""

    predicted: dict[str, Vector]
    """Shape (n,) each: the model's own prediction under ``""``, its other readings by name."""
    deviation: Vector | None = None
    """Predictive standard deviation, where the model gives one."""
    notes: tuple[str, ...] = ()
    """What the model warned of."""
    reduced: Mapping[str, tuple[int, int]] | None = None
    """As in `memfeat.evaluation.system.Fitted`."""
    seconds: float = 0.0
    """How long the fit and the prediction took."""


def read(folder: Path, key: str, *, rows: int) -> Held | None:
    """Return the predictions kept under a digest; None where there are none, or none that can be used.

    Parameters
    ----------
    folder
        The cache.
    key
        The digest.
    rows
        Number of rows that were held out.
    """
    try:
        values = json.loads(_path(folder, key).read_text(encoding="utf-8"))
        if values["version"] != _VERSION or "" not in values["predicted"]:
            return None
        predicted = {name: np.array(found, np.float64) for name, found in values["predicted"].items()}
        deviation = None if values["deviation"] is None else np.array(values["deviation"], np.float64)
        arrays = [*predicted.values(), *([] if deviation is None else [deviation])]
        if any(array.shape != (rows,) or not np.isfinite(array).all() for array in arrays):
            return None
        return Held(
            predicted=predicted,
            deviation=deviation,
            notes=tuple(map(str, values["notes"])),
            reduced={str(name): (int(k), int(of)) for name, (k, of) in values["reduced"].items()},
            seconds=float(values["seconds"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # a damaged file is fitted again and replaced


def write(folder: Path, key: str, held: Held) -> None:
    """Keep predictions under a digest.

    Raises
    ------
    SetupError
        The folder cannot be written.
    """
    values: dict[str, Any] = {
        "version": _VERSION,
        "predicted": {name: found.tolist() for name, found in held.predicted.items()},
        "deviation": None if held.deviation is None else held.deviation.tolist(),
        "notes": list(held.notes),
        "reduced": {name: list(few) for name, few in (held.reduced or {}).items()},
        "seconds": held.seconds,
    }
    write_atomically(_path(folder, key), json.dumps(values, allow_nan=False) + "\n")


def usable(held: Held) -> bool:
    """Return whether every prediction is a finite number, without which there is no figure.

    >>> usable(Held({"": np.array([0.5, np.nan])}))
    False
    """
    return all(math.isfinite(float(array.sum())) for array in held.predicted.values())


def _path(folder: Path, key: str) -> Path:
    return folder / key[:2] / f"{key}.json"
