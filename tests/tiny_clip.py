"""A whole CLIP of small size that reads real tokens, known to open_clip and to memfeat like any other."""

from __future__ import annotations

import json
from pathlib import Path

from memfeat.extractors import clip

RELEASE = clip.Release("ViT-tiny-words-quickgelu", "openai", 16, 32, 64, "x/y")
NAME = "clip-vit-tiny-words-quickgelu-openai"
LENGTH = 12
"""Tokens it reads, two of which mark beginning and end."""


def register(folder: Path, monkeypatch) -> None:
    """Make it known under `NAME`."""
    import open_clip

    tower = {"width": 32, "layers": 2}
    config = {
        "embed_dim": RELEASE.embedding,
        "quick_gelu": True,
        "vision_cfg": {**tower, "image_size": 64, "patch_size": 32, "head_width": 16},
        "text_cfg": {**tower, "heads": 2, "context_length": LENGTH, "vocab_size": 49408},
    }
    file = folder / f"{RELEASE.model}.json"
    file.write_text(json.dumps(config))
    open_clip.add_model_config(file)
    monkeypatch.setitem(clip._RELEASES, RELEASE.name, RELEASE)


def whole(seed: int = 0):
    """The network, images and texts, with random weights."""
    from memfeat.weights.states import random_network

    return random_network(lambda: clip.build_clip(RELEASE), seed).eval()
