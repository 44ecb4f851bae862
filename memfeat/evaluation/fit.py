"""Fit a model on a store, judge it on rows it has not seen, and save the run."""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from memfeat import __version__, models
from memfeat.errors import UsageError
from memfeat.evaluation import pipeline, splits, table
from memfeat.evaluation.gather import Rows, choose_target, damage, gather, open_store
from memfeat.evaluation.judge import judge
from memfeat.evaluation.run import Run, RunInfo, check_free, save, stamp
from memfeat.evaluation.split_file import load as load_split_file
from memfeat.evaluation.split_file import to_table as split_file_table
from memfeat.metrics import is_constant
from memfeat.store.feature_store import FeatureStore

if TYPE_CHECKING:
    import pandas as pd

Positions = npt.NDArray[np.intp]


def fit(
    store: FeatureStore | str | Path,
    *,
    model: str = "brr",
    columns: Sequence[str] | None = None,
    target: str | None = None,
    folds: int = 5,
    seed: int = 0,
    split: str = "auto",
    repeats: int = 1,
    group_by: str | None = None,
    split_file: str | Path | None = None,
    resamples: int = 2000,
    out: str | Path | None = None,
    replace: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Run:
    """Fit a model on the labelled videos of a store, judge it on held-out rows, and save the run.

    Every step that learns from data is fitted on the training rows of its part alone. With k-fold, the saved
    model is fitted once more on all labelled rows, after the folds have judged it; with the dataset's own
    split the saved model is the one that was judged.

    Parameters
    ----------
    store
        A store, a view of one (`FeatureStore.filter`), or the path of one.
    model
        A name from `memfeat.models.names`.
    columns
        ``feature`` (its mean over time) or ``feature:reduction``; None takes every feature that all labelled
        videos have.
    target
        Name of the score; may be left out when there is one.
    folds, seed, split, repeats
        As for `memfeat.evaluation.splits.plan`; `seed` also seeds the model and the bootstrap.
    group_by
        What must stay in one fold, as for `memfeat.evaluation.gather.gather`.
    split_file
        Table of a split by id, such as the ``splits.csv`` of an earlier run, which it repeats exactly; see
        `memfeat.evaluation.split_file`. `split` may then name one of its splits.
    resamples
        Bootstrap resamples behind each interval.
    out
        The folder of the run; default ``runs/<dataset>-<model>-<target>-<8 hex>``, where the digits stand for
        everything that determines the result: data, split, columns, model and seed.
    replace
        Whether a run that is already there is replaced.
    progress
        Called with the number of fits done and to do.

    Returns
    -------
    Run

    Raises
    ------
    UsageError
        Unknown model, target or feature; several targets and none named; too few rows; a target that is
        constant; a run of that name exists.
    StoreError
        A file of the store is damaged.
    SetupError
        The run folder cannot be written.
    """
    spec = models.get(model)
    store = open_store(store)
    target = choose_target(store, target)
    rows = gather(store, target=target, columns=columns, group_by=group_by)
    _check_target(rows)
    made = _plan(rows, split=split, folds=folds, repeats=repeats, seed=seed, by=group_by, file=split_file)
    digest = _digest(rows, made, dataset=store.dataset, model=model, seed=seed, resamples=resamples)
    path = Path(out) if out is not None else Path("runs", _run_name(store.dataset, model, target, digest))
    check_free(path, replace=replace)

    refit = made.kind == "k-fold"
    total = len(made.parts) + refit
    heard: list[str] = []
    fitted: Any = None
    held_out = []
    reduced: dict[str, tuple[int, int]] = {}
    for done, part in enumerate(made.parts):
        if progress is not None:
            progress(done, total)
        fitted = _fit_one(rows, part.fit, spec, seed=seed, name=part.name, heard=heard)
        for column, few_of in pipeline.reduced(fitted).items():
            reduced[column] = min(few_of, reduced.get(column, few_of))
        held_out.append(_held_out(rows, part, fitted, spec))
    if refit:
        if progress is not None:
            progress(total - 1, total)
        fitted = _fit_one(rows, made.used, spec, seed=seed, name="all rows", heard=heard)
    if progress is not None:
        progress(total, total)

    import pandas as pd

    predictions = pd.concat(held_out).sort_values(["id", "split"], ignore_index=True)
    results = judge(predictions, split=made.name, k_fold=refit, resamples=resamples, seed=seed)
    few = [
        f"{name} has {k} of {wanted} components in a fit (few or equal rows)"
        for name, (k, wanted) in reduced.items()
    ]
    used = made.used
    scores = rows.y[used if refit else made.parts[0].fit]
    info = RunInfo(
        dataset=store.dataset,
        store=str(store.path),
        model=model,
        seed=seed,
        columns=rows.blocks,
        target=target,
        split=made.name,
        split_kind=made.kind,
        split_rule=made.rule,
        fitted=f"all {used.size} labelled rows, after the folds had judged it" if refit else made.rule,
        rows=int(used.size),
        target_range=(float(scores.min()), float(scores.max())),
        left_out=_left_out(rows, used),
        damaged=damage(store, [rows.ids[k] for k in used]),
        note=store.note,
        notes=(*made.notes, *rows.notes, *few, *heard),
        **stamp(),
    )
    return save(
        path,
        info=info,
        model=fitted,
        results=results,
        predictions=predictions,
        splits=split_file_table(rows.ids, made),
        table=table.as_csv(table.rows(Run(path, info, results))),
        replace=replace,
    )


def _plan(
    rows: Rows,
    *,
    split: str,
    folds: int,
    repeats: int,
    seed: int,
    by: str | None,
    file: str | Path | None,
) -> splits.Plan:
    if file is not None:
        if repeats > 1:
            raise UsageError(f"repeats={repeats} shuffles folds anew, and a split file fixes them. Give one.")
        return load_split_file(file, rows.ids, mode=split)
    return splits.plan(
        rows.ids,
        split=rows.split,
        named=rows.named,
        group=rows.group,
        group_by=by or "group",
        unlabelled=rows.unlabelled,
        unlabelled_named=rows.unlabelled_named,
        mode=split,
        folds=folds,
        repeats=repeats,
        seed=seed,
    )


def _check_target(rows: Rows) -> None:
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


def _fit_one(
    rows: Rows, chosen: Positions | slice, spec: models.ModelSpec, *, seed: int, name: str, heard: list[str]
) -> Any:
    unfitted = pipeline.build(rows.blocks, spec, seed=seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            fitted = unfitted.fit(rows.X[chosen], rows.y[chosen])
        except (ValueError, np.linalg.LinAlgError) as error:
            raise UsageError(
                f"The model {spec.name!r} cannot be fitted on {rows.y[chosen].size} rows ({name}): {error}"
            ) from error
    for text in dict.fromkeys(f"{spec.name}: {' '.join(str(w.message).split())}" for w in caught):
        if text not in heard:
            heard.append(text)
    return fitted


def _held_out(rows: Rows, part: splits.Part, fitted: Any, spec: models.ModelSpec) -> pd.DataFrame:
    import pandas as pd

    mean, sd = pipeline.predict(fitted, rows.X[part.judged], deviation=spec.gives_deviation)
    return pd.DataFrame(
        {
            "id": [rows.ids[k] for k in part.judged],
            "split": part.name,
            "target": rows.y[part.judged],
            "predicted": mean,
            "predicted_sd": np.full(mean.size, np.nan) if sd is None else sd,
        }
    )


def _left_out(rows: Rows, used: Positions) -> dict[str, tuple[str, ...]]:
    unused = sorted(set(range(len(rows.ids))) - set(used.tolist()))
    extra = {"neither fitted nor judged in this split": tuple(rows.ids[k] for k in unused)} if unused else {}
    return rows.left_out | extra


def _run_name(dataset: str, model: str, target: str, digest: str) -> str:
    words = (
        re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")[:40] or "x" for word in (dataset, model, target)
    )
    return "-".join((*words, digest))


def _digest(rows: Rows, made: splits.Plan, *, dataset: str, model: str, seed: int, resamples: int) -> str:
    """Return 8 hex digits that change with anything the result depends on."""
    settings = {
        "memfeat": __version__,
        "dataset": dataset,
        "model": model,
        "seed": seed,
        "resamples": resamples,
        "target": rows.target,
        "columns": [(block.name, block.key, block.preparation) for block in rows.blocks],
        "ids": rows.ids,
        "parts": [(part.name, part.fit.tolist(), part.judged.tolist()) for part in made.parts],
    }
    state = hashlib.sha256(json.dumps(settings).encode())
    state.update(rows.y.tobytes())
    for values in rows.X.arrays:
        state.update(np.ascontiguousarray(values).data)
    return state.hexdigest()[:8]
