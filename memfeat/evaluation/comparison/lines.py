"""One line of a comparison's table, what all lines have in common, and how a figure is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from memfeat.evaluation import table
from memfeat.statistics import Figure

NAMES = {"spearman": "Spearman", "pearson": "Pearson", "mse": "MSE"}
"""Headings of the metrics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a comparison says of one system."""

    name: str
    model: str
    features: tuple[str, ...] = ()
    """Columns, as short as they can be written; of a fusion, the names of the systems it fuses."""
    parameters: str = ""
    seeds: tuple[int, ...] = ()
    """Seeds of the model that the figures are means of; one where the model draws nothing."""
    figures: Mapping[str, Figure] = field(default_factory=dict)
    """By metric; empty where the system failed."""
    spread: Mapping[str, float] = field(default_factory=dict)
    """Standard deviation over seeds (n - 1), by metric; empty for one seed."""
    difference: Mapping[str, Figure] = field(default_factory=dict)
    """This system minus the baseline on the same resamples; empty for the baseline."""
    raw: Figure | None = None
    """Spearman's correlation of the column itself with the score, over all judged rows, where the system learns
    from one column of one number. Nothing is fitted for it, so its sign is the feature's own."""
    failure: str = ""
    """Why there are no figures."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is common to all lines of a comparison."""

    dataset: str
    target: str
    split: str
    """Name of the split: ``5-fold``, ``test``."""
    k_fold: bool
    rule: str
    """One sentence: how rows were assigned."""
    rows: int
    judged: int
    """Videos behind each figure."""
    baseline: str
    level: float
    resamples: int
    note: str = ""
    """A caution that belongs beside every figure, such as that scores are synthetic or weights random."""
    notes: tuple[str, ...] = ()
    damaged: int = 0
    """Videos among the rows that did not decode cleanly."""

    @property
    def how(self) -> str:
        """The split and how it is judged, as in other tables: ``5-fold, fold mean``."""
        return f"{self.split}, fold mean" if self.k_fold else self.split


def number(
    value: float | None, metric: str, *, signed: bool = False, beside: Sequence[float | None] = ()
) -> str:
    """Return a figure as it is printed, with the decimals of what stands `beside` it.

    >>> number(-0.0312, "spearman"), number(0.0312, "mse", signed=True), number(None, "mse")
    ('-0.031', '+0.03120', 'undefined')
    >>> number(2.91e-05, "mse"), number(2.91e-05, "mse", beside=[0.0045])
    ('0.0000291', '0.00003')
    """
    if value is None:
        return "undefined"
    digits = table.decimals(metric, value, *beside)
    text = table.number(value, metric, signed=signed, digits=digits)
    # A rounded zero has no sign.
    return text[1:] if text[:1] in "+-" and not float(text) else text


def value(figure: Figure, *, signed: bool = False) -> str:
    """Return the value of a figure as it is printed."""
    return number(figure.value, figure.metric, signed=signed, beside=(figure.low, figure.high))


def interval(figure: Figure, *, signed: bool = False) -> str:
    """Return an interval as it is printed, ``""`` where there is none."""
    if figure.value is None or figure.low is None or figure.high is None:
        return ""
    beside = (figure.value, figure.low, figure.high)
    low, high = (number(end, figure.metric, signed=signed, beside=beside) for end in beside[1:])
    return f"[{low}, {high}]"


def cell(figure: Figure, *, signed: bool = False) -> str:
    """Return a figure with its interval.

    >>> cell(Figure("spearman", 0.2713, 0.2, 0.34, 632, 0.95, 2000, 0))
    '0.271 [0.200, 0.340]'
    >>> cell(Figure("mse", 0.00449, 2.91e-05, 0.00899, 632, 0.95, 2000, 0), signed=True)
    '+0.00449 [+0.00003, +0.00899]'
    """
    return f"{value(figure, signed=signed)} {interval(figure, signed=signed)}".rstrip()


def difference_cell(line: Line, metric: str, about: About) -> str:
    """Return what stands beside a figure: the difference to the baseline, or that this is the baseline."""
    if line.name == about.baseline:
        return "baseline"
    figure = line.difference.get(metric)
    return "" if figure is None else cell(figure, signed=True)


def spread_cell(line: Line, metric: str) -> str:
    """Return the spread over seeds, ``""`` for one seed."""
    deviation, figure = line.spread.get(metric), line.figures.get(metric)
    beside = () if figure is None else (figure.value,)
    return "" if deviation is None else f"±{number(deviation, metric, beside=beside)}"
