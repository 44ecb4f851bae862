from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from memfeat.estimators.similarity.fractional import FractionalDistance


@pytest.mark.parametrize("f", [0.3, 0.5, 1.0])
def test_it_is_the_formula_on_scikit_learns_components(videos: np.ndarray, f: float) -> None:
    pca = PCA(10, whiten=True, svd_solver="randomized", random_state=0).fit(videos[:90])
    mean = pca.transform(videos[:90]).mean(axis=0)
    by_hand = (np.abs(pca.transform(videos) - mean) ** f).sum(axis=1) ** (1 / f)
    found = FractionalDistance(f, scale=False).fit(videos[:90]).transform(videos)
    np.testing.assert_allclose(found[:, 0], by_hand, rtol=1e-5)  # the mean is zero but for rounding
    assert found.shape == (120, 1)


def test_the_mean_itself_is_at_distance_zero(videos: np.ndarray) -> None:
    context = FractionalDistance(scale=False).fit(videos)
    assert context.transform(videos.mean(axis=0, keepdims=True)).item() < 1e-12


def test_a_wrong_exponent_is_named(videos: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"f=-0\.5"):
        FractionalDistance(-0.5).fit(videos)
