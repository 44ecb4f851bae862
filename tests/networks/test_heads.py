from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from memfeat.networks import heads

PUBLISHED_WIDTHS = (3635, 2783, 3620, 2915, 1587, 2048, 720, 15, 852)


def score_head(n_in, hidden, **settings):
    return heads.build({"kind": "score", "n_in": n_in, "hidden": hidden, **settings})


def weights(network):
    return {name: value.numpy() for name, value in network.state_dict().items()}


def softplus(x):
    return np.log1p(np.exp(x))


@pytest.mark.parametrize("width", PUBLISHED_WIDTHS)
def test_the_published_head_has_33409_parameters_and_512_per_feature(width):
    with torch.device("meta"):
        network = heads.ScoreHead(width, heads.M3S_UNITS)
    assert heads.parameter_count(network) == 33_409 + 512 * width


def test_the_full_model_has_the_published_size():
    assert heads.parameter_count(score_head(3635, [512, 64])) == 1_894_529


def test_the_descriptor_network_and_the_caption_feature_network():
    assert heads.parameter_count(score_head(15, [64])) == 15 * 64 + 64 + 64 + 1
    assert heads.parameter_count(score_head(1536, [heads.IC_UNITS])) == 1536 * 1500 + 1500 + 1500 + 1


@pytest.mark.parametrize("output", ["sigmoid", "linear"])
@pytest.mark.parametrize(
    ("name", "activation"),
    [
        ("mish", lambda x: x * np.tanh(softplus(x))),
        ("relu", lambda x: np.maximum(x, 0)),
        ("tanh", np.tanh),
    ],
)
def test_the_score_head_is_what_its_weights_say(name, activation, output):
    network = score_head(4, [5, 3], activation=name, output=output).double()
    X = np.random.default_rng(1).normal(size=(6, 4))
    w = weights(network)
    inner = X
    for layer in ("hidden.0", "hidden.2"):
        inner = activation(inner @ w[f"{layer}.weight"].T + w[f"{layer}.bias"])
    expected = (inner @ w["last.weight"].T + w["last.bias"])[:, 0]
    if output == "sigmoid":
        expected = 1 / (1 + np.exp(-expected))
    np.testing.assert_allclose(network(torch.tensor(X)).detach(), expected, rtol=1e-12)


def test_branches_meet_after_a_layer_of_their_own():
    network = heads.build(
        {"kind": "classes", "widths": [3, 2], "branch_units": 4, "hidden": [6], "n_classes": 3}
    ).double()
    X = np.random.default_rng(2).normal(size=(5, 5))
    w = weights(network)
    branches = [
        np.maximum(part @ w[f"branches.{k}.0.weight"].T + w[f"branches.{k}.0.bias"], 0)
        for k, part in enumerate((X[:, :3], X[:, 3:]))
    ]
    merged = np.maximum(np.hstack(branches) @ w["merged.0.weight"].T + w["merged.0.bias"], 0)
    expected = merged @ w["last.weight"].T + w["last.bias"]
    np.testing.assert_allclose(network(torch.tensor(X)).detach(), expected, rtol=1e-12)


def test_dropout_acts_in_training_only():
    network = heads.build(
        {"kind": "classes", "widths": [8], "branch_units": 64, "hidden": [], "n_classes": 2, "dropout": 0.5}
    )
    X = torch.ones(1, 8)
    torch.testing.assert_close(network.eval()(X), network.eval()(X))
    assert not torch.equal(network.train()(X), network.eval()(X))


@pytest.mark.parametrize(("output", "mean"), [("sigmoid", 0.8), ("linear", -3.0)])
def test_a_head_can_start_at_the_mean(output, mean):
    network = score_head(4, [64], output=output)
    network.start_at(mean)
    assert network(torch.zeros(1, 4)).item() == pytest.approx(mean, abs=0.15)
    network.last.weight.data.zero_()
    assert network(torch.ones(1, 4)).item() == pytest.approx(mean, rel=1e-5)


@pytest.mark.parametrize("mean", [0.0, 1.0])
def test_starting_at_the_end_of_the_sigmoid_stays_finite(mean):
    network = score_head(4, [8])
    network.start_at(mean)
    assert torch.isfinite(network.last.bias).all()


def test_weights_depend_on_the_seed_alone_and_torchs_generator_stays_as_it_was():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first = heads.build({"kind": "score", "n_in": 3, "hidden": [4]}, seed=1)
    torch.rand(7)
    again = heads.build({"kind": "score", "n_in": 3, "hidden": [4]}, seed=1)
    other = heads.build({"kind": "score", "n_in": 3, "hidden": [4]}, seed=2)
    for name, value in weights(first).items():
        np.testing.assert_array_equal(value, weights(again)[name])
        assert not np.array_equal(value, weights(other)[name])
    torch.manual_seed(5)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        ({"kind": "transformer"}, "Unknown kind of network 'transformer'; there are score, classes"),
        ({"kind": "score", "n_in": 2, "hidden": [3], "activation": "gelu"}, "Unknown activation 'gelu'"),
        ({"kind": "score", "n_in": 2, "hidden": [3], "output": "relu"}, "Unknown output 'relu'"),
        ({"kind": "score", "n_in": 2, "hidden": [0]}, r"one unit or more each; got \[0\]"),
        (
            {
                "kind": "classes",
                "widths": [2],
                "branch_units": 3,
                "hidden": [],
                "n_classes": 2,
                "dropout": 1.0,
            },
            "Dropout is a share",
        ),
    ],
)
def test_an_impossible_architecture_is_refused(architecture, message):
    with pytest.raises(ValueError, match=message):
        heads.build(architecture)
