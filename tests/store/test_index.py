from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from memfeat.errors import SetupError
from memfeat.store import index as module
from memfeat.store.index import FeatureCount, damage_of, load_index, scan
from memfeat.store.naming import video_path

IDS = ("B/one.mp4", "a.mp4", "b/one.mp4", "c d.mp4", "é.webm")


def test_ids_are_sorted_and_point_to_their_files(filled) -> None:
    index = load_index(filled.path)
    assert index.ids == IDS and index.rows["c d.mp4"] == 3
    assert [index.path(filled.path, row) for row in range(5)] == [video_path(filled.path, id) for id in IDS]


def test_an_unchanged_store_is_listed_without_opening_a_file(filled, opened: list[str]) -> None:
    first = load_index(filled.path)
    assert len(opened) == 5
    second = load_index(filled.path)
    assert len(opened) == 5 and second.ids == first.ids and second.profiles == first.profiles
    np.testing.assert_array_equal(second.stats, first.stats)


def test_only_what_changed_is_opened(filled, put: Callable, make, opened: list[str]) -> None:
    load_index(filled.path)
    put("a.mp4", make.contrast(9))
    put("new.mp4", make.size())
    video_path(filled.path, "é.webm").unlink()
    opened.clear()
    index = load_index(filled.path)
    assert sorted(opened) == sorted(video_path(filled.path, id).name for id in ("a.mp4", "new.mp4"))
    assert index.ids == ("B/one.mp4", "a.mp4", "b/one.mp4", "c d.mp4", "new.mp4")


def test_a_change_of_time_alone_is_noticed(filled, opened: list[str]) -> None:
    load_index(filled.path)
    os.utime(video_path(filled.path, "a.mp4"), ns=(1, 1))
    opened.clear()
    load_index(filled.path)
    assert opened == [video_path(filled.path, "a.mp4").name]


def test_states_and_counts(filled, put: Callable, make) -> None:
    put("image.png", make.no_flow(), make.hog())
    put("other.mp4", make.flow(key="other"))
    index = load_index(filled.path)
    assert index.features() == ["clip", "contrast", "flow", "hog", "remux-size"]
    flow = dict(zip(index.ids, index.states("flow"), strict=True))
    assert flow["image.png"].status == "not_applicable" and "needs 2" in flow["image.png"].reason
    assert index.states("clip")[index.rows["other.mp4"]] is None
    assert (
        FeatureCount("flow", "key-flow", 5, 1) in index.counts()
        and FeatureCount("flow", "other", 1, 0) in index.counts()
    )
    assert index.counts([index.rows["image.png"]]) == [
        FeatureCount("flow", "key-flow", 0, 1),
        FeatureCount("hog", "key-hog", 1, 0),
    ]
    assert len(index.profiles) == 3


def test_unreadable_files_and_twins_are_named_and_the_rest_goes_on(filled) -> None:
    damaged, twin = video_path(filled.path, "a.mp4"), video_path(filled.path, "c d.mp4")
    damaged.write_bytes(b"damage")
    twin.with_name("copy.h5").write_bytes(twin.read_bytes())
    for _ in range(2):
        index = load_index(filled.path)
        assert index.ids == ("B/one.mp4", "b/one.mp4", "c d.mp4", "é.webm")
        assert sorted(index.unreadable) == sorted(
            [
                damaged.relative_to(filled.path).as_posix(),
                max(f"videos/{twin.parent.name}/copy.h5", twin.relative_to(filled.path).as_posix()),
            ]
        )


def test_damage_in_decoding_is_remembered(store, put: Callable, make) -> None:
    put(
        "cut.mp4",
        make.size(),
        video={"counts": {"decoded": 70, "corrupt": 3, "bad_packets": 1, "damaged": True}},
    )
    put("fine.mp4", make.size())
    for _ in range(2):
        assert load_index(store.path).damaged == {"cut.mp4": "70 frames decoded, 3 corrupt, 1 bad packets"}
    assert (
        damage_of({"counts": {"damaged": True}}) == "damaged"
        and damage_of({}) == damage_of({"counts": 3}) == ""
    )


@pytest.mark.parametrize("junk", [b"", b"PK\x03\x04junk", None])
def test_a_broken_cache_is_made_anew(filled, junk: bytes | None) -> None:
    before = load_index(filled.path)
    path = filled.path / "matrices" / "index.npz"
    if junk is None:
        np.savez(
            path, format=np.int64(module.FORMAT), names=np.zeros(3), stats=np.zeros(2), ids=np.zeros(1, "u1")
        )
    else:
        path.write_bytes(junk)
    assert load_index(filled.path).ids == before.ids
    assert load_index(filled.path).ids == before.ids


def test_a_cache_of_another_format_is_made_anew(
    filled, monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    load_index(filled.path)
    opened.clear()
    monkeypatch.setattr(module, "FORMAT", module.FORMAT + 1)
    load_index(filled.path)
    assert len(opened) == 5


def test_a_store_that_cannot_be_written_is_listed_all_the_same(filled) -> None:
    (filled.path / "matrices").touch()  # no folder can be made there
    assert load_index(filled.path).ids == IDS
    assert load_index(filled.path, cache=False).ids == IDS


def test_other_files_are_passed_over(filled, tmp_path: Path) -> None:
    shard = video_path(filled.path, "a.mp4").parent
    (shard / ".a.h5.1-ff.tmp").touch()
    (shard / ".hidden.h5").touch()
    (shard / "readme.txt").touch()
    (filled.path / "videos" / "stray.h5").touch()
    assert len(scan(filled.path).names) == 5
    assert len(scan(tmp_path / "none").names) == 0 and load_index(tmp_path / "none", cache=False).ids == ()


def test_an_empty_store_has_an_empty_index(store) -> None:
    for _ in range(2):
        index = load_index(store.path)
        assert index.ids == () and index.features() == [] and index.counts() == []


def test_two_features_with_different_reasons_share_nothing(store, put: Callable, make) -> None:
    path = put("a.png", make.no_flow()).path
    with h5py.File(path, "a") as file:
        file["flow"].attrs.create("reason", np.bytes_("another reason"), dtype=h5py.string_dtype("utf-8", 14))
    put("b.png", make.no_flow())
    assert {state.reason for state in load_index(store.path).states("flow")} == {
        "another reason",
        "needs 2 frames, the file has 1",
    }


def test_a_folder_that_cannot_be_listed_is_said(store) -> None:
    shutil.rmtree(store.path / "videos", ignore_errors=True)
    (store.path / "videos").symlink_to("videos")
    with pytest.raises(SetupError, match="cannot be listed"):
        scan(store.path)
