"""One system on one plan: columns, a model, its parameters and a seed, fitted on each part and judged beside it.

Nothing is written here. `memfeat.evaluation.fit` makes a saved run of one system; a comparison of many calls
`fit_part` and `hold_out` for each part of each, in processes of its own choice, and keeps what comes back under
`digest`.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from memfeat import __version__
from memfeat.errors import MemfeatError, UsageError
from memfeat.estimators.mean_of_frames import fit_groups
from memfeat.evaluation import late_fusion, pipeline
from memfeat.evaluation.gather import Rows
from memfeat.evaluation.parameters import as_text
from memfeat.evaluation.preparation import Blocks
from memfeat.evaluation.splits import Part, Plan, Positions
from memfeat.metrics import is_constant
from memfeat.models import ModelSpec

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Fitted:
    """A fitted pipeline and what there is to say of its fit."""

    pipeline: Any
    notes: tuple[str, ...] = ()
    """What the model warned of, with its name in front."""
    reduced: Mapping[str, tuple[int, int]] | None = None
    """Columns with fewer components than asked for: how many, and of how many."""


@dataclass(frozen=True)
class Judged:
    """A system after all parts of a plan."""

    fitted: Fitted
    """On all rows of the plan where its parts are folds, else on those of the last part."""
    predictions: pd.DataFrame
    """Held out: columns id, split, target, predicted, predicted_sd; sorted by id, then split."""
    notes: tuple[str, ...]
    """What fits warned of and which had fewer components, each said once."""


def fit_part(
    rows: Rows,
    chosen: Positions,
    spec: ModelSpec,
    *,
    seed: int = 0,
    parameters: Mapping[str, Any] | None = None,
    name: str = "",
) -> Fitted:
    """Fit a model and the preparation of its columns on some rows.

    Parameters
    ----------
    rows
        From `memfeat.evaluation.gather.gather`.
    chosen
        Positions of the rows to fit.
    spec
        The model.
    seed
        Of the model, and of preparations that draw.
    parameters
        Checked ones (`memfeat.evaluation.parameters.check`).
    name
        What the part is called, for messages.

    Raises
    ------
    UsageError
        The model cannot be fitted on these rows; the message says why. Columns of frames have differently many.
    SetupError
        It needs torch, or a device, that is not there.
    """
    unfitted = late_fusion.build(rows.blocks, spec, seed=seed, parameters=parameters)
    pipeline.check_frames(rows.blocks, rows.X, rows.ids)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            fitted = unfitted.fit(rows.X[chosen], rows.y[chosen], **_groups(unfitted, rows, chosen))
        except MemfeatError:
            raise
        except Exception as error:
            expected = isinstance(error, (ValueError, np.linalg.LinAlgError))
            if not expected and not parameters:
                raise  # no value that was given can be the cause
            given = f" with {as_text(parameters)}" if parameters else ""
            why = str(error) if expected else f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise UsageError(
                f"The model {spec.name!r} cannot be fitted on {rows.y[chosen].size} rows"
                f"{f' ({name})' if name else ''}{given}: {why}"
            ) from error
    said = (f"{spec.name}: {' '.join(str(warning.message).split())}" for warning in caught)
    return Fitted(fitted, tuple(dict.fromkeys(said)), pipeline.reduced(fitted))


def _groups(unfitted: Any, rows: Rows, chosen: Positions) -> dict[str, Any]:
    """Return what a model that makes inner folds has to know, so that rows of one group stay together there too."""
    if rows.group is None:
        return {}
    of = [rows.group[k] for k in chosen]
    numbers = {
        name: number for number, name in enumerate(dict.fromkeys(name for name in of if name is not None))
    }
    groups = np.array([len(numbers) + k if name is None else numbers[name] for k, name in enumerate(of)])
    return fit_groups(unfitted, groups) if np.unique(groups).size > 1 else {}


def hold_out(rows: Rows, part: Part, fitted: Fitted, spec: ModelSpec) -> pd.DataFrame:
    """Return predictions of the rows that a part judges: columns id, split, target, predicted, predicted_sd."""
    import pandas as pd

    mean, sd = pipeline.predict(fitted.pipeline, rows.X[part.judged], deviation=spec.gives_deviation)
    return pd.DataFrame(
        {
            "id": [rows.ids[k] for k in part.judged],
            "split": part.name,
            "target": rows.y[part.judged],
            "predicted": mean,
            "predicted_sd": np.full(mean.size, np.nan) if sd is None else sd,
        }
    )


def fit_plan(
    rows: Rows,
    plan: Plan,
    spec: ModelSpec,
    *,
    seed: int = 0,
    parameters: Mapping[str, Any] | None = None,
    refit: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Judged:
    """Fit a system on every part of a plan and predict what each part holds out.

    Parameters
    ----------
    rows, spec, seed, parameters
        As for `fit_part`.
    plan
        From `memfeat.evaluation.splits.plan`.
    refit
        Whether the model is fitted once more, on all rows of the plan, where its parts are folds.
    progress
        Called with the number of fits done and to do.

    Raises
    ------
    UsageError, SetupError
        As for `fit_part`.
    """
    import pandas as pd

    refit = refit and plan.kind == "k-fold"
    total = len(plan.parts) + refit
    fitted = Fitted(None)
    heard: list[Fitted] = []
    tables = []
    said: list[str] = []
    for done, part in enumerate(plan.parts):
        if progress is not None:
            progress(done, total)
        fitted = fit_part(rows, part.fit, spec, seed=seed, parameters=parameters, name=part.name)
        tables.append(hold_out(rows, part, fitted, spec))
        said += flat_note(tables[-1]["predicted"].to_numpy(), spec)
        heard.append(replace(fitted, pipeline=None))
    if refit:
        if progress is not None:
            progress(total - 1, total)
        fitted = fit_part(rows, plan.used, spec, seed=seed, parameters=parameters, name="all rows")
        heard.append(fitted)
    if progress is not None:
        progress(total, total)
    return Judged(
        fitted=fitted,
        predictions=pd.concat(tables).sort_values(["id", "split"], ignore_index=True),
        notes=(*notes_of(heard), *dict.fromkeys(said)),
    )


def flat_note(predicted: npt.NDArray[np.float64], spec: ModelSpec) -> tuple[str, ...]:
    """Return what to say of the held-out predictions of a part where all are equal."""
    if not is_constant(predicted):
        return ()
    return (f"{spec.name}: predicts the same for all rows of a part, whose correlations are undefined",)


def notes_of(fits: Iterable[Fitted]) -> tuple[str, ...]:
    """Return what several fits of one system have to say, each remark once."""
    fewest: dict[str, tuple[int, int]] = {}
    said: dict[str, None] = {}
    for fitted in fits:
        for column, few in (fitted.reduced or {}).items():
            fewest[column] = min(few, fewest.get(column, few))
        said |= dict.fromkeys(fitted.notes)
    few_rows = (
        f"{column} has {k} of {wanted} components in a fit (few or equal rows)"
        for column, (k, wanted) in fewest.items()
    )
    return (*few_rows, *said)


def digest(
    rows: Rows,
    plan: Plan,
    *,
    dataset: str,
    model: str,
    seed: int = 0,
    parameters: Mapping[str, Any] | None = None,
    known: dict[int, str] | None = None,
) -> str:
    """Return 64 hex digits that change with anything that held-out predictions depend on.

    These are the values, texts and scores of the rows, which rows each part fits and judges, the columns with
    their keys and preparations, the model with its parameters, the seed, and the version of memfeat.
    `known` keeps digests of arrays, by their `id`, for as long as they live: systems that share columns are then
    told apart without reading those again.
    """
    known = {} if known is None else known
    settings = {
        "memfeat": __version__,
        "dataset": dataset,
        "model": model,
        "seed": seed,
        "parameters": dict(sorted((parameters or {}).items())),
        "target": rows.target,
        "columns": [(block.name, block.key, block.preparation) for block in rows.blocks],
        "ids": rows.ids,
        "groups": rows.group,
        "parts": [(part.name, part.fit.tolist(), part.judged.tolist()) for part in plan.parts],
        "scores": hashlib.sha256(rows.y.tobytes()).hexdigest(),
        "values": _digests(rows.X.arrays, known),
    }
    return hashlib.sha256(json.dumps(settings).encode()).hexdigest()


def _digests(arrays: Sequence[Any], known: dict[int, str]) -> list[Any]:
    found: list[Any] = []
    for values in arrays:
        if isinstance(values, Blocks):
            found.append(_digests(values.arrays, known))
            continue
        if id(values) not in known:
            text = values.dtype == object
            data = json.dumps(values[:, 0].tolist()).encode() if text else np.ascontiguousarray(values).data
            known[id(values)] = hashlib.sha256(data).hexdigest()
        found.append(known[id(values)])
    return found
