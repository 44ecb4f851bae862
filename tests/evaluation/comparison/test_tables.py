from __future__ import annotations

import io
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from comparison.made import ABOUT, LINES

from memfeat.errors import UsageError
from memfeat.evaluation.comparison.page import as_page
from memfeat.evaluation.comparison.tables import as_csv, as_frame, as_latex
from memfeat.statistics import Figure


def test_a_table_holds_every_figure() -> None:
    table = as_frame(LINES, ABOUT).set_index("system")
    second = table.loc["second <b>"]
    assert second["spearman"] == 0.2 and second["spearman_low"] == pytest.approx(0.15)
    assert second["spearman_difference"] == -0.1 and second["mse_difference_high"] == pytest.approx(-0.05)
    assert second["pearson_sd"] == 0.01 and second["seeds"] == "0 1 2"
    assert second["raw_spearman"] == -0.25
    assert second["degenerate"] == 7 and second["n"] == 90 and second["baseline"] == "first"
    assert np.isnan(table.loc["first", "spearman_difference"])
    assert np.isnan(table.loc["nothing", "spearman"])
    assert table.loc["broken", "failure"].startswith("it does not fit")


def test_csv_keeps_every_digit() -> None:
    again = pd.read_csv(io.StringIO(as_csv(LINES, ABOUT)))
    table = as_frame(LINES, ABOUT)
    for column in table.select_dtypes("number"):
        np.testing.assert_array_equal(again[column], table[column], err_msg=column)


def test_latex_has_equal_rows_and_escapes_what_it_must() -> None:
    text = as_latex(LINES, ABOUT)
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    columns = re.search(r"\\begin{tabular}{(l+)}", text)[1]
    assert {row.count(" & ") + 1 for row in rows} == {len(columns)}
    assert len(rows) == 1 + len(LINES)
    named = as_latex([LINES[0].__class__(name="50 % a_b & c#1", model="brr")], ABOUT)
    assert r"50 \% a\_b \& c\#1" in named
    assert "failed" in rows[-1]
    assert r"$-0.100$ {\footnotesize $[-0.150, -0.050]$}" in text


def test_small_figures_have_no_exponent_that_latex_would_set_as_a_difference() -> None:
    small = Figure("mse", -6.67e-06, -8e-06, 3.1e-07, 90, 0.95, 2000, 0)
    lines = [LINES[0], replace(LINES[1], difference={"mse": small})]
    figure = r"$-0.00000667$ {\footnotesize $[-0.00000800, +0.00000031]$}"
    assert figure in as_latex(lines, ABOUT, metrics=["mse"])
    assert '-0.00000667 <span class="interval">[-0.00000800, +0.00000031]' in as_page(lines, ABOUT)
    assert as_frame(lines, ABOUT)["mse_difference"].iloc[1] == -6.67e-06


def test_latex_of_some_metrics() -> None:
    assert "Pearson" not in as_latex(LINES, ABOUT, metrics=["spearman"])
    with pytest.raises(UsageError, match="Did you mean 'spearman'"):
        as_latex(LINES, ABOUT, metrics=["sperman"])
