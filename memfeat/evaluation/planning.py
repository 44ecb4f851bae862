"""From gathered rows to the fits that judge a model on them: whether rows can be used at all, and in which parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from memfeat.errors import UsageError, nearest
from memfeat.evaluation import split_file as split_files
from memfeat.evaluation import splits
from memfeat.evaluation.gather import NO_SCORE, Rows
from memfeat.evaluation.preparation import Blocks
from memfeat.metrics import is_constant
from memfeat.store.feature_store import FeatureStore

Missing = Literal["error", "drop"]
_SHOWN = 5
_STEP = 256


def check_missing(store: FeatureStore, rows: Rows, missing: str) -> None:
    """Make sure that no video of a store was left out for want of a feature, unless that was asked for.

    Labels without a score, and videos of which the store has nothing at all, are no matter of this.

    Parameters
    ----------
    store
        What the rows come from.
    rows
        From `memfeat.evaluation.gather.gather`.
    missing
        ``error`` refuses such rows; ``drop`` leaves them out, which a run then says.

    Raises
    ------
    UsageError
        Videos that have a score lack a feature or a text, or it is not applicable to them, or its values are not
        finite; they are named. Or `missing`
        is something else.
    """
    known = get_args(Missing)
    if missing not in known:
        raise UsageError(f"missing={missing!r}; give {' or '.join(known)}.{nearest(missing, known)}")
    if missing == "drop":
        return
    texts = all(block.is_text for block in rows.blocks)
    there = {i for of in (store.texts or {}).values() for i in of} if texts else set(store.ids)
    lacking = [(i, why) for why, ids in rows.left_out.items() if why != NO_SCORE for i in ids if i in there]
    if lacking:
        listed = ", ".join(f"{i!r} ({why})" for i, why in lacking[:_SHOWN])
        more = f" and {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else ""
        count, lack = ("1 video", "lacks") if len(lacking) == 1 else (f"{len(lacking)} videos", "lack")
        raise UsageError(
            f"{count} of {store.dataset} {lack} what is asked for: {listed}{more}. Extract what is "
            "missing, name other features, or leave these videos out with missing='drop' (--missing drop)."
        )


def flat_columns(rows: Rows) -> tuple[str, ...]:
    """Return what to say of columns that are the same for all rows; nothing where there is none."""
    same = [block.name for block, array in zip(rows.blocks, rows.X.arrays, strict=True) if _same(array)]
    return (
        (f"equal for all {len(rows.ids)} rows, which tells the model nothing: {', '.join(same)}",)
        if same
        else ()
    )


def _same(array: Any) -> bool:
    """Whether all rows are equal, frames that a shorter video lacks aside."""
    if isinstance(array, Blocks):
        return _same(array.arrays[0])
    first = array[0]
    for start in range(0, len(array), _STEP):
        rows = array[start : start + _STEP]
        differing = rows != first
        if array.dtype != object:
            differing &= ~np.isnan(rows) & ~np.isnan(first)
        if differing.any():
            return False
    return True


def check_target(rows: Rows) -> None:
    """Make sure that there is something to learn.

    Raises
    ------
    UsageError
        Too few rows, or a score that is the same for all of them.
    """
    least = 2 * splits.MIN_JUDGED
    if len(rows.ids) < least:
        account = "; ".join(f"{len(ids)} left out: {why}" for why, ids in rows.left_out.items())
        raise UsageError(
            f"{len(rows.ids)} rows with a score and features are too few; at least {least} are needed"
            f"{f' ({account})' if account else ''}."
        )
    if is_constant(rows.y):
        raise UsageError(
            f"The target {rows.target!r} is {rows.y[0]:g} for all {rows.y.size} rows; "
            "there is nothing to predict."
        )


def plan_rows(
    rows: Rows,
    *,
    split: str = "auto",
    folds: int = 5,
    repeats: int = 1,
    seed: int = 0,
    group_by: str | None = None,
    split_file: str | Path | None = None,
) -> splits.Plan:
    """Return the fits of rows: those of a table of a split, else what `memfeat.evaluation.splits.plan` makes.

    Raises
    ------
    UsageError
        Repeats of a split that a table fixes, or as for `memfeat.evaluation.splits.plan` and
        `memfeat.evaluation.split_file.load`.
    """
    if split_file is not None:
        if repeats > 1:
            raise UsageError(f"repeats={repeats} shuffles folds anew, and a split file fixes them. Give one.")
        return split_files.load(split_file, rows.ids, mode=split)
    return splits.plan(
        rows.ids,
        split=rows.split,
        named=rows.named,
        group=rows.group,
        group_by=group_by or "group",
        unlabelled=rows.unlabelled,
        unlabelled_named=rows.unlabelled_named,
        mode=split,
        folds=folds,
        repeats=repeats,
        seed=seed,
    )
