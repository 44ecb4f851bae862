"""Columns as single arrays: built once from the videos' files, memory-mapped afterwards, kept true by a scan.

Everything here can be deleted at any time. A column is two files below ``matrices``: ``<stem>.npz`` says
which rows, measured by modification time, size and inode, an array file holds; that array has a new
name with every change, so a reader never sees the rows of one with the values of the other.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from memfeat.errors import MemfeatError, SetupError, StoreError, UsageError
from memfeat.store.files import locked, replacing
from memfeat.store.index import FOLDER, FORMAT, Index, Names, State, Stats
from memfeat.store.naming import file_stem
from memfeat.store.record import read_row
from memfeat.store.reductions import OF_FRAMES, is_stack

Array = npt.NDArray[Any]
_CHUNK_BYTES = 8 << 20
_REREAD = np.full(3, -1, np.int64)


class ChangedError(StoreError):
    """A video's file changed between the listing and the reading; list again."""


class ColumnData(NamedTuple):
    """One column for all videos of an index."""

    values: Array
    """(n, width), NaN where the video has no value; memory-mapped when it comes from the cache. Of frames, width is
    that of the longest video, frames side by side; the rest of a shorter one is NaN."""
    unreadable: dict[int, str]
    """Row → why its value could not be read."""


class _Saved(NamedTuple):
    names: Names
    stats: Stats
    values: Array


def load_column(store: Path, index: Index, feature: str, reduction: str, *, cache: bool = True) -> ColumnData:
    """Return a column aligned to an index, in which at least one video has the feature.

    Raises
    ------
    UsageError
        The feature lacks that reduction, or it stacks time steps of which videos have differently many.
    ChangedError
        Another process changes the store at this moment.
    StoreError
        Rows differ in width or type.
    """
    kind = _Frames if reduction in OF_FRAMES else _Rows
    if cache:
        stem = store / FOLDER / file_stem(f"{feature}:{reduction}")
        saved = _load(stem)
        if saved is not None and _matches(saved, index):
            return ColumnData(saved.values, {})
        with suppress(SetupError), locked(store / FOLDER):
            return _rebuild(stem, kind(store, index, feature, reduction, _load(stem)))
    rows = kind(store, index, feature, reduction, None)
    values = np.concatenate([*rows])
    return ColumnData(values, rows.unreadable)


class _Rows:
    """The column in chunks: unchanged rows from the saved array, the rest from the videos' files."""

    def __init__(self, store: Path, index: Index, feature: str, reduction: str, saved: _Saved | None) -> None:
        self.store, self.index, self.feature, self.reduction = store, index, feature, reduction
        self.unreadable: dict[int, str] = {}
        self._saved = saved
        self._states = index.states(feature)
        self._known = _known_rows(saved, index)
        self._first = self._first_row()
        self.shape = (len(index.ids), self._first.size)
        self.dtype = self._first.dtype

    def __iter__(self) -> Iterator[Array]:
        step = max(1, _CHUNK_BYTES // max(1, self.shape[1] * self.dtype.itemsize))
        for start in range(0, self.shape[0], step):
            stop = min(start + step, self.shape[0])
            chunk = np.full((stop - start, self.shape[1]), np.nan, self.dtype)
            known = self._known[start:stop]
            if self._saved is not None and (known >= 0).any():
                chunk[known >= 0] = self._saved.values[known[known >= 0]]
            for row in np.flatnonzero(known < 0) + start:
                values = self._read(int(row))
                if values is not None:
                    chunk[row - start] = values
            yield chunk

    def _first_row(self) -> Array:
        """Return one row, which fixes width and type."""
        for row, state in enumerate(self._states):
            if self._saved is None:
                break
            if self._known[row] >= 0 and state is not None and state.status == "ok":
                return np.asarray(self._saved.values[0])
        # No row that matters can be kept, and the width of the others may be an old one.
        self._saved = None
        self._known[:] = -1
        for row, state in enumerate(self._states):
            if state is not None and state.status == "ok" and (values := self._fetch(row, state)) is not None:
                return values
        raise StoreError(
            f"Not one file of {self.store} gives {self.feature}:{self.reduction}: "
            f"{next(iter(self.unreadable.values()), 'no video has it')}"
        )

    def _read(self, row: int) -> Array | None:
        state = self._states[row]
        if state is None or state.status != "ok" or row in self.unreadable:
            return None
        values = self._fetch(row, state)
        if values is not None and (values.shape, values.dtype) != (self._first.shape, self.dtype):
            if is_stack(self.reduction) and values.dtype == self.dtype:
                raise self._uneven(row, values.size)
            raise StoreError(
                f"{self.index.ids[row]!r} has {values.size} numbers ({values.dtype}) as "
                f"{self.feature}:{self.reduction}, other videos {self._first.size} ({self.dtype}). "
                "Extract it again."
            )
        return values

    def _uneven(self, row: int, size: int) -> UsageError:
        """Say which video has another number of steps than the others."""
        others = (k for k, state in enumerate(self._states) if state is not None and state.status == "ok")
        there = next((self.index.ids[k] for k in others if k != row), "others")
        return UsageError(
            f"{self.feature}:{self.reduction} puts all time steps of a video side by side, so all videos need "
            f"equally many: {self.index.ids[row]!r} gives {size} numbers, {there!r} and its like "
            f"{self._first.size}. Use {self.feature}:mean, or extract a fixed number of frames."
        )

    def _fetch(self, row: int, state: State) -> Array | None:
        path = self.index.path(self.store, row)
        try:
            record, values = read_row(path, self.feature, self.reduction)
        except StoreError as error:
            self.unreadable[row] = str(error)
            return None
        if record is None or (record.key, record.status, record.reason) != state:
            raise ChangedError(
                f"{path} has changed while it was read. Wait until no extraction writes to the store."
            )
        return values


class _Frames(_Rows):
    """The column of a reduction that keeps frames. All are read first: only then is it known how many there are."""

    def _first_row(self) -> Array:
        self._saved = None
        self._known[:] = -1
        self._read_ahead: dict[int, Array] = {}
        for row, state in enumerate(self._states):
            if state is not None and state.status == "ok" and (values := self._fetch(row, state)) is not None:
                self._read_ahead[row] = values
        if not self._read_ahead:
            return super()._first_row()  # says why
        first, frames = next(iter(self._read_ahead.items()))
        for row, values in self._read_ahead.items():
            if (values.shape[1:], values.dtype) != (frames.shape[1:], frames.dtype):
                raise StoreError(
                    f"{self.index.ids[row]!r} has {values.shape[1]} numbers ({values.dtype}) per frame as "
                    f"{self.feature}:{self.reduction}, {self.index.ids[first]!r} {frames.shape[1]} "
                    f"({frames.dtype}). Extract it again."
                )
        longest = max(self._read_ahead.values(), key=len)
        return longest.reshape(-1)

    def _read(self, row: int) -> Array | None:
        frames = self._read_ahead.get(row)
        if frames is None:
            return None
        filled = np.full(self._first.size, np.nan, self.dtype)
        filled[: frames.size] = frames.reshape(-1)
        return filled


def _known_rows(saved: _Saved | None, index: Index) -> npt.NDArray[np.intp]:
    """Return for each row of the index the row of the saved array that still holds, or -1."""
    known = np.full(len(index.ids), -1, np.intp)
    if saved is None:
        return known
    old, new = ((np.asarray(rows.names).tolist(), rows.stats.tolist()) for rows in (saved, index))
    place = {name: row for row, name in enumerate(old[0])}
    for row, (name, stats) in enumerate(zip(*new, strict=True)):
        there = place.get(name)
        if there is not None and old[1][there] == stats:
            known[row] = there
    return known


def _matches(saved: _Saved, index: Index) -> bool:
    return np.array_equal(saved.names, index.names) and np.array_equal(saved.stats, index.stats)


def _rebuild(stem: Path, rows: _Rows) -> ColumnData:
    """Write the array, then the list of its rows; both under the lock."""
    array = stem.with_name(f"{stem.name}.{secrets.token_hex(8)}.npy")
    try:
        with replacing(array) as temporary, temporary.open("xb") as file:
            header = np.lib.format.header_data_from_array_1_0(np.empty(0, rows.dtype)) | {"shape": rows.shape}
            np.lib.format.write_array_header_1_0(file, header)
            for chunk in rows:  # plain writes: a mapped file would die of SIGBUS on a full disk
                file.write(chunk.tobytes())
        stats = rows.index.stats.copy()
        stats[list(rows.unreadable)] = _REREAD
        with replacing(_manifest(stem)) as temporary, temporary.open("xb") as file:
            name = np.bytes_(array.name)
            np.savez(file, format=np.int64(FORMAT), array=name, names=rows.index.names, stats=stats)
    except BaseException:
        array.unlink(missing_ok=True)
        raise
    for old in stem.parent.glob(f"{stem.name}.*.npy"):
        if old != array:
            with suppress(OSError):
                old.unlink()
    saved = _load(stem)
    if saved is None:
        raise SetupError(f"{array} cannot be read back. Check the disk.")
    return ColumnData(saved.values, rows.unreadable)


def _manifest(stem: Path) -> Path:
    return stem.with_name(f"{stem.name}.npz")


def _load(stem: Path) -> _Saved | None:
    for _ in range(3):  # another process may replace the array between the two reads
        try:
            with np.load(_manifest(stem), allow_pickle=False) as data:
                if int(data["format"]) != FORMAT:
                    return None
                names, stats, name = data["names"], data["stats"], bytes(data["array"]).decode()
        except Exception:  # a cache: whatever is wrong with it, it can be made anew
            return None
        if Path(name).name != name:
            return None
        try:
            values = np.load(stem.with_name(name), mmap_mode="r", allow_pickle=False)
        except FileNotFoundError:
            continue
        except (OSError, ValueError, MemfeatError):
            return None
        sound = values.ndim == 2 and values.shape[0] == len(names) == len(stats) and stats.shape[1:] == (3,)
        return _Saved(names, stats, values) if sound and values.dtype.kind == "f" else None
    return None
