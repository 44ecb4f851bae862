"""CLIP: names, OpenAI's activation, open_clip's own preparation, and files in every naming."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from memfeat.errors import SetupError, UsageError
from memfeat.extractors import clip
from memfeat.frame_selection import ALL

BASE = "clip-vit-b-32-quickgelu-openai"


@pytest.mark.parametrize(
    ("name", "width", "frames"),
    [
        (BASE, 512, "all"),
        (f"{BASE}-pre", 768, "all"),
        (f"{BASE}-fml", 512, "fml"),
        (f"{BASE}-pre-1ps", 768, "1ps"),
        ("clip-vit-l-14-336-quickgelu-openai", 768, "all"),
        ("clip-vit-l-14-336-quickgelu-openai-pre", 1024, "all"),
        ("clip-vit-b-32-laion2b-s34b-b79k-every9", 512, "every9"),
    ],
)
def test_a_name_says_weights_layer_and_frames(name, width, frames):
    network = clip.FAMILY.make(name)
    assert network is not None
    assert (network.name, network.width, network.selection.suffix) == (name, width, frames)


def test_short_names_mean_openais_weights():
    assert clip.FAMILY.make("clip-vit-b-32").name == BASE
    assert clip.FAMILY.make("clip-vit-l-14-336-fml").name == "clip-vit-l-14-336-quickgelu-openai-fml"
    for short, full in clip.FAMILY.aliases().items():
        assert clip.FAMILY.make(short).name == full


def test_listed_names_are_made_as_listed():
    for name in clip.FAMILY.names():
        assert clip.FAMILY.make(name).name == name


def test_openais_weights_in_a_network_with_gelu_are_refused():
    with pytest.raises(UsageError, match="trained with QuickGELU: use clip-vit-b-32-quickgelu-openai"):
        clip.FAMILY.make("clip-vit-b-32-openai")


def test_names_of_others_are_not_taken():
    assert clip.FAMILY.make("hrnetv2-w48-ade20k") is None
    assert clip.FAMILY.make(f"{BASE}-windows16") is None


def test_any_vit_of_open_clip_can_be_named():
    open_clip = pytest.importorskip("open_clip", reason="needs the extra deep")
    made = clip.FAMILY.make("clip-vit-b-32-quickgelu-metaclip-400m-pre")
    assert made.release.model == "ViT-B-32-quickgelu"
    for release in {**clip._others(), **clip._RELEASES}.values():
        config = open_clip.get_model_config(release.model)
        assert config["embed_dim"] == release.embedding
        assert config["vision_cfg"].get("width", 768) == release.width
        assert config["vision_cfg"]["image_size"] == release.size
    assert clip.FAMILY.make("clip-vit-z-99-nobody") is None


@pytest.mark.parametrize("shape", [(256, 342), (404, 720), (638, 360), (224, 224), (33, 41)])
def test_frames_are_prepared_as_open_clip_does(shape):
    open_clip = pytest.importorskip("open_clip", reason="needs the extra deep")
    from PIL import Image

    image = np.random.default_rng(shape[0]).integers(0, 256, (*shape, 3), dtype=np.uint8)
    network = clip.FAMILY.make(BASE)
    reference = open_clip.image_transform(224, is_train=False, mean=clip.MEAN, std=clip.STD)(
        Image.fromarray(image)
    )
    prepared = network.prepare(image)
    assert prepared.dtype == np.uint8
    mean, std = (np.array(v, np.float32)[:, None, None] for v in (network.mean, network.std))
    assert np.abs((prepared / np.float32(255) - mean) / std - reference.numpy()).max() < 1e-5


TINY = clip.Release("tiny-vit-quickgelu", "openai", 16, 64, 64, "x/y")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A whole CLIP of small size, known to open_clip by a configuration file, as any other."""
    torch = pytest.importorskip("torch", reason="needs the extra deep")
    open_clip = pytest.importorskip("open_clip", reason="needs the extra deep")
    from memfeat.weights.states import random_network

    tower = {"width": 64, "layers": 2}
    config = {
        "embed_dim": 16,
        "quick_gelu": True,
        "vision_cfg": {**tower, "image_size": 64, "patch_size": 32, "head_width": 32},
        "text_cfg": {**tower, "heads": 2, "context_length": 8, "vocab_size": 100},
    }
    file = tmp_path_factory.mktemp("clip") / f"{TINY.model}.json"
    file.write_text(json.dumps(config))
    open_clip.add_model_config(file)
    network = random_network(lambda: clip.build_clip(TINY), 0).eval()
    torch.manual_seed(0)
    return network, torch.rand(2, 3, 64, 64)


def tower(state, x, *, before=False):
    import torch

    from memfeat.weights.states import load_strictly

    extractor = clip.ClipImages(TINY, before=before, selection=ALL)
    network = extractor.build().eval()
    load_strictly(network, extractor.own_names(state), origin="test")
    with torch.inference_mode():
        return network(x)


def test_projected_and_earlier_embeddings_are_open_clips(whole):
    import torch

    network, x = whole
    with torch.inference_mode():
        expected = network.encode_image(x)
        projected, before = tower(network.state_dict(), x), tower(network.state_dict(), x, before=True)
        assert projected.shape == (2, 16)
        assert before.shape == (2, 64)
        assert torch.allclose(projected, expected, atol=1e-5)
        assert torch.allclose(before @ network.visual.proj, expected, atol=1e-4)


def test_openais_files_have_half_precision_and_numbers_beside_the_tensors(whole):
    import torch

    network, x = whole
    state = {name: tensor.half() for name, tensor in network.state_dict().items()}
    state |= {name: torch.tensor(77) for name in ("input_resolution", "context_length", "vocab_size")}
    assert tower(state, x).shape == (2, 16)
    from memfeat.weights.states import load_strictly

    load_strictly(network, clip.whole_names(dict(network.state_dict())), origin="test")
    assert not set(clip.whole_names(state)) - set(network.state_dict())


def test_a_file_of_the_tower_alone(whole):
    import torch

    network, x = whole
    state = network.visual.state_dict()
    assert torch.equal(tower(state, x), tower(network.state_dict(), x))


def test_the_activation_is_asserted(whole):
    with pytest.raises(SetupError, match="with QuickGELU; the weights openai need GELU"):
        clip.build_clip(dataclasses.replace(TINY, model=_renamed(TINY.model)))


def _renamed(model: str) -> str:
    """The same network under a name that promises GELU."""
    import open_clip

    plain = model.removesuffix("-quickgelu")
    open_clip.factory._MODEL_CONFIGS[plain] = open_clip.get_model_config(model)
    return plain


def test_where_the_weights_are():
    network = clip.FAMILY.make("clip-vit-l-14-336")
    assert network.published.files == ("clip-vit-l-14-336-quickgelu-openai.safetensors", "ViT-L-14-336px.pt")
    assert network.published.hub == ("timm/vit_large_patch14_clip_336.openai", "open_clip_model.safetensors")
    assert network.selection == ALL
