"""Flow in batches: through the engine it is what the descriptor `flow` is, pair by pair, on the same clock."""

from __future__ import annotations

import families
import numpy as np
import pytest
from clips import write_clip, write_image
from tiny_networks import TinyImages

from memfeat import extractors
from memfeat.dataset import Dataset, scan
from memfeat.evaluation.deep_features import measure_networks, networks_of
from memfeat.evaluation.pipeline import Block
from memfeat.extractors.flow_torch import FAMILY, FlowTorch
from memfeat.measure import measure_video
from memfeat.network_extractor import Settings
from memfeat.store.feature_store import FeatureStore
from memfeat.store.verify import verify
from memfeat.video import open_video
from memfeat.weights.choice import Choice

RANDOM = Settings(choice=Choice(seed=3), precision="bf16")


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    pytest.importorskip("torch", reason="needs the extra deep")
    folder = tmp_path_factory.mktemp("videos")
    for number in range(3):
        write_clip(folder / f"v{number}.mp4", frames=3 + number, seed=number, options={"crf": "10"})
    write_image(folder / "still.png")
    return folder


@pytest.fixture(scope="module")
def store(videos):
    """Flow and a network, in one run."""
    from memfeat.extraction.deep.run import extract_deep

    place = videos.parent / "store"
    dataset = Dataset("mine", scan(videos).files)
    networks = [FlowTorch(), TinyImages()]
    summary = extract_deep(dataset, place, networks, settings=RANDOM, device="cpu", compile=False)
    assert (summary.done, summary.failed) == (4, 0)
    return FeatureStore(place)


def test_the_family():
    families.listed(FAMILY)
    assert extractors.get_network("flow-torch").row == "pair"
    assert not extractors.is_network("flow-torch-fml")


def test_a_frame_becomes_the_grey_canvas_of_descriptors(videos):
    for frame in open_video(videos / "v0.mp4"):
        np.testing.assert_array_equal(FlowTorch().prepare(frame.rgb), frame.gray[None])


def test_it_is_the_flow_of_the_descriptor(store, videos):
    for number in range(3):
        record = store[f"v{number}.mp4"]["flow-torch"]
        reference = measure_video(videos / f"v{number}.mp4", [extractors.get("flow")]).features["flow"]
        values = record.array("values")
        assert (values.shape, values.dtype) == ((2 + number,), np.float64)
        assert values.min() > 0.1
        np.testing.assert_allclose(values, reference.arrays["values"], rtol=1e-2)
        np.testing.assert_array_equal(record.array("times"), reference.arrays["times"])
        np.testing.assert_array_equal(record.array("dt"), reference.arrays["dt"])
        expected = np.average(values / record.array("dt"), weights=record.array("dt"))
        assert record.reduce("mean") == pytest.approx(expected)


def test_a_still_image_has_none(store):
    record = store["still.png"]["flow-torch"]
    assert (record.applicable, record.reason) == (False, "needs 2 frames, the file has 1")


def test_how_it_was_solved_is_recorded_and_no_word_of_weights(store):
    told = store["v0.mp4"]["flow-torch"].provenance
    assert (told["weights"], told["recipe"]["precision"]) == ({}, "float32")
    assert told["recipe"]["parameters"]["epsilon"] == 0.01
    assert told["run"]["solver"]["backend"] == "torch"
    assert "note" not in told
    assert "RANDOM" in store["v0.mp4"]["tiny-images-random3"].provenance["note"]
    assert verify(store.path).ok


def test_a_run_with_other_networks_is_the_same_run_for_flow(store, videos):
    from memfeat.extraction.deep.run import extract_deep

    dataset = Dataset("mine", scan(videos).files)
    assert extract_deep(dataset, store.path, [FlowTorch()], device="cpu").present == 4


def test_new_files_are_measured_as_the_store_was(store, videos):
    recipe = store["v2.mp4"]["flow-torch"].provenance["recipe"]
    block = Block("flow-torch:mean", "flow-torch", "mean", 1, "key", "zscore", recipe)
    found = measure_networks(
        [videos / "v2.mp4"], networks_of([block]), [("flow-torch", "mean")], device="cpu"
    )
    rows = found[videos / "v2.mp4"].rows
    assert rows["flow-torch", "mean"] == store["v2.mp4"]["flow-torch"].reduce("mean")
