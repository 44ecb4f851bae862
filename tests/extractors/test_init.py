"""The contract that every descriptor keeps, whatever it measures."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from clips import write_clip, write_image

from memfeat import extractors
from memfeat.errors import UsageError
from memfeat.extractor import CANVAS
from memfeat.measure import measure_video

ALL = extractors.all_extractors()
FRAMES = 5


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("contract") / "clip.mp4", frames=FRAMES, size=(96, 80), fps=10)


@pytest.fixture(scope="module")
def measured(clip):
    return measure_video(clip, ALL)


def test_the_descriptors_of_the_field_are_there():
    wanted = {
        "contrast", "contrast-v", "brightness", "brightness-hue", "brightness-m3s", "sharpness-fft", "blur-lps",
        "hog", "flow", "h264-size", "remux-size",
    }  # fmt: skip
    assert wanted <= set(extractors.names())
    assert wanted == {extractor.name for extractor in extractors.select()[0]}


@pytest.mark.parametrize("extractor", ALL, ids=lambda e: e.name)
class TestEach:
    def test_describes_itself(self, extractor):
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", extractor.name)
        assert extractor.summary.endswith(".")
        assert extractor.unit
        assert type(extractor).__doc__
        assert extractor.preparation in ("zscore", "pca", "none")

    def test_key_is_stable_and_hangs_on_what_matters(self, extractor):
        assert extractor.key() == type(extractor)().key()
        assert re.fullmatch(r"[0-9a-f]{16}", extractor.key())
        recipe = json.loads(json.dumps(extractor.recipe()))
        assert recipe["version"] == extractor.version
        assert recipe["canvas"] == (CANVAS if extractor.uses_canvas else None)

        class Changed(type(extractor)):
            version = extractor.version + 1

        assert Changed().key() != extractor.key()

    def test_gives_the_arrays_it_promises(self, extractor, measured):
        arrays = measured.features[extractor.name].arrays
        assert set(arrays) == set(extractor.arrays)
        sizes = {"T": FRAMES, "T-1": FRAMES - 1}
        for name, promised in extractor.arrays.items():
            shape = tuple(
                sizes.get(part.strip()) or int(part)
                for part in promised.strip("()").split(",")
                if part.strip()
            )
            assert np.shape(arrays[name]) == shape, name
            assert np.isfinite(arrays[name]).all(), name
        if "times" in arrays:
            assert (np.diff(arrays["times"]) > 0).all()

    def test_measures_alike_alone_and_beside_others(self, extractor, clip, measured):
        alone = measure_video(clip, [extractor]).features[extractor.name]
        for name, array in alone.arrays.items():
            np.testing.assert_array_equal(array, measured.features[extractor.name].arrays[name])

    def test_an_image_is_a_video_of_one_frame(self, extractor, tmp_path):
        record = measure_video(write_image(tmp_path / "still.png"), [extractor]).features[extractor.name]
        if extractor.min_frames > 1:
            assert (record.status, record.arrays) == ("not_applicable", {})
            assert "needs 2 frames, the file has 1" in record.reason
        else:
            assert record.status == "ok"
            assert all(np.isfinite(array).all() for array in record.arrays.values())

    @pytest.mark.parametrize("level", [0, 128, 255])
    def test_constant_frames_have_defined_values(self, extractor, level, tmp_path):
        from PIL import Image

        file = tmp_path / "flat.png"
        Image.new("RGB", (64, 48), (level, level, level)).save(file)
        record = measure_video(file, [extractor]).features[extractor.name]
        assert all(np.isfinite(array).all() for array in record.arrays.values())


def test_all_keys_differ():
    keys = [extractor.key() for extractor in ALL]
    assert len(set(keys)) == len(keys)


def test_names_that_mean_nothing_are_refused():
    with pytest.raises(UsageError, match="no feature 'hgo'. Did you mean 'hog'"):
        extractors.get("hgo")
    with pytest.raises(UsageError, match="No feature was asked for"):
        extractors.select([])


def test_what_cannot_be_computed_is_left_out_or_refused(monkeypatch):
    monkeypatch.setattr(type(extractors.get("h264-size")), "unavailable", lambda self: "no encoder.")
    chosen, left_out = extractors.select()
    assert left_out == {"h264-size": "no encoder."}
    assert "h264-size" not in {extractor.name for extractor in chosen}
    with pytest.raises(UsageError, match="'h264-size' cannot be computed here: no encoder"):
        extractors.select(["h264-size"])
