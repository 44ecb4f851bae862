from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from memfeat.estimators.similarity.kmeans_prototypes import KMeansPrototypes


def test_it_is_scikit_learns_pieces_one_after_the_other(videos: np.ndarray) -> None:
    pca = PCA(10, whiten=True, svd_solver="randomized", random_state=3).fit(videos[:90])
    kmeans = KMeans(6, n_init=10, random_state=3).fit(pca.transform(videos[:90]))
    found = KMeansPrototypes(6, scale=False, random_state=3).fit(videos[:90])
    np.testing.assert_array_equal(found.labels_, kmeans.labels_)
    np.testing.assert_allclose(found.transform(videos), kmeans.transform(pca.transform(videos)), atol=1e-6)


def test_separated_groups_are_found(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    rows, groups = blobs
    context = KMeansPrototypes(8).fit(rows)
    nearest = context.set_params(scale=False).fit_transform(rows).argmin(axis=1)
    assert len(set(zip(nearest.tolist(), groups.tolist(), strict=True))) == 8


def test_twenty_centres_by_default(videos: np.ndarray) -> None:
    assert KMeansPrototypes().fit_transform(videos).shape == (120, 20)
    names = KMeansPrototypes(2).fit(videos).get_feature_names_out()
    assert names.tolist() == ["kmeans0", "kmeans1"]


def test_no_more_centres_than_rows_or_places(videos: np.ndarray) -> None:
    assert KMeansPrototypes().fit_transform(videos[:7]).shape == (7, 7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn says that there are fewer places than centres
        repeated = KMeansPrototypes(5, scale=False).fit_transform(np.repeat(videos[:3], 6, axis=0))
    assert repeated.shape == (18, 3)
    assert np.isfinite(repeated).all()


def test_k_is_at_least_one(videos: np.ndarray) -> None:
    assert KMeansPrototypes(1).fit_transform(videos).shape == (120, 1)
    with pytest.raises(ValueError, match="k=0"):
        KMeansPrototypes(0).fit(videos)
