from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import BayesianRidge, LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from memfeat.estimators.mean_of_frames import MeanOfFrames

ANY_NUMBER_OF_FRAMES = {
    "check_n_features_in_after_fitting": "a row may hold more or fewer frames than in fit; their width is checked",
}


def expected_failures(estimator):
    return {} if estimator.width is None else ANY_NUMBER_OF_FRAMES


@parametrize_with_checks([MeanOfFrames(), MeanOfFrames(width=1)], expected_failed_checks=expected_failures)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.fixture
def videos():
    """Videos of one to seven frames of three numbers: a list of arrays, and the padded rows."""
    generator = np.random.default_rng(0)
    frames = [generator.normal(size=(n, 3)) for n in (7, 1, 4, 2, 5, 7, 3, 6)]
    X = np.full((len(frames), 7 * 3), np.nan)
    for row, each in zip(X, frames, strict=True):
        row[: each.size] = each.ravel()
    return frames, X, generator.uniform(0.5, 1, len(frames))


@pytest.mark.parametrize(
    "regressor", [LinearRegression(), DecisionTreeRegressor(max_depth=3, random_state=0)]
)
def test_frames_carry_the_score_and_are_averaged(videos, regressor):
    frames, X, y = videos
    model = MeanOfFrames(regressor, width=3).fit(X, y)
    by_hand = regressor.fit(np.vstack(frames), np.repeat(y, [len(each) for each in frames]))
    expected = [by_hand.predict(each).mean() for each in frames]
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-12)
    assert model.n_frames_ == 35


def test_the_mean_over_frames_is_of_scores_not_of_frames(videos):
    frames, X, y = videos
    tree = DecisionTreeRegressor(random_state=0)
    model = MeanOfFrames(tree, width=3).fit(X, y)
    averaged = tree.fit(np.vstack(frames), np.repeat(y, [len(each) for each in frames])).predict(
        np.stack([each.mean(axis=0) for each in frames])
    )
    assert not np.allclose(model.predict(X), averaged)


def test_a_scaler_inside_sees_frames(videos):
    frames, X, y = videos
    model = MeanOfFrames(make_pipeline(StandardScaler(), Ridge()), width=3).fit(X, y)
    np.testing.assert_allclose(model.regressor_[0].mean_, np.vstack(frames).mean(axis=0))


class WithGroups(Ridge):
    def fit(self, X, y, groups=None):
        self.groups_ = groups
        return super().fit(X, y)

    def predict(self, X, times=1):
        return times * super().predict(X)


def test_a_regressor_with_inner_folds_is_told_which_frames_belong_together(videos):
    frames, X, y = videos
    lengths = [len(each) for each in frames]
    for regressor in (WithGroups(), make_pipeline(StandardScaler(), WithGroups())):
        model = MeanOfFrames(regressor, width=3).fit(X, y)
        final = model.regressor_[-1] if hasattr(model.regressor_, "steps") else model.regressor_
        np.testing.assert_array_equal(final.groups_, np.repeat(np.arange(8), lengths))
    films = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    told = MeanOfFrames(WithGroups(), width=3).fit(X, y, groups=films)
    np.testing.assert_array_equal(told.regressor_.groups_, np.repeat(films, lengths))


def test_keywords_of_predict_reach_the_regressor_but_a_mean_has_no_deviation(videos):
    _, X, y = videos
    model = MeanOfFrames(WithGroups(), width=3).fit(X, y)
    np.testing.assert_allclose(model.predict(X, times=2), 2 * model.predict(X))
    with pytest.raises(ValueError, match="no predictive deviation"):
        MeanOfFrames(BayesianRidge(), width=3).fit(X, y).predict(X, return_std=True)


def test_missing_frames_may_lie_anywhere(videos):
    _, X, y = videos
    model = MeanOfFrames(LinearRegression(), width=3).fit(X, y)
    turned = X.reshape(len(X), 7, 3)[:, ::-1].reshape(len(X), -1)
    np.testing.assert_allclose(model.predict(turned), model.predict(X))


def test_new_videos_may_have_more_or_fewer_frames(videos):
    _, X, y = videos
    model = MeanOfFrames(LinearRegression(), width=3).fit(X, y)
    one = model.predict(X[:1, :3])
    assert one.shape == (1,)
    many = model.predict(np.tile(X[:1, :3], 30))
    np.testing.assert_allclose(many, one)


def test_without_a_width_a_row_is_one_frame():
    generator = np.random.default_rng(1)
    X, y = generator.normal(size=(20, 4)), generator.uniform(size=20)
    np.testing.assert_array_equal(MeanOfFrames().fit(X, y).predict(X), Ridge().fit(X, y).predict(X))


def test_the_given_regressor_stays_unfitted(videos):
    _, X, y = videos
    regressor = Ridge()
    MeanOfFrames(regressor, width=3).fit(X, y)
    assert not hasattr(regressor, "coef_")


def test_frames_that_are_half_there_and_videos_without_any_are_refused(videos):
    _, X, y = videos
    model = MeanOfFrames(width=3).fit(X, y)
    partial = X.copy()
    partial[2, 1] = np.nan
    none = X.copy()
    none[4] = np.nan
    for bad, message in ((partial, r"part of a frame \(row 2\)"), (none, "row 4: a video without a frame")):
        with pytest.raises(ValueError, match=message):
            MeanOfFrames(width=3).fit(bad, y)
        with pytest.raises(ValueError, match=message):
            model.predict(bad)
    with pytest.raises(ValueError, match="infinity"):
        MeanOfFrames(width=3).fit(np.where(np.isnan(X), np.inf, X), y)
    with pytest.raises(ValueError, match="NaN"):
        MeanOfFrames().fit(X, y)


@pytest.mark.parametrize("width", [4, 0, -3, 1.5])
def test_columns_that_are_no_whole_frames_are_refused(videos, width):
    _, X, y = videos
    with pytest.raises(ValueError, match="21 columns are no whole number of frames"):
        MeanOfFrames(width=width).fit(X, y)
