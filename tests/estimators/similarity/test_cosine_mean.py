from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA

from memfeat.estimators.similarity.cosine_mean import CosineToMean


def test_it_is_the_cosine_of_projected_but_uncentred_rows(videos: np.ndarray) -> None:
    pca = PCA(10, svd_solver="randomized", random_state=0).fit(videos[:90])
    whitened = pca.components_ / np.sqrt(pca.explained_variance_)[:, None]
    rows, mean = videos @ whitened.T, whitened @ videos[:90].mean(axis=0)
    by_hand = rows @ mean / np.linalg.norm(rows, axis=1) / np.linalg.norm(mean)
    found = CosineToMean(scale=False).fit(videos[:90]).transform(videos)
    np.testing.assert_allclose(found[:, 0], by_hand, atol=1e-9)


def test_length_does_not_matter_but_side_does(videos: np.ndarray) -> None:
    context = CosineToMean(scale=False).fit(videos)
    once = context.transform(videos)
    np.testing.assert_allclose(context.transform(3.0 * videos), once, atol=1e-9)
    np.testing.assert_allclose(context.transform(-videos), -once, atol=1e-9)


def test_around_the_mean_the_cosine_would_be_with_rounding_errors(videos: np.ndarray) -> None:
    """Why the published form is not offered: the whitened mean has no direction."""
    scores = CosineToMean().fit(videos).pca_.transform(videos)
    assert np.linalg.norm(scores.mean(axis=0)) < 1e-12 * np.linalg.norm(scores, axis=1).min()


def test_a_row_of_zeros_has_no_direction(videos: np.ndarray) -> None:
    assert CosineToMean(scale=False).fit(videos).transform(np.zeros((1, 30))).item() == 0.0
