"""Filling batches for one network with rows of whatever videos come along."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from memfeat.extraction.deep.frames import Row

WAITING_BYTES = 512 * 2**20
"""Most pixels that wait in unfilled batches of one network; then the fullest goes out as it is."""

Owner = TypeVar("Owner")
Shape = tuple[int, ...]


@dataclass(slots=True)
class Batch(Generic[Owner]):
    """Rows of equal shape with the videos that they belong to."""

    owners: list[Owner]
    rows: list[Row]


class Packer(Generic[Owner]):
    """Collects rows of equal shape until there are as many as a batch takes.

    Parameters
    ----------
    size
        Rows of a batch, by the shape of their pixels.
    waiting_bytes
        Most pixels that may wait, in bytes.

    Examples
    --------
    >>> import numpy as np
    >>> packer = Packer[str](lambda shape: 2)
    >>> row = Row(0, 0, 0.0, np.zeros((3, 4, 4), np.uint8))
    >>> [len(batch.rows) for owner in "abc" for batch in packer.add(owner, row)]
    [2]
    >>> [batch.owners for batch in packer.flush()]
    [['c']]
    """

    def __init__(self, size: Callable[[Shape], int], *, waiting_bytes: int = WAITING_BYTES) -> None:
        self._size = size
        self._most_bytes = waiting_bytes
        self._waiting: dict[Shape, Batch[Owner]] = {}
        self._bytes = 0

    def add(self, owner: Owner, row: Row) -> Iterator[Batch[Owner]]:
        """Add a row and yield the batches that are ready."""
        shape = row.pixels.shape
        batch = self._waiting.setdefault(shape, Batch([], []))
        batch.owners.append(owner)
        batch.rows.append(row)
        self._bytes += row.pixels.nbytes
        if len(batch.rows) >= self._size(shape):
            yield self._take(shape)
        while self._bytes > self._most_bytes:
            # By bytes, not by rows: what frees most. Ties go to the oldest, so that the order is fixed.
            yield self._take(max(self._waiting, key=lambda s: _bytes(self._waiting[s])))

    def flush(self) -> Iterator[Batch[Owner]]:
        """Yield what is left, filled or not."""
        for shape in list(self._waiting):
            yield self._take(shape)

    def _take(self, shape: Shape) -> Batch[Owner]:
        batch = self._waiting.pop(shape)
        self._bytes -= _bytes(batch)
        return batch


def _bytes(batch: Batch[Owner]) -> int:
    return sum(row.pixels.nbytes for row in batch.rows)
