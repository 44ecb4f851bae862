from __future__ import annotations

import json

import pytest
import tiny_clip

from memfeat.store.feature_store import FeatureStore
from memfeat.store.texts import Texts


@pytest.fixture
def store(tmp_path, monkeypatch):
    texts = Texts({"captions": {"a.mp4": ["a dog", "it runs"], "b.mp4": ["rain"]}})
    return FeatureStore.create(tmp_path / "features" / "demo", dataset="demo", texts=texts)


def test_captions_are_embedded_once(memfeat, store, tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="needs the extra deep")
    pytest.importorskip("open_clip", reason="needs the extra deep")
    tiny_clip.register(tmp_path, monkeypatch)
    arguments = ("embed", "--model", tiny_clip.NAME, "--weights", "random:4", "--device", "cpu")
    ran = memfeat(*arguments, "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["done"] == 2
    assert f"3 captions of 2 videos → {tiny_clip.NAME}-text-captions-random4" in ran.err
    assert "RANDOM weights (seed 4)" in ran.err
    assert "0 texts of 0 videos embedded, 2 videos already there" in memfeat(*arguments, "demo").err
    assert f"{tiny_clip.NAME}-text-captions-random4" in memfeat("store", "info", "demo").out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--field", "caption"), "Did you mean 'captions'"),
        (("--weights", "random"), "need a seed"),
        (("--model", "hrnetv2-w48-ade20k", "--weights", "random:0"), "no text side"),
        (("--batch-size", "0"), "than or equal to 1"),
    ],
)
def test_wrong_calls(memfeat, store, arguments, says):
    ran = memfeat("embed", *arguments)
    assert ran.code == 2
    assert says in ran.err
