"""Weights are found before anything starts, loaded strictly, and named."""

from __future__ import annotations

import importlib.util

import pytest
from tiny_networks import TinyClips, TinyImages

from memfeat.errors import SetupError, UsageError, WeightsError
from memfeat.extraction.deep import wanted as module
from memfeat.extraction.deep.wanted import resolve
from memfeat.extractors.flow_torch import FlowTorch
from memfeat.network_extractor import Settings
from memfeat.weights.choice import Choice
from memfeat.weights.lookup import sha256

torch = pytest.importorskip("torch", reason="needs the extra deep")

from safetensors.torch import save_file


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A folder of weights with the file of the images' network."""
    folder = tmp_path / "weights"
    folder.mkdir()
    torch.manual_seed(0)
    save_file(TinyImages().build().state_dict(), folder / "tiny-images.safetensors")
    monkeypatch.setenv("MEMFEAT_WEIGHTS", str(folder))
    monkeypatch.setenv("MEMFEAT_OFFLINE", "1")
    return folder


def test_published_weights_are_in_key_and_provenance(weights):
    (wanted,) = resolve([TinyImages("fml")], Settings())
    digest = sha256(weights / "tiny-images.safetensors")
    assert (wanted.name, wanted.digest) == ("tiny-images-fml", digest)
    assert wanted.weights == {"file": "tiny-images.safetensors", "sha256": digest, "name": "tiny-images"}
    assert wanted.recipe["weights"] == {"sha256": digest}
    assert wanted.key == TinyImages("fml").key(Settings(), digest)
    state = wanted.load().state_dict()
    torch.manual_seed(0)
    torch.testing.assert_close(state["0.weight"], TinyImages().build().state_dict()["0.weight"])


def test_random_weights_are_in_name_key_and_provenance():
    (wanted,) = resolve([TinyImages()], Settings(choice=Choice(seed=5)))
    assert (wanted.name, wanted.digest, wanted.file) == ("tiny-images-random5", "", None)
    assert wanted.weights == {"random": 5}
    one, two = wanted.load().state_dict(), wanted.load().state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_file_given_by_hand_is_for_one_network(weights):
    own = Settings(choice=Choice(file=weights / "tiny-images.safetensors"))
    assert resolve([TinyImages()], own)[0].digest == sha256(weights / "tiny-images.safetensors")
    with pytest.raises(
        UsageError, match="is the file of one network; several are asked for: tiny-images, tiny-clips"
    ):
        resolve([TinyImages(), TinyClips()], own)


def test_an_algorithm_runs_beside_networks_whatever_their_weights_and_precision(weights):
    own = Settings(choice=Choice(file=weights / "tiny-images.safetensors"), precision="bf16")
    image, flow = resolve([TinyImages(), FlowTorch()], own)
    assert (image.settings, flow.settings) == (own, Settings())
    assert resolve([FlowTorch()], Settings())[0].key == flow.key
    assert (flow.name, flow.weights, flow.digest, flow.file) == ("flow-torch", {}, "", None)
    assert "weights" not in flow.recipe
    assert resolve([FlowTorch(), TinyImages()], Settings(choice=Choice(seed=1)))[0].key == flow.key
    assert resolve([FlowTorch()], Settings(decoder="torchcodec"))[0].key != flow.key
    assert not list(flow.load().parameters())
    for choice in (Choice(seed=1), own.choice):
        with pytest.raises(UsageError, match="--weights is given, and flow-torch has none"):
            resolve([FlowTorch()], Settings(choice=choice))


def test_absent_weights_are_said_before_anything_starts(weights):
    with pytest.raises(WeightsError, match=r"tiny-clips are not on this machine.*tiny-clips\.safetensors"):
        resolve([TinyImages(), TinyClips()], Settings())


def test_weights_of_another_network_are_refused(weights):
    (weights / "tiny-images.safetensors").rename(weights / "tiny-clips.safetensors")
    (wanted,) = resolve([TinyClips()], Settings())
    with pytest.raises(WeightsError, match=r"tiny-clips\.safetensors does not fit the network"):
        wanted.load()


def test_damaged_weights_are_refused(weights):
    (weights / "tiny-images.safetensors").write_bytes(b"nothing of the kind")
    (wanted,) = resolve([TinyImages()], Settings())
    with pytest.raises(WeightsError, match="damaged"):
        wanted.load()


def test_libraries_that_are_missing_have_a_remedy(monkeypatch):
    class NeedsMore(TinyImages):
        def build(self):
            raise ImportError("No module named 'timm'", name="timm")

    (wanted,) = resolve([NeedsMore()], Settings(choice=Choice(seed=0)))
    with pytest.raises(SetupError, match=r"timm, which is missing: pip install 'memfeat\[deep\]'"):
        wanted.load()
    monkeypatch.setattr(
        module, "find_spec", lambda name: None if name == "torch" else importlib.util.find_spec(name)
    )
    with pytest.raises(SetupError, match="need torch"):
        resolve([TinyImages()], Settings(choice=Choice(seed=0)))


def test_single_frames_make_no_windows():
    with pytest.raises(UsageError, match="looks at single frames"):
        resolve([TinyImages("windows4")], Settings(choice=Choice(seed=0)))
