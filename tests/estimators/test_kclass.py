from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression

from memfeat.estimators.kclass import KClassRegressor

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.filterwarnings("ignore:fewer than 500 gradient steps")
SMALL = {"branch_units": 16, "hidden": (8,), "learning_rate": 0.01}


@pytest.fixture(scope="module")
def data():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(400, 5))
    return X, 1 / (1 + np.exp(-(X[:, 0] + 0.5 * X[:, 3]) - 1))


def test_the_score_is_the_sum_over_classes(data):
    X, y = data
    model = KClassRegressor(**SMALL).fit(X[:300], y[:300])
    p = model.probabilities(X[300:])
    assert p.shape == (100, 4)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_allclose(model.predict(X[300:]), p @ model.class_means_, rtol=1e-12)
    np.testing.assert_allclose(
        model.predict(X[300:], edge="upper-edge"), p @ np.append(model.cuts_, 1.0), rtol=1e-12
    )
    assert model.class_members_ == [75] * 4


def test_the_default_edge_is_a_parameter_and_both_come_from_one_fit(data):
    X, y = data
    means = KClassRegressor(**SMALL, epochs=1).fit(X, y)
    edges = KClassRegressor(**SMALL, epochs=1, edge="upper-edge").fit(X, y)
    np.testing.assert_array_equal(means.predict(X, edge="upper-edge"), edges.predict(X))
    np.testing.assert_array_equal(edges.predict(X, edge="class-mean"), means.predict(X))


def test_upper_edges_are_biased_upwards_and_class_means_are_not(data):
    X, y = data
    model = KClassRegressor(**SMALL).fit(X[:300], y[:300])
    assert abs(model.predict(X[300:]).mean() - y[300:].mean()) < 0.03
    assert model.predict(X[300:], edge="upper-edge").mean() - y[300:].mean() > 0.05


@pytest.mark.parametrize("k", [2, 5, 8])
def test_classes_and_order_are_learned(data, k):
    X, y = data
    model = KClassRegressor(k, **SMALL, epochs=15).fit(X[:300], y[:300])
    assert model.probabilities(X).shape == (400, k)
    assert spearmanr(model.predict(X[300:]), y[300:])[0] > 0.9
    expected = np.quantile(y[:300], np.arange(1, k) / k, method="inverted_cdf")
    np.testing.assert_array_equal(model.cuts_, expected)


def test_probabilities_come_near_those_of_a_logistic_model(data):
    # Two classes with a linear border: scikit-learn's answer is a second route to the probabilities.
    X, _ = data
    generator = np.random.default_rng(1)
    y = (generator.uniform(size=400) < 1 / (1 + np.exp(-2 * X[:, 0]))).astype(float)
    model = KClassRegressor(2, branch_units=8, hidden=(), learning_rate=3e-3, weight_decay=0.02, epochs=40)
    p = model.fit(X, y).probabilities(X)[:, 1]
    expected = LogisticRegression().fit(X, y).predict_proba(X)[:, 1]
    assert np.abs(p - expected).mean() < 0.06


def test_two_branches_keep_their_columns_apart_until_the_concatenation(data):
    X, y = data
    model = KClassRegressor(branches=(3, 2), **SMALL, epochs=2).fit(X, y)
    assert model.architecture_["widths"] == [3, 2]
    assert model.state_["branches.0.0.weight"].shape == (16, 3)
    assert model.state_["branches.1.0.weight"].shape == (16, 2)
    assert model.state_["merged.0.weight"].shape == (8, 32)
    # Swapping the branches' weights with their columns changes nothing for equal halves.
    rest = KClassRegressor(branches=[-1, 2], **SMALL, epochs=2).fit(X, y)
    np.testing.assert_array_equal(rest.predict(X), model.predict(X))
    one = KClassRegressor(**SMALL, epochs=2).fit(X, y)
    assert not np.allclose(one.predict(X), model.predict(X))


@pytest.mark.parametrize("branches", [(3,), (3, 3), (-1, -1), (6, -1), (), (0, 5), (5, -1)])
def test_branches_that_do_not_divide_the_columns_are_refused(data, branches):
    with pytest.raises(ValueError, match="do not divide 5 columns"):
        KClassRegressor(branches=branches).fit(*data)


def test_dropout_is_seeded_and_acts_on_the_fit_alone(data):
    X, y = data
    model = KClassRegressor(**SMALL, dropout=0.3, epochs=2).fit(X, y)
    again = KClassRegressor(**SMALL, dropout=0.3, epochs=2).fit(X, y)
    without = KClassRegressor(**SMALL, epochs=2).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), again.predict(X))
    np.testing.assert_array_equal(model.predict(X), model.predict(X))
    assert not np.allclose(model.predict(X), without.predict(X))


def test_ties_leave_fewer_classes_with_a_warning(data):
    X, _ = data
    y = np.where(X[:, 0] > 0, 0.9, 0.5)
    with pytest.warns(UserWarning, match="2 classes instead of 4: 400 scores with 2 different values"):
        model = KClassRegressor(**SMALL, epochs=5).fit(X, y)
    assert model.class_means_ == pytest.approx([0.5, 0.9])
    assert np.mean((model.predict(X) > 0.7) == (y > 0.7)) > 0.95


def test_a_constant_target_is_predicted_as_it_is(data):
    X, _ = data
    with pytest.warns(UserWarning, match="1 classes instead of 4"):
        model = KClassRegressor(**SMALL, epochs=1).fit(X, np.full(400, 0.7))
    assert model.predict(X) == pytest.approx(np.full(400, 0.7))


def test_scores_on_any_scale_are_taken(data):
    X, y = data
    model = KClassRegressor(**SMALL).fit(X, 100 * y - 20)
    assert model.upper_edges_[-1] == (100 * y - 20).max()
    same = KClassRegressor(**SMALL).fit(X, y)
    np.testing.assert_allclose(model.predict(X), 100 * same.predict(X) - 20, atol=1e-9)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"edge": "middle"}, "Unknown edge 'middle'; there are class-mean, upper-edge"),
        ({"n_classes": 1}, "n_classes must be 2 or more; got 1"),
        ({"n_classes": 2.5}, "'n_classes' parameter .* must be an instance of 'int'. Got 2.5"),
        ({"scale_maximum": 0.5}, "scale_maximum is 0.5"),
        ({"optimizer": "lion"}, "Unknown optimizer"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(data, changed, message):
    with pytest.raises(ValueError, match=message):
        KClassRegressor(**changed).fit(*data)


def test_an_unknown_edge_is_refused_in_predict_too(data):
    model = KClassRegressor(**SMALL, epochs=1).fit(*data)
    with pytest.raises(ValueError, match="Unknown edge"):
        model.predict(data[0], edge="lower")
