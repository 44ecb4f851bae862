"""Fit a model on a store, judge it on rows it has not seen, and save the run."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from memfeat.evaluation import late_fusion, pipeline, system, table
from memfeat.evaluation.files import check_writable, marked
from memfeat.evaluation.frames import columns_of
from memfeat.evaluation.gather import Rows, caution, choose_target, damage, gather, open_store
from memfeat.evaluation.judge import judge
from memfeat.evaluation.planning import check_missing, check_target, flat_columns, plan_rows
from memfeat.evaluation.run import Run, RunInfo, check_free, save, stamp
from memfeat.evaluation.split_file import to_table as split_file_table
from memfeat.store.feature_store import FeatureStore

Positions = npt.NDArray[np.intp]


def fit(
    store: FeatureStore | str | Path,
    *,
    model: str = "brr",
    parameters: Mapping[str, Any] | None = None,
    columns: Sequence[str] | None = None,
    aggregate: str | None = None,
    missing: str = "error",
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
        A name from `memfeat.models.names`, or ``late-fusion``: an average of several systems, which are its
        parameters (`memfeat.evaluation.late_fusion.build`).
    parameters
        Of the model, beside or instead of its published ones, such as ``{"C": 10}``.
    columns
        ``feature[:reduction][@preparation]``, such as ``hog``, ``hog:first@pca50`` or ``captions@tfidf``
        (`memfeat.evaluation.columns`); None takes the features that the model asks for, else every feature
        that all labelled videos have.
    aggregate
        ``mean-of-frames`` fits a model of images: frames are rows that carry the score of their video, and the
        predicted score of a video is the mean over its frames. Columns are then ``feature:per-second`` (which a
        bare name means) or ``feature:frames``.
    missing
        What becomes of videos with a score that lack a named feature, or to which it is not applicable (motion of a
        still image): ``error`` refuses them, ``drop`` leaves them out and says so.
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
        everything that determines the result: data, split, columns, model, parameters and seed.
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
        Unknown model, parameter, target or feature; several targets and none named; videos that lack a feature; too
        few rows; a target that is constant; a run of that name exists.
    StoreError
        A file of the store is damaged.
    SetupError
        The run folder cannot be written, or the model needs torch, which is not installed.
    """
    spec = late_fusion.find(model, parameters)
    parameters = late_fusion.check(spec, parameters, seed=seed)
    if spec.name == late_fusion.NAME and columns is None:
        columns = late_fusion.columns_of(parameters)
    store = open_store(store)
    target = choose_target(store, target)
    columns = columns_of(columns, aggregate)
    rows = gather(store, target=target, columns=columns, choose=spec.columns, group_by=group_by)
    check_missing(store, rows, missing)
    check_target(rows)
    made = plan_rows(
        rows,
        split=split,
        folds=folds,
        repeats=repeats,
        seed=seed,
        group_by=group_by,
        split_file=split_file,
    )
    digest = system.digest(rows, made, dataset=store.dataset, model=model, seed=seed, parameters=parameters)
    name = _run_name(store.dataset, model, target, f"{digest} {resamples}")
    path = Path(out) if out is not None else Path("runs", name)
    check_free(path, replace=replace)
    check_writable(path.parent, f"The run {path}")
    done = system.fit_plan(rows, made, spec, seed=seed, parameters=parameters, progress=progress)

    folds_alone = made.kind == "k-fold"
    results = judge(done.predictions, split=made.name, k_fold=folds_alone, resamples=resamples, seed=seed)
    used = made.used
    scores = rows.y[used if folds_alone else made.parts[0].fit]
    info = RunInfo(
        dataset=store.dataset,
        store=str(store.path),
        model=model,
        seed=seed,
        parameters=parameters,
        columns=rows.blocks,
        target=target,
        split=made.name,
        split_kind=made.kind,
        split_rule=made.rule,
        fitted=f"all {used.size} labelled rows, after the folds had judged it" if folds_alone else made.rule,
        rows=int(used.size),
        target_range=(float(scores.min()), float(scores.max())),
        left_out=_left_out(rows, used),
        damaged=damage(store, [rows.ids[k] for k in used]),
        note=caution(store.note, rows.blocks),
        notes=(
            *made.notes,
            *rows.notes,
            *flat_columns(rows),
            *_frames_note(rows, done.fitted.pipeline),
            *done.notes,
        ),
        **stamp(deep=spec.needs_deep),
    )
    return save(
        path,
        info=info,
        model=done.fitted.pipeline,
        results=results,
        predictions=marked(done.predictions, caution("", rows.blocks)),
        splits=split_file_table(rows.ids, made),
        table=table.as_csv(table.rows(Run(path, info, results))),
        replace=replace,
    )


def _left_out(rows: Rows, used: Positions) -> dict[str, tuple[str, ...]]:
    unused = sorted(set(range(len(rows.ids))) - set(used.tolist()))
    extra = {"neither fitted nor judged in this split": tuple(rows.ids[k] for k in unused)} if unused else {}
    return rows.left_out | extra


def _frames_note(rows: Rows, fitted: Any) -> tuple[str, ...]:
    if not pipeline.of_frames(rows.blocks):
        return ()
    count = fitted.named_steps["model"].n_frames_
    return (f"frames are scored one by one and averaged over each video; the saved model saw {count} frames",)


def _run_name(dataset: str, model: str, target: str, what: str) -> str:
    words = (
        re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")[:40] or "x" for word in (dataset, model, target)
    )
    return "-".join((*words, hashlib.sha256(what.encode()).hexdigest()[:8]))
