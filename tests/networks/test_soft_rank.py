from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import pearsonr, rankdata, spearmanr

torch = pytest.importorskip("torch")

from memfeat.networks.soft_rank import soft_rank


def ranks(values, strength):
    return soft_rank(torch.as_tensor(np.asarray(values, np.float64)), strength=strength).numpy()


@pytest.fixture
def scores():
    generator = np.random.default_rng(4)
    truth = generator.normal(0.8, 0.1, 64).clip(0, 1)
    return truth, (truth + generator.normal(0, 0.1, 64)).clip(0, 1)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=40))
def test_a_strength_near_zero_gives_ranks_and_ties_share_theirs(integers):
    np.testing.assert_allclose(ranks(integers, 1e-6), rankdata(integers), atol=1e-4)


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=12), st.sampled_from([1e-3, 0.03, 0.3, 2.0]))
def test_ranks_keep_their_sum_their_order_and_their_bounds(values, strength):
    found = ranks(values, strength)
    n = len(values)
    assert found.sum() == pytest.approx(n * (n + 1) / 2)
    assert found.min() >= 1 - 1e-6 and found.max() <= n + 1e-6
    assert (np.diff(found[np.argsort(values)]) >= -1e-6).all()


def test_it_is_the_nearest_point_of_the_permutahedron():
    # Second route: the projection as a quadratic programme over the constraints of the permutahedron.
    values, strength = np.array([0.31, 0.9, 0.35, 0.36]), 0.04
    subsets = [list(map(int, np.flatnonzero([m >> k & 1 for k in range(4)]))) for m in range(1, 15)]
    constraints = [
        {"type": "ineq", "fun": lambda mu, s=s: mu[s].sum() - len(s) * (len(s) + 1) / 2} for s in subsets
    ]
    constraints.append({"type": "eq", "fun": lambda mu: mu.sum() - 10})
    solved = minimize(
        lambda mu: 0.5 * ((mu - values / strength) ** 2).sum(),
        np.full(4, 2.5),
        constraints=constraints,
        method="SLSQP",
        options={"ftol": 1e-12},
    )
    np.testing.assert_allclose(ranks(values, strength), solved.x, atol=1e-5)


@pytest.mark.parametrize("strength", [1e-3, 0.02, 0.1, 2.0])
def test_the_gradient_is_that_of_finite_differences(strength):
    values = torch.rand(9, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    assert torch.autograd.gradcheck(
        lambda v: soft_rank(v, strength=strength), values.clone().requires_grad_(), eps=1e-7
    )


def test_within_a_block_the_gradient_averages():
    # Two close pairs far from each other: ranks are linear inside a pair and do not see the other one.
    values = torch.tensor([0.1, 0.1001, 0.9, 0.9001], dtype=torch.float64, requires_grad=True)
    soft_rank(values, strength=0.01)[0].backward()
    np.testing.assert_allclose(values.grad.numpy(), [50, -50, 0, 0])


def test_a_small_strength_gives_spearman_and_a_large_one_pearson(scores):
    truth, predicted = scores

    def correlation(strength):
        return np.corrcoef(ranks(truth, strength), ranks(predicted, strength))[0, 1]

    rho, r = spearmanr(truth, predicted)[0], pearsonr(truth, predicted)[0]
    assert abs(rho - r) > 5e-3
    assert correlation(1e-6) == pytest.approx(rho, abs=1e-6)
    assert correlation(1e-3) == pytest.approx(rho, abs=5e-3)
    assert correlation(1.0) == pytest.approx(r, abs=1e-12)


def test_it_is_linear_from_twice_the_mean_gap_on(scores):
    truth, _ = scores
    from_here = 2 * np.ptp(truth) / truth.size
    assert pearsonr(ranks(truth, from_here), truth)[0] == pytest.approx(1, abs=1e-12)
    assert pearsonr(ranks(truth, from_here / 10), truth)[0] < 0.999


def test_dtype_stays_and_a_single_score_has_rank_one():
    assert soft_rank(torch.tensor([0.4, 0.1])).dtype == torch.float32
    assert soft_rank(torch.tensor([0.4])).tolist() == [1.0]


@pytest.mark.parametrize(
    ("values", "strength", "message"),
    [
        ([[0.1, 0.2]], 1.0, r"shape \(n,\), n > 0; got \(1, 2\)"),
        ([], 1.0, r"got \(0,\)"),
        ([0.1, float("nan")], 1.0, "finite scores"),
        ([0.1, 0.2], 0.0, "must be positive.*got 0"),
        ([0.1, 0.2], float("nan"), "must be positive"),
    ],
)
def test_bad_input_is_refused(values, strength, message):
    with pytest.raises(ValueError, match=message):
        soft_rank(torch.tensor(values), strength=strength)
