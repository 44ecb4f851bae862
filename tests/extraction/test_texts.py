"""Texts of a store become a feature: whole or not at all, once, and again when they change."""

from __future__ import annotations

import json
import os
import signal

import numpy as np
import pytest
import tiny_clip
from clips import write_clip

from memfeat import extractors
from memfeat.dataset import Dataset
from memfeat.errors import SetupError, StoreError, UsageError
from memfeat.extraction import texts as module
from memfeat.extraction.run import extract
from memfeat.extraction.text_network import Encoder, resolve
from memfeat.extraction.texts import embed, source_of, texts_of
from memfeat.store.failures import list_failures
from memfeat.store.feature_store import FeatureStore
from memfeat.store.texts import Texts, write_texts
from memfeat.store.verify import verify
from memfeat.weights.choice import Choice

pytest.importorskip("torch", reason="needs the extra deep")
pytest.importorskip("open_clip", reason="needs the extra deep")

CAPTIONS = {
    "v0.mp4": ("a dog runs", "a dog on grass", "brown dog"),
    "v1.mp4": ("rain",),
    "v2.mp4": ("two cats", "cats that look far away over the sea and wait for the fishing boats"),
}


@pytest.fixture
def network(tmp_path, monkeypatch):
    tiny_clip.register(tmp_path, monkeypatch)
    return resolve(tiny_clip.NAME, "captions", Choice(seed=0))


@pytest.fixture
def store(tmp_path) -> FeatureStore:
    texts = Texts({"captions": CAPTIONS, "titles": {"v1.mp4": ["Rain"]}})
    return FeatureStore.create(tmp_path / "store", dataset="demo", texts=texts)


def stamps(store: FeatureStore) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in store.path.glob("videos/*/*.h5")}


def test_videos_without_a_file_get_one_row_per_text(store, network):
    done = embed(store, network, device="cpu")
    assert (done.done, done.present, done.texts, done.cut, done.exit_code) == (3, 0, 6, 1, 0)
    assert "RANDOM weights (seed 0)" in done.note
    assert any("1 texts are longer than 12 tokens" in line for line in done.lines())
    assert json.dumps(done.to_json())
    encoder = Encoder(network, "cpu")
    for id, texts in CAPTIONS.items():
        record = store[id][network.name]
        assert record.key == network.key == done.key
        assert record.imported
        assert np.abs(record.values - encoder(texts)).max() < 1e-5
        provenance = record.provenance
        assert provenance["recipe"] == network.recipe
        assert provenance["weights"] == {"random": 0}
        assert "RANDOM" in provenance["note"]
        assert provenance["texts"] == {"number": len(texts), "cut": int(id == "v2.mp4")}
    assert verify(store.path).ok


def test_reductions_over_texts(store, network):
    embed(store, network, device="cpu")
    name = network.name
    matrix = store.matrix([name, f"{name}:first"])
    assert matrix.ids == tuple(CAPTIONS)
    for row, id in enumerate(CAPTIONS):
        values = store[id][name].values
        np.testing.assert_allclose(matrix.block(name)[row], values.mean(axis=0), rtol=1e-5, atol=1e-7)
        np.testing.assert_array_equal(matrix.block(f"{name}:first")[row], values[0])
    assert store["v0.mp4"][name].reduce("stack").shape == (3 * tiny_clip.RELEASE.embedding,)


def test_a_second_run_has_nothing_to_do(store, network, monkeypatch):
    embed(store, network, device="cpu")
    before = stamps(store)

    def no_encoder(*arguments, **more):
        raise AssertionError("nothing is to be embedded, so no network is loaded")

    monkeypatch.setattr(module, "Encoder", no_encoder)
    done = embed(store, network, device="cpu")
    assert (done.done, done.present, done.not_started) == (0, 3, 0)
    assert stamps(store) == before


def test_changed_texts_alone_are_embedded_again(store, network):
    embed(store, network, device="cpu")
    before, old = stamps(store), store["v1.mp4"][network.name].values
    write_texts(store.path, Texts({"captions": {**CAPTIONS, "v1.mp4": ("snow", "white")}}))
    fresh = FeatureStore(store.path)
    done = embed(fresh, network, device="cpu")
    assert (done.done, done.present) == (1, 2)
    assert len({name for name, when in stamps(store).items() if before[name] != when}) == 1
    values = fresh["v1.mp4"][network.name].values
    assert values.shape == (2, tiny_clip.RELEASE.embedding)
    assert not np.allclose(values[0], old[0])


def test_measured_features_and_texts_share_a_file(tmp_path, network):
    files = {id: write_clip(tmp_path / id, frames=3, seed=k) for k, id in enumerate(CAPTIONS)}
    dataset = Dataset(name="demo", files=files, texts=Texts({"captions": CAPTIONS}))
    chosen, _ = extractors.select(["contrast"])
    extract(dataset, tmp_path / "s", chosen, workers=0)
    store = FeatureStore(tmp_path / "s")
    embed(store, network, device="cpu")
    assert set(store["v0.mp4"].features) == {"contrast", network.name}
    extract(dataset, tmp_path / "s", extractors.select(["contrast", "brightness"])[0], workers=0)
    write_clip(files["v1.mp4"], frames=5, seed=9)
    extract(dataset, tmp_path / "s", chosen, workers=0)
    assert set(FeatureStore(tmp_path / "s")["v1.mp4"].features) == {"contrast", network.name}
    assert embed(store, network, device="cpu").present == 3
    assert verify(tmp_path / "s").ok


def test_texts_that_are_not_there(store, tmp_path, network):
    with pytest.raises(UsageError, match="it has captions, titles. Did you mean 'captions'"):
        texts_of(store, "caption")
    empty = FeatureStore.create(tmp_path / "empty", dataset="demo")
    with pytest.raises(UsageError, match="it has none at all"):
        embed(empty, network)


def test_other_weights_under_the_same_name_are_refused_unless_forced(store, network, tmp_path):
    import torch

    networks = []
    for seed in (1, 2):
        torch.save(tiny_clip.whole(seed).state_dict(), tmp_path / f"{seed}.pth")
        networks.append(resolve(tiny_clip.NAME, "captions", Choice(file=tmp_path / f"{seed}.pth")))
    assert networks[0].name == networks[1].name
    embed(store, networks[0], device="cpu")
    before = stamps(store)
    with pytest.raises(UsageError, match=r"weights\.sha256: .* → .*--force"):
        embed(store, networks[1], device="cpu")
    assert stamps(store) == before
    assert embed(store, networks[1], device="cpu", force=True).done == 3
    assert {store[id][networks[1].name].key for id in CAPTIONS} == {networks[1].key}
    assert store["v0.mp4"][networks[1].name].provenance["weights"]["file"] == "2.pth"


def test_ctrl_c_keeps_what_is_committed_and_goes_on_later(store, network, monkeypatch):
    commit, calls = module.commit, []

    def interrupted(*arguments, **more):
        done = commit(*arguments, **more)
        calls.append(done)
        if len(calls) == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return done

    monkeypatch.setattr(module, "commit", interrupted)
    done = embed(store, network, device="cpu", batch_size=1)
    assert (done.done, done.not_started, done.interrupted, done.exit_code) == (1, 2, True, 130)
    assert "2 videos are left" in done.lines()[-1]
    assert not (store.path / "attempts").exists()
    assert verify(store.path).ok
    again = embed(store, network, device="cpu", batch_size=1)
    assert (again.done, again.present, again.exit_code) == (2, 1, 0)


def test_a_video_that_fails_is_recorded_and_forgotten_when_it_succeeds(store, network, monkeypatch):
    commit = module.commit

    def broken(root, id, **more):
        if id == "v1.mp4":
            raise StoreError("its file is damaged")
        return commit(root, id, **more)

    with monkeypatch.context() as patch:
        patch.setattr(module, "commit", broken)
        done = embed(store, network, device="cpu")
    assert (done.done, done.failed, done.exit_code) == (2, {"v1.mp4": "its file is damaged"}, 3)
    (failure,) = list_failures(store.path)
    assert (failure.id, failure.type, failure.keys) == ("v1.mp4", "Store", {network.name: network.key})
    assert embed(store, network, device="cpu").exit_code == 0
    assert list_failures(store.path) == []


def test_no_such_device(store, network, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SetupError, match="--device cuda"):
        embed(store, network, device="cuda")
    assert stamps(store) == {}
    with pytest.raises(UsageError, match="at least 1"):
        embed(store, network, batch_size=0)


def test_a_missing_library_is_named(store, network, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(SetupError, match=r"pip install 'memfeat\[deep\]'"):
        embed(store, network)


def test_identity_of_texts_hangs_on_words_order_and_number():
    texts = [("a", "b"), ("b", "a"), ("a",), ("ab",), ("a,b",), ('a","b',)]
    assert len({source_of(each).sha256 for each in texts}) == len(texts)
