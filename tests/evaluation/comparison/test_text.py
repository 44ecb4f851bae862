from __future__ import annotations

from dataclasses import replace

import pytest
from comparison.made import ABOUT, LINES, figures

from memfeat.evaluation.comparison.text import as_text, legend


@pytest.mark.parametrize("width", [72, 80, 120])
def test_every_line_fits_the_terminal(width: int) -> None:
    text = as_text(LINES, ABOUT, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "second <b>  0.200 [0.150, 0.250]" in text  # name and figure are never apart
    assert ("Spearman difference" in text) == (width < 100)


def test_all_stand_side_by_side_where_there_is_room() -> None:
    text = as_text(LINES, ABOUT, width=300)
    (row,) = [line for line in text.splitlines() if line.startswith("second <b>  ")]
    assert row.split("  ")[0] == "second <b>"
    assert "0.200 [0.150, 0.250]" in row and "-0.100 [-0.150, -0.050]" in row and "±0.012" in row
    assert "0.20000 [0.15000, 0.25000]" in row


def test_nothing_a_reader_needs_is_left_out() -> None:
    text = " ".join(as_text(LINES, ABOUT).split())
    for words in (
        "scenes: memorability*, 5-fold, fold mean, n = 90",
        "baseline",
        "undefined",
        "-0.250 [-0.300, -0.200]",
        "broken failed: it does not fit, because of <that>",
        "95 % bootstrap intervals, 2000 resamples of the same rows",
        "difference: the system minus first",
        "up to 7 resamples were constant",
        "±: standard deviation over seeds",
        "raw rho: Spearman's correlation of the column itself",
        "first: hog, a_b&c",
        "second <b>: light; alpha=0.1",
        "second <b>: mlp: a note",
        "rows: 90, 5 folds of the rows",
        "2 videos did not decode cleanly",
        "note: 3 left out: no score",
        "* scores are synthetic",
    ):
        assert words in text, words


def test_a_legend_explains_only_what_is_there() -> None:
    assert len(legend(LINES[:1], replace(ABOUT, resamples=0))) == 0
    assert [text.split(":")[0] for text in legend(LINES[:1], ABOUT)] == ["[ ]"]


def test_constant_resamples_are_told_beside_a_system_that_is_constant_itself() -> None:
    constant = replace(LINES[2], figures=figures(None, degenerate=2000))
    assert any("up to 7 resamples were constant" in text for text in legend([*LINES[:2], constant], ABOUT))
    assert not any("were constant" in text for text in legend([LINES[0], constant], ABOUT))


def test_features_that_names_tell_are_not_told_again() -> None:
    shared = [replace(line, features=("light",), parameters="", notes=()) for line in LINES]
    assert as_text(shared, ABOUT).count("light") == 1
    named = [replace(LINES[0], name="brr hog+a_b&c"), *LINES[1:]]
    assert "brr hog+a_b&c:" not in as_text(named, ABOUT)


def test_a_note_of_several_systems_is_told_once() -> None:
    noted = [replace(line, notes=("few steps",)) for line in LINES[:2]]
    assert "first, second <b>: few steps" in as_text(noted, ABOUT)
