"""What every format gives: the numbers of one video, and where they were read from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from memfeat.errors import DataError

Array = npt.NDArray[Any]
Frames = tuple[int | str, ...]

MAX_NUMBERS = 20_000_000
"""Of one video. A damaged or hostile file may claim any size."""


class FeatureFileError(DataError):
    """A file of features, or one row of it, cannot be used; others may."""


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """The numbers of one video.

    Parameters
    ----------
    array
        (): one number. (D,): one vector. (T, D): one vector per frame.
    frames
        Index or name of each frame, where the shipment says so.
    """

    array: Array
    frames: Frames | None = None


class Shipment(ABC):
    """Features of many videos, as they were shipped.

    Attributes
    ----------
    names
        What the shipment calls its videos: names without the suffix of the feature file.
    remarks
        What was guessed or passed over, in words.
    reading
        What values depend on beside the files, such as the number of the first bin; part of the feature key.
    """

    def __init__(
        self, names: Sequence[str], *, remarks: Sequence[str] = (), reading: dict[str, Any] | None = None
    ) -> None:
        self.names = tuple(names)
        self.remarks = tuple(remarks)
        self.reading = reading or {}

    @abstractmethod
    def read(self, name: str) -> Values:
        """Return the numbers of one video; FeatureFileError when they cannot be read."""

    @abstractmethod
    def files(self, name: str) -> tuple[Path, ...]:
        """Return the files that one video's numbers come from."""


def checked(array: Array, where: object) -> Array:
    """Return an array of at most two dimensions whose numbers are real and finite.

    Raises
    ------
    FeatureFileError
        They are not, or there are none, or too many.

    Examples
    --------
    >>> import numpy as np
    >>> checked(np.array([1, 2]), "a.npy").dtype
    dtype('float64')
    """
    if array.dtype.kind not in "fiub":
        raise FeatureFileError(f"{where} holds {array.dtype}; real numbers are needed.")
    if array.ndim > 2 or not array.size or array.size > MAX_NUMBERS:
        raise FeatureFileError(
            f"{where} has the shape {array.shape}; one number, one vector (D,) or one vector per frame (T, D) "
            f"of at most {MAX_NUMBERS:,} numbers is needed."
        )
    if array.dtype.kind != "f":
        array = array.astype(np.float64)
    if not (finite := np.isfinite(array)).all():
        first = np.unravel_index(int(np.argmin(finite)), array.shape) if array.ndim else ()
        place = f" (first at {', '.join(str(int(i)) for i in first)})" if array.ndim else ""
        raise FeatureFileError(
            f"{where} holds {int((~finite).sum())} of {array.size} numbers that are NaN or infinite{place}."
        )
    return array
