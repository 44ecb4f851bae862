"""Results as plain text and CSV: every figure with its interval, its n, its split and its caution."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memfeat.evaluation import parameters
from memfeat.evaluation.evaluate import Evaluation
from memfeat.evaluation.judge import Result
from memfeat.evaluation.pipeline import Block
from memfeat.evaluation.run import Run
from memfeat.metrics import METRICS
from memfeat.statistics import Figure

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a results table."""

    run: str
    model: str
    features: tuple[str, ...]
    dataset: str
    """The dataset that was judged."""
    target: str
    judged: str
    """The split and how it was judged: ``5-fold, fold mean``, ``5-fold, pooled``, ``test``."""
    figures: dict[str, Figure]
    damaged: int
    """Videos among the rows that did not decode cleanly."""
    note: str
    """A caution that belongs beside the figures, such as that scores are synthetic."""


def rows(*judged: Run | Evaluation) -> list[Row]:
    """Return the lines of a table of runs and evaluations, the headline of each first."""
    found = []
    for item in judged:
        run = item if isinstance(item, Run) else item.run
        here = run.info if isinstance(item, Run) else item
        for result in item.results:
            found.append(
                Row(
                    run=run.path.name,
                    model=run.info.model,
                    features=tuple(short_column(block.name) for block in run.info.columns),
                    dataset=here.dataset,
                    target=here.target,
                    judged=_judged(result),
                    figures=result.figures,
                    damaged=len(here.damaged),
                    note=here.note,
                )
            )
    return found


def as_text(lines: Sequence[Row]) -> str:
    """Return a table in fixed columns for a terminal, with what must be known of it below."""
    if not lines:
        return "no results\n"
    heading = ["dataset", "model", "target", "judged on", "n", *METRICS]
    cells = [heading]
    marks: dict[str, str] = {}
    for line in lines:
        mark = marks.setdefault(line.note, "*" * (len(marks) + 1)) if line.note else ""
        n = next(iter(line.figures.values())).n
        numbers = [_cell(line.figures[name]) for name in METRICS]
        cells.append([line.dataset, line.model, line.target + mark, line.judged, str(n), *numbers])
    widths = [max(len(row[k]) for row in cells) for k in range(len(heading))]
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    text.insert(1, "  ".join("-" * width for width in widths))
    shared = next(iter(lines[0].figures.values()))
    if shared.resamples:
        text.append(f"[ ]: {100 * shared.level:g} % bootstrap intervals, {shared.resamples} resamples")
    degenerate = max(figure.degenerate for line in lines for figure in line.figures.values())
    if degenerate:
        text.append(f"up to {degenerate} resamples were constant and are left out of an interval")
    if any("pooled" in line.judged for line in lines):
        text.append(
            "pooled: rows of all folds together, which mixes the folds' models and is biased; use the fold mean"
        )
    text += [f"{mark} {note}" for note, mark in marks.items()]
    for run, count in {line.run: line.damaged for line in lines if line.damaged}.items():
        text.append(f"{run}: {count} videos did not decode cleanly")
    return "\n".join(text) + "\n"


def as_csv(lines: Sequence[Row]) -> str:
    """Return the table as CSV: for each metric its value, ``_low`` and ``_high``; empty where undefined."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    numbers = [f"{name}{end}" for name in METRICS for end in ("", "_low", "_high")]
    heading = ["run", "dataset", "model", "features", "target", "judged_on", "n", *numbers]
    writer.writerow([*heading, "level", "resamples", "degenerate", "damaged", "note"])
    for line in lines:
        figures = [line.figures[name] for name in METRICS]
        first = figures[0]
        values = [v for f in figures for v in (f.value, f.low, f.high)]
        who = [line.run, line.dataset, line.model, " ".join(line.features), line.target, line.judged, first.n]
        degenerate = max(figure.degenerate for figure in figures)
        rest = [first.level, first.resamples, degenerate, line.damaged, line.note]
        writer.writerow([*who, *("" if v is None else repr(v) for v in values), *rest])
    return buffer.getvalue()


def details(judged: Run | Evaluation) -> str:
    """Return plain lines on what was fitted and judged: features, split, rows left out, damage, notes."""
    run = judged if isinstance(judged, Run) else judged.run
    here = run.info if isinstance(judged, Run) else judged
    prepared = ", ".join(_prepared(block) for block in run.info.columns)
    lines = [f"features: {prepared}", f"fitted on {run.info.dataset}: {run.info.split_rule}"]
    if run.info.parameters:
        lines.insert(1, f"parameters: {parameters.as_text(run.info.parameters)}")
    if run.info.fitted != run.info.split_rule:
        lines.append(f"saved model: fitted on {run.info.fitted}")
    lines.append(f"{here.rows} rows used")
    for reason, ids in here.left_out.items():
        lines.append(f"{len(ids)} left out ({reason}): {_some(ids)}")
    if here.damaged:
        lines.append(f"{len(here.damaged)} did not decode cleanly: {_some(list(here.damaged))}")
    lines += [f"note: {text}" for text in here.notes]
    if here.note:
        lines.append(here.note)
    return "\n".join(lines) + "\n"


def extremes(predictions: pd.DataFrame, *, count: int = 5) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows predicted furthest too high and furthest too low, worst first.

    Parameters
    ----------
    predictions
        Table with the columns id, split, target, predicted, predicted_sd.
    count
        Most rows of each.

    Returns
    -------
    over, under
        Tables with a further column ``error``, predicted minus true; `over` has positive errors alone,
        `under` negative ones.
    """
    table = predictions.assign(error=predictions["predicted"] - predictions["target"])
    ordered = table.sort_values(["error", "id"], ignore_index=True)
    over = ordered[ordered["error"] > 0].iloc[::-1].head(count).reset_index(drop=True)
    return over, ordered[ordered["error"] < 0].head(count).reset_index(drop=True)


def short_column(column: str) -> str:
    """Return a column's name without a reduction that goes without saying.

    >>> short_column("hog:mean@pca50"), short_column("hog:first")
    ('hog@pca50', 'hog:first')
    """
    return re.sub(r":(mean|text)(?=@|$)", "", column)


def _prepared(block: Block) -> str:
    return (
        short_column(block.name) if "@" in block.name else f"{short_column(block.name)} ({block.preparation})"
    )


def _judged(result: Result) -> str:
    return result.split if result.how == "one split" else f"{result.split}, {result.how}"


def _cell(figure: Figure) -> str:
    if figure.value is None:
        return "undefined"
    digits = decimals(figure.metric, figure.value, figure.low, figure.high)
    value, *ends = (
        "" if end is None else number(end, figure.metric, digits=digits)
        for end in (figure.value, figure.low, figure.high)
    )
    return f"{value} [{', '.join(ends)}]" if all(ends) else value


def decimals(metric: str, *values: float | None) -> int:
    """Return the decimals with which values that stand together are printed, a figure and its interval.

    Three for correlations and five for squared errors; where scores are on so small a scale that all of these are
    below 0.0001, as many as give the largest three digits, up to ten.

    >>> decimals("spearman", 2e-5), decimals("mse", 0.0045, 2.9e-5), decimals("mse", 4.9e-7, None)
    (3, 5, 9)
    """
    if metric != "mse":
        return 3
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    return 5 if largest >= 1e-4 or not largest else min(2 - math.floor(math.log10(largest)), 10)


def number(value: float, metric: str, *, signed: bool = False, digits: int | None = None) -> str:
    """Return a figure with these decimals, by default those of its metric (`decimals`); never with an exponent.

    >>> number(-0.0312, "spearman"), number(0.0312, "mse", signed=True), number(4.9123e-07, "mse")
    ('-0.031', '+0.03120', '0.000000491')
    """
    return f"{value:{'+' if signed else ''}.{decimals(metric, value) if digits is None else digits}f}"


def _some(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return ", ".join(ids[:_SHOWN]) + more
