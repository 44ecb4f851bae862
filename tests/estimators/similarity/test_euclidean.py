from __future__ import annotations

import numpy as np

from memfeat.estimators.similarity.euclidean import EuclideanDistance
from memfeat.estimators.similarity.fractional import FractionalDistance


def test_with_every_component_it_is_the_mahalanobis_distance(videos: np.ndarray) -> None:
    narrow = videos[:, :6]
    centred = narrow - narrow[:90].mean(axis=0)
    inverse = np.linalg.inv(np.cov(narrow[:90].T))
    by_hand = np.sqrt(np.einsum("ni,ij,nj->n", centred, inverse, centred))
    found = EuclideanDistance(scale=False).fit(narrow[:90]).transform(narrow)
    np.testing.assert_allclose(found[:, 0], by_hand, rtol=1e-9)


def test_it_is_the_fractional_distance_of_exponent_two(videos: np.ndarray) -> None:
    np.testing.assert_allclose(
        EuclideanDistance().fit_transform(videos), FractionalDistance(2.0).fit_transform(videos), atol=1e-10
    )


def test_fewer_components_see_less(videos: np.ndarray) -> None:
    lengths = [EuclideanDistance(n_components=k, scale=False).fit_transform(videos) for k in (1, 5, 10)]
    assert (lengths[0] <= lengths[1] + 1e-3).all()
    assert (lengths[1] <= lengths[2] + 1e-3).all()
