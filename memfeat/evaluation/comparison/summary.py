"""From held-out predictions of all systems to the lines of a table, with paired differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from memfeat.evaluation import parameters
from memfeat.evaluation.comparison.aligned import Member
from memfeat.evaluation.comparison.lines import NAMES, Line
from memfeat.evaluation.comparison.systems import System
from memfeat.evaluation.gather import Rows
from memfeat.evaluation.preparation import Blocks
from memfeat.evaluation.splits import Plan
from memfeat.evaluation.table import short_column
from memfeat.statistics import Figure, Resampled, average, figures, resampled

if TYPE_CHECKING:
    import pandas as pd

Vector = npt.NDArray[np.float64]
_WORTH_A_PROCESS = 2_000_000  # resamples x rows: below, a process costs more than it saves


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """The held-out predictions of one system, or of another reading of its fits."""

    name: str
    system: System
    member: Member | None
    """None for a fusion, or a system that failed."""
    values: Mapping[int, Sequence[Vector]] = field(default_factory=dict)
    """By seed: one array per part of the plan."""
    deviations: Mapping[int, Sequence[Vector | None]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    failure: str = ""

    @classmethod
    def failed(cls, system: System, why: str) -> Self:
        """Return what there is of a system that failed."""
        return cls(name=system.name, system=system, member=None, failure=why)


def summarise(
    predicted: Sequence[Predicted],
    *,
    rows: Rows,
    plan: Plan,
    baseline: str,
    resamples: int,
    level: float,
    seed: int,
    raw: bool = False,
    workers: int = 1,
) -> tuple[tuple[Line, ...], pd.DataFrame]:
    """Return a line for each, and all predictions in one table.

    Parameters
    ----------
    predicted
        Held out under the same plan.
    rows, plan
        The shared rows and their parts.
    baseline
        Name of the one that others are compared with.
    resamples, level, seed
        As for `memfeat.statistics.figures`.
    raw
        Whether a column of one number is also correlated with the score as it is.
    workers
        Processes for the resamples.
    """
    import pandas as pd

    frames = [(one, of, _frame(one, of, rows, plan)) for one in predicted for of in one.values]
    folds = plan.kind == "k-fold"
    drawn = _in_parallel(
        [_judge(table, folds, resamples, seed) for _, _, table in frames],
        workers if resamples * len(rows.ids) >= _WORTH_A_PROCESS else 1,
    )
    by_name: dict[str, list[Resampled]] = {one.name: [] for one in predicted}
    for (one, _, _), found in zip(frames, drawn, strict=True):
        by_name[one.name].append(found)
    means = {name: average(several) for name, several in by_name.items() if several}
    against = means.get(baseline)
    lines = []
    for one in predicted:
        mean = means.get(one.name)
        more: Mapping[str, Figure] = {}
        if mean is not None and against is not None and one.name != baseline:
            more = mean.minus(against).figures(level=level)
        lines.append(
            Line(
                name=one.name,
                model=one.system.model,
                features=_features(one),
                parameters=_parameters(one),
                seeds=tuple(one.values),
                figures={} if mean is None else mean.figures(level=level),
                spread=_spread(by_name[one.name]),
                difference=more,
                raw=_raw(one, rows, plan, resamples=resamples, level=level, seed=seed) if raw else None,
                failure=one.failure,
                notes=one.notes,
            )
        )
    order = ["system", "seed", "id", "split", "target", "predicted", "predicted_sd"]
    tables = [table.assign(system=one.name, seed=of)[order] for one, of, table in frames]
    return tuple(lines), pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=order)


def _frame(one: Predicted, seed: int, rows: Rows, plan: Plan) -> pd.DataFrame:
    import pandas as pd

    tables = []
    deviations = one.deviations.get(seed, [None] * len(plan.parts))
    for part, values, deviation in zip(plan.parts, one.values[seed], deviations, strict=True):
        tables.append(
            pd.DataFrame(
                {
                    "id": [rows.ids[k] for k in part.judged],
                    "split": part.name,
                    "target": rows.y[part.judged],
                    "predicted": values,
                    "predicted_sd": np.nan if deviation is None else deviation,
                }
            )
        )
    # The order of a run's predictions, so that a figure here is to the last digit that of `fit`.
    return pd.concat(tables).sort_values(["id", "split"], ignore_index=True)


def _judge(table: pd.DataFrame, folds: bool, resamples: int, seed: int) -> Callable[[], Resampled]:
    from functools import partial

    of_folds: dict[str, Any] = {}
    if folds:
        of_folds = {"folds": table["split"].to_numpy(str), "units": table["id"].to_numpy(str)}
    return partial(
        resampled,
        table["target"].to_numpy(),
        table["predicted"].to_numpy(),
        metrics=tuple(NAMES),
        resamples=resamples,
        seed=seed,
        **of_folds,
    )


def _in_parallel(calls: Sequence[Callable[[], Resampled]], workers: int) -> list[Resampled]:
    if workers == 1 or len(calls) < 2:
        return [call() for call in calls]
    from joblib import Parallel, delayed, parallel_config

    with parallel_config("loky", n_jobs=min(workers, len(calls)), inner_max_num_threads=1):
        return list(Parallel()(delayed(call)() for call in calls))


def _spread(several: Sequence[Resampled]) -> dict[str, float]:
    if len(several) < 2:
        return {}
    found = {}
    for name in NAMES:
        values = [value for one in several if (value := one.values[name]) is not None]
        if len(values) == len(several):
            found[name] = float(np.std(values, ddof=1))
    return found


def _raw(one: Predicted, rows: Rows, plan: Plan, *, resamples: int, level: float, seed: int) -> Figure | None:
    if one.member is None or one.member.rows.X.shape[1] != 1 or one.system.model == "constant":
        return None
    values = one.member.rows.X.arrays[0]
    if isinstance(values, Blocks) or values.dtype == object:
        return None
    judged = np.unique(np.concatenate([part.judged for part in plan.parts]))
    settings: dict[str, Any] = {"resamples": resamples, "level": level, "seed": seed}
    column = np.asarray(values[judged, 0], np.float64)
    return figures(rows.y[judged], column, metrics=("spearman",), **settings)["spearman"]


def _features(one: Predicted) -> tuple[str, ...]:
    if one.system.fuse:
        return one.system.fuse
    if one.member is not None:
        return tuple(short_column(block.name) for block in one.member.rows.blocks)
    return one.system.features or ()


def _parameters(one: Predicted) -> str:
    if one.system.fuse:
        return f"{one.system.method}, {one.system.weights} weights"
    return parameters.as_text(one.system.parameters)
