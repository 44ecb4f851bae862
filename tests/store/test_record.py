from __future__ import annotations

from collections.abc import Callable

import h5py
import numpy as np
import pytest

from memfeat.errors import StoreError, UsageError
from memfeat.store.naming import video_path
from memfeat.store.record import FeatureRecord, read_header, read_marks, read_row, read_source, read_video


def test_a_video_reads_back_bit_for_bit(put: Callable, make, source: Callable) -> None:
    features = {
        record.name: record for record in (make.contrast(), make.hog(), make.flow(), make.size(), make.clip())
    }
    path = put("day 1/ü.mp4", *features.values()).path
    video = read_video(path)
    assert (video.id, video.source, video.path) == ("day 1/ü.mp4", source("day 1/ü.mp4"), path)
    assert video.video["counts"]["decoded"] == 4
    assert list(video) == sorted(features)
    for name, written in features.items():
        found = video[name]
        assert (found.key, found.provenance, found.source) == (written.key, written.provenance, video.source)
        assert found.arrays.keys() == written.arrays.keys()
        for key, array in written.arrays.items():
            assert found.arrays[key].dtype == array.dtype
            np.testing.assert_array_equal(found.arrays[key], array)


def test_the_file_is_what_the_specification_says(put: Callable, make) -> None:
    path = put("a.mp4", make.contrast(), make.clip(), make.size()).path
    with h5py.File(path) as file:
        assert path.read_bytes()[8] == 0  # superblock version 0: read by every HDF5 there is
        assert file.attrs["schema"] == 1 and file.attrs.get_id("schema").dtype == "<i8"
        assert file.attrs["id"] == b"a.mp4"
        assert file["contrast/values"].dtype == "<f8" and file["contrast/times"].dtype == "<f8"
        assert file["clip/values"].dtype == "<f4" and file["clip/values"].shape == (4, 5)
        assert file["remux-size/values"].shape == ()
        for group in file.values():
            assert {"feature_key", "status", "source", "provenance"} == set(group.attrs)
            for name in group.attrs:
                text = h5py.check_string_dtype(group.attrs.get_id(name).dtype)
                assert text.encoding == "utf-8" and text.length == len(group.attrs[name])
            for dataset in group.values():
                assert (
                    dataset.chunks is None
                    and dataset.compression is None
                    and set(dataset.attrs) == {"sha256"}
                )


def test_arrays_are_reached_by_name(put: Callable, make) -> None:
    video = read_video(put("a.mp4", make.contrast(3), make.hog(3), make.flow(3)).path)
    assert video["hog"].mean is video["hog"].arrays["mean"] and video["hog"].first.shape == (6,)
    assert video["contrast"].mean == pytest.approx(video["contrast"].values.mean())
    assert video["contrast"].first == video["contrast"].values[0]
    assert video["flow"].mean == pytest.approx(video["flow"].values.sum() / video["flow"].dt.sum())
    assert len(video["flow"].times) == len(video["flow"].values)
    with pytest.raises(StoreError, match="'hog' stores no 'values'; it stores first, mean"):
        _ = video["hog"].values
    with pytest.raises(UsageError, match=r"'a.mp4' has no feature 'contast'; .* Did you mean 'contrast'\?"):
        video["contast"]
    assert "hog" in video and "clip" not in video and "contrast, flow, hog" in repr(video)
    assert "first (6,)" in repr(video["hog"])


def test_a_feature_that_does_not_apply_says_so(put: Callable, make) -> None:
    record = read_video(put("a.png", make.no_flow()).path)["flow"]
    assert not record.applicable and "not applicable" in repr(record)
    for use in (lambda: record.values, lambda: record.mean):
        with pytest.raises(StoreError, match="not applicable to this video: needs 2 frames"):
            use()


def test_only_what_is_asked_for_is_read(put: Callable, make) -> None:
    path = put("a.mp4", make.contrast(), make.hog()).path
    assert list(read_video(path, only=["hog", "never"])) == ["hog"]
    header = read_header(path)
    assert header.features["hog"].arrays == {} and header.id == "a.mp4"


def test_marks_are_keys_and_sources(put: Callable, make, source: Callable) -> None:
    path = put("a.mp4", make.contrast(), make.no_flow()).path
    marks = read_marks(path)
    assert marks == {"contrast": ("key-contrast", source("a.mp4")), "flow": ("key-flow", source("a.mp4"))}
    assert read_source(path) == source("a.mp4")


@pytest.mark.parametrize("reduction", ["mean", "std", "median", "mean-per-frame"])
def test_a_row_is_the_reduction_of_the_record(put: Callable, make, reduction: str) -> None:
    path = put("a.mp4", make.flow(5)).path
    record, row = read_row(path, "flow", reduction)
    assert record.key == "key-flow"
    np.testing.assert_array_equal(row, read_video(path)["flow"].reduce(reduction))


def test_a_row_of_what_is_not_there_is_none(put: Callable, make) -> None:
    path = put("a.mp4", make.no_flow()).path
    assert read_row(path, "hog", "mean") == (None, None)
    record, row = read_row(path, "flow", "mean")
    assert record.status == "not_applicable" and row is None


@pytest.mark.parametrize("name", ["", ".", "../x", "a/b", "a b", "-x", "hog:mean", "é", "x" * 201])
def test_names_of_features_are_plain(name: str) -> None:
    with pytest.raises(UsageError, match="A feature's name"):
        FeatureRecord(name, "key")


def test_a_key_is_needed() -> None:
    with pytest.raises(UsageError, match="needs a key"):
        FeatureRecord("hog", "")


def test_path_comes_from_the_id(put: Callable, make, store) -> None:
    assert put("x/../y.mp4", make.size()).path == video_path(store.path, "x/../y.mp4")
