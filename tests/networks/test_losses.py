from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

torch = pytest.importorskip("torch")

from memfeat.networks import losses

CENTRE = 0.8


@pytest.fixture
def batch():
    generator = np.random.default_rng(0)
    true = generator.normal(0.8, 0.1, 32).clip(0, 1)
    predicted = (true + generator.normal(0, 0.1, 32)).clip(0, 1)
    return torch.tensor(predicted), torch.tensor(true)


def test_plain_losses_are_those_of_the_formula(batch):
    predicted, true = batch
    difference = (predicted - true).numpy()
    for name, expected in (("mse", np.square(difference).mean()), ("l1", np.abs(difference).mean())):
        assert float(losses.make_loss(name, epochs=1, centre=CENTRE)(predicted, true, 0)) == pytest.approx(
            expected
        )


def test_tails_as_the_paper_writes_them_and_as_its_code_computes_them(batch):
    predicted, true = batch
    p, m = predicted.numpy(), true.numpy()
    weights = 1 + 2 * np.abs(m - 0.7) ** 4
    paper = losses.make_loss("mse-tails", epochs=1, centre=0.7)(predicted, true, 0)
    code = losses.make_loss("mse-tails-code", epochs=1, centre=0.7)(predicted, true, 0)
    assert float(paper) == pytest.approx(np.mean(weights * (p - m) ** 2))
    assert float(code) == pytest.approx(np.mean(weights / weights.mean() * (p - m) ** 2))
    assert float(paper) == pytest.approx(float(code) * weights.mean())


def test_the_tails_own_parameters_count(batch):
    predicted, true = batch
    flat = losses.make_loss("mse-tails", epochs=1, centre=0.7, weight=0.0)(predicted, true, 0)
    assert float(flat) == pytest.approx(float(torch.mean((predicted - true) ** 2)))
    steep = losses.tail_weights(true, centre=0.7, weight=3.0, power=1.0)
    np.testing.assert_allclose(steep, 1 + 3 * np.abs(true.numpy() - 0.7))


def test_spearman_is_scipys_with_little_regularisation_and_pearson_with_much(batch):
    predicted, true = batch
    assert float(losses.spearman(predicted, true, strength=1e-7)) == pytest.approx(
        -spearmanr(predicted, true)[0], abs=1e-6
    )
    assert float(losses.spearman(predicted, true)) == pytest.approx(-spearmanr(predicted, true)[0], abs=5e-3)
    assert float(losses.spearman(predicted, true, strength=1.0)) == pytest.approx(
        -pearsonr(predicted, true)[0]
    )


def test_descending_spearmans_gradient_orders_the_predictions(batch):
    predicted, true = batch
    current = predicted.clone().requires_grad_()
    optimizer = torch.optim.Adam([current], lr=3e-3)
    for _ in range(300):
        optimizer.zero_grad()
        losses.spearman(current, true, strength=5e-3).backward()
        optimizer.step()
    assert spearmanr(predicted, true)[0] < 0.8
    assert spearmanr(current.detach(), true)[0] > 0.94


@pytest.mark.parametrize(
    ("predicted", "true"),
    [([0.5], [0.7]), ([0.5, 0.5, 0.5], [0.1, 0.2, 0.3]), ([0.1, 0.2, 0.3], [0.5, 0.5, 0.5])],
    ids=["one-row", "constant-predictions", "constant-truth"],
)
def test_without_a_correlation_the_loss_is_zero_and_so_is_its_gradient(predicted, true):
    current = torch.tensor(predicted, requires_grad=True)
    value = losses.spearman(current, torch.tensor(true))
    value.backward()
    assert float(value.detach()) == 0
    assert current.grad.tolist() == [0] * len(predicted)


def test_the_schedule_moves_from_squared_error_to_correlation(batch):
    predicted, true = batch
    loss = losses.make_loss("mse-to-spearman", epochs=5, centre=CENTRE, strength=1e-3)
    error = float(torch.mean((predicted - true) ** 2))
    correlation = float(losses.spearman(predicted, true, strength=1e-3))
    found = [float(loss(predicted, true, epoch)) for epoch in range(5)]
    expected = [(1 - a) * error + a * correlation / 100 for a in (0, 0.25, 0.5, 0.75, 1)]
    assert found == pytest.approx(expected)


def test_one_epoch_is_squared_error_alone(batch):
    predicted, true = batch
    loss = losses.make_loss("mse-to-spearman", epochs=1, centre=CENTRE)
    assert float(loss(predicted, true, 0)) == pytest.approx(float(torch.mean((predicted - true) ** 2)))


def test_an_unknown_loss_is_answered_with_those_there_are():
    with pytest.raises(ValueError, match="Unknown loss 'huber'; there are mse, l1, mse-tails"):
        losses.make_loss("huber", epochs=1, centre=CENTRE)
