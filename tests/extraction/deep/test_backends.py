"""A decoder is chosen by name, and never another in its place."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import numpy as np
import pytest
from clips import write_clip
from tiny_networks import TinyImages

from memfeat.dataset import Dataset, scan
from memfeat.errors import SetupError, UsageError
from memfeat.extraction.deep.backends import opener
from memfeat.network_extractor import Settings
from memfeat.store.failures import list_failures
from memfeat.store.feature_store import FeatureStore
from memfeat.video import open_video
from memfeat.weights.choice import Choice


def test_pyav_is_what_opens_everything_else():
    assert opener("pyav") is open_video


def test_a_gpu_decodes_for_the_networks_on_it(monkeypatch):
    from memfeat.video import torchcodec

    monkeypatch.setattr(torchcodec, "opener_on", lambda device: device)
    assert opener("torchcodec-cuda", "cuda:1") == "cuda:1"
    assert opener("torchcodec-cuda", "cpu") == opener("torchcodec-cuda") == "cuda"
    assert opener("torchcodec", "cuda:1") == "cpu"


def test_torchcodec_that_is_absent_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", None)
    for name in ("torchcodec", "torchcodec-cuda"):
        with pytest.raises(SetupError, match="pip install torchcodec. Or use --decoder pyav"):
            opener(name)


@pytest.fixture
def run(tmp_path):
    """Compute a small network's features of the folder ``videos`` into a store, with the decoder of that name."""
    pytest.importorskip("torch", reason="needs the extra deep")
    from memfeat.extraction.deep.run import extract_deep

    def compute(store, decoder, **options):
        dataset = Dataset("mine", scan(tmp_path / "videos").files)
        settings = Settings(choice=Choice(seed=3), decoder=decoder)
        network = TinyImages("fml")
        return extract_deep(dataset, tmp_path / store, [network], settings=settings, device="cpu", **options)

    (tmp_path / "videos").mkdir()
    for number in range(4):
        write_clip(tmp_path / "videos" / f"v{number}.mp4", frames=4 + number, seed=number)
    return compute


def test_a_store_with_torchcodec_is_that_of_pyav_under_another_key(run, tmp_path):
    if find_spec("torchcodec") is None:
        pytest.skip("torchcodec is an option beside all extras")
    try:
        opener("torchcodec")
    except SetupError as error:
        pytest.skip(str(error))
    assert (run("a", "pyav").done, run("b", "torchcodec", decode_threads=3).done) == (4, 4)
    told = FeatureStore(tmp_path / "b")["v0.mp4"]["tiny-images-fml-random3"].provenance["run"]
    assert told["torchcodec"]
    assert told["ffmpeg"] >= 4
    ours, theirs = FeatureStore(tmp_path / "a"), FeatureStore(tmp_path / "b")
    for video in ours:
        one, two = ours[video]["tiny-images-fml-random3"], theirs[video]["tiny-images-fml-random3"]
        np.testing.assert_array_equal(one.times, two.times)
        np.testing.assert_allclose(one.values, two.values, atol=1e-3)
        assert two.provenance["recipe"] == one.provenance["recipe"] | {"decoder": "torchcodec"}
        assert one.key != two.key

    write_clip(tmp_path / "videos" / "new.mp4", frames=5)
    with pytest.raises(UsageError, match="They differ in decoder: 'torchcodec' → 'pyav'. Use --force"):
        run("b", "pyav")
    assert "new.mp4" not in FeatureStore(tmp_path / "b")

    write_clip(tmp_path / "videos" / "turned.mp4", rotation=90)
    assert (run("b", "torchcodec").done, run("b", "torchcodec").failed_before) == (1, 1)
    (failure,) = list_failures(tmp_path / "b")
    assert (failure.id, failure.type) == ("turned.mp4", "Unreadable")
