"""From gathered rows to the fits that judge a model on them."""

from __future__ import annotations

from pathlib import Path

from memfeat.errors import UsageError
from memfeat.evaluation import split_file as split_files
from memfeat.evaluation import splits
from memfeat.evaluation.gather import Rows
from memfeat.metrics import is_constant


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
