from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist

from memfeat.estimators.similarity.distances import fractional_distances

rows = arrays(np.float64, (3, 4), elements=st.floats(-100, 100))


@given(rows, rows, st.floats(0.2, 3.0))
def test_the_formula(u: np.ndarray, v: np.ndarray, f: float) -> None:
    by_hand = (np.abs(u[:, None] - v[None]) ** f).sum(axis=2) ** (1 / f)
    np.testing.assert_allclose(fractional_distances(u, v, f), by_hand, rtol=1e-9, atol=1e-9)


@given(rows, rows)
def test_two_is_euclidean_and_one_is_city_block(u: np.ndarray, v: np.ndarray) -> None:
    np.testing.assert_allclose(fractional_distances(u, v, 2.0), cdist(u, v), atol=1e-9)
    np.testing.assert_allclose(fractional_distances(u, v, 1.0), cdist(u, v, "cityblock"), atol=1e-9)


@given(rows, rows)
def test_below_one_distances_are_longer(u: np.ndarray, v: np.ndarray) -> None:
    assert (fractional_distances(u, v, 0.5) >= fractional_distances(u, v, 2.0) - 1e-9).all()


def test_below_one_many_small_differences_weigh_more_than_a_large_one() -> None:
    one, spread = np.array([[1.0, 0.0, 0.0, 0.0]]), np.full((1, 4), 0.5)  # equally long
    assert fractional_distances(one, 0 * one, 0.5).item() == pytest.approx(1.0)
    assert fractional_distances(spread, 0 * one, 0.5).item() == pytest.approx(8.0)


@pytest.mark.parametrize("f", [0.0, -1.0, float("nan")])
def test_an_exponent_is_above_zero(f: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        fractional_distances(np.ones((1, 2)), np.ones((1, 2)), f)
