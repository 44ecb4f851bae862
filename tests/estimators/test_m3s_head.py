from __future__ import annotations

import numpy as np
import pytest

from memfeat.estimators.m3s_head import CENTRES, M3SHead

torch = pytest.importorskip("torch")

from memfeat.networks import heads, losses, training

pytestmark = pytest.mark.filterwarnings("ignore:fewer than 500 gradient steps")
LOSSES = ("mse", "l1", "mse-tails", "mse-tails-code", "mse-to-spearman")
SMALL = {"hidden": (8, 4), "epochs": 4}


@pytest.fixture
def data():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(120, 4))
    return X, (0.8 + 0.08 * X[:, 0] + 0.03 * generator.normal(size=120)).clip(0, 1)


def by_hand(data, loss, seed, epochs):
    """The published training without the estimator: what the seeds and the schedule come to."""
    X, y = data
    drawn = int(np.random.RandomState(seed).randint(2**31 - 1))
    network = heads.build({"kind": "score", "n_in": 4, "hidden": [8, 4]}, seed=drawn)
    plan = training.Schedule(
        learning_rate=1e-3, weight_decay=1e-5, batch_size=32, epochs=epochs, decay_every=5, decay=0.2
    )
    with training.quiet("cpu", 1) as device:
        return training.train(
            network, X.astype(np.float32), y.astype(np.float32), loss, plan, seed=drawn, device=device
        )


def test_its_settings_are_the_published_ones():
    settings = M3SHead().get_params()
    assert {name: settings[name] for name in ("hidden", "activation", "loss", "batch_size", "epochs", "epoch")} == {
        "hidden": (512, 64), "activation": "mish", "loss": "mse", "batch_size": 32, "epochs": 20, "epoch": "last"
    }  # fmt: skip
    assert (settings["learning_rate"], settings["weight_decay"]) == (1e-3, 1e-5)
    assert (settings["decay_every"], settings["decay"]) == (5, 0.2)


def test_it_has_the_published_number_of_parameters(data):
    model = M3SHead(epochs=1).fit(*data)
    count = sum(value.size for value in model.state_.values())
    assert count == 33_409 + 512 * 4
    assert heads.parameter_count(heads.build(model.architecture_ | {"n_in": 3635})) == 1_894_529


@pytest.mark.parametrize("loss", LOSSES)
def test_each_loss_is_the_one_of_its_name_with_the_training_mean_as_centre(data, loss):
    expected = by_hand(data, losses.make_loss(loss, epochs=4, centre=data[1].mean()), seed=3, epochs=4)
    model = M3SHead(**SMALL, loss=loss, random_state=3).fit(*data)
    for name, value in expected.state.items():
        np.testing.assert_array_equal(model.state_[name], value)
    assert model.loss_history_ == expected.losses


def test_losses_lead_to_different_networks(data):
    # Scores near their mean have tail weights near 1: what the weights change is small, and there.
    states = [M3SHead(**SMALL, loss=loss).fit(*data).state_["last.weight"].tobytes() for loss in LOSSES]
    assert len(set(states)) == len(LOSSES)


def test_the_centre_of_the_tails_by_name_by_number_and_on_a_scaled_target(data):
    X, y = data
    named = M3SHead(**SMALL, loss="mse-tails", tail_centre="memento10k-m3s").fit(X, y)
    number = M3SHead(**SMALL, loss="mse-tails", tail_centre=CENTRES["memento10k-m3s"]).fit(X, y)
    np.testing.assert_array_equal(named.predict(X), number.predict(X))
    percent = M3SHead(scale_target=True, tail_centre=75.0)
    percent._scaled(np.array([50.0, 100.0]))
    assert percent._centre(0.9) == 0.5
    with pytest.raises(ValueError, match="Unknown tail_centre 'median'; give training-mean, memento10k-m3s"):
        M3SHead(tail_centre="median").fit(X, y)


def test_the_published_strength_of_the_ranks_differs_from_the_default(data):
    X, y = data
    ranks = M3SHead(**SMALL, loss="mse-to-spearman").fit(X, y)
    pearson = M3SHead(**SMALL, loss="mse-to-spearman", rank_strength=1.0).fit(X, y)
    assert not np.array_equal(ranks.predict(X), pearson.predict(X))
    with pytest.raises(ValueError, match="strength of a soft rank must be positive"):
        M3SHead(**SMALL, loss="mse-to-spearman", rank_strength=0).fit(X, y)


def test_a_loss_of_ranks_alone_orders_the_scores():
    # A monotone but steep target: squared error sees few rows, ranks see all.
    generator = np.random.default_rng(5)
    X = generator.normal(size=(300, 3))
    y = 1 / (1 + np.exp(-2 * X[:, 0]))
    model = M3SHead(
        hidden=(16, 8),
        epochs=40,
        learning_rate=5e-3,
        decay_every=0,
        loss="mse-to-spearman",
        rank_strength=0.01,
    )
    model.fit(X[:200], y[:200])
    order = np.argsort(np.argsort(model.predict(X[200:])))
    assert np.corrcoef(order, np.argsort(np.argsort(y[200:])))[0, 1] > 0.97
