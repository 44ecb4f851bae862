"""Parquet tables with a row per video: a column per number, or one column with a list per row."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from memfeat.errors import UsageError
from memfeat.store.importing.table import TableShipment, choose, find_id_column
from memfeat.store.importing.values import Array


def read_parquet(
    path: Path,
    *,
    id_column: str | None = None,
    columns: Sequence[str] | None = None,
    labels: Collection[str] = (),
) -> TableShipment:
    """Return the rows of a parquet table.

    Parameters
    ----------
    path
        The table.
    id_column, columns, labels
        As in `memfeat.store.importing.delimited.read_delimited`. A single column may hold a vector per row, or a list
        of them, one per frame.

    Raises
    ------
    UsageError
        The table cannot be read, a column is missing or holds no numbers, or a name is there twice.
    """
    try:
        table = pd.read_parquet(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from error
    except Exception as error:  # pyarrow raises many kinds for damaged files
        raise UsageError(f"{path} cannot be read as parquet: {' '.join(str(error).split())}.") from error
    if table.index.name is not None:  # pandas keeps an index of ids apart
        table = table.reset_index()
    table.columns = pd.Index([str(name) for name in table.columns])
    by, remarks = find_id_column(list(table.columns), id_column, path)
    if id_column is None and remarks and pd.api.types.is_float_dtype(table[by].dtype):
        raise UsageError(f"{path} has no column that names the videos; name it with id_column (--id-column).")
    names = [_name(value) for value in table[by].tolist()]
    chosen, said = choose([name for name in table.columns if name != by], columns, path, labels)
    remarks += said
    if len(chosen) == 1 and not pd.api.types.is_numeric_dtype(table[chosen[0]].dtype):
        cells = table[chosen[0]].tolist()
        if any(isinstance(cell, (list, tuple, np.ndarray)) for cell in cells):
            return TableShipment(path, names, [_array(cell) for cell in cells], remarks=remarks)
    for column in chosen:
        if not pd.api.types.is_numeric_dtype(table[column].dtype):
            example = next(iter(table[column].tolist()), None)
            raise UsageError(
                f"{path}: the column {column!r} holds {example!r}; numbers are needed. Choose the columns that hold "
                "the feature with columns (--columns)."
            )
    single = all(table[name].dtype == "float32" for name in chosen)
    rows = table[chosen].to_numpy(dtype=np.float32 if single else np.float64, na_value=np.nan)
    return TableShipment(path, names, rows[:, 0] if len(chosen) == 1 else rows, remarks=remarks)


def _name(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else str(int(value)) if value.is_integer() else str(value)
    return "" if value is None or value is pd.NA else str(value).strip()


def _array(cell: Any) -> Array:
    if isinstance(cell, np.ndarray) and cell.dtype.kind == "f":
        return cell
    try:  # vectors per frame come as an array of arrays
        return np.array([np.asarray(row, dtype=np.float64) for row in cell])
    except (ValueError, TypeError):
        return np.array(None, dtype=object)  # refused where it is read, with its place
