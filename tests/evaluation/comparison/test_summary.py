from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from memfeat.evaluation.comparison.summary import Predicted, summarise
from memfeat.evaluation.comparison.systems import System
from memfeat.evaluation.gather import Rows, gather
from memfeat.evaluation.judge import judge
from memfeat.evaluation.splits import Plan, plan
from memfeat.store.feature_store import FeatureStore

SETTINGS: dict[str, Any] = {"resamples": 80, "level": 0.9, "seed": 3}


@pytest.fixture(scope="module")
def rows(store: FeatureStore) -> Rows:
    return gather(store, target="score", columns=["light"])


def predicted(name: str, rows: Rows, made: Plan, seeds: int = 1) -> Predicted:
    generator = np.random.default_rng(sum(map(ord, name)))
    values = {
        seed: [rows.y[part.judged] + 0.05 * generator.normal(size=part.judged.size) for part in made.parts]
        for seed in range(seeds)
    }
    return Predicted(name=name, system=System(name=name), member=None, values=values, notes=("a note",))


@pytest.mark.parametrize("repeats", [1, 2])
def test_a_line_holds_what_a_judge_says(rows: Rows, repeats: int) -> None:
    made = plan(rows.ids, folds=3, repeats=repeats)
    lines, table = summarise([predicted("a", rows, made)], rows=rows, plan=made, baseline="a", **SETTINGS)
    judged = judge(table.drop(columns=["system", "seed"]), split=made.name, k_fold=True, **SETTINGS)
    assert lines[0].figures == judged[0].figures
    assert lines[0].notes == ("a note",) and lines[0].difference == {}


def test_seeds_are_averaged_before_they_are_compared(rows: Rows) -> None:
    made = plan(rows.ids, folds=3)
    several = [predicted("a", rows, made, 3), predicted("b", rows, made, 2)]
    lines, table = summarise(several, rows=rows, plan=made, baseline="a", **SETTINGS)
    by_seed = [
        judge(of.drop(columns=["system", "seed"]), split="x", k_fold=True, **SETTINGS)[0].figures["mse"].value
        for _, of in table[table["system"] == "a"].groupby("seed")
    ]
    assert lines[0].figures["mse"].value == pytest.approx(np.mean(by_seed))
    assert lines[0].spread["mse"] == pytest.approx(np.std(by_seed, ddof=1))
    difference = lines[1].figures["mse"].value - lines[0].figures["mse"].value
    assert lines[1].difference["mse"].value == pytest.approx(difference)


def test_processes_change_nothing(rows: Rows, monkeypatch) -> None:
    made = plan(rows.ids, folds=3)
    several = [predicted(name, rows, made) for name in "abc"]
    here = summarise(several, rows=rows, plan=made, baseline="a", **SETTINGS)
    monkeypatch.setattr("memfeat.evaluation.comparison.summary._WORTH_A_PROCESS", 0)
    there = summarise(several, rows=rows, plan=made, baseline="a", workers=2, **SETTINGS)
    assert here[0] == there[0]


def test_all_failed_is_a_table_without_figures(rows: Rows) -> None:
    made = plan(rows.ids, folds=3)
    lines, table = summarise(
        [Predicted.failed(System(name="a", features=("x",)), "why")],
        rows=rows,
        plan=made,
        baseline="a",
        **SETTINGS,
    )
    assert (lines[0].failure, lines[0].features, len(table)) == ("why", ("x",), 0)
