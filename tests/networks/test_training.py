from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from memfeat.errors import SetupError
from memfeat.networks import heads, losses, training

MSE = losses.make_loss("mse", epochs=1, centre=0.5)


def schedule(**changed):
    settings = {"learning_rate": 0.01, "weight_decay": 0.0, "batch_size": 8, "epochs": 3}
    return training.Schedule(**(settings | changed))


def network(hidden=(6,), n_in=3, seed=0, **settings):
    return heads.build({"kind": "score", "n_in": n_in, "hidden": list(hidden), **settings}, seed=seed)


@pytest.fixture
def data():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(37, 3)).astype(np.float32)
    return X, (1 / (1 + np.exp(-X[:, 0]))).astype(np.float32)


def run(data, model=None, plan=None, *, loss=MSE, seed=0, judge=None):
    with training.quiet("cpu", 1) as device:
        return training.train(
            model or network(), *data, loss, plan or schedule(), seed=seed, device=device, judge=judge
        )


def same(first, second):
    return all(np.array_equal(value, second[name]) for name, value in first.items())


def test_adam_with_decay_is_the_published_update(data):
    # Second route: Adam with an L2 term in the gradient, written out, on one linear layer and whole batches.
    X, y = data
    model = network(hidden=(), output="linear")
    w = model.last.weight.detach().numpy().astype(np.float64)[0]
    b = float(model.last.bias.detach())
    theta = np.append(w, b)
    plan = schedule(learning_rate=0.1, weight_decay=0.3, batch_size=99, epochs=4, decay_every=2, decay=0.2)
    trained = run(data, model, plan)
    first, second = np.zeros(4), np.zeros(4)
    design = np.column_stack([X, np.ones(len(X))]).astype(np.float64)
    for step, rate in enumerate([0.1, 0.1, 0.02, 0.02], start=1):
        gradient = 2 * design.T @ (design @ theta - y) / len(y) + 0.3 * theta
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        theta -= rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    found = np.append(trained.state["last.weight"], trained.state["last.bias"])
    np.testing.assert_allclose(found, theta, rtol=1e-4)


def test_the_first_loss_is_that_of_the_untrained_network(data):
    X, y = data
    model = network()
    expected = float(np.mean((training.output_of(model, X) - y) ** 2))
    trained = run(data, model, schedule(batch_size=64))
    assert trained.losses[0] == pytest.approx(expected, rel=1e-5)
    assert len(trained.losses) == 3 and trained.losses[-1] < trained.losses[0]
    assert trained.epoch == 3


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
def test_each_optimizer_learns_and_repeats_bit_for_bit(data, optimizer):
    plan = schedule(optimizer=optimizer, epochs=30, learning_rate={"sgd": 0.5}.get(optimizer, 0.01))
    first = run(data, network(), plan)
    torch.rand(3)
    assert same(first.state, run(data, network(), plan).state)
    assert first.losses[-1] < first.losses[0] / 3
    assert not same(first.state, run(data, network(), plan, seed=1).state)


def test_a_last_batch_of_one_row_is_trained_on(data):
    X, y = data
    for loss in (MSE, losses.make_loss("mse-to-spearman", epochs=3, centre=0.5)):
        trained = run((X[:9], y[:9]), loss=loss)
        assert np.isfinite(trained.losses).all()


def test_every_row_is_met_once_an_epoch_in_an_order_of_its_own(data):
    _, y = data
    met = []

    def loss(predicted, true, epoch):
        met.append((epoch, true.tolist()))
        return MSE(predicted, true, epoch)

    run(data, loss=loss, plan=schedule(epochs=2))
    orders = [[value for at, batch in met if at == epoch for value in batch] for epoch in (0, 1)]
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(y.tolist())
    assert orders[0] != orders[1]
    assert [len(batch) for at, batch in met if at == 0] == [8, 8, 8, 8, 5]


def test_the_best_epoch_is_kept_and_the_earliest_of_equals(data):
    verdicts = iter([0.1, float("nan"), 0.5, 0.5, 0.2])
    states = []

    def judge(model):
        assert not model.training
        states.append(training.state_of(model))
        return next(verdicts)

    trained = run(data, plan=schedule(epochs=5), judge=judge)
    assert trained.epoch == 3
    assert same(trained.state, states[2]) and not same(trained.state, states[4])
    assert trained.judgements[0] == 0.1 and np.isnan(trained.judgements[1])


def test_the_first_epoch_is_kept_where_nothing_can_be_judged(data):
    trained = run(data, judge=lambda _: float("nan"))
    assert trained.epoch == 1 and trained.state


def test_a_loss_that_is_not_finite_is_refused(data):
    X, y = data
    with pytest.raises(ValueError, match="NaN or infinite in epoch 1 of 3.*common scale.*it is 0.01"):
        run((X * np.float32(1e30), y), network(output="linear", hidden=(4,)))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"epochs": 0}, "epochs must be an integer from 1 on; got 0"),
        ({"batch_size": 2.5}, "batch_size must be an integer"),
        ({"learning_rate": 0}, "learning_rate and decay must be positive"),
        ({"decay": -1}, "must be positive"),
        ({"decay_every": -1}, "decay_every must be an integer"),
        ({"weight_decay": -1e-5}, "must not be negative"),
        ({"optimizer": "lion"}, "Unknown optimizer 'lion'; there are adam, rmsprop, sgd"),
    ],
)
def test_an_impossible_schedule_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        schedule(**changed).check()


def test_l_bfgs_reaches_the_minimum_of_ridge_regression(data):
    X, y = data
    model = network(hidden=(), output="linear")
    with training.quiet("cpu", 1) as device:
        trained = training.train_lbfgs(model, X, y, penalty=5.0, max_iter=100, tolerance=1e-7, device=device)
    # MSE + penalty / n |w|^2 is scikit-learn's ridge with alpha = penalty.
    from sklearn.linear_model import Ridge

    ridge = Ridge(alpha=5.0).fit(X.astype(np.float64), y)
    np.testing.assert_allclose(trained.state["last.weight"][0], ridge.coef_, atol=1e-5)
    np.testing.assert_allclose(trained.state["last.bias"], ridge.intercept_, atol=1e-5)
    assert trained.losses[1] == pytest.approx(np.mean((ridge.predict(X) - y) ** 2), rel=1e-4)


@pytest.mark.parametrize("changed", [{"penalty": -1.0}, {"max_iter": 0}, {"tolerance": -1.0}])
def test_impossible_settings_of_l_bfgs_are_refused(data, changed):
    settings = {"penalty": 0.0, "max_iter": 5, "tolerance": 1e-4} | changed
    with pytest.raises(ValueError, match="must be 1 or more"):
        training.train_lbfgs(network(), *data, device=torch.device("cpu"), **settings)


def test_what_is_global_comes_back_even_after_an_error():
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    with pytest.raises(RuntimeError, match="on the way"), training.quiet("cpu", threads + 1):
        assert torch.get_num_threads() == threads + 1
        assert torch.are_deterministic_algorithms_enabled()
        torch.rand(3)
        raise RuntimeError("on the way")
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.equal(state, torch.random.get_rng_state())


def test_no_number_of_threads_leaves_torchs_own():
    threads = torch.get_num_threads()
    with training.quiet("cpu", None):
        assert torch.get_num_threads() == threads


@pytest.mark.parametrize("name", ["tpu", "meta", "", 3.5])
def test_an_unknown_device_is_refused(name):
    with pytest.raises(ValueError, match="give cpu, cuda or cuda:<number>"), training.quiet(name, 1):
        pass


def test_a_device_that_is_not_there_says_what_torch_sees(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(SetupError, match="'cuda:1' is not there.*sees 1 CUDA.*device='cpu'"):  # noqa: SIM117
        with training.quiet("cuda:1", 1):
            pass


def test_fewer_than_one_thread_is_refused():
    with pytest.raises(ValueError, match="n_threads must be 1 or more"), training.quiet("cpu", 0):
        pass


def test_weights_come_back_in_float64_and_rows_do_not_see_each_other(data):
    X, _ = data
    trained = run(data)
    restored = training.restored(network(seed=9), trained.state)
    whole = training.output_of(restored, X)
    single = np.concatenate([training.output_of(restored, X[k : k + 1]) for k in range(len(X))])
    assert whole.dtype == np.float64
    np.testing.assert_allclose(whole, single, rtol=1e-13)
    assert all(value.dtype == np.float32 for value in trained.state.values())


@pytest.mark.parametrize("changed", [{"last.bias": None}, {"last.bias": np.zeros(2)}, {"extra": np.zeros(1)}])
def test_weights_of_another_network_are_refused(data, changed):
    state = training.state_of(network()) | changed
    state = {name: value for name, value in state.items() if value is not None}
    with pytest.raises(ValueError, match="do not fit the network"):
        training.restored(network(), state)
