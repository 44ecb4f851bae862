"""I3D: TensorFlow's padding by arithmetic, the release's names, and features by a second route."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="needs the extra deep")

from memfeat.networks import i3d


@pytest.fixture(scope="module")
def network() -> i3d.I3D:
    torch.manual_seed(0)
    return i3d.I3D(classes=157).eval()


@settings(deadline=None, max_examples=40)
@given(size=st.integers(1, 40), kernel=st.integers(1, 7), stride=st.integers(1, 3))
def test_same_padding_gives_the_size_over_the_stride(size: int, kernel: int, stride: int) -> None:
    padded = i3d.same_padding(torch.ones(1, 1, size, 1, 1), (kernel, 1, 1), (stride, 1, 1)).flatten()
    assert (len(padded) - kernel) // stride + 1 == -(-size // stride) or len(padded) == size
    before = int(padded.nonzero()[0])
    after = len(padded) - before - size
    assert after - before in (0, 1)
    assert padded.sum() == size


def test_the_names_and_shapes_of_the_release(network: i3d.I3D) -> None:
    state = network.state_dict()
    assert state["Conv3d_1a_7x7.conv3d.weight"].shape == (64, 3, 7, 7, 7)
    assert state["Conv3d_2c_3x3.bn.running_var"].shape == (192,)
    assert state["Mixed_3b.b1b.conv3d.weight"].shape == (128, 96, 3, 3, 3)
    assert state["Mixed_4f.b3b.bn.bias"].shape == (128,)
    assert state["Mixed_5c.b2a.conv3d.weight"].shape == (48, 832, 1, 1, 1)
    assert state["logits.conv3d.weight"].shape == (157, 1024, 1, 1, 1)
    assert state["logits.conv3d.bias"].shape == (157,)
    # 57 convolutions with normalisation (one tensor and five) and the classifier's two.
    assert len(state) == 57 * 6 + 2


def test_the_number_of_parameters() -> None:
    """Inception-v1 inflated: the sum over its convolutions, written out."""
    expected, width = 3 * 64 * 343 + 2 * 64 + 64 * 64 + 2 * 64 + 64 * 192 * 27 + 2 * 192, 192
    for w in i3d.MIXED.values():
        expected += width * (w.one + w.three_before + w.five_before + w.pool)
        expected += 27 * (w.three_before * w.three + w.five_before * w.five)
        expected += 2 * (w.total + w.three_before + w.five_before)
        width = w.total
    expected += 1024 * 400 + 400
    with torch.device("meta"):
        assert sum(p.numel() for p in i3d.I3D().parameters()) == expected


def test_features_are_the_network_step_by_step(network: i3d.I3D) -> None:
    torch.manual_seed(3)
    clip = torch.rand(1, 3, 17, 224, 224) * 2 - 1
    state = network.state_dict()

    def unit(x, name, stride=1):
        weight = state[f"{name}.conv3d.weight"]
        kernel = tuple(weight.shape[2:])
        x = torch.nn.functional.conv3d(i3d.same_padding(x, kernel, (stride,) * 3), weight, stride=stride)
        mean, var = state[f"{name}.bn.running_mean"], state[f"{name}.bn.running_var"]
        x = torch.nn.functional.batch_norm(
            x, mean, var, state[f"{name}.bn.weight"], state[f"{name}.bn.bias"], eps=1e-3
        )
        return x.clamp(min=0)

    def pool(x, kernel, stride):
        return torch.nn.functional.max_pool3d(i3d.same_padding(x, kernel, stride), kernel, stride)

    def mixed(x, name):
        branches = [
            unit(x, f"{name}.b0"),
            unit(unit(x, f"{name}.b1a"), f"{name}.b1b"),
            unit(unit(x, f"{name}.b2a"), f"{name}.b2b"),
            unit(pool(x, (3, 3, 3), (1, 1, 1)), f"{name}.b3b"),
        ]
        return torch.cat(branches, 1)

    with torch.inference_mode():
        x = pool(unit(clip, "Conv3d_1a_7x7", 2), (1, 3, 3), (1, 2, 2))
        x = pool(unit(unit(x, "Conv3d_2b_1x1"), "Conv3d_2c_3x3"), (1, 3, 3), (1, 2, 2))
        x = pool(mixed(mixed(x, "Mixed_3b"), "Mixed_3c"), (3, 3, 3), (2, 2, 2))
        for letter in "bcdef":
            x = mixed(x, f"Mixed_4{letter}")
        x = mixed(mixed(pool(x, (2, 2, 2), (2, 2, 2)), "Mixed_5b"), "Mixed_5c")
        assert x.shape == (1, 1024, 3, 7, 7)
        expected = torch.stack([x[:, :, t : t + 2].mean(dim=(2, 3, 4)) for t in range(2)], dim=2)
        assert torch.allclose(network.features(clip), expected, atol=1e-5)
        scores = network(clip)
    bias, weight = state["logits.conv3d.bias"], state["logits.conv3d.weight"].reshape(157, 1024)
    assert torch.allclose(scores, torch.einsum("oc,bct->bot", weight, expected) + bias[:, None], atol=1e-4)


@pytest.mark.parametrize("shape", [(1, 3, 8, 224, 224), (1, 3, 16, 128, 224)])
def test_clips_that_are_too_small_are_refused(network: i3d.I3D, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least 9 frames"):
        network.features(torch.zeros(shape))
