"""Embeddings of texts cut behind their ends are those of whole sequences, in every kind of CLIP."""

from __future__ import annotations

import pytest
import tiny_clip

torch = pytest.importorskip("torch", reason="needs the extra deep")
open_clip = pytest.importorskip("open_clip", reason="needs the extra deep")

from memfeat.networks import short_texts

END = 49407


@pytest.fixture(params=["plain", "custom text"])
def network(request, tmp_path, monkeypatch):
    tiny_clip.register(tmp_path, monkeypatch)
    if request.param == "plain":
        return tiny_clip.whole()
    from memfeat.weights.states import random_network

    model = tiny_clip.RELEASE.model
    made = random_network(
        lambda: open_clip.create_model(model, pretrained=None, load_weights=False, force_custom_text=True), 0
    )
    assert hasattr(made, "text")
    return made.eval()


def tokens(*counts: int) -> torch.Tensor:
    """Texts of so many tokens, padded to the network's length."""
    made = torch.zeros(len(counts), tiny_clip.LENGTH, dtype=torch.long)
    for row, count in enumerate(counts):
        made[row, 0] = END - 1
        made[row, 1 : count - 1] = torch.arange(1, count - 1) * 97 + row
        made[row, count - 1] = END
    return made


@pytest.mark.parametrize("cut", [4, 7, 8, 11, 12])
def test_what_is_behind_the_end_changes_nothing(network, cut):
    texts = tokens(2, 3, 4)
    assert short_texts.can_shorten(network)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with torch.inference_mode():
        whole = network.encode_text(texts)
        assert torch.allclose(short_texts.encode(network, texts[:, :cut]), whole, atol=1e-6)
        assert torch.equal(network.encode_text(texts), whole)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_the_network_is_whole_again_after_an_error(network, monkeypatch):
    texts = tokens(3)

    def broken(tokens):
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(network, "encode_text", broken)
        with pytest.raises(RuntimeError):
            short_texts.encode(network, texts[:, :8])
    with torch.inference_mode():
        assert network.encode_text(texts).shape == (1, tiny_clip.RELEASE.embedding)


def test_lengths_reach_behind_the_end_and_not_further_than_the_network():
    texts = tokens(2, 8, 9, 12)
    assert short_texts.lengths(texts).tolist() == [8, 8, 12, 12]


def test_text_sides_that_look_ahead_are_left_whole(network):
    side = getattr(network, "text", network)
    side.attn_mask = torch.zeros_like(side.attn_mask)
    assert not short_texts.can_shorten(network)
    side.attn_mask = None
    assert not short_texts.can_shorten(network)
