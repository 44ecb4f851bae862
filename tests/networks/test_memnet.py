"""MemNet: the reference network's sizes, and its layers by a second route."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra deep")

from memfeat.networks import memnet


def test_the_sizes_of_caffes_reference_network() -> None:
    with torch.device("meta"):
        state = memnet.MemNet("fc7", outputs=1000).state_dict()
    assert sum(tensor.numel() for tensor in state.values()) == 60_965_224
    assert state["conv2.weight"].shape == (256, 48, 5, 5)
    assert state["fc6.weight"].shape == (4096, 9216)


def test_layers_by_numpy() -> None:
    torch.manual_seed(0)
    network = memnet.MemNet("fc7").eval()
    x = torch.rand(2, 3, 227, 227)
    with torch.inference_mode():
        found = network.features(x)
        first = torch.relu(network.conv1(x))
        assert first.shape == (2, 96, 55, 55)
        pooled = torch.nn.functional.max_pool2d(first, 3, 2)
        normed = torch.nn.functional.local_response_norm(pooled, 5, alpha=1e-4, beta=0.75)
    # Krizhevsky's normalisation across five channels, written out: each divided by (1 + alpha/5 sum of squares)^beta.
    squares = np.pad(pooled.numpy().astype(np.float64) ** 2, ((0, 0), (2, 2), (0, 0), (0, 0)))
    sums = sum(squares[:, k : k + 96] for k in range(5))
    assert np.allclose(normed.numpy(), pooled.numpy() / (1 + 1e-4 / 5 * sums) ** 0.75, atol=1e-6)
    fc6 = found["fc6"].numpy().astype(np.float64)
    weight, bias = (t.detach().numpy().astype(np.float64) for t in (network.fc7.weight, network.fc7.bias))
    assert np.allclose(found["fc7"].numpy(), np.maximum(fc6 @ weight.T + bias, 0), atol=1e-5)


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_squares_of_large_activations_do_not_overflow(precision: str) -> None:
    torch.manual_seed(0)
    network = memnet.MemNet("fc7").eval().requires_grad_(False)
    network.conv1.weight.mul_(20)  # activations of thousands, as released weights have them
    x = 255 * torch.rand(1, 3, 227, 227) - 115
    with torch.inference_mode():
        exact = network(x)
        assert network.conv1(x).max() > 1000
        with torch.autocast("cpu", dtype=getattr(torch, precision)):
            found = network(x)
    assert (found - exact).norm() / exact.norm() < 0.02


@pytest.mark.parametrize("layer", ["fc6", "fc7"])
def test_the_chosen_layer_is_what_comes_out(layer: str) -> None:
    torch.manual_seed(1)
    network = memnet.MemNet(layer).eval()
    x = torch.rand(1, 3, 227, 227)
    with torch.inference_mode():
        assert torch.equal(network(x), network.features(x)[layer])
