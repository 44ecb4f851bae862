"""A comparison with one of everything a table may have to show."""

from __future__ import annotations

from memfeat.evaluation.comparison.lines import NAMES, About, Line
from memfeat.statistics import Figure


def figures(value: float | None, width: float = 0.05, degenerate: int = 0) -> dict[str, Figure]:
    low, high = (None, None) if value is None else (value - width, value + width)
    return {metric: Figure(metric, value, low, high, 90, 0.95, 2000, degenerate, 5) for metric in NAMES}


LINES = (
    Line(name="first", model="brr", features=("hog", "a_b&c"), seeds=(0,), figures=figures(0.3)),
    Line(
        name="second <b>",
        model="mlp",
        features=("light",),
        parameters="alpha=0.1",
        seeds=(0, 1, 2),
        figures=figures(0.2, degenerate=7),
        spread={"spearman": 0.0123, "pearson": 0.01, "mse": 0.001},
        difference=figures(-0.1),
        raw=Figure("spearman", -0.25, -0.3, -0.2, 90, 0.95, 2000, 0),
        notes=("mlp: a note",),
    ),
    Line(
        name="nothing", model="constant", features=("light",), figures=figures(None), difference=figures(None)
    ),
    Line(name="broken", model="svr", features=("light",), failure="it does not fit, because of <that>"),
)
ABOUT = About(
    dataset="scenes",
    target="memorability",
    split="5-fold",
    k_fold=True,
    rule="5 folds of the rows",
    rows=90,
    judged=90,
    baseline="first",
    level=0.95,
    resamples=2000,
    note="scores are synthetic",
    notes=("3 left out: no score",),
    damaged=2,
)
