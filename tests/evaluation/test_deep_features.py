"""A run on features of networks predicts files as it would from a store."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from clips import write_clip, write_empty, write_image
from tiny_networks import TinyClips, TinyImages, register

from memfeat import extractors
from memfeat.dataset import Dataset, scan
from memfeat.errors import UsageError
from memfeat.evaluation.deep_features import networks_of
from memfeat.evaluation.fit import fit
from memfeat.evaluation.predict import predict
from memfeat.evaluation.run import Run
from memfeat.extraction.deep.run import extract_deep
from memfeat.extraction.run import extract
from memfeat.network_extractor import Settings
from memfeat.store.feature_store import FeatureStore
from memfeat.store.labels import Labels
from memfeat.weights.choice import Choice

torch = pytest.importorskip("torch", reason="needs the extra deep")

FEATURES = ["tiny-images-random3", "contrast", "tiny-clips-windows2-random3"]


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    register(monkeypatch)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    for k in range(12):
        write_clip(folder / f"c{k:02}.mp4", frames=3 + k % 4, seed=k)
    return folder


@pytest.fixture(scope="module")
def store(folder, tmp_path_factory) -> FeatureStore:
    files = scan(folder).files
    scores = pd.DataFrame(
        {"score": np.linspace(0.5, 0.9, len(files))}, index=pd.Index(list(files), name="id")
    )
    dataset = Dataset("clips", files, labels=Labels(scores, note="scores are made up"))
    place = tmp_path_factory.mktemp("stores") / "clips"
    extract(dataset, place, extractors.select(["contrast"])[0], workers=0)
    networks = [TinyImages(), TinyClips("windows2")]
    extract_deep(
        dataset, place, networks, settings=Settings(choice=Choice(seed=3)), device="cpu", batch_size=5
    )
    return FeatureStore(place)


@pytest.fixture
def run(store, tmp_path) -> Run:
    return fit(store, columns=FEATURES, folds=3, out=tmp_path / "run", resamples=0)


def test_files_are_scored_as_their_stored_features_are(run, store, folder):
    files = sorted(folder.glob("*.mp4"))
    found = predict(run, files, device="cpu")
    matrix = store.matrix([block.name for block in run.info.columns])
    np.testing.assert_allclose(found.table["predicted"], run.model.predict(matrix.to_numpy()), rtol=1e-5)
    assert found.table["file"].tolist() == [str(file) for file in files]
    assert found.failures == ()


def test_random_weights_are_said_with_every_figure_and_prediction(run, folder):
    for name in ("tiny-images-random3", "tiny-clips-windows2-random3"):
        assert f"{name}: RANDOM weights (seed 3)" in run.info.note
    assert "scores are made up" in run.info.note
    assert predict(run, folder / "c00.mp4", device="cpu").note == run.info.note


def test_what_cannot_be_measured_is_a_failure(run, folder, tmp_path):
    files = [write_empty(tmp_path / "e.mp4"), folder / "c01.mp4", write_image(tmp_path / "one.png")]
    found = predict(run, files, device="cpu")
    assert found.table["file"].tolist() == [str(folder / "c01.mp4")]
    assert {Path(failure.file).name: failure.type for failure in found.failures} == {
        "e.mp4": "EmptyFile",
        "one.png": "NotApplicable",
    }


def test_networks_alone_need_no_descriptor(store, folder, tmp_path):
    run = fit(store, columns=FEATURES[:1], folds=3, out=tmp_path / "alone", resamples=0)
    found = predict(run, sorted(folder.glob("*.mp4")), device="cpu")
    matrix = store.matrix([block.name for block in run.info.columns])
    np.testing.assert_allclose(found.table["predicted"], run.model.predict(matrix.to_numpy()), rtol=1e-5)


def test_a_network_that_has_changed_is_refused(run, folder, monkeypatch):
    monkeypatch.setattr(TinyImages, "version", 2)
    with pytest.raises(UsageError, match="version: the model has 1, here 2"):
        predict(run, folder / "c00.mp4", device="cpu")


def test_weights_given_by_hand_are_asked_for_again(run, tmp_path):
    from safetensors.torch import save_file

    save_file(TinyImages().build().state_dict(), tmp_path / "own.safetensors")
    save_file(TinyImages().build().state_dict(), tmp_path / "other.safetensors")
    own = Settings(choice=Choice(file=tmp_path / "own.safetensors"))
    from memfeat.extraction.deep.wanted import resolve

    (wanted,) = resolve([TinyImages()], own)
    block = replace(run.info.columns[0], feature="tiny-images", recipe=wanted.recipe, key=wanted.key)
    (found,) = networks_of([block], weights=tmp_path / "own.safetensors")
    assert (found.key, found.digest) == (wanted.key, wanted.digest)
    with pytest.raises(UsageError, match="Give the file that it was computed with .--weights FILE"):
        networks_of([block], weights=tmp_path / "other.safetensors")
