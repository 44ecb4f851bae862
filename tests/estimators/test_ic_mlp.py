from __future__ import annotations

import numpy as np
import pytest
from sklearn.neural_network import MLPRegressor

from memfeat.estimators.ic_mlp import CaptionFeatureMLP

torch = pytest.importorskip("torch")


@pytest.fixture
def data():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(150, 6))  # three frames of two numbers
    return X, 0.8 + 0.1 * np.tanh(X[:, 0] - X[:, 2]) + 0.02 * generator.normal(size=150)


def objective(first, bias, last, offset, X, y, penalty):
    predicted = np.tanh(X @ first + bias) @ last + offset
    squares = np.square(first).sum() + np.square(last).sum()
    return np.mean((predicted - y) ** 2) + penalty / len(y) * squares


def test_it_is_one_layer_of_1500_tanh_units_with_a_linear_output(data):
    model = CaptionFeatureMLP(max_iter=2).fit(*data)
    assert {name: value.shape for name, value in model.state_.items()} == {
        "hidden.0.weight": (1500, 6), "hidden.0.bias": (1500,), "last.weight": (1, 1500), "last.bias": (1,)
    }  # fmt: skip
    w = {name: value.astype(np.float64) for name, value in model.state_.items()}
    X = data[0].astype(np.float32).astype(np.float64)
    inner = np.tanh(X @ w["hidden.0.weight"].T + w["hidden.0.bias"])
    np.testing.assert_allclose(
        model.predict(data[0]), inner @ w["last.weight"][0] + w["last.bias"], rtol=1e-10
    )


@pytest.mark.parametrize("penalty", [0.05, 1.0])
def test_the_minimum_is_as_low_as_scikit_learns(data, penalty):
    # scikit-learn minimises half of our loss.
    X, y = data
    theirs = MLPRegressor(
        hidden_layer_sizes=(12,),
        activation="tanh",
        solver="lbfgs",
        alpha=penalty,
        max_iter=2000,
        tol=1e-9,
        random_state=0,
    )
    theirs.fit(X, y)
    ours = CaptionFeatureMLP(hidden=12, penalty=penalty, max_iter=2000, tolerance=1e-7).fit(X, y)
    w = {name: value.astype(np.float64) for name, value in ours.state_.items()}
    found = objective(
        w["hidden.0.weight"].T, w["hidden.0.bias"], w["last.weight"][0], w["last.bias"][0], X, y, penalty
    )
    expected = objective(
        theirs.coefs_[0],
        theirs.intercepts_[0],
        theirs.coefs_[1][:, 0],
        theirs.intercepts_[1][0],
        X,
        y,
        penalty,
    )
    assert found == pytest.approx(expected, rel=0.03)


def test_it_counts_its_iterations_and_keeps_its_losses(data):
    X, y = data
    model = CaptionFeatureMLP(hidden=10, max_iter=30).fit(X, y)
    assert 1 < model.n_iter_ <= 30 and model.epoch_ == model.n_iter_
    assert model.loss_history_[1] < model.loss_history_[0]
    assert model.loss_history_[1] == pytest.approx(np.mean((model.predict(X) - y) ** 2), rel=1e-4)


def test_scores_of_any_range_are_taken(data):
    X, y = data
    model = CaptionFeatureMLP(hidden=10).fit(X, 100 * y)
    assert np.corrcoef(model.predict(X), y)[0, 1] > 0.9
    assert model.predict(X).mean() == pytest.approx(100 * y.mean(), rel=0.02)


@pytest.mark.parametrize(
    "changed", [{"penalty": -1.0}, {"max_iter": 0}, {"hidden": 0}, {"activation": "cube"}]
)
def test_parameters_that_make_no_sense_are_refused(data, changed):
    with pytest.raises(ValueError, match="must be|one unit|Unknown activation"):
        CaptionFeatureMLP(**changed).fit(*data)
