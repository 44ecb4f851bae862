from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from memfeat.errors import UsageError
from memfeat.evaluation.gather import Rows, gather
from memfeat.evaluation.planning import check_target, plan_rows
from memfeat.evaluation.split_file import to_table
from memfeat.store.feature_store import FeatureStore


@pytest.fixture(scope="module")
def rows(store: FeatureStore) -> Rows:
    return gather(store, target="score", columns=["light"])


def test_there_must_be_something_to_learn(rows: Rows) -> None:
    check_target(rows)
    few = replace(rows, ids=rows.ids[:5], y=rows.y[:5], left_out={"no score": ("a", "b")})
    with pytest.raises(UsageError, match=r"5 rows .* at least 6 are needed \(2 left out: no score\)"):
        check_target(few)
    with pytest.raises(UsageError, match="is 0.5 for all 60 rows"):
        check_target(replace(rows, y=np.full(60, 0.5)))


def test_groups_of_the_rows_stay_whole(rows: Rows) -> None:
    group = tuple("abcdef"[k % 6] for k in range(60))
    made = plan_rows(replace(rows, group=group), folds=3, group_by="titles")
    assert made.name == "3-fold by titles"
    for part in made.parts:
        assert not {group[k] for k in part.fit} & {group[k] for k in part.judged}


def test_a_table_of_a_split_is_repeated_exactly(rows: Rows, tmp_path: Path) -> None:
    made = plan_rows(rows, folds=4, seed=7)
    to_table(rows.ids, made).to_csv(tmp_path / "splits.csv", index=False)
    again = plan_rows(rows, split_file=tmp_path / "splits.csv")
    for one, other in zip(made.parts, again.parts, strict=True):
        np.testing.assert_array_equal(one.judged, other.judged)
    with pytest.raises(UsageError, match="a split file fixes them"):
        plan_rows(rows, split_file=tmp_path / "splits.csv", repeats=2)
