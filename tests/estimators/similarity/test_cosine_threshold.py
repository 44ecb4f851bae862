from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics.pairwise import cosine_similarity

from memfeat.estimators.similarity.cosine_threshold import CosineThreshold


def test_it_is_the_share_of_fitted_rows_alone(videos: np.ndarray) -> None:
    pca = PCA(10, whiten=True, svd_solver="randomized", random_state=0).fit(videos[:90])
    similarity = cosine_similarity(pca.transform(videos), pca.transform(videos[:90]))
    by_hand = np.column_stack([(similarity >= threshold).mean(axis=1) for threshold in (0.4, 0.5, 0.7)])
    found = CosineThreshold(scale=False).fit(videos[:90]).transform(videos)
    np.testing.assert_array_equal(found, by_hand)


def test_a_fitted_row_counts_itself(videos: np.ndarray) -> None:
    shares = CosineThreshold(0.999, scale=False).fit_transform(videos)
    np.testing.assert_array_equal(shares, 1 / 120)


def test_a_higher_threshold_counts_fewer(videos: np.ndarray) -> None:
    shares = CosineThreshold((-0.9, 0.0, 0.5, 0.9), scale=False).fit_transform(videos)
    assert (np.diff(shares, axis=1) <= 0).all()
    assert (shares[:, 0] > 0.9).all()


def test_rows_are_counted_alike_in_chunks(videos: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = CosineThreshold().fit_transform(videos)
    monkeypatch.setattr("memfeat.estimators.similarity.cosine_threshold.ROWS_AT_A_TIME", 7)
    np.testing.assert_array_equal(CosineThreshold().fit_transform(videos), whole)


def test_a_row_at_the_mean_counts_nobody() -> None:
    rows = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    assert CosineThreshold(scale=False).fit(rows).transform([[0.0, 0.0]]).tolist() == [[0.0, 0.0, 0.0]]


def test_columns_carry_their_threshold(videos: np.ndarray) -> None:
    names = CosineThreshold([0.25, 0.5]).fit(videos).get_feature_names_out()
    assert names.tolist() == ["cosine_threshold_0.25", "cosine_threshold_0.5"]


@pytest.mark.parametrize("thresholds", [(), 1.0, -1.0, (0.4, 2.0), float("nan")])
def test_a_threshold_is_a_cosine(videos: np.ndarray, thresholds: object) -> None:
    with pytest.raises(ValueError, match="thresholds=.*above -1 and below 1"):
        CosineThreshold(thresholds).fit(videos)
