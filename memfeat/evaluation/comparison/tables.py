"""A comparison as a table of numbers, as CSV and as LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from memfeat.errors import UsageError, nearest
from memfeat.evaluation.comparison.lines import (
    NAMES,
    About,
    Line,
    difference_cell,
    interval,
    spread_cell,
    value,
)

if TYPE_CHECKING:
    import pandas as pd

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "ρ": r"$\rho$",
    "±": r"$\pm$",
}


def as_frame(lines: Sequence[Line], about: About) -> pd.DataFrame:
    """Return one row per system.

    For each metric its value, ``_low`` and ``_high``, ``_sd`` over seeds, and ``_difference``, which has ``_low``
    and ``_high`` too. What is undefined or does not apply is NaN.
    """
    import pandas as pd

    rows = []
    for line in lines:
        row: dict[str, Any] = {
            "system": line.name,
            "model": line.model,
            "features": " ".join(line.features),
            "parameters": line.parameters,
            "seeds": " ".join(map(str, line.seeds)),
            "dataset": about.dataset,
            "target": about.target,
            "judged_on": about.how,
            "n": about.judged,
        }
        for metric in NAMES:
            figure, more = line.figures.get(metric), line.difference.get(metric)
            row |= _ends(metric, figure)
            row[f"{metric}_sd"] = line.spread.get(metric, float("nan"))
            row |= _ends(f"{metric}_difference", more)
        row |= _ends("raw_spearman", line.raw)
        row |= {
            "baseline": about.baseline,
            "level": about.level,
            "resamples": about.resamples,
            "degenerate": max((figure.degenerate for figure in line.figures.values()), default=0),
            "damaged": about.damaged,
            "failure": line.failure,
            "note": about.note,
        }
        rows.append(row)
    return pd.DataFrame(rows)


def _ends(name: str, figure: Any) -> dict[str, float]:
    values = (None, None, None) if figure is None else (figure.value, figure.low, figure.high)
    return {
        f"{name}{end}": float("nan") if value is None else value
        for end, value in zip(("", "_low", "_high"), values, strict=True)
    }


def as_csv(lines: Sequence[Line], about: About) -> str:
    """Return the table of `as_frame` as CSV, every digit written; empty where there is no value."""
    return str(as_frame(lines, about).to_csv(index=False, lineterminator="\n"))


def as_latex(lines: Sequence[Line], about: About, *, metrics: Sequence[str] = tuple(NAMES)) -> str:
    r"""Return a LaTeX ``tabular`` for the package booktabs.

    Parameters
    ----------
    lines, about
        The comparison.
    metrics
        Which of ``spearman``, ``pearson`` and ``mse``, in order.

    Raises
    ------
    UsageError
        An unknown metric.
    """
    for metric in metrics:
        if metric not in NAMES:
            raise UsageError(
                f"Unknown metric {metric!r}; there are {', '.join(NAMES)}.{nearest(metric, NAMES)}"
            )
    spread = any(line.spread for line in lines)
    raw = any(line.raw for line in lines)
    heading = ["System"]
    for metric in metrics:
        heading += [_escape(NAMES[metric]), *([r"$\pm$"] if spread else [])]
        heading += [r"raw $\rho$"] if raw and metric == "spearman" else []
        heading.append(r"$\Delta$")
    rows = []
    for line in lines:
        cells = [_escape(line.name)]
        for metric in metrics:
            figure = line.figures.get(metric)
            cells.append("failed" if figure is None else _figure(figure))
            if spread:
                cells.append(_escape(spread_cell(line, metric).removeprefix("±")))
            if raw and metric == "spearman":
                cells.append(_figure(line.raw, signed=True) if line.raw else "")
            difference = line.difference.get(metric)
            cells.append(
                _figure(difference, signed=True)
                if difference is not None
                else _escape(difference_cell(line, metric, about))
            )
        rows.append(" & ".join(cells) + r" \\")
    remarks = [
        f"{about.dataset}: {about.target}, {about.how}, n = {about.judged}",
        f"intervals: {100 * about.level:g} % bootstrap, {about.resamples} resamples; "
        f"differences to {about.baseline}, paired",
        *([about.note] if about.note else []),
        r"needs \usepackage{booktabs}",
    ]
    return "\n".join(
        [
            *(f"% {' '.join(remark.split())}" for remark in remarks),
            rf"\begin{{tabular}}{{l{'l' * (len(heading) - 1)}}}",
            r"\toprule",
            " & ".join(heading) + r" \\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def _figure(figure: Any, *, signed: bool = False) -> str:
    if figure.value is None:
        return "undefined"
    ends = interval(figure, signed=signed)
    return f"${value(figure, signed=signed)}$" + (rf" {{\footnotesize $[{ends[1:-1]}]$}}" if ends else "")


def _escape(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in text)
