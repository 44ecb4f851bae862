"""Texts become open_clip's own embeddings, whatever is in the batch, from files in every naming."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_clip

from memfeat.errors import SetupError, UsageError, WeightsError
from memfeat.extraction.text_network import Encoder, TextNetwork, resolve
from memfeat.extractors import get_network
from memfeat.network_extractor import Settings
from memfeat.weights.choice import Choice

TEXTS = ["a dog runs", "Ein Hund läuft", "two DOGS   on the beach", "ça va & more", "7,350 people", "🙂"]
LONG = "one two three four five six seven eight nine ten eleven twelve"


class TestNames:
    def test_weights_field_and_seed_are_in_the_name(self):
        network = resolve("clip-vit-l-14-336", "titles", Choice(seed=0))
        assert network.name == "clip-vit-l-14-336-quickgelu-openai-text-titles-random0"
        plain = TextNetwork(network.release, "captions", digest="ab")
        assert plain.name == "clip-vit-l-14-336-quickgelu-openai-text-captions"

    def test_the_key_hangs_on_weights_and_field_alone(self):
        release = resolve("clip-vit-b-32", "captions", Choice(seed=0)).release
        keys = {
            TextNetwork(release, "captions", digest="ab").key,
            TextNetwork(release, "captions", digest="cd").key,
            TextNetwork(release, "titles", digest="ab").key,
            TextNetwork(release, "captions", Choice(seed=1)).key,
        }
        assert len(keys) == 4
        assert TextNetwork(release, "captions", digest="ab").key in keys

    @pytest.mark.parametrize(
        ("model", "says"),
        [
            ("hrnetv2-w48-ade20k", "no text side. Use a CLIP"),
            ("clip-vit-b-32-quickgelu-openai-pre", "embedded by clip-vit-b-32-quickgelu-openai"),
            ("clip-vit-b-32-fml", "embedded by clip-vit-b-32-quickgelu-openai"),
            ("clip-vit-b-32-quickgelu-openai-random3", "--weights random:SEED"),
            ("clip-vit-b-33", "no feature"),
            ("hog", "descriptor"),
        ],
    )
    def test_what_embeds_no_texts(self, model, says):
        with pytest.raises(UsageError, match=says):
            resolve(model, "captions", Choice(seed=0))

    def test_absent_weights(self, tmp_path, monkeypatch):
        for variable in ("MEMFEAT_WEIGHTS", "HF_HUB_CACHE", "TORCH_HOME"):
            monkeypatch.setenv(variable, str(tmp_path))
        with pytest.raises(WeightsError, match=r"put it as clip-vit-b-32-quickgelu-openai\.safetensors"):
            resolve("clip-vit-b-32", "captions", download=False)


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="needs the extra deep")
    pytest.importorskip("open_clip", reason="needs the extra deep")
    tiny_clip.register(tmp_path, monkeypatch)
    return resolve(tiny_clip.NAME, "captions", Choice(seed=0))


def reference(texts, network=None) -> np.ndarray:
    import open_clip
    import torch

    tokens = open_clip.get_tokenizer(tiny_clip.RELEASE.model)(texts)
    with torch.inference_mode():
        return (network or tiny_clip.whole()).encode_text(tokens).numpy()


def from_file(path) -> np.ndarray:
    return Encoder(resolve(tiny_clip.NAME, "captions", Choice(file=path)), "cpu")(TEXTS)


def test_embeddings_are_open_clips(tiny):
    assert np.abs(Encoder(tiny, "cpu")(TEXTS) - reference(TEXTS)).max() < 1e-6


def test_rows_do_not_depend_on_the_batch(tiny):
    rows = Encoder(tiny, "cpu", batch_size=64)(TEXTS)
    assert rows.dtype == np.float32
    for size in (1, 2, 5):
        assert np.abs(Encoder(tiny, "cpu", batch_size=size)(TEXTS) - rows).max() < 1e-5
    assert np.abs(Encoder(tiny, "cpu")(TEXTS[::-1])[::-1] - rows).max() < 1e-5
    assert np.unique(rows.round(4), axis=0).shape == rows.shape


def test_long_texts_are_cut_where_the_network_ends(tiny):
    encoder = Encoder(tiny, "cpu")
    assert encoder.length == tiny_clip.LENGTH
    assert [encoder.cut(text) for text in (*TEXTS, LONG)] == [False] * len(TEXTS) + [True]
    exactly = " ".join(LONG.split()[: tiny_clip.LENGTH - 2])
    assert not encoder.cut(exactly)
    rows = encoder([LONG, exactly, exactly[:-3]])
    assert np.abs(rows[0] - rows[1]).max() < 1e-5  # cut behind the tenth word
    assert np.abs(rows[0] - rows[2]).max() > 1e-3


def test_images_and_texts_of_a_seed_are_of_one_network(tiny):
    import torch

    from memfeat.extraction.deep.wanted import Wanted

    images = Wanted(get_network(tiny_clip.NAME), Settings(choice=Choice(seed=0))).load()
    whole = tiny_clip.whole()
    assert torch.equal(images.proj, whole.visual.proj)
    texts = Encoder(tiny, "cpu")._module.state_dict()
    assert texts
    assert all(torch.equal(tensor, whole.state_dict()[name]) for name, tensor in texts.items())


def test_files_of_open_clip_and_of_openai(tiny, tmp_path):
    import torch
    from safetensors.torch import save_file

    whole = tiny_clip.whole(5)
    state = {name: tensor.clone().contiguous() for name, tensor in whole.state_dict().items()}
    save_file(state, tmp_path / "open_clip_model.safetensors")
    assert np.abs(from_file(tmp_path / "open_clip_model.safetensors") - reference(TEXTS, whole)).max() < 1e-6
    half = {name: tensor.half() for name, tensor in state.items()}
    sizes = {name: torch.tensor(77) for name in ("input_resolution", "context_length", "vocab_size")}
    torch.save({**half, **sizes}, tmp_path / "ViT-tiny.pt")
    whole.load_state_dict({name: tensor.float() for name, tensor in half.items()})
    assert np.abs(from_file(tmp_path / "ViT-tiny.pt") - reference(TEXTS, whole)).max() < 1e-6


def test_a_file_of_the_image_side_alone_is_refused(tiny, tmp_path):
    import torch

    torch.save(tiny_clip.whole().visual.state_dict(), tmp_path / "tower.pth")
    with pytest.raises(WeightsError, match=r"image side of a CLIP alone.*open_clip_model\.safetensors"):
        from_file(tmp_path / "tower.pth")


def test_memory_that_is_not_enough(tiny, monkeypatch):
    encoder = Encoder(tiny, "cpu", batch_size=4)
    rows, launch = encoder(TEXTS), encoder._module.encode_text

    def only(most):
        def encode(tokens):
            if len(tokens) > most:
                raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
            return launch(tokens)

        monkeypatch.setattr(encoder._module, "encode_text", encode)

    only(1)
    assert np.abs(encoder(TEXTS) - rows).max() < 1e-5
    only(0)
    with pytest.raises(SetupError, match="no memory for a single text"):
        encoder(TEXTS)


def test_a_tokenizer_from_elsewhere_is_refused(tiny, monkeypatch):
    import open_clip

    config = open_clip.get_model_config(tiny_clip.RELEASE.model)
    config["text_cfg"]["hf_tokenizer_name"] = "somebody/tokens"
    monkeypatch.setattr(open_clip, "get_model_config", lambda name: config)
    with pytest.raises(SetupError, match="somebody/tokens"):
        Encoder(tiny, "cpu")
