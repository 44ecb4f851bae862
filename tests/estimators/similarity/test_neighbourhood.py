from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.cluster import DBSCAN

from memfeat.estimators.similarity.neighbourhood import CANDIDATES, RULES, choose_eps, k_distances, knee

sets_of_points = st.builds(
    lambda seed, rows, digits: np.random.default_rng(seed).normal(size=(rows, 3)).round(digits),
    st.integers(0, 10**6),
    st.integers(5, 60),
    st.integers(0, 6),  # few digits: points that coincide, distances that tie
)


def clusters(points: np.ndarray, eps: float, min_samples: int = 5) -> np.ndarray:
    return DBSCAN(eps=eps, min_samples=min_samples).fit(points).labels_


@given(sets_of_points, st.integers(1, 5))
def test_k_distances_count_the_point_itself(points: np.ndarray, k: int) -> None:
    by_hand = np.sort(np.sort(cdist(points, points), axis=1)[:, k - 1])
    np.testing.assert_allclose(k_distances(points, k), by_hand, atol=1e-7)


@given(sets_of_points, st.floats(0.05, 3.0))
def test_they_tell_dbscans_core_points(points: np.ndarray, eps: float) -> None:
    distances = k_distances(points, 5)
    if np.abs(distances - eps).min() > 1e-6:
        cores = len(DBSCAN(eps=eps, min_samples=5).fit(points).core_sample_indices_)
        assert cores == (distances <= eps).sum()


@pytest.mark.parametrize(("corner", "height"), [(0.5, 0.1), (0.9, 0.3), (0.3, 0.05)])
def test_the_knee_of_two_lines_is_where_they_meet(corner: float, height: float) -> None:
    x = np.linspace(0, 1, 101)
    curve = np.interp(x, [0, corner, 1], [0, height, 1])
    assert knee(2 + 5 * curve) == pytest.approx(2 + 5 * height)


def test_the_knee_of_a_parabola_is_halfway() -> None:
    # x - x^2 is largest at 1/2.
    assert knee(np.linspace(0, 1, 1001) ** 2) == pytest.approx(0.25)


def test_the_knee_of_equal_values_is_that_value() -> None:
    assert knee(np.full(9, 3.0)) == 3.0
    assert knee(np.array([4.0])) == 4.0


@settings(max_examples=30)
@given(sets_of_points, st.sampled_from(RULES))
def test_a_rule_never_leaves_all_points_noise(points: np.ndarray, rule: str) -> None:
    eps = choose_eps(points, min_samples=5, rule=rule)
    assert eps > 0
    assert clusters(points, eps).max() >= 0


@settings(max_examples=15)
@given(sets_of_points, st.floats(0.01, 100.0))
def test_a_rule_scales_with_the_points(points: np.ndarray, scale: float) -> None:
    eps = choose_eps(points, min_samples=5)
    if len(np.unique(k_distances(points, 5))) > 3 and points.std() > 0:
        found = choose_eps(points * scale, min_samples=5) / scale
        # Nearly tied knees may change places by rounding; they are then equally far below the line.
        curve = k_distances(points, 5)
        line = (curve - curve[0]) / (curve[-1] - curve[0])
        drop = np.linspace(0, 1, len(curve)) - line
        at = [drop[np.argmin(np.abs(curve - value))] for value in (eps, found)]
        assert at[0] == pytest.approx(at[1], abs=1e-6)


def test_the_knee_separates_groups_from_scattered_points() -> None:
    generator = np.random.default_rng(0)
    groups = np.repeat(np.eye(3) * 10, 40, axis=0) + generator.normal(size=(120, 3)) * 0.3
    points = np.vstack([groups, generator.uniform(-30, 30, size=(6, 3))])
    labels = clusters(points, choose_eps(points, min_samples=5))
    assert [len(set(labels[i : i + 40]) - {-1}) for i in (0, 40, 80)] == [1, 1, 1]
    assert labels.max() == 2
    assert (labels[120:] == -1).all()
    assert (labels[:120] == -1).mean() < 0.1


def test_most_clusters_is_the_best_of_the_quantiles() -> None:
    points = np.random.default_rng(0).normal(size=(300, 3))
    found = clusters(points, choose_eps(points, min_samples=5, rule="most-clusters")).max() + 1
    distances = k_distances(points, 5)
    tried = [
        clusters(points, np.quantile(distances, quantile, method="higher") * (1 + 1e-9)).max() + 1
        for quantile in CANDIDATES
    ]
    assert found == max(tried) > clusters(points, choose_eps(points, min_samples=5)).max() + 1


def test_groups_of_equal_points_are_kept_apart() -> None:
    for places in (np.zeros((1, 3)), np.eye(3), np.eye(3) * 1e-3, np.eye(3) * 1e3):
        for rule in RULES:
            points = np.repeat(places, 7, axis=0)
            labels = clusters(points, choose_eps(points, min_samples=5, rule=rule))
            assert labels.tolist() == np.repeat(np.arange(len(places)), 7).tolist()


def test_another_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="'silhouette'; expected a number above 0 or one of k-distance"):
        choose_eps(np.eye(6), min_samples=5, rule="silhouette")
