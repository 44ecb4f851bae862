from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity

from memfeat.estimators.similarity.density import BANDWIDTHS
from memfeat.estimators.similarity.kde import KernelDensityScore


@pytest.mark.filterwarnings("ignore:invalid value encountered in subtract:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_it_is_scikit_learns_pieces_one_after_the_other(videos: np.ndarray) -> None:
    pca = PCA(10, whiten=True, svd_solver="randomized", random_state=0).fit(videos[:90])
    scores = pca.transform(videos)
    search = GridSearchCV(KernelDensity(kernel="epanechnikov"), {"bandwidth": BANDWIDTHS}).fit(scores[:90])
    context = KernelDensityScore(scale=False).fit(videos[:90])
    assert context.bandwidth_ == search.best_params_["bandwidth"]
    theirs = -search.best_estimator_.score_samples(scores)
    theirs[~np.isfinite(theirs)] = theirs[:90].mean()
    np.testing.assert_allclose(context.transform(videos)[:, 0], theirs, atol=1e-6)


def test_far_from_everything_becomes_the_mean_or_by_name_the_largest(videos: np.ndarray) -> None:
    far = np.full((1, 30), 1e4)
    as_published = KernelDensityScore(scale=False).fit(videos)
    fitted = as_published.transform(videos)
    assert as_published.transform(far).item() == pytest.approx(fitted.mean())
    assert KernelDensityScore().fit(videos).transform(far).item() == pytest.approx(0.0, abs=1e-9)
    largest = KernelDensityScore(scale=False, outside="largest").fit(videos)
    assert largest.transform(far).item() == fitted.max()


def test_lonely_rows_score_higher(videos: np.ndarray) -> None:
    context = KernelDensityScore().fit(videos)
    distances = np.linalg.norm(context.points_, axis=1)
    scores = context.transform(videos)[:, 0]
    assert np.corrcoef(distances, scores)[0, 1] > 0.8


def test_only_the_first_rows_make_the_density(videos: np.ndarray) -> None:
    context = KernelDensityScore(max_rows=50, scale=False).fit(videos)
    np.testing.assert_array_equal(context.points_, context.pca_.transform(videos)[:50])
    assert np.isfinite(context.transform(videos)).all()


@pytest.mark.parametrize("wrong", [{"outside": "zero"}, {"max_rows": 1}])
def test_wrong_parameters_are_named(videos: np.ndarray, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        KernelDensityScore(**wrong).fit(videos)
