"""Judge a saved run again: its own held-out predictions, or its model on another dataset."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from memfeat.errors import UsageError
from memfeat.evaluation import late_fusion, pipeline
from memfeat.evaluation.files import check_table, marked, write_table
from memfeat.evaluation.gather import Rows, caution, choose_target, damage, gather, open_store
from memfeat.evaluation.judge import Result, judge
from memfeat.evaluation.keys import check_keys
from memfeat.evaluation.planning import check_missing
from memfeat.evaluation.run import Run
from memfeat.evaluation.splits import FIT
from memfeat.metrics import is_constant
from memfeat.store.feature_store import FeatureStore

if TYPE_CHECKING:
    import pandas as pd

FITTED = "the model was fitted on it"


@dataclass(frozen=True)
class Evaluation:
    """Figures of a run's model on a dataset, with the predictions behind them."""

    run: Run
    dataset: str
    target: str
    split: str
    """What was judged, for tables."""
    results: tuple[Result, ...]
    """The headline first."""
    predictions: pd.DataFrame
    """Columns id, split, target, predicted, predicted_sd; sorted by id."""
    rows: int
    left_out: dict[str, tuple[str, ...]] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)
    note: str = ""
    """A caution that belongs beside every figure: of the model's scores, or of the judged ones."""
    notes: tuple[str, ...] = ()
    out: Path | None = None
    """The table of predictions, where one was written."""


def evaluate(
    run: Run | str | Path,
    *,
    store: FeatureStore | str | Path | None = None,
    target: str | None = None,
    missing: str = "error",
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
    out: str | Path | None = None,
) -> Evaluation:
    """Judge a saved run.

    Parameters
    ----------
    run
        A run or its folder.
    store
        None judges the predictions that were held out when the run was fitted. A store, its path or a view of
        it: the saved model predicts every labelled row there that it was not fitted on.
    target
        Name of the score in `store`; default the run's own, or the only one there is.
    missing
        What becomes of videos of `store` that lack a feature, as for `memfeat.evaluation.fit.fit`.
    resamples, level, seed
        As for `memfeat.statistics.figures`.
    out
        Where to write the predictions as CSV.

    Returns
    -------
    Evaluation

    Raises
    ------
    UsageError
        No such run or target; the store lacks a feature or extracted one differently (the message says how);
        the model was fitted on every labelled row.
    SetupError
        The CSV could not be written.
    StoreError
        The run or the store is damaged.
    """
    check_table(out)
    run = run if isinstance(run, Run) else Run.load(run)
    settings: dict[str, Any] = {"resamples": resamples, "level": level, "seed": seed}
    if store is None:
        if target not in (None, run.info.target):
            raise UsageError(
                f"The run was fitted on {run.info.target!r}; its held-out predictions cannot be judged on "
                f"{target!r}. Name a store to judge the model there."
            )
        table = run.predictions
        results = judge(table, split=run.info.split, k_fold=run.info.split_kind == "k-fold", **settings)
        return Evaluation(
            run=run,
            dataset=run.info.dataset,
            target=run.info.target,
            split=run.info.split,
            results=results,
            predictions=table,
            rows=len(table),
            left_out=run.info.left_out,
            damaged=run.info.damaged,
            note=run.info.note,
            notes=("the predictions held out when the run was fitted", *run.info.notes),
            out=write_table(marked(table, caution("", run.info.columns)), out),
        )
    store = open_store(store)
    target = _target(run, store, target)
    rows = _rows(run, store, target)
    check_missing(store, rows, missing)
    keep = _unseen(run, store, rows)
    predictions = _predictions(run, rows, keep)
    left_out = dict(rows.left_out)
    if len(keep) < len(rows.ids):
        seen = sorted(set(rows.ids) - {rows.ids[k] for k in keep})
        left_out[FITTED] = tuple(seen)
    notes = list(rows.notes)
    if target != run.info.target:
        notes.append(
            f"the model predicts {run.info.target!r} and is judged on {target!r}: mind the scale of mse"
        )
    if is_constant(predictions["target"].to_numpy()):
        notes.append("all true scores are equal: correlations are undefined")
    split = f"all of {store.dataset}" if not left_out.get(FITTED) else f"rows of {store.dataset} not fitted"
    return Evaluation(
        run=run,
        dataset=store.dataset,
        target=target,
        split=split,
        results=judge(predictions, split=split, k_fold=False, **settings),
        predictions=predictions,
        rows=len(predictions),
        left_out=left_out,
        damaged=damage(store, predictions["id"].tolist()),
        note="; ".join(dict.fromkeys(text for text in (run.info.note, store.note) if text)),
        notes=tuple(notes),
        out=write_table(marked(predictions, caution("", run.info.columns)), out),
    )


def _target(run: Run, store: FeatureStore, target: str | None) -> str:
    labels = store.read_labels()
    if target is None and labels is not None and run.info.target in labels.targets:
        return run.info.target
    return choose_target(store, target)


def _rows(run: Run, store: FeatureStore, target: str) -> Rows:
    """Return the labelled rows of a store, after making sure that its features mean what the model's do."""
    measured = tuple(block for block in run.info.columns if not block.is_text)
    wanted = {block.feature for block in measured}
    keys: dict[str, str] = {}
    for feature, key in store.features()["key"].items():
        keys.setdefault(str(feature), str(key))
    recipes = {}
    for feature in wanted & keys.keys():
        if any(block.feature == feature and block.key != keys[feature] for block in measured):
            recipes[feature] = _recipe(store, feature)
    check_keys(measured, keys, recipes, where=f"The store {store.path}")
    rows = gather(store, target=target, columns=[block.name for block in run.info.columns], fitting=False)
    there = {block.name: block.width for block in rows.blocks}
    for block in run.info.columns:
        if block.name not in there:
            raise UsageError(
                f"The model needs {block.name}, which applies to no video of {store.dataset}. "
                "Fit a model without it to judge it there."
            )
        if there[block.name] != block.width:
            raise UsageError(
                f"{block.name} has {there[block.name]} columns in {store.path}; the model was fitted on "
                f"{block.width}."
            )
    pipeline.check_frames(rows.blocks, rows.X, rows.ids)
    return rows


def _recipe(store: FeatureStore, feature: str) -> object:
    for video in store.ids:
        record = store.load(video, only=[feature])
        if feature in record:
            return record[feature].provenance.get("recipe")
    return None


def _unseen(run: Run, store: FeatureStore, rows: Rows) -> list[int]:
    """Return the positions of rows that the saved model was not fitted on."""
    if store.dataset != run.info.dataset:
        return list(range(len(rows.ids)))
    splits = run.splits
    fitted = set(splits["id"])
    if run.info.split_kind != "k-fold":
        fitted = set(splits["id"][(splits.drop(columns="id") == FIT).any(axis=1)])
    keep = [k for k, i in enumerate(rows.ids) if i not in fitted]
    if not keep:
        raise UsageError(
            f"The saved model was fitted on every labelled row of {store.dataset}, so nothing there can "
            "judge it. Leave the store out to judge the held-out predictions, or name another dataset."
        )
    return keep


def _predictions(run: Run, rows: Rows, keep: list[int]) -> pd.DataFrame:
    import pandas as pd

    spec = late_fusion.find(run.info.model)
    mean, sd = pipeline.predict(run.model, rows.X[keep], deviation=spec.gives_deviation)
    return pd.DataFrame(
        {
            "id": [rows.ids[k] for k in keep],
            "split": ["" if rows.split is None else rows.split[k] or "" for k in keep],
            "target": rows.y[keep],
            "predicted": mean,
            "predicted_sd": np.full(mean.size, np.nan) if sd is None else sd,
        }
    )
