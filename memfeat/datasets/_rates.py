"""Hit and false-alarm rates from the counts that several releases give instead of scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from memfeat.datasets._release import Table

HITS = ("hits", "mem: hits")
MISSES = ("misses", "mem: misses")
FALSE_ALARMS = ("false_alarms", "mem: false alarms", "fas")
CORRECT_REJECTIONS = ("correct_rejections", "mem: correct rejections", "crs")


def rates(table: Table, *, suffix: str = "") -> dict[str, pd.Series[Any]]:
    """Return ``hit_rate`` = hits / (hits + misses), ``false_alarm_rate`` where counted, and the counts behind each.

    Parameters
    ----------
    table
        With columns of counts.
    suffix
        Added to the names of the targets.

    Raises
    ------
    LabelError
        There are no counts of hits and misses, or one is no whole number from 0.

    Examples
    --------
    >>> from pathlib import Path
    >>> from memfeat.datasets._release import json_table
    >>> found = rates(json_table(Path("a.mat"), [{"hits": 3, "misses": 1}, {"hits": 0, "misses": 0}]))
    >>> {name: column.tolist() for name, column in found.items()}
    {'hit_rate': [0.75, nan], 'n:hit_rate': [4.0, 0.0]}
    """
    columns = _rate(table, f"hit_rate{suffix}", table.column(*HITS), table.column(*MISSES))
    alarms, rejections = table.optional(*FALSE_ALARMS), table.optional(*CORRECT_REJECTIONS)
    if alarms is not None and rejections is not None:
        columns |= _rate(table, f"false_alarm_rate{suffix}", alarms, rejections)
    return columns


def _rate(table: Table, target: str, yes: str, no: str) -> dict[str, pd.Series[Any]]:
    answers, others = _counts(table, yes), _counts(table, no)
    total = answers + others
    with np.errstate(invalid="ignore"):
        return {target: answers / total.where(total > 0), f"n:{target}": total}


def _counts(table: Table, column: str) -> pd.Series[Any]:
    values = table.numbers(column, low=0)
    for row, value in values.items():
        if value != int(value):
            raise table.error(row, column, f"{value:g} is no whole number, and answers are counted.")
    return values
