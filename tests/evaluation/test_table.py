from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd
import pytest
from stores import draw, make, name, put

from memfeat.evaluation.evaluate import evaluate
from memfeat.evaluation.fit import fit
from memfeat.evaluation.run import Run
from memfeat.evaluation.table import as_csv, as_text, details, extremes, rows


def test_each_line_has_its_figure_interval_n_and_split(run: Run) -> None:
    text = as_text(rows(run))
    headline, pooled = text.splitlines()[2:4]
    figure = run.results[0].figures["spearman"]
    assert f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]" in headline
    assert headline.split()[:3] == ["made", "brr", "score"]
    assert "5-fold, fold mean" in headline
    assert "  60  " in headline
    assert "5-fold, pooled" in pooled
    assert "95 % bootstrap intervals, 200 resamples" in text


def test_csv_repeats_the_figures_exactly(run: Run) -> None:
    lines = list(csv.DictReader(io.StringIO(as_csv(rows(run)))))
    for line, result in zip(lines, run.results, strict=True):
        for metric, figure in result.figures.items():
            found = [float(line[f"{metric}{end}"]) for end in ("", "_low", "_high")]
            assert found == [figure.value, figure.low, figure.high]
        assert (line["n"], line["level"], line["features"]) == ("60", "0.95", "embedding grid light")


def test_the_caution_stands_beside_every_line(tmp_path: Path, run: Run) -> None:
    store = make(tmp_path / "s", 12, features=["light"], note="scores are synthetic", damaged=True)
    noted = fit(store, folds=3, out=tmp_path / "run", resamples=20)
    text = as_text(rows(run, noted))
    assert text.count("score*  ") == 2
    assert "* scores are synthetic" in text
    assert "run: 12 videos did not decode cleanly" in text
    assert [line["note"] for line in csv.DictReader(io.StringIO(as_csv(rows(noted))))] == [
        "scores are synthetic"
    ] * 2
    assert "scores are synthetic" in details(noted)
    assert "12 did not decode cleanly: clip 000.mp4" in details(noted)


def test_columns_and_parameters_are_told_as_they_were_asked_for(tmp_path: Path) -> None:
    store = make(tmp_path / "s", 12, features=["light", "grid"])
    run = fit(
        store,
        columns=["light", "grid@pca3"],
        parameters={"alpha_1": 0.5},
        folds=3,
        out=tmp_path / "run",
        resamples=0,
    )
    assert details(run).splitlines()[:2] == ["features: light (zscore), grid@pca3", "parameters: alpha_1=0.5"]
    assert rows(run)[0].features == ("light", "grid@pca3")


def test_errors_of_scores_on_a_small_scale_are_not_rounded_away(tmp_path: Path) -> None:
    score = draw(30)["score"] * 1e-3
    run = fit(
        make(tmp_path / "s", 30, labels={"score": score}),
        columns=["light"],
        out=tmp_path / "run",
        resamples=20,
    )
    shown = as_text(rows(run)).splitlines()[2].split()[-3]
    assert "e-0" not in shown
    assert float(shown) == pytest.approx(run.results[0].figures["mse"].value, rel=1e-2)


def test_an_undefined_figure_is_called_so(tmp_path: Path) -> None:
    store = make(tmp_path / "s", 12, features=["light"])
    for k in range(12):
        put(store, name(k), {"grey": 1.0})
    constant = fit(store, columns=["grey"], folds=3, out=tmp_path / "run", resamples=20)
    line = as_text(rows(constant)).splitlines()[2]
    assert line.count("undefined") == 2
    (first, _) = csv.DictReader(io.StringIO(as_csv(rows(constant))))
    assert (first["spearman"], first["spearman_low"]) == ("", "")
    assert float(first["mse"]) > 0


def test_an_evaluation_is_listed_under_the_dataset_judged(run: Run, tmp_path: Path) -> None:
    other = make(tmp_path / "s", 20, dataset="other")
    judged = evaluate(run, store=other, resamples=20)
    (line,) = rows(judged)
    assert (line.run, line.dataset, line.judged) == ("base", "other", "all of other")
    text = details(judged)
    assert "fitted on made: 5 folds of the rows in order of their ids, shuffled with seed 0" in text
    assert "20 rows used" in text


def test_details_name_preparation_and_rows_left_out(tmp_path: Path) -> None:
    score = draw(20)["score"].copy()
    score[:7] = float("nan")
    saved = fit(make(tmp_path / "s", 20, labels={"score": score}), folds=3, out=tmp_path / "run", resamples=0)
    text = details(saved)
    assert "features: embedding (none), grid (pca), light (zscore)" in text
    assert "7 left out (no score): clip 000.mp4, clip 001.mp4" in text
    assert "and 2 more" in text
    assert "saved model: fitted on all 13 labelled rows" in text


def test_without_lines_there_is_no_table() -> None:
    assert as_text([]) == "no results\n"


@pytest.mark.parametrize("count", [1, 2, 9])
def test_the_worst_predictions_come_first(count: int) -> None:
    table = pd.DataFrame(
        {"id": list("abcde"), "target": [0.5] * 5, "predicted": [0.9, 0.4, 0.5, 0.6, 0.1], "split": "s"}
    )
    over, under = extremes(table, count=count)
    assert over["id"].tolist() == ["a", "d"][:count]
    assert under["id"].tolist() == ["e", "b"][:count]
    assert over["error"].iloc[0] == pytest.approx(0.4)
