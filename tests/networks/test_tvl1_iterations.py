"""The batched iterations against the scheme written out in double precision, pair by pair."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

torch = pytest.importorskip("torch", reason="needs the extra deep")

from memfeat.networks.tvl1_iterations import Linearised, Rules, relax
from memfeat.networks.tvl1_sampling import median_filtered

Doubles = npt.NDArray[np.float64]
TAU, BOUND = 0.25, 0.03


def written_out(
    flow: Doubles, gradient: Doubles, rest: Doubles, iterations: int, tolerance: float
) -> tuple[Doubles, Doubles, int]:
    """Zach, Pock and Bischof's scheme in units of tau / theta pixels: flow, dual variables and iterations done."""
    u, p, done, change = flow.copy(), np.zeros((2, *flow.shape)), 0, np.inf
    while done < iterations and change > tolerance:
        done += 1
        rho = rest + (gradient * u).sum(axis=0)
        force = np.clip(-rho / (gradient**2).sum(axis=0), -BOUND, BOUND)
        divergence = np.diff(p[:, 0], axis=2, prepend=0) + np.diff(p[:, 1], axis=1, prepend=0)
        step = force * gradient + TAU * divergence
        u = u + step
        dx = np.diff(u, axis=2, append=u[:, :, -1:])
        dy = np.diff(u, axis=1, append=u[:, -1:])
        p = (p + np.stack([dx, dy], axis=1)) / (1 + np.hypot(dx, dy))[:, None]
        change = (step**2).sum()
    return u, p, done


def problem(count: int, height: int, width: int) -> tuple[Doubles, Doubles, Doubles]:
    """Flows, gradients and rests, each pair rougher than the one before and so later to end."""
    generator = np.random.default_rng(0)
    flow = (
        generator.normal(size=(count, 2, height, width))
        * 4.0 ** np.arange(-3, count - 3)[:, None, None, None]
    )
    return flow, generator.normal(size=flow.shape) + 2, generator.normal(size=(count, height, width))


def tensors(*arrays: Doubles) -> list[torch.Tensor]:
    return [torch.from_numpy(array).float() for array in arrays]


@pytest.mark.parametrize(("height", "width"), [(13, 17), (1, 9), (9, 1), (2, 2), (30, 64)])
@pytest.mark.parametrize(("iterations", "tolerance"), [(1, 0.0), (2, 0.0), (40, 0.0), (60, 0.05), (60, 1.0)])
def test_iterations_are_those_of_the_paper(
    height: int, width: int, iterations: int, tolerance: float
) -> None:
    flow, gradient, rest = problem(4, height, width)
    expected = [written_out(*pair, iterations, tolerance) for pair in zip(flow, gradient, rest, strict=True)]
    ours, slope, left = tensors(flow, gradient, rest)
    dual = torch.zeros(4, 2, 2, height, width)
    rules = Rules(TAU, BOUND, tolerance, outer=1, inner=iterations, median=0)
    relax(ours, dual, Linearised(slope, 1 / (slope * slope).sum(dim=1), left), rules)
    for number, (u, p, _) in enumerate(expected):
        np.testing.assert_allclose(ours[number], u, atol=2e-4)
        np.testing.assert_allclose(dual[number], p, atol=2e-3)


def test_pairs_end_at_different_times() -> None:
    """Else the tests around this one prove little."""
    flow, gradient, rest = problem(4, 30, 64)
    done = [written_out(*pair, 60, 1.0)[2] for pair in zip(flow, gradient, rest, strict=True)]
    assert done == sorted(set(done))
    assert done[2] < 60 <= done[3], "three end before the last iteration"


def test_a_median_begins_each_round_until_a_pair_ends() -> None:
    flow, gradient, rest = problem(3, 12, 15)
    ours, slope, left = tensors(flow, gradient, rest)
    linear = Linearised(slope, 1 / (slope * slope).sum(dim=1), left)
    dual = torch.zeros(3, 2, 2, 12, 15)
    relax(ours, dual, linear, Rules(TAU, BOUND, 0.0, outer=3, inner=2, median=5))
    step_by_step, same_dual = torch.from_numpy(flow).float(), torch.zeros_like(dual)
    for _ in range(3):
        step_by_step = median_filtered(step_by_step, 5)
        relax(step_by_step, same_dual, linear, Rules(TAU, BOUND, 0.0, outer=1, inner=2, median=0))
    assert torch.equal(ours, step_by_step)
    assert torch.equal(dual, same_dual)
    # With a tolerance that every change meets there is one iteration, whatever the rounds.
    ended, dual = torch.from_numpy(flow).float(), torch.zeros_like(dual)
    relax(ended, dual, linear, Rules(TAU, BOUND, 1e9, outer=3, inner=2, median=5))
    once, dual = median_filtered(torch.from_numpy(flow).float(), 5), torch.zeros_like(dual)
    relax(once, dual, linear, Rules(TAU, BOUND, 0.0, outer=1, inner=1, median=0))
    assert torch.equal(ended, once)


@pytest.mark.parametrize("order", [[3, 2, 1, 0], [2], [1, 3], [0, 1, 1, 2, 3, 0]])
def test_a_pair_does_not_depend_on_its_neighbours(order: list[int]) -> None:
    flow, gradient, rest = tensors(*problem(4, 14, 19))
    rules = Rules(TAU, BOUND, 0.02, outer=6, inner=20, median=3)

    def relaxed(rows: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        ours, dual = flow[rows].clone(), torch.zeros(len(rows), 2, 2, 14, 19)
        slope = gradient[rows]
        relax(ours, dual, Linearised(slope, 1 / (slope * slope).sum(dim=1), rest[rows]), rules)
        return ours, dual

    for found, together in zip(relaxed(order), relaxed([0, 1, 2, 3]), strict=True):
        assert torch.equal(found, together[order])
