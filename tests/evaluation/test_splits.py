from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import KFold

from memfeat.errors import UsageError
from memfeat.evaluation.folds import joined
from memfeat.evaluation.splits import Plan, plan

IDS = [f"v{k:02}" for k in range(20)]
FOLDS = {
    f"fold{k + 1}": ["test" if j % 5 == k else "val" if j % 5 == (k + 1) % 5 else "train" for j in range(20)]
    for k in range(5)
}


def by_id(ids: list[str], made: Plan) -> list[tuple[str, frozenset[str], frozenset[str]]]:
    return [
        (p.name, frozenset(ids[k] for k in p.fit), frozenset(ids[k] for k in p.judged)) for p in made.parts
    ]


@given(st.permutations(IDS), st.integers(2, 6), st.integers(0, 99))
def test_folds_do_not_depend_on_the_order_of_rows(ids: list[str], folds: int, seed: int) -> None:
    assert by_id(ids, plan(ids, folds=folds, seed=seed)) == by_id(IDS, plan(IDS, folds=folds, seed=seed))


@given(st.permutations(range(20)), st.integers(2, 5), st.integers(0, 99))
def test_grouped_folds_do_not_either(order: list[int], folds: int, seed: int) -> None:
    group = [f"g{k % 7}" if k != 3 else None for k in range(20)]
    ids, shuffled = [IDS[k] for k in order], [group[k] for k in order]
    made = plan(ids, group=shuffled, folds=folds, seed=seed)
    assert by_id(ids, made) == by_id(IDS, plan(IDS, group=group, folds=folds, seed=seed))


@given(st.integers(15, 60), st.integers(2, 5), st.integers(0, 99), st.booleans())
def test_every_row_is_held_out_exactly_once(n: int, folds: int, seed: int, grouped: bool) -> None:
    ids = [f"{k:03}" for k in range(n)]
    made = plan(ids, group=[str(k % 15) for k in range(n)] if grouped else None, folds=folds, seed=seed)
    held_out = np.concatenate([part.judged for part in made.parts])
    assert sorted(held_out) == list(range(n))
    for part in made.parts:
        assert sorted(np.r_[part.fit, part.judged]) == list(range(n))


def test_folds_are_scikit_learns_on_the_sorted_ids() -> None:
    made = plan(IDS, folds=4, seed=3)
    for part, (fit, judged) in zip(
        made.parts, KFold(4, shuffle=True, random_state=3).split(IDS), strict=True
    ):
        np.testing.assert_array_equal(part.fit, fit)
        np.testing.assert_array_equal(part.judged, judged)


def test_another_seed_gives_other_folds() -> None:
    assert by_id(IDS, plan(IDS, seed=0)) != by_id(IDS, plan(IDS, seed=1))


def test_a_group_is_never_torn_apart_and_folds_stay_even() -> None:
    group = [f"g{k // 3}" for k in range(60)]
    ids = [f"{k:02}" for k in range(60)]
    made = plan(ids, group=group, folds=5)
    for part in made.parts:
        assert not {group[k] for k in part.fit} & {group[k] for k in part.judged}
        assert part.judged.size == 12
    assert made.name == "5-fold by group"


def test_a_row_without_a_group_is_its_own() -> None:
    # Twelve rows without a group would make one huge fold if they were taken for one group.
    group = ["a"] * 4 + [None] * 16
    made = plan(IDS, group=group, folds=5)
    assert [part.judged.size for part in made.parts] == [4] * 5


def test_a_group_may_be_called_like_an_id() -> None:
    made = plan(IDS, group=[IDS[-1]] * 2 + [None] * 18, folds=4)
    together = next(part for part in made.parts if 0 in part.judged)
    assert 1 in together.judged


@pytest.mark.parametrize(
    ("split", "unlabelled", "name", "fitted", "judged"),
    [
        (["train"] * 10 + ["val"] * 10, [], "val", range(10), range(10, 20)),
        (["train"] * 10 + ["dev"] * 10, ["test"] * 5, "dev", range(10), range(10, 20)),
        (["Training"] * 10 + ["dev"] * 5 + ["Test"] * 5, [], "Test", range(15), range(15, 20)),
        (["train-set"] * 10 + ["test_set"] * 10, [], "test_set", range(10), range(10, 20)),
        (["dev-set"] * 10 + ["test-set"] * 10, [], "test-set", range(10), range(10, 20)),
        (["train"] * 10 + ["val"] * 8 + ["test"] * 2, [], "val", range(10), range(10, 18)),
    ],
)
def test_the_datasets_own_split(split, unlabelled, name, fitted, judged) -> None:
    made = plan(IDS, split=split, unlabelled=unlabelled)
    assert (made.kind, made.name, len(made.parts)) == ("official", name, 1)
    assert made.parts[0].fit.tolist() == list(fitted)
    assert made.parts[0].judged.tolist() == list(judged)


def test_a_test_set_without_scores_is_said() -> None:
    made = plan(IDS, split=["train"] * 10 + ["dev"] * 10, unlabelled=["test"] * 7)
    assert made.notes == ("test has 7 rows and no scores, so dev is judged",)


def test_rows_of_no_known_split_are_said() -> None:
    made = plan(IDS, split=["train"] * 10 + ["val"] * 5 + ["extra"] * 3 + [None] * 2)
    assert len(made.parts[0].judged) == 5
    assert "3 rows of split extra" in made.notes[0]
    assert "2 rows without a split" in made.notes[1]


@pytest.mark.parametrize(
    ("split", "why"),
    [
        (None, "no row has a split"),
        ([None] * 20, "no row has a split"),
        (["train"] * 20, "20 train, 0 val, 0 test"),
        (["fold1"] * 10 + ["fold2"] * 10, "fold1, fold2 are unknown"),
    ],
)
def test_without_a_usable_split_auto_takes_folds_and_official_says_why(split, why) -> None:
    made = plan(IDS, split=split)
    assert made.kind == "k-fold"
    if split is not None and any(split):
        assert why in made.notes[0]
    with pytest.raises(UsageError, match=why):
        plan(IDS, split=split, mode="official")


def test_k_fold_may_be_asked_for_in_spite_of_a_split() -> None:
    assert plan(IDS, split=["train"] * 10 + ["val"] * 10, mode="k-fold").name == "5-fold"


@given(st.permutations(range(20)))
def test_official_splits_do_not_depend_on_the_order_of_rows(order: list[int]) -> None:
    ids = [IDS[k] for k in order]
    named = {name: [column[k] for k in order] for name, column in FOLDS.items()}
    for mode in ("all-folds", "fold3"):
        assert by_id(ids, plan(ids, named=named, mode=mode)) == by_id(IDS, plan(IDS, named=FOLDS, mode=mode))


def test_repeats_shuffle_anew_with_a_seed_of_their_own() -> None:
    made = plan(IDS, folds=4, repeats=3, seed=7)
    assert made.name == "4-fold, 3 times"
    assert [part.of for part in made.parts] == [f"repeat {r}" for r in (1, 2, 3) for _ in range(4)]
    for repeat in range(3):
        alone = plan(IDS, folds=4, seed=7 + repeat)
        for part, single in zip(made.parts[4 * repeat :], alone.parts, strict=False):
            assert part.name == f"repeat {repeat + 1} {single.name}"
            np.testing.assert_array_equal(part.judged, single.judged)
    assert "3 times shuffled with seeds 7 to 9" in made.rule
    grouped = plan(IDS, group=[f"g{k % 7}" for k in range(20)], group_by="title", folds=4, repeats=2)
    assert grouped.name == "4-fold by title, 2 times"


def test_named_splits_of_the_dataset() -> None:
    made = plan(IDS, named=FOLDS, mode="fold2")
    assert (made.kind, made.name, made.parts[0].of) == ("official", "fold2 test", "fold2")
    assert made.parts[0].judged.tolist() == [1, 6, 11, 16]
    assert made.parts[0].fit.size == 16
    every = plan(IDS, named=FOLDS, mode="all-folds")
    assert (every.kind, every.name) == ("k-fold", "5 official folds")
    assert [part.name for part in every.parts] == [f"fold{k} test" for k in range(1, 6)]
    assert by_id(IDS, plan(IDS, named=FOLDS)) == by_id(IDS, every)


def test_auto_prefers_the_split_then_folds_then_the_only_named_one() -> None:
    own = ["train"] * 10 + ["test"] * 10
    assert plan(IDS, split=own, named=FOLDS).name == "test"
    assert plan(IDS, named={"paper": own}).name == "paper test"
    several = plan(IDS, named={"paper": own, "challenge": own})
    assert several.name == "5-fold"
    assert several.notes == (
        "k-fold, because the dataset has several splits and none was named: paper, challenge",
    )


def test_a_named_test_set_without_scores_is_said() -> None:
    named = {"paper": ["train"] * 10 + ["dev"] * 10}
    made = plan(IDS, named=named, unlabelled_named={"paper": ["test"] * 4}, mode="paper")
    assert made.name == "paper dev"
    assert made.notes == ("test has 4 rows and no scores, so dev is judged",)


def test_rows_that_share_a_text_share_a_group() -> None:
    assert joined([["a", "b"], ["c"], ["b", "d"], [], ["d"], ["c", "e"]]) == ["a", "c", "a", None, "a", "c"]


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=3), min_size=1, max_size=12))
def test_groups_by_texts_are_connected_components(texts: list[list[str]]) -> None:
    from scipy.sparse.csgraph import connected_components

    shared = np.array([[bool({*one} & {*other}) for other in texts] for one in texts])
    _, component = connected_components(shared)
    found = joined(texts)
    for j, one in enumerate(texts):
        for k, other in enumerate(texts):
            if one and other:
                assert (found[j] == found[k]) == (component[j] == component[k])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ids": ["a", "a", "b"]}, "more than one row has 'a'"),
        ({"ids": IDS, "folds": 1}, "folds=1"),
        ({"ids": IDS[:9], "folds": 5}, "9 rows are too few for 5 folds of 3 or more; use at most folds=3"),
        ({"ids": IDS[:5], "folds": 2}, "at least 6 rows are needed"),
        ({"ids": IDS, "group": ["a"] * 10 + ["b"] * 10}, "2 groups are too few for 5 folds"),
        ({"ids": IDS, "group": ["a"] * 18 + ["b", "c"], "folds": 3}, "every fold needs 3"),
        ({"ids": IDS, "mode": "kfold"}, "Did you mean 'k-fold'"),
        ({"ids": IDS, "split": ["train"]}, "1 splits for 20 rows"),
        ({"ids": IDS, "group": ["a"]}, "1 groups for 20 rows"),
        ({"ids": IDS, "named": FOLDS, "mode": "fold9"}, "there are auto, .*fold5.*Did you mean 'fold"),
        ({"ids": IDS, "named": {"p": ["train"] * 20}, "mode": "p"}, "split 'p' cannot be used: .*20 train"),
        ({"ids": IDS, "mode": "all-folds"}, "no folds of its own"),
        ({"ids": IDS, "named": FOLDS, "mode": "official"}, "or one of its own: fold1, "),
        ({"ids": IDS, "named": FOLDS, "repeats": 2}, "5 official folds is always the same"),
        ({"ids": IDS, "repeats": 0}, "repeats=0"),
    ],
)
def test_impossible_plans_are_refused(options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        plan(**options)
