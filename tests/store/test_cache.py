from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from memfeat.errors import StoreError, UsageError
from memfeat.store import cache as module
from memfeat.store.cache import ChangedError, load_column
from memfeat.store.index import load_index
from memfeat.store.naming import video_path
from memfeat.store.record import FeatureRecord, read_video


def column(store, feature: str = "clip", reduction: str = "mean", **options: object) -> module.ColumnData:
    return load_column(store.path, load_index(store.path), feature, reduction, **options)


def by_hand(store, feature: str, reduction: str) -> np.ndarray:
    return np.stack([read_video(video_path(store.path, id))[feature].reduce(reduction) for id in store.ids])


def arrays(store) -> list[Path]:
    return sorted((store.path / "matrices").glob("*.npy"))


@pytest.mark.parametrize(
    ("feature", "reduction"),
    [
        ("clip", "mean"),
        ("clip", "std"),
        ("hog", "first"),
        ("contrast", "median"),
        ("flow", "mean"),
        ("flow", "mean-per-frame"),
        ("remux-size", "mean"),
    ],
)
def test_cached_values_are_those_of_the_files_bit_for_bit(filled, feature: str, reduction: str) -> None:
    expected = by_hand(filled, feature, reduction)
    for found in (
        column(filled, feature, reduction),
        column(filled, feature, reduction),
        column(filled, feature, reduction, cache=False),
    ):
        assert found.values.dtype == expected.dtype and found.unreadable == {}
        np.testing.assert_array_equal(found.values, expected)


def test_the_second_time_no_file_is_opened_and_the_array_is_mapped(filled, opened: list[str]) -> None:
    column(filled)
    opened.clear()
    found = column(filled)
    assert opened == [] and isinstance(found.values, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        found.values[0] = 1


def test_one_changed_file_rereads_one_row(filled, put: Callable, make, opened: list[str]) -> None:
    column(filled)
    before = column(filled).values
    kept = before.copy()
    put("c d.mp4", make.clip(99))
    load_index(filled.path)
    opened.clear()
    after = column(filled)
    assert opened == [video_path(filled.path, "c d.mp4").name]
    np.testing.assert_array_equal(after.values, by_hand(filled, "clip", "mean"))
    assert (after.values != kept).any(axis=1).tolist() == [False, False, False, True, False]
    np.testing.assert_array_equal(before, kept)  # a reader that has the old array keeps it
    assert len(arrays(filled)) == 1


def test_added_and_removed_files_shift_rows(filled, put: Callable, make, opened: list[str]) -> None:
    column(filled)
    put("A first.mp4", make.clip(50))
    video_path(filled.path, "b/one.mp4").unlink()
    load_index(filled.path)
    opened.clear()
    found = column(filled)
    assert opened == [video_path(filled.path, "A first.mp4").name]
    np.testing.assert_array_equal(found.values, by_hand(filled, "clip", "mean"))


def test_videos_without_the_feature_are_nan(filled, put: Callable, make) -> None:
    put("zz.mp4", make.contrast())
    put("0.png", make.no_flow())
    for _ in range(2):
        found = column(filled, "flow")
        assert np.isnan(found.values[:, 0]).tolist() == [True, *[False] * 4, True, False]
        assert found.unreadable == {}


def test_columns_are_apart(filled) -> None:
    column(filled, "clip", "mean"), column(filled, "clip", "std"), column(filled, "hog", "mean")
    assert len(arrays(filled)) == 3


@pytest.mark.parametrize(
    "damage", ["manifest", "array gone", "array cut", "array of objects", "other shape", "elsewhere"]
)
def test_a_broken_cache_is_made_anew(filled, damage: str, tmp_path: Path) -> None:
    expected = column(filled).values.copy()
    array = arrays(filled)[0]
    manifest = next((filled.path / "matrices").glob("clip*.npz"))
    if damage == "manifest":
        manifest.write_bytes(b"junk")
    elif damage == "array gone":
        array.unlink()
    elif damage == "array cut":
        array.write_bytes(array.read_bytes()[:-8])
    elif damage == "array of objects":
        np.save(array, np.array([object()] * 5), allow_pickle=True)
    elif damage == "other shape":
        np.save(array, np.zeros((4, 5)))
    else:
        np.save(tmp_path / "foreign.npy", np.zeros((5, 5), "f4"))
        content = dict(np.load(manifest)) | {"array": np.bytes_(str(tmp_path / "foreign.npy"))}
        np.savez(manifest, **content)
    np.testing.assert_array_equal(column(filled).values, expected)
    np.testing.assert_array_equal(column(filled).values, expected)


def test_without_a_writable_place_values_come_from_memory(filled) -> None:
    (filled.path / "matrices").touch()
    np.testing.assert_array_equal(column(filled).values, by_hand(filled, "clip", "mean"))


def test_a_full_disk_falls_back_to_memory(filled, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = by_hand(filled, "clip", "mean")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array_header_1_0", full)
    found = column(filled)
    assert not isinstance(found.values, np.memmap)
    np.testing.assert_array_equal(found.values, expected)
    assert arrays(filled) == []


def test_many_chunks_make_one_array(filled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHUNK_BYTES", 41)
    np.testing.assert_array_equal(column(filled).values, by_hand(filled, "clip", "mean"))


def test_a_row_that_cannot_be_read_is_named_and_tried_again(filled, put: Callable, make) -> None:
    path = video_path(filled.path, "a.mp4")
    data = path.read_bytes()
    with h5py.File(path, "a") as file:
        del file["clip/values"]
        file["clip/values"] = np.full((2, 5), np.nan, "f4")
    for _ in range(2):
        found = column(filled)
        assert list(found.unreadable) == [1] and "not finite" in found.unreadable[1]
    path.write_bytes(data)
    found = column(filled)
    assert found.unreadable == {}
    np.testing.assert_array_equal(found.values, by_hand(filled, "clip", "mean"))


def test_rows_of_different_width_are_an_error(filled, put: Callable, make) -> None:
    column(filled)
    put("a.mp4", make.clip(width=7))
    with pytest.raises(StoreError, match=r"'a\.mp4' has 7 numbers \(float32\) as clip:mean, other videos 5"):
        column(filled)


def test_stacked_steps_need_videos_of_equal_length(filled, put: Callable, make) -> None:
    np.testing.assert_array_equal(
        column(filled, "clip", "stack").values[0],
        read_video(video_path(filled.path, filled.ids[0]))["clip"].arrays["values"].ravel(),
    )
    put(filled.ids[1], make.clip(1, frames=3))
    for cache in (True, False):
        with pytest.raises(UsageError, match=rf"{filled.ids[1]!r} gives 15 numbers, .* 20\. Use clip:mean"):
            column(filled, "clip", "stack", cache=cache)


def test_frames_are_filled_up_to_the_longest_video(filled, put: Callable, make) -> None:
    put(filled.ids[1], make.clip(1, frames=7))
    put("zz.mp4", make.contrast())
    expected = np.full((len(filled.ids), 35), np.nan, np.float32)
    for row, id in enumerate(filled.ids):
        if id != "zz.mp4":
            values = read_video(video_path(filled.path, id))["clip"].arrays["values"]
            expected[row, : values.size] = values.ravel()
    for cache in (True, True, False):
        found = column(filled, "clip", "frames", cache=cache)
        assert found.values.dtype == np.float32 and found.unreadable == {}
        np.testing.assert_array_equal(found.values, expected)
    assert column(filled, "clip", "per-second").values.shape == (
        6,
        5,
    )  # a quarter of a second: one frame each
    put(filled.ids[1], make.clip(1, frames=5))
    assert column(filled, "clip", "frames").values.shape == (6, 25)


def test_frames_of_another_width_are_an_error(filled, put: Callable, make) -> None:
    put("b/one.mp4", make.clip(width=7))
    with pytest.raises(StoreError, match=r"7 numbers \(float32\) per frame as clip:frames, .* 5 "):
        column(filled, "clip", "frames")


def test_frames_that_cannot_be_read_are_named(filled) -> None:
    with h5py.File(video_path(filled.path, "a.mp4"), "a") as file:
        file["clip/values"][0] = np.nan
    found = column(filled, "clip", "frames")
    assert list(found.unreadable) == [1] and np.isnan(found.values[1]).all()
    for id in set(filled.ids) - {"a.mp4"}:
        with h5py.File(video_path(filled.path, id), "a") as file:
            file["clip/values"][0] = np.nan
    with pytest.raises(StoreError, match=r"Not one file of .* gives clip:frames: .*not finite"):
        column(filled, "clip", "frames")


def test_a_feature_extracted_anew_everywhere_may_change_its_width(filled, put: Callable, make) -> None:
    put("only.mp4", make.size())  # this row stays, and it has no width
    assert column(filled).values.shape == (6, 5)
    for number, id in enumerate(set(filled.ids) - {"only.mp4"}):
        put(id, make.clip(number, width=3))
    assert column(filled).values.shape == (6, 3)


def test_unknown_reduction_is_the_users_error_and_leaves_nothing(filled) -> None:
    with pytest.raises(UsageError, match="'hog' has no reduction 'std'"):
        column(filled, "hog", "std")
    assert arrays(filled) == [] and list((filled.path / "matrices").glob(".*.tmp")) == []


def test_a_change_between_listing_and_reading_is_noticed(filled, put: Callable, make) -> None:
    index = load_index(filled.path)
    put("a.mp4", replace(make.clip(3), key="another"), replace=True)
    with pytest.raises(ChangedError):
        load_column(filled.path, index, "clip", "mean")


def test_if_no_row_can_be_read_the_reason_is_given(store, put: Callable) -> None:
    path = put("a.mp4", FeatureRecord("clip", "k", {"mean": np.ones(3)})).path
    with h5py.File(path, "a") as file:
        del file["clip/mean"]
        file["clip/mean"] = np.full(3, np.inf, "f4")
    with pytest.raises(StoreError, match=r"Not one file of .* gives clip:mean: .*not finite"):
        column(store)


def test_processes_build_the_same_column_at_once(filled) -> None:
    code = (
        "import sys; from pathlib import Path; from memfeat.store.matrix import load_matrix; "
        "print(load_matrix(Path(sys.argv[1]), ['clip', 'hog']).to_numpy().sum())"
    )
    command = [sys.executable, "-c", code, str(filled.path)]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    outputs = {run.communicate(timeout=60)[0] for run in runs}
    assert len(outputs) == 1 and all(run.returncode == 0 for run in runs)
    assert len(arrays(filled)) == 2
