"""Feature matrices whose rows carry ids: aligned columns of a store, whole or with what is missing named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from memfeat.errors import StoreError, UsageError, nearest
from memfeat.store.cache import ChangedError, load_column
from memfeat.store.failures import Failure, list_failures
from memfeat.store.index import Index, State, load_index
from memfeat.store.manifest import read_manifest

Array = npt.NDArray[Any]
Missing = Literal["drop", "error"]
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a matrix, which is as wide as the feature.

    Parameters
    ----------
    name
        ``feature:reduction``.
    feature, reduction
        Its two parts.
    width
        Numbers per row.
    key
        The feature key all rows share.
    dtype
        ``"float64"`` for scalars, ``"float32"`` for vectors.
    """

    name: str
    feature: str
    reduction: str
    width: int
    key: str
    dtype: str

    def labels(self) -> list[str]:
        """Return a name for each number: the column's own for a scalar, else ``hog:mean[3]`` and its like."""
        if self.width == 1 and self.dtype == "float64":
            return [self.name]
        return [f"{self.name}[{number}]" for number in range(self.width)]


class Matrix:
    """Columns of a store, aligned by id. Made by `FeatureStore.matrix` and `load_matrix`.

    Attributes
    ----------
    ids
        One per row.
    columns
        What the matrix holds, in the order asked for.
    missing
        Ids left out, each with the reason.
    dropped
        Columns left out because their feature is applicable to no row, each with the reason.
    """

    def __init__(
        self,
        ids: Sequence[str],
        columns: Sequence[Column],
        blocks: Mapping[str, Array],
        *,
        missing: Mapping[str, str] | None = None,
        dropped: Mapping[str, str] | None = None,
    ) -> None:
        self.ids = tuple(ids)
        self.columns = tuple(columns)
        self.missing = dict(missing or {})
        self.dropped = dict(dropped or {})
        self._blocks = {column.name: blocks[column.name] for column in columns}
        for column in self.columns:
            if self._blocks[column.name].shape != (len(self.ids), column.width):
                shape = self._blocks[column.name].shape
                raise UsageError(
                    f"{column.name!r} has the shape {shape}; {(len(self.ids), column.width)} is needed."
                )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and numbers per row."""
        return len(self.ids), sum(column.width for column in self.columns)

    @property
    def keys(self) -> dict[str, str]:
        """Column → feature key, which a model compares before it predicts."""
        return {column.name: column.key for column in self.columns}

    def block(self, name: str) -> Array:
        """Return one column (n, width) in its stored type; mapped and read-only where no row is left out.

        Raises
        ------
        UsageError
            The matrix has no such column.
        """
        full = ":".join(parse_column(name))
        if full not in self._blocks:
            choices = list(self._blocks)
            raise UsageError(
                f"The matrix has no column {name!r}; it has {', '.join(choices)}.{nearest(full, choices)}"
            )
        return self._blocks[full]

    def to_numpy(self) -> Array:
        """Return all columns side by side as a new array (n, D): float64 if any column is, else float32."""
        return np.concatenate([self._blocks[column.name] for column in self.columns], axis=1)

    def to_pandas(self) -> pd.DataFrame:
        """Return a DataFrame indexed by id; scalars stay float64 and vectors float32."""
        index = pd.Index(self.ids, dtype=object, name="id")
        parts = [
            pd.DataFrame(np.array(self._blocks[column.name]), index=index, columns=column.labels())
            for column in self.columns
        ]
        return pd.concat(parts, axis=1)

    def take(self, ids: Sequence[str]) -> Matrix:
        """Return the rows of these ids, in this order.

        Raises
        ------
        UsageError
            An id is not in the matrix, or given twice.
        """
        ids = _unique(ids)
        if ids == self.ids:
            return self
        rows = {id: row for row, id in enumerate(self.ids)}
        if unknown := [id for id in ids if id not in rows]:
            why = self.missing.get(unknown[0])
            hint = f" It was left out: {why}." if why else nearest(unknown[0], self.ids)
            raise UsageError(f"The matrix has no row for {_some(unknown)}.{hint}")
        places = np.array([rows[id] for id in ids], np.intp)
        blocks = {name: block[places] for name, block in self._blocks.items()}
        return Matrix(ids, self.columns, blocks, missing=self.missing, dropped=self.dropped)

    def __repr__(self) -> str:
        left_out = f"; {len(self.missing)} ids missing" if self.missing else ""
        gone = f"; dropped {', '.join(self.dropped)}" if self.dropped else ""
        columns = ", ".join(f"{column.name} ({column.width})" for column in self.columns)
        return f"<Matrix of {len(self.ids)} ids: {columns}{left_out}{gone}>"


def parse_column(name: str) -> tuple[str, str]:
    """Return feature and reduction of a column's name.

    >>> parse_column("hog"), parse_column("contrast:std")
    (('hog', 'mean'), ('contrast', 'std'))

    Raises
    ------
    UsageError
        A part is empty or there are too many.
    """
    feature, separator, reduction = name.partition(":")
    if not feature or ":" in reduction or (separator and not reduction):
        raise UsageError(f"A column is 'feature' or 'feature:reduction', such as 'hog:first'; got {name!r}.")
    return feature, reduction or "mean"


def load_matrix(
    store: str | Path,
    columns: Sequence[str],
    *,
    ids: Sequence[str] | None = None,
    missing: Missing = "drop",
    cache: bool = True,
) -> Matrix:
    """Return columns of a store as a matrix.

    Parameters
    ----------
    store
        Folder of the store.
    columns
        ``feature`` (its mean) or ``feature:reduction``; see `memfeat.store.reductions.reduce`. Frames stand side by
        side, as many as the longest video of the store has; NaN where a video has fewer.
    ids
        Rows wanted, in order. Default: every video of the store, sorted, and every recorded failure.
    missing
        What to do with ids that lack a feature: leave them out and name them in `Matrix.missing`, or raise.
    cache
        Use and keep the arrays below ``matrices``.

    Raises
    ------
    UsageError
        Unknown columns or ids; no row is left; a feature is applicable to some rows and not to others.
    StoreError
        Rows of one column were measured with different feature keys; rows are missing with
        ``missing="error"``; or the store keeps changing.
    """
    store = Path(store)
    read_manifest(store)
    if isinstance(columns, str) or not columns:
        raise UsageError(f"Columns are a list of at least one name; got {columns!r}.")
    names = _unique([":".join(parse_column(name)) for name in columns], "column")
    if missing not in ("drop", "error"):
        raise UsageError(f"missing is 'drop' or 'error'; got {missing!r}.")
    for attempt in range(3):
        try:
            return _Assembly(store, load_index(store, cache=cache), names, ids, cache=cache).matrix(missing)
        except ChangedError:
            if attempt == 2:
                raise
    raise AssertionError("unreachable")


class _Assembly:
    """The steps from an index to a matrix."""

    def __init__(
        self, store: Path, index: Index, names: Sequence[str], ids: Sequence[str] | None, *, cache: bool
    ) -> None:
        self.store, self.index, self.names, self.cache = store, index, list(names), cache
        self.failures: dict[str, list[Failure]] = {}
        for failure in list_failures(store):
            self.failures.setdefault(failure.id, []).append(failure)
        wanted = sorted({*index.ids, *self.failures}) if ids is None else _unique(ids)
        self.missing = dict(index.unreadable) if ids is None else {}
        self.states: dict[str, list[State | None]] = {}
        for name in names:
            feature = parse_column(name)[0]
            if feature not in (known := index.features()):
                raise UsageError(
                    f"No video of {store} has the feature {feature!r}; "
                    f"they have {', '.join(known) or 'none'}.{nearest(feature, known)}"
                )
            self.states[name] = index.states(feature)
        self.rows = list(self._present(wanted))
        self.dropped: dict[str, str] = {}

    def _present(self, wanted: Sequence[str]) -> Iterator[int]:
        # Most files of a store say the same, so what is absent is looked up once per distinct list of features.
        absent = [
            [n for n in self.names if parse_column(n)[0] not in profile] for profile in self.index.profiles
        ]
        profile = self.index.profile.tolist()
        for id in wanted:
            row = self.index.rows.get(id)
            lacking = self.names if row is None else absent[profile[row]]
            if row is not None and not lacking:
                yield row
                continue
            features = list(dict.fromkeys(parse_column(name)[0] for name in lacking))
            of_video = [f for f in self.failures.get(id, []) if not f.keys or f.keys.keys() & {*features}]
            why = [f"{failure.type}: {failure.message}" for failure in of_video]
            self.missing[id] = "; ".join(why) or f"not extracted: {', '.join(features)}"

    def matrix(self, missing: Missing) -> Matrix:
        self._check_rows(missing)
        keys = self._settle()
        data = {
            name: load_column(self.store, self.index, *parse_column(name), cache=self.cache)
            for name in self.names
        }
        damaged = {row: why for column in data.values() for row, why in column.unreadable.items()}
        if damaged:
            self.missing |= {self.index.ids[row]: damaged[row] for row in self.rows if row in damaged}
            self.rows = [row for row in self.rows if row not in damaged]
            self._check_rows(missing)
        whole = self.rows == list(range(len(self.index.ids)))
        places = np.array(self.rows, np.intp)
        blocks = {name: column.values if whole else column.values[places] for name, column in data.items()}
        columns = [
            Column(name, *parse_column(name), blocks[name].shape[1], keys[name], blocks[name].dtype.name)
            for name in self.names
        ]
        ids = [self.index.ids[row] for row in self.rows]
        return Matrix(ids, columns, blocks, missing=self.missing, dropped=self.dropped)

    def _check_rows(self, missing: Missing) -> None:
        reasons = [f"{id} ({why})" for id, why in list(self.missing.items())[:_SHOWN]]
        if self.missing and missing == "error":
            raise StoreError(
                f"{len(self.missing)} videos lack a feature: {', '.join(reasons)}. "
                "Extract it, or leave them out with missing='drop'."
            )
        if not self.rows:
            what = f"missing are {', '.join(reasons)}" if reasons else "it has no videos"
            raise UsageError(f"Not one video of {self.store} has all of {', '.join(self.names)}; {what}.")

    def _settle(self) -> dict[str, str]:
        """Drop columns that apply to no row, refuse those that apply to some; return the others' keys."""
        keys: dict[str, str] = {}
        for name in list(self.names):
            states = Counter(cast(State, self.states[name][row]) for row in self.rows)
            not_for = {state.reason: number for state, number in states.items() if state.status != "ok"}
            if sum(not_for.values()) == len(self.rows):
                self.names.remove(name)
                why = "; ".join(sorted(not_for)[:_SHOWN])
                self.dropped[name] = f"not applicable to any of {len(self.rows)} videos: {why}"
                continue
            if not_for:
                raise UsageError(
                    f"{name!r} is not applicable to {sum(not_for.values())} of {len(self.rows)} videos, such as "
                    f"{_some(self._not_for(name))} ({next(iter(not_for))}). "
                    "Leave the feature out, or choose the videos that have it."
                )
            counts: Counter[str] = Counter()
            for state, number in states.items():
                counts[state.key] += number
            if len(counts) > 1:
                listed = ", ".join(f"{key} ({number} videos)" for key, number in counts.items())
                raise StoreError(
                    f"{name!r} was measured in {len(counts)} ways: keys {listed}. "
                    "Extract the feature again for all videos."
                )
            keys[name] = next(iter(counts))
        if not self.names:
            raise UsageError(
                f"No column is left: {'; '.join(f'{n!r} is {why}' for n, why in self.dropped.items())}."
            )
        return keys

    def _not_for(self, name: str) -> list[str]:
        states = ((row, self.states[name][row]) for row in self.rows)
        return [self.index.ids[row] for row, state in states if state is not None and state.status != "ok"]


def _unique(items: Sequence[str], what: str = "id") -> tuple[str, ...]:
    if len(set(items)) != len(items):
        twice = next(item for number, item in enumerate(items) if item in items[:number])
        raise UsageError(f"The {what} {twice!r} is asked for twice.")
    return tuple(items)


def _some(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return ", ".join(repr(id) for id in ids[:_SHOWN]) + more
