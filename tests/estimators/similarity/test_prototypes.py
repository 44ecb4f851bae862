from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from memfeat.estimators.similarity.density import choose_bandwidth, log_density
from memfeat.estimators.similarity.prototypes import DISTANCES, PrototypeMeasure

GROUPS = (slice(0, 40), slice(30, 60), slice(60, 120))


class FixedGroups(PrototypeMeasure):
    """Three overlapping groups of rows, given by their places."""

    def __init__(
        self,
        distance: str = "euclidean",
        f: float = 0.5,
        n_components: int = 4,
        scale: bool = False,
        random_state: int = 0,
    ) -> None:
        self.distance = distance
        self.f = f
        self.n_components = n_components
        self.scale = scale
        self.random_state = random_state

    def _learn(self, scores: np.ndarray) -> None:
        self._learn_groups(scores, [scores[rows] for rows in GROUPS])


def test_distances_are_from_the_groups_means(videos: np.ndarray) -> None:
    measure = FixedGroups().fit(videos)
    scores = measure.pca_.transform(videos)
    means = np.array([scores[rows].mean(axis=0) for rows in GROUPS])
    np.testing.assert_allclose(measure.transform(videos), cdist(scores, means), atol=1e-12)
    fractional = FixedGroups("fractional", f=0.7).fit(videos).transform(videos)
    by_hand = (np.abs(scores[:, None] - means) ** 0.7).sum(axis=2) ** (1 / 0.7)
    np.testing.assert_allclose(fractional, by_hand, rtol=1e-10)


def test_densities_are_of_the_groups_rows(videos: np.ndarray) -> None:
    measure = FixedGroups("kde").fit(videos)
    scores = measure.pca_.transform(videos)
    for column, rows in enumerate(GROUPS):
        width = choose_bandwidth(scores[rows])
        by_hand = -log_density(scores, scores[rows], width)
        assert measure.bandwidths_[column] == width
        by_hand[~np.isfinite(by_hand)] = by_hand[np.isfinite(by_hand)].mean()
        np.testing.assert_array_equal(measure.transform(videos)[:, column], by_hand)


def test_where_a_group_has_no_density_its_mean_score_stands(videos: np.ndarray) -> None:
    measure = FixedGroups("kde").fit(videos)
    assert measure.transform(np.full((1, 30), 1e5)).tolist() == [measure.outside_]


def test_the_distances_there_are_are_listed(videos: np.ndarray) -> None:
    with pytest.raises(ValueError, match=f"'manhattan'; expected one of {', '.join(DISTANCES)}"):
        FixedGroups("manhattan").fit(videos)
