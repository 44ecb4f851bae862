from __future__ import annotations

import numpy as np
import pytest

from memfeat.estimators.raw_mlp import RawMLP

torch = pytest.importorskip("torch")

from memfeat.networks.heads import build, parameter_count

pytestmark = pytest.mark.filterwarnings("ignore:fewer than 500 gradient steps")


@pytest.fixture
def data():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(200, 4))
    return X, (0.8 + 0.05 * X[:, 0]).clip(0, 1)


def test_it_is_one_layer_of_64_units_and_a_sigmoid(data):
    model = RawMLP(epochs=1).fit(*data)
    assert model.architecture_ == {
        "kind": "score", "n_in": 4, "hidden": [64], "activation": "mish", "output": "sigmoid"
    }  # fmt: skip
    assert parameter_count(build(model.architecture_)) == 4 * 64 + 64 + 64 + 1
    X, _ = data
    w = {name: value.astype(np.float64) for name, value in model.state_.items()}
    inner = X.astype(np.float32).astype(np.float64) @ w["hidden.0.weight"].T + w["hidden.0.bias"]
    inner *= np.tanh(np.log1p(np.exp(inner)))
    expected = 1 / (1 + np.exp(-(inner @ w["last.weight"][0] + w["last.bias"])))
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-12)


def test_it_starts_at_the_mean_of_the_training_scores(data):
    X, y = data
    untrained = {"epochs": 1, "learning_rate": 1e-12}
    from_mean = RawMLP(**untrained).fit(X, y).predict(X)
    from_half = RawMLP(**untrained, start_at_mean=False).fit(X, y).predict(X)
    assert abs(from_mean.mean() - 0.8) < 0.1
    assert from_half.mean() < 0.65


def test_more_units_and_layers_by_parameter(data):
    model = RawMLP(hidden=[8, 4], activation="tanh", epochs=1).fit(*data)
    assert model.state_["hidden.2.weight"].shape == (4, 8)
