from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr
from stores import make

from memfeat.errors import UsageError
from memfeat.evaluation.compare import compare
from memfeat.evaluation.comparison.systems import System, grid
from memfeat.evaluation.fusion import Fusion, best_weights, inner_parts, learn, needs_inner
from memfeat.evaluation.splits import Part
from memfeat.store.feature_store import FeatureStore

FAST: dict[str, Any] = {"resamples": 50, "cache": None}


def members(n: int = 60, count: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    y = generator.normal(size=n)
    noise = generator.normal(size=(n, count)) * np.linspace(0.5, 3, count)
    return y, y[:, None] + noise, np.arange(n) % 3


def test_equal_scores_are_averaged_without_any_inner_fold() -> None:
    fused = learn("score-average", "equal", 3)
    _, predictions, _ = members()
    np.testing.assert_allclose(fused.combine(predictions), predictions.mean(axis=1))


def test_weights_are_the_best_on_the_grid_by_brute_force() -> None:
    y, predictions, folds = members(count=2)
    worth = {}
    for k in range(21):
        mixed = predictions @ [k / 20, 1 - k / 20]
        worth[k] = np.mean([spearmanr(mixed[folds == f], y[folds == f]).statistic for f in range(3)])
    found = best_weights(predictions, folds, y)
    assert worth[round(found[0] * 20)] == pytest.approx(max(worth.values()))
    assert found[0] > found[1]


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 6), st.integers(0, 1000))
def test_weights_are_never_negative_and_sum_to_one(count: int, seed: int) -> None:
    y, predictions, folds = members(30, count, seed)
    found = best_weights(predictions, folds, y)
    assert (found >= 0).all() and found.sum() == pytest.approx(1)


def test_many_members_are_weighted_no_worse_than_equally_or_singly() -> None:
    y, predictions, folds = members(90, 6)

    def worth(weights: np.ndarray) -> float:
        mixed = predictions @ weights
        return float(np.mean([spearmanr(mixed[folds == f], y[folds == f]).statistic for f in range(3)]))

    found = worth(best_weights(predictions, folds, y))
    assert found >= max(worth(weights) for weights in [*np.eye(6), np.full(6, 1 / 6)]) - 0.005
    assert found >= max(worth(weights) for weights in np.eye(6))


def test_equal_members_share_equally_and_a_constant_one_is_no_harm() -> None:
    y, predictions, folds = members(count=1)
    np.testing.assert_allclose(best_weights(np.repeat(predictions, 2, axis=1), folds, y), [0.5, 0.5])
    with_constant = np.hstack([predictions, np.full((60, 1), 0.5)])
    assert best_weights(with_constant, folds, y)[0] > 0


def test_ranks_are_averaged_whatever_the_scale_of_a_member() -> None:
    y, predictions, folds = members()
    fused = learn("rank-average", "equal", 3, inner=predictions, folds=folds, y=y)
    expected = rankdata(rankdata(predictions, axis=0).mean(axis=1))
    np.testing.assert_array_equal(rankdata(fused.combine(predictions).round(9)), expected)
    stretched = predictions.copy()
    stretched[:, 1] = np.exp(3 * stretched[:, 1])
    other = learn("rank-average", "equal", 3, inner=stretched, folds=folds, y=y)
    np.testing.assert_allclose(other.combine(stretched), fused.combine(predictions))
    # The line is that of least squares: no line through the shares has a smaller error.
    error = np.mean((fused.combine(predictions) - y) ** 2)
    for start, slope in product((-0.01, 0, 0.01), repeat=2):
        moved = Fusion(
            "rank-average", fused.weights, fused.reference, (fused.line[0] + start, fused.line[1] + slope)
        )
        assert np.mean((moved.combine(predictions) - y) ** 2) >= error - 1e-12


def test_a_row_is_fused_alone_as_among_others() -> None:
    y, predictions, folds = members()
    for method, weights in product(("score-average", "rank-average"), ("equal", "inner-folds")):
        fused = learn(method, weights, 3, inner=predictions, folds=folds, y=y)
        whole = fused.combine(predictions)
        np.testing.assert_array_equal(whole[7:8], fused.combine(predictions[7:8]))


def test_order_is_kept_where_members_know_nothing() -> None:
    y, predictions, folds = members()
    fused = learn("rank-average", "equal", 3, inner=-predictions, folds=folds, y=y)
    assert fused.line[1] > 0


def test_what_must_be_learned_needs_inner_folds() -> None:
    assert needs_inner("score-average", "inner-folds") and not needs_inner("score-average", "equal")
    with pytest.raises(UsageError, match="needs predictions of inner folds"):
        learn("rank-average", "equal", 2)


def test_inner_folds_are_of_training_rows_alone_with_groups_whole() -> None:
    part = Part("fold 1", np.array([0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 14, 15]), np.array([6, 7, 12, 13]))
    group = [f"g{k // 2}" for k in range(16)]
    made = inner_parts(part, group, folds=3, seed=0)
    assert sorted(np.concatenate([inside.judged for inside in made]).tolist()) == part.fit.tolist()
    for inside in made:
        assert not set(inside.fit) & set(inside.judged)
        assert not {group[k] for k in inside.fit} & {group[k] for k in inside.judged}
    with pytest.raises(UsageError, match="Inner folds of fold 1"):
        inner_parts(part, None, folds=5, seed=0)


@pytest.mark.parametrize("method", ["score-average", "rank-average"])
def test_no_judged_row_reaches_what_a_fusion_learns(tmp_path, method: str) -> None:
    asked = [
        *grid(["brr"], [["light"], ["embedding"]]),
        System.fused("fused", ["brr light", "brr embedding"], method=method, weights="inner-folds"),
    ]
    table = make(tmp_path / "plain", 40).labels["score"].sort_index().to_numpy()
    split = ["train"] * 28 + ["test"] * 12
    spoilt = table.copy()
    spoilt[28:] = spoilt[28:][::-1]
    found = [
        compare(
            make(tmp_path / name, 40, labels={"split": split, "score": scores}), asked, inner_folds=3, **FAST
        )
        for name, scores in (("clean", table), ("spoilt", spoilt))
    ]
    clean, dirty = (one.predictions.query("system == 'fused'")["predicted"].to_numpy() for one in found)
    np.testing.assert_array_equal(clean, dirty)


def test_a_fusion_in_a_comparison_is_that_of_its_members(store: FeatureStore) -> None:
    asked = [*grid(["brr"], [["light"], ["embedding"]]), System.fused("both", ["brr light", "brr embedding"])]
    found = compare(store, asked, **FAST)
    by_system = {name: table["predicted"].to_numpy() for name, table in found.predictions.groupby("system")}
    np.testing.assert_allclose(by_system["both"], (by_system["brr light"] + by_system["brr embedding"]) / 2)
    assert found.fitted == 10


def test_found_weights_are_told(store: FeatureStore) -> None:
    asked = [
        *grid(["brr"], [["light"], ["embedding"]]),
        System.fused("both", ["brr light", "brr embedding"], weights="inner-folds"),
    ]
    line = compare(store, asked, inner_folds=3, **FAST).lines[2]
    assert line.notes[0].startswith("weights brr light ")
    assert line.model == "late-fusion" and line.features == ("brr light", "brr embedding")
