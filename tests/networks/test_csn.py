"""CSN: the published size, shapes at every length, and files of both releases loaded by name."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra deep")

from memfeat.networks import csn

SMALL = (1, 2, 1, 1)


def parameters(kind: str) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in csn.CSN(kind).parameters())


def test_the_published_number_of_parameters() -> None:
    assert parameters("ip") == 33_016_592
    assert parameters("ir") == 29_703_568


def test_the_published_number_of_tensors() -> None:
    with torch.device("meta"):
        names = csn.CSN("ip").state_dict()
    assert sum(not name.endswith("num_batches_tracked") for name in names) == 1027


@pytest.mark.parametrize("kind", ["ip", "ir"])
@pytest.mark.parametrize("frames", [1, 2, 9])
def test_features_of_any_length(kind: str, frames: int) -> None:
    torch.manual_seed(0)
    network = csn.CSN(kind, blocks=SMALL).eval()
    with torch.inference_mode():
        assert network.features(torch.rand(2, 3, frames, 32, 48)).shape == (2, 2048)
        assert network(torch.rand(1, 3, frames, 32, 32)).shape == (1, 400)


def test_a_layer_map_has_the_published_shape() -> None:
    network = csn.CSN("ip", blocks=(1, 1, 1, 1)).eval()
    with torch.inference_mode():
        x = network.stem(torch.zeros(1, 3, 45, 256, 256))
        assert x.shape == (1, 64, 45, 64, 64)
        for number in range(1, 5):
            x = getattr(network, f"layer{number}")(x)
    assert x.shape == (1, 2048, 6, 8, 8)


def test_a_block_is_convolution_norm_and_shortcut() -> None:
    """The second route: the block's tensors put through torch's functions one by one."""
    torch.manual_seed(1)
    block = csn._Block("ip", 8, 4, stride=2).eval()
    for module in block.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            torch.nn.init.uniform_(module.running_mean)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
            torch.nn.init.uniform_(module.weight)
            torch.nn.init.uniform_(module.bias)
    state = block.state_dict()

    def conv(x, name, **options):
        return torch.nn.functional.conv3d(x, state[f"{name}.weight"], **options)

    def norm(x, name):
        shape = (1, -1, 1, 1, 1)
        scale = state[f"{name}.weight"] / torch.sqrt(state[f"{name}.running_var"] + 1e-3)
        return (x - state[f"{name}.running_mean"].view(shape)) * scale.view(shape) + state[
            f"{name}.bias"
        ].view(shape)

    x = torch.rand(2, 8, 5, 6, 6)
    y = norm(conv(x, "conv1.0"), "conv1.1").clamp(min=0)
    y = norm(conv(y, "conv2.0.0"), "conv2.0.1")
    y = norm(conv(y, "conv2.0.2", stride=2, padding=1, groups=4), "conv2.1").clamp(min=0)
    y = norm(conv(y, "conv3.0"), "conv3.1")
    expected = (y + norm(conv(x, "downsample.0", stride=2), "downsample.1")).clamp(min=0)
    with torch.inference_mode():
        assert torch.allclose(block(x), expected, atol=1e-5)


def random_state(kind: str) -> dict[str, torch.Tensor]:
    torch.manual_seed(2)
    return csn.CSN(kind, blocks=SMALL).state_dict()


@pytest.mark.parametrize("kind", ["ip", "ir"])
def test_files_of_both_releases_have_the_same_tensors(kind: str) -> None:
    ours = random_state(kind)
    theirs = {csn.mmaction_key(name, kind): tensor for name, tensor in ours.items()}
    assert len(theirs) == len(ours)
    assert all(name.startswith(("backbone.", "cls_head.")) for name in theirs)
    headless = {
        name.removeprefix("backbone."): t for name, t in theirs.items() if name.startswith("backbone.")
    }
    parallel = {f"module.{name}": tensor for name, tensor in ours.items()}
    for state in (ours, theirs, parallel):
        assert csn.own_names(state, kind, blocks=SMALL).keys() == ours.keys()
    backbone = csn.own_names(headless, kind, blocks=SMALL)
    assert backbone.keys() == {name for name in ours if not name.startswith("fc.")}
    assert all(tensor is ours[name] for name, tensor in backbone.items())


def test_names_of_the_other_kind_stay_as_they_are() -> None:
    theirs = {csn.mmaction_key(name, "ip"): tensor for name, tensor in random_state("ip").items()}
    translated = csn.own_names(theirs, "ir", blocks=SMALL)
    assert any(name.startswith("backbone.") for name in translated)


def test_known_names_of_the_releases() -> None:
    assert csn.mmaction_key("stem.0.weight", "ip") == "backbone.conv1.conv.weight"
    assert csn.mmaction_key("stem.1.running_var", "ip") == "backbone.conv1.bn.running_var"
    assert csn.mmaction_key("layer3.35.conv1.0.weight", "ip") == "backbone.layer3.35.conv1.conv.weight"
    assert csn.mmaction_key("layer2.0.conv2.0.0.weight", "ip") == "backbone.layer2.0.conv2.0.conv.weight"
    assert csn.mmaction_key("layer2.0.conv2.0.1.bias", "ip") == "backbone.layer2.0.conv2.0.bn.bias"
    assert csn.mmaction_key("layer2.0.conv2.1.bias", "ip") == "backbone.layer2.0.conv2.1.bn.bias"
    assert csn.mmaction_key("layer2.0.downsample.1.weight", "ip") == "backbone.layer2.0.downsample.bn.weight"
    with pytest.raises(KeyError, match="'head\\.weight'"):
        csn.mmaction_key("head.weight", "ip")
