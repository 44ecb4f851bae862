from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import KFold

from memfeat.errors import UsageError
from memfeat.evaluation.folds import assign


def test_folds_without_groups_are_scikit_learns() -> None:
    ids = [f"{k:02}" for k in range(17)]
    found = assign(ids, None, folds=3, seed=5)
    for fold, (_, held_out) in enumerate(KFold(3, shuffle=True, random_state=5).split(ids)):
        np.testing.assert_array_equal(np.flatnonzero(found == fold), held_out)
    np.testing.assert_array_equal(assign(ids, [None] * 17, folds=3, seed=5), found)


def test_one_group_larger_than_a_fold_is_kept_whole() -> None:
    ids = [f"{k:02}" for k in range(20)]
    found = assign(ids, ["big"] * 10 + [None] * 10, folds=3, seed=0)
    assert len(set(found[:10])) == 1
    assert sorted(np.bincount(found)) == [5, 5, 10]


def test_too_few_rows_say_what_would_do() -> None:
    with pytest.raises(UsageError, match="use at most folds=2"):
        assign(list("abcdefg"), None, folds=3, seed=0)
