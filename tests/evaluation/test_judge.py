from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from memfeat.errors import StoreError
from memfeat.evaluation.judge import Result, judge
from memfeat.metrics import spearman


def table(n: int = 60, folds: int = 12, seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    target = generator.normal(size=n)
    names = [f"fold {k % folds + 1}" for k in range(n)]
    predicted = target + generator.normal(size=n)
    return pd.DataFrame(
        {"id": [f"{k:03}" for k in range(n)], "split": names, "target": target, "predicted": predicted}
    )


def test_the_fold_mean_comes_first_and_pooled_rows_second() -> None:
    drawn = table()
    mean, pooled = judge(drawn, split="12-fold", k_fold=True, resamples=50)
    assert (mean.how, pooled.how) == ("fold mean", "pooled")
    by_fold = {fold: spearman(rows["target"], rows["predicted"]) for fold, rows in drawn.groupby("split")}
    assert {fold: values["spearman"] for fold, values in mean.parts.items()} == by_fold
    assert list(mean.parts) == [f"fold {k}" for k in range(1, 13)]
    assert mean.figures["spearman"].value == pytest.approx(np.mean(list(by_fold.values())))
    assert pooled.figures["spearman"].value == pytest.approx(spearman(drawn["target"], drawn["predicted"]))


def test_one_split_has_one_result() -> None:
    (only,) = judge(table(), split="test", k_fold=False, resamples=50)
    assert (only.split, only.how, only.parts) == ("test", "one split", {})


def test_a_model_that_predicts_the_mean_of_its_fold_has_no_correlation() -> None:
    # What every k-fold fit of a constant does: the pooled figure is far below zero, though nothing was learned.
    drawn = table(folds=5)
    whole = drawn["target"].sum()
    of_fold = drawn.groupby("split")["target"].transform
    drawn["predicted"] = (whole - of_fold("sum")) / (len(drawn) - of_fold("count"))
    mean, pooled = judge(drawn, split="5-fold", k_fold=True, resamples=50)
    assert mean.figures["spearman"].value is None
    assert mean.figures["pearson"].value is None
    assert mean.figures["mse"].value > 0
    assert pooled.figures["spearman"].value < 0


def test_a_result_survives_json() -> None:
    for result in judge(table(), split="5-fold", k_fold=True, resamples=20):
        assert Result.from_dict(json.loads(json.dumps(result.as_dict()))) == result


@pytest.mark.parametrize("change", [{"how": "guessed"}, {"figures": {"mse": {}}}, {"figures": None}])
def test_a_damaged_result_is_refused(change: dict) -> None:
    good = judge(table(), split="5-fold", k_fold=True, resamples=20)[0].as_dict()
    with pytest.raises(StoreError, match="described wrongly"):
        Result.from_dict({**good, **change})
