from __future__ import annotations

from dataclasses import replace

from memfeat.evaluation.comparison.lines import (
    About,
    Line,
    cell,
    difference_cell,
    interval,
    number,
    spread_cell,
)
from memfeat.statistics import Figure

FIGURE = Figure("spearman", 0.25, 0.2, 0.3, 632, 0.95, 2000, 0, 5)


def about(**given) -> About:
    settings = {
        "dataset": "scenes", "target": "memorability", "split": "5-fold", "k_fold": True, "rule": "5 folds",
        "rows": 632, "judged": 632, "baseline": "one", "level": 0.95, "resamples": 2000,
    }  # fmt: skip
    return About(**{**settings, **given})


def test_numbers_have_the_digits_of_their_metric_and_no_negative_zero() -> None:
    assert number(-0.00049, "spearman") == "0.000"
    assert number(-0.0005001, "spearman") == "-0.001"
    assert number(0.0, "mse", signed=True) == "0.00000"
    assert number(0.1, "pearson", signed=True) == "+0.100"
    assert number(None, "pearson") == "undefined"


def test_a_figure_without_interval_is_a_number() -> None:
    assert cell(FIGURE) == "0.250 [0.200, 0.300]"
    assert cell(FIGURE, signed=True) == "+0.250 [+0.200, +0.300]"
    assert interval(replace(FIGURE, low=None)) == ""
    assert cell(replace(FIGURE, low=None)) == "0.250"
    assert cell(replace(FIGURE, value=None)) == "undefined"


def test_a_figure_and_its_interval_have_the_same_digits_and_no_exponent() -> None:
    mse = replace(FIGURE, metric="mse", value=0.00449, low=2.91e-05, high=0.00899)
    assert cell(mse, signed=True) == "+0.00449 [+0.00003, +0.00899]"
    small = replace(mse, value=-6.67e-06, low=-8.123e-06, high=3.1e-07)
    assert cell(small, signed=True) == "-0.00000667 [-0.00000812, +0.00000031]"
    assert cell(replace(mse, value=1e-17, low=-1e-17, high=0.0), signed=True) == (
        "0.0000000000 [0.0000000000, 0.0000000000]"
    )
    line = Line(name="x", model="brr", figures={"mse": mse}, spread={"mse": 1.2e-05})
    assert spread_cell(line, "mse") == "±0.00001"


def test_what_stands_beside_a_figure() -> None:
    line = Line(name="two", model="brr", figures={"spearman": FIGURE}, difference={"spearman": FIGURE})
    assert difference_cell(line, "spearman", about()) == "+0.250 [+0.200, +0.300]"
    assert difference_cell(replace(line, name="one"), "spearman", about()) == "baseline"
    assert difference_cell(line, "mse", about()) == ""
    assert spread_cell(line, "mse") == ""
    assert spread_cell(replace(line, spread={"mse": 0.00012}), "mse") == "±0.00012"


def test_a_split_is_called_as_it_is_judged() -> None:
    assert about().how == "5-fold, fold mean"
    assert about(split="dev", k_fold=False).how == "dev"
