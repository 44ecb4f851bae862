"""The estimates recover what simulated answers were drawn from."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfeat.errors import UsageError
from memfeat.metrics import pearson
from memfeat.reliability import from_counts, from_halves, spearman_brown

ITEMS = 4000


@pytest.fixture(scope="module")
def simulated():
    """True shares, and for each item the answers of 30 people."""
    rng = np.random.default_rng(3)
    share = rng.beta(16, 4, ITEMS)
    return share, rng.random((30, ITEMS)) < share


def test_counts_recover_the_variance_of_the_true_shares(simulated) -> None:
    share, answers = simulated
    found = from_counts(answers.mean(axis=0), np.full(ITEMS, 30))
    assert found.n == ITEMS
    assert found.variance - found.noise == pytest.approx(share.var(), rel=0.05)
    assert found.noise == pytest.approx(np.mean(share * (1 - share) / 30), rel=0.02)


def test_the_ceiling_is_what_the_true_shares_reach(simulated) -> None:
    share, answers = simulated
    scores = answers.mean(axis=0)
    assert from_counts(scores, np.full(ITEMS, 30)).ceiling == pytest.approx(pearson(share, scores), abs=0.01)


def test_both_routes_agree_on_the_halves(simulated) -> None:
    _, answers = simulated
    counted = from_counts(answers.mean(axis=0), np.full(ITEMS, 30))
    one, other = answers[:15].mean(axis=0), answers[15:].mean(axis=0)
    assert counted.split_half == pytest.approx(pearson(one, other), abs=0.03)
    halved = from_halves([one], [other])
    assert halved.reliability == pytest.approx(counted.reliability, abs=0.04)
    assert halved.ceiling == pytest.approx(math.sqrt(halved.reliability))


def test_chance_alone_has_no_reliability() -> None:
    rng = np.random.default_rng(0)
    scores = rng.binomial(20, 0.8, 3000) / 20
    found = from_counts(scores, np.full(3000, 20))
    assert abs(found.reliability) < 0.06
    less = from_counts([0.5, 0.5, 0.51, 0.49], [5, 5, 5, 5])
    assert less.reliability < 0 and less.ceiling is None and less.split_half is None


def test_items_without_two_answers_or_a_score_are_left_out() -> None:
    scores, counts = [0.2, 0.9, 0.5, math.nan, 0.7, 0.1], [10, 10, 10, 10, 1, math.nan]
    assert from_counts(scores, counts).n == 3
    assert from_counts(scores, counts) == from_counts([0.2, 0.9, 0.5], [10, 10, 10])
    assert from_counts(scores[:2], counts[:2]) is None
    assert from_counts([0.5] * 5, [9] * 5) is None


def test_corrected_scores_beyond_the_scale_add_no_negative_noise() -> None:
    found = from_counts([1.05, -0.05, 1.02], [10, 10, 10])
    assert found.noise == 0 and found.reliability == 1


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(2, 200)), min_size=3, max_size=30))
def test_estimates_stay_in_their_range(rows) -> None:
    found = from_counts([p for p, _ in rows], [n for _, n in rows])
    if found is not None:
        assert found.reliability <= 1 and found.noise >= 0
        assert found.ceiling is None or 0 < found.ceiling <= 1
        assert found.split_half is None or 0 < found.split_half <= 1


@given(st.floats(0, 1))
def test_spearman_brown_doubles_the_length(half) -> None:
    whole = spearman_brown(half)
    assert half <= whole <= 1
    assert whole / (2 - whole) == pytest.approx(half)


def test_halves_leave_out_items_that_one_half_has_not_seen() -> None:
    a = [[0.1, 0.5, 0.9, math.nan, 0.7], [0.1, 0.2, 0.3, 0.4, 0.5]]
    b = [[0.2, 0.6, 0.8, 0.1, 0.5], [0.5, 0.4, 0.3, 0.2, 0.1]]
    found = from_halves(a, b)
    assert (found.items, found.halvings) == (5, 2)
    assert found.split_half == pytest.approx((0.8 - 1) / 2)
    assert found.reliability is None and found.ceiling is None


def test_halves_without_any_correlation_have_no_agreement() -> None:
    assert from_halves([[0.5, 0.5, 0.5]], [[0.1, 0.2, 0.3]]) is None
    assert from_halves([[0.5, 0.6]], [[0.1, 0.2]]) is None


def test_shapes_that_do_not_fit_are_named() -> None:
    with pytest.raises(UsageError, match=r"\(3,\), counts \(2,\)"):
        from_counts([1, 2, 3], [1, 2])
    with pytest.raises(UsageError, match=r"\(1, 2\) and \(1, 3\)"):
        from_halves([[1, 2]], [[1, 2, 3]])


def test_real_halves_of_the_participants(shared_data) -> None:
    with np.load(shared_data / "scenes" / "split_half_hit_rates.npz") as halves:
        found = from_halves(halves["group_a"], halves["group_b"])
    assert (found.items, found.halvings) == (632, 25)
    assert found.split_half == pytest.approx(0.787, abs=0.0005)


def test_real_numbers_of_answers(shared_data) -> None:
    import pandas as pd

    table = pd.read_csv(shared_data / "memento10k_mediaeval2021" / "train_scores.csv")
    found = from_counts(table["scores_raw_short_term"], table["annotations_short_term"])
    assert found.variance == pytest.approx(0.01107, abs=5e-6)
    assert found.noise == pytest.approx(0.00167, abs=5e-6)
    assert found.reliability == pytest.approx(0.849, abs=5e-4)
