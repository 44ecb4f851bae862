"""HRNetV2-W48: published sizes, the average by its longer way, and the two kinds of upsampling."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra deep")
timm = pytest.importorskip("timm", reason="needs the extra deep")

from memfeat.networks import hrnet


@pytest.fixture(scope="module")
def network() -> hrnet.HRNetV2W48:
    torch.manual_seed(0)
    made = hrnet.HRNetV2W48("bilinear").eval()
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # so that no branch is near zero
            torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    return made


def test_the_published_size(network: hrnet.HRNetV2W48) -> None:
    assert sum(p.numel() for p in network.parameters()) == 65_325_120
    assert len(network.state_dict()) == 1830


def test_branch_means_are_the_upsampled_concatenated_average(network: hrnet.HRNetV2W48) -> None:
    torch.manual_seed(1)
    x = torch.rand(2, 3, 64, 96)
    with torch.inference_mode():
        branches = network.branches(x)
        assert [tuple(b.shape[1:]) for b in branches] == [(48, 16, 24), (96, 8, 12), (192, 4, 6), (384, 2, 3)]
        size = branches[0].shape[-2:]
        upsampled = [
            torch.nn.functional.interpolate(b, size=size, mode="bilinear", align_corners=False)
            for b in branches
        ]
        expected = torch.cat(upsampled, dim=1).mean(dim=(2, 3))
        features = network.features(x)
    assert features.shape == (2, 720)
    assert torch.allclose(features, expected, atol=1e-5)


def test_upsampling_is_a_switch_of_the_network(network: hrnet.HRNetV2W48) -> None:
    other = hrnet.HRNetV2W48("nearest").eval()
    other.load_state_dict(network.state_dict(), strict=True)
    modes = {m.mode for m in other.modules() if isinstance(m, torch.nn.Upsample)}
    assert modes == {"nearest"}
    assert {m.mode for m in network.modules() if isinstance(m, torch.nn.Upsample)} == {"bilinear"}
    x = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        assert (network(x) - other(x)).abs().max() > 1e-4


def test_nearest_is_timms_own_network(network: hrnet.HRNetV2W48) -> None:
    ours = hrnet.HRNetV2W48("nearest").eval()
    ours.load_state_dict(network.state_dict())
    theirs = timm.create_model("hrnet_w48", pretrained=False, num_classes=10).eval()
    tensors = {name.removeprefix("trunk."): tensor for name, tensor in network.state_dict().items()}
    assert theirs.load_state_dict(tensors, strict=False).unexpected_keys == []
    x = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        maps = theirs.stages(theirs.act2(theirs.bn2(theirs.conv2(theirs.act1(theirs.bn1(theirs.conv1(x)))))))
        assert torch.equal(ours.features(x), torch.cat([m.mean(dim=(2, 3)) for m in maps], dim=1))


def test_files_of_every_release_have_the_trunk(network: hrnet.HRNetV2W48) -> None:
    names = [name.removeprefix("trunk.") for name in network.state_dict()]
    tensor = torch.zeros(())
    extra = {
        "classifier.weight": tensor,
        "incre_modules.0.0.conv1.weight": tensor,
        "final_layer.0.bias": tensor,
    }
    for prefix in ("", "module.", "backbone.", "module.backbone."):
        state = {f"{prefix}{name}": tensor for name in names} | {f"{prefix}{k}": v for k, v in extra.items()}
        assert hrnet.own_names(state).keys() == network.state_dict().keys()
    assert hrnet.own_names(network.state_dict()).keys() == network.state_dict().keys()
    assert "trunk.decoder.weight" in hrnet.own_names({"decoder.weight": tensor})


def test_other_sizes_are_refused(network: hrnet.HRNetV2W48) -> None:
    with pytest.raises(ValueError, match="multiples of 32"):
        network.features(torch.zeros(1, 3, 60, 64))
