from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn.metrics import mean_squared_error

from memfeat.errors import UsageError
from memfeat.metrics import METRICS, is_constant, mse, pearson, spearman

SCORES = st.floats(-100, 100).map(lambda v: round(v, 3))


def pairs(elements: st.SearchStrategy[float]) -> st.SearchStrategy[tuple[np.ndarray, np.ndarray]]:
    return st.integers(2, 40).flatmap(
        lambda n: st.tuples(arrays(float, n, elements=elements), arrays(float, n, elements=elements))
    )


@given(pairs(SCORES))
def test_they_are_what_scipy_and_scikit_learn_compute(pair: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = pair
    assert mse(x, y) == pytest.approx(mean_squared_error(x, y), abs=1e-12)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert pearson(x, y) is None
        assert spearman(x, y) is None
    else:
        assert pearson(x, y) == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-9)
        assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)


@given(pairs(st.integers(0, 3).map(float)))
def test_ties_share_their_mean_rank(pair: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = pair
    if np.ptp(x) and np.ptp(y):
        assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)


def test_a_monotone_map_leaves_spearman_alone_and_a_linear_one_pearson() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 50))
    assert spearman(x, np.exp(y)) == spearman(x, y)
    assert pearson(x, 3 * y - 5) == pytest.approx(pearson(x, y))
    assert pearson(x, -x) == -1.0
    assert spearman(x, x) == 1.0


@pytest.mark.parametrize("scale", [1e-200, 1e-9, 1e9, 1e200])
def test_the_scale_of_values_does_not_matter(scale: float) -> None:
    x, y = np.random.default_rng(1).normal(size=(2, 30))
    assert pearson(scale * x, y) == pytest.approx(pearson(x, y), abs=1e-12)


def test_a_constant_up_to_rounding_is_undefined() -> None:
    y = np.full(10, 0.8) + np.array([0, 1e-16] * 5)
    assert len(set(y)) > 1
    assert is_constant(y)
    assert spearman(np.arange(10), y) is None
    assert pearson(np.arange(10), y) is None
    assert mse(y, y) == 0.0


def test_one_pair_has_an_error_and_no_correlation() -> None:
    assert [metric([1.0], [2.0]) for metric in METRICS.values()] == [None, None, 1.0]


@pytest.mark.parametrize("metric", METRICS.values(), ids=list(METRICS))
@pytest.mark.parametrize(
    ("truth", "predicted", "message"),
    [
        ([1, 2, 3], [1, 2], "3 true values against 2 predicted"),
        ([1, np.nan], [1, 2], "1 of 2 true values are not finite .*position 1"),
        ([1, 2], [np.inf, 2], "1 of 2 predicted values are not finite .*inf at position 0"),
        ([], [], "at least one pair"),
        ([[1, 2]], [1, 2], r"shape \(1, 2\)"),
        (["a", "b"], [1, 2], "not all numbers"),
    ],
)
def test_what_cannot_be_compared_is_said(metric, truth, predicted, message) -> None:
    with pytest.raises(UsageError, match=message):
        metric(truth, predicted)
