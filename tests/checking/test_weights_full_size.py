"""Networks of full size: released files are found, read and loaded strictly, and each number is in its place."""

from __future__ import annotations

import re
import shutil

import pytest

from memfeat.checking.weights import check, load
from memfeat.checking.weights_conversion import convert
from memfeat.extractors import get_network
from memfeat.weights import lookup

torch = pytest.importorskip("torch", reason="needs the extra deep")
timm = pytest.importorskip("timm", reason="needs the extra deep")

HEAD = ("incre_modules.", "downsamp_modules.", "final_layer.", "classifier.")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(lookup.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "no"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "no"))
    yield tmp_path
    shutil.rmtree(tmp_path)  # hundreds of megabytes, which pytest would keep


def released(build) -> tuple[dict[str, torch.Tensor], int]:
    """A published network's tensors by its own names, with random numbers, and its parameters."""
    with torch.device("meta"):
        network = build()
    generator = torch.Generator().manual_seed(0)
    state = {
        name: torch.randint(100, tensor.shape)
        if not tensor.is_floating_point()
        else torch.rand(tensor.shape, generator=generator)
        for name, tensor in network.state_dict().items()
    }
    return state, sum(parameter.numel() for parameter in network.parameters())


def csn(kind):
    from memfeat.networks.csn import CSN

    return lambda: CSN(kind, classes=400)


def mmaction(name: str, kind: str) -> str:
    """The name that mmcv's modules give to a tensor of VMZ."""
    if name.startswith("fc."):
        return name.replace("fc.", "cls_head.fc_cls.")
    middle = {
        "ip": {r"\.conv2\.0\.0\.": ".conv2.0.conv.", r"\.conv2\.0\.1\.": ".conv2.0.bn.",
               r"\.conv2\.0\.2\.": ".conv2.1.conv.", r"\.conv2\.1\.(?!conv)": ".conv2.1.bn."},
        "ir": {r"\.conv2\.0\.": ".conv2.0.conv.", r"\.conv2\.1\.": ".conv2.0.bn."},
    }[kind]  # fmt: skip
    ends = {r"(conv1|conv3|downsample)\.0\.": r"\1.conv.", r"(conv1|conv3|downsample)\.1\.": r"\1.bn."}
    stem = {r"^stem\.0\.": "conv1.conv.", r"^stem\.1\.": "conv1.bn."}
    for pattern, name_there in (*middle.items(), *ends.items(), *stem.items()):
        name = re.sub(pattern, name_there, name)
    return f"backbone.{name}"


def loaded(network, file) -> dict[str, torch.Tensor]:
    return load(network, file)[1].state_dict()


def same(found, expected) -> None:
    """Every parameter and statistic that the network has is the released one."""
    compared = {name: tensor for name, tensor in found.items() if not name.endswith("num_batches_tracked")}
    assert compared
    assert [name for name, tensor in compared.items() if not torch.equal(tensor, expected[name])] == []


@pytest.mark.parametrize(("kind", "parameters"), [("ip", 33_016_592), ("ir", 29_703_568)])
def test_csn_as_vmz_and_mmaction_name_it(folder, kind, parameters):
    state, count = released(csn(kind))
    assert count == parameters
    network = get_network(f"csn-{kind}-152-ig65m-kinetics")
    first, second = network.published.files[:2]
    torch.save({f"module.{name}": tensor for name, tensor in state.items()}, folder / first)
    verdict = check(network)
    assert (verdict.state, verdict.file) == ("ok", folder / first), verdict.text
    same(loaded(network, folder / first), state)
    (folder / first).unlink()
    theirs = {mmaction(name, kind): tensor for name, tensor in state.items()}
    assert len(theirs) == len(state)
    assert all(name.startswith(("backbone.", "cls_head.")) for name in theirs)
    second = second.replace(".safetensors", ".pth")
    torch.save({"state_dict": theirs, "meta": {}}, folder / second)
    same(loaded(network, folder / second), state)


def test_csn_of_the_other_kind_is_told_apart(folder):
    state, _ = released(csn("ir"))
    file = folder / "ir.pth"
    torch.save(state, file)
    verdict = check(get_network("csn-ip-152-ig65m-kinetics"), file)
    assert verdict.state == "wrong"
    assert "does not fit the network CSN" in verdict.text
    assert "missing" in verdict.text
    assert re.search(r"layer1\.0\.conv2\.0\.", verdict.text)


def test_hrnet_as_csail_and_hrnet_name_it(folder):
    state, _ = released(lambda: timm.create_model("hrnet_w48", pretrained=False))
    trunk = {name: tensor for name, tensor in state.items() if not name.startswith(HEAD)}
    assert len(trunk) == 1830
    network = get_network("hrnetv2-w48-ade20k")
    torch.save(trunk, folder / "encoder_epoch_30.pth")
    verdict = check(network)
    assert verdict.state == "ok", verdict.text
    assert "65,325,120 parameters" in verdict.text
    torch.save({f"module.{name}": tensor for name, tensor in state.items()}, folder / "whole.pth")
    expected = {f"trunk.{name}": tensor for name, tensor in trunk.items()}
    same(loaded(network, folder / "whole.pth"), expected)


@pytest.mark.parametrize(("name", "classes"), [("i3d-kinetics", 400), ("i3d-charades", 157)])
def test_i3d_and_its_conversion(folder, name, classes):
    from memfeat.networks.i3d import I3D

    state, count = released(lambda: I3D(classes))
    assert count == 12_287_264 + classes * 1025
    network = get_network(name)
    file = folder / network.published.files[0]
    torch.save(state, file)
    same(loaded(network, file), state)
    assert check(network).file == file
    convert(file, network, folder / f"{name}.safetensors")
    file.unlink()
    verdict = check(network)
    assert (verdict.state, verdict.file) == ("ok", folder / f"{name}.safetensors")
    same(loaded(network, verdict.file), state)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("densenet121-imagenet1k-v1", 7_978_856),
        ("resnet101-imagenet1k-v1", 44_549_160),
        ("r3d-18-kinetics400", 33_371_472),
    ],
)
def test_torchvisions_files_are_known_by_their_digest(folder, name, parameters):
    from torchvision import models

    network = get_network(name)
    place = models.video if name.startswith("r3d") else models
    state, count = released(lambda: getattr(place, network.release.network)(weights=None))
    assert count == parameters
    file = folder / network.published.files[0]
    if name.startswith("densenet"):  # the names of before torch 0.4, which are those of the file
        old = {re.sub(r"(denselayer\d+\.(?:norm|conv))([12])\.", r"\1.\2.", k): v for k, v in state.items()}
        assert old.keys() != state.keys()
        torch.save(old, file)
    else:
        torch.save(state, file)
    verdict = check(network)
    assert verdict.state == "wrong"
    assert "is not" in verdict.text and "as published" in verdict.text
    assert check(network, file).state == "ok"
    same(loaded(network, file), state)
