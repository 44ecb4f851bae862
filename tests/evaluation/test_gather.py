from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stores import draw, make, name, put

from memfeat.errors import StoreError, UsageError
from memfeat.evaluation.gather import choose_target, damage, gather
from memfeat.store.failures import Failure, write_failure
from memfeat.store.feature_store import FeatureStore


def test_rows_are_aligned_by_id_and_sorted(store: FeatureStore) -> None:
    rows = gather(store, target="score", columns=["light", "grid:first"])
    drawn = draw(60)
    assert rows.ids == tuple(name(k) for k in range(60))
    np.testing.assert_array_equal(rows.y, drawn["score"])
    np.testing.assert_array_equal(rows.X.arrays[0][:, 0], drawn["light"])
    np.testing.assert_array_equal(rows.X.arrays[1], drawn["grid"] + 1)
    assert [a.dtype for a in rows.X.arrays] == [np.float64, np.float32]
    assert [(b.name, b.width, b.key, b.preparation) for b in rows.blocks] == [
        ("light:mean", 1, "light-1", "zscore"),
        ("grid:first", 90, "grid-1", "pca"),
    ]
    assert rows.blocks[0].recipe == {"extractor": "light", "version": 1}
    assert rows.left_out == {}


def test_every_row_left_out_is_named_with_its_reason(tmp_path: Path) -> None:
    score = draw(12)["score"].copy()
    score[[2, 5]] = np.nan
    store = make(
        tmp_path / "s", 12, labels={"score": score}, skip={"light": [3], "grid": [3, 5], "embedding": [3]}
    )
    write_failure(store.path, Failure(name(3), "cpu", "NoFrames", "not one frame decodes"))
    (rows, by_default) = (gather(store, target="score", columns=c) for c in (["light", "grid"], None))
    assert rows.ids == tuple(name(k) for k in (0, 1, 4, 6, 7, 8, 9, 10, 11))
    assert rows.left_out["no score"] == (name(2), name(5))
    assert rows.left_out["NoFrames: not one frame decodes"] == (name(3),)
    assert len(rows.left_out) == 2
    assert by_default.left_out == rows.left_out


def test_a_labelled_video_without_features_is_left_out(tmp_path: Path) -> None:
    store = make(tmp_path / "s", 10, skip={"light": [4]}, features=["light", "grid"])
    rows = gather(store, target="score", columns=["light"])
    assert rows.left_out == {"not extracted: light": (name(4),)}


def test_by_default_all_complete_features_are_used_and_the_others_named(tmp_path: Path) -> None:
    rows = gather(make(tmp_path / "s", 10, skip={"light": [1, 2]}), target="score")
    assert [block.name for block in rows.blocks] == ["embedding:mean", "grid:mean"]
    assert "are used (embedding, grid)" in rows.notes[0]
    assert "light (8 of 10)" in rows.notes[1]


def test_a_feature_of_no_row_is_dropped_and_a_mix_is_refused(tmp_path: Path) -> None:
    store = make(tmp_path / "s", 8, features=["light"])
    for k in range(8):
        put(store, name(k), {"motion": None, "sound": None if k else 1.0})
    rows = gather(store, target="score", columns=["light", "motion"])
    assert [block.name for block in rows.blocks] == ["light:mean"]
    assert "motion:mean is left out: not applicable to any of 8 videos" in rows.notes[0]
    heard = gather(store, target="score", columns=["light", "sound", "motion"])
    assert heard.ids == (name(0),) and [block.name for block in heard.blocks] == ["light:mean", "sound:mean"]
    why = "sound is not applicable: needs 2 frames, the file has 1"
    assert heard.left_out == {why: tuple(name(k) for k in range(1, 8))}
    by_default = gather(store, target="score")
    assert [block.name for block in by_default.blocks] == ["light:mean"]
    assert any("sound (1 of 8)" in note for note in by_default.notes)


def test_features_that_apply_to_no_video_together_leave_no_row(tmp_path: Path) -> None:
    store = make(tmp_path / "s", 8, features=["light"])
    for k in range(8):
        put(store, name(k), {"motion": 1.0 if k % 2 else None, "still": None if k % 2 else 1.0})
    with pytest.raises(
        UsageError, match=r"No row .* motion:mean, still:mean: 4 motion is not .*; 4 still is not"
    ):
        gather(store, target="score", columns=["motion", "still"])


def test_no_feature_for_all_is_an_error_with_counts(tmp_path: Path) -> None:
    store = make(tmp_path / "s", 6, features=["light", "grid"], skip={"light": [0], "grid": [1]})
    with pytest.raises(UsageError, match="No feature is stored for all 6 .*grid 5, light 5"):
        gather(store, target="score")


def test_a_feature_measured_in_two_ways_is_refused(tmp_path: Path) -> None:
    store = make(tmp_path / "s", 6, features=["light"])
    put(store, "clip new.mp4", {"light": 3.0}, keys={"light": "light-2"})
    gather(store, target="score")  # the stranger has no score, so it is not among the rows
    mixed = make(tmp_path / "t", 5, features=["light"], labels={})
    put(mixed, name(0), {"other": 1.0})
    for k in range(5):
        put(mixed, name(k), {"two": 1.0}, keys={"two": f"two-{k % 2}"})
    with pytest.raises(StoreError, match="'two:mean' was measured in 2 ways"):
        gather(mixed, target="score", columns=["two"])


def test_the_target_is_asked_for_when_there_are_several(tmp_path: Path, store: FeatureStore) -> None:
    several = make(tmp_path / "s", 6, features=["light"], labels={"long-term": np.arange(6.0)})
    with pytest.raises(UsageError, match="several targets: score, long-term"):
        choose_target(several, None)
    assert choose_target(several, "long-term") == "long-term"
    assert choose_target(store, None) == "score"
    with pytest.raises(UsageError, match="no target 'scores'; it has score.*Did you mean 'score'"):
        choose_target(store, "scores")


def test_a_store_without_scores_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no scores"):
        choose_target(FeatureStore.create(tmp_path / "s", dataset="bare"), None)


def test_scores_that_match_no_video_are_an_error(tmp_path: Path) -> None:
    store = make(tmp_path / "s", 6, features=["light"])
    empty = FeatureStore.create(tmp_path / "t", dataset="t", labels=store.read_labels())
    put(empty, "other.mp4", {"light": 1.0})
    with pytest.raises(UsageError, match="1 videos, 6 values, none in common"):
        gather(empty, target="score")


def test_splits_and_groups_come_along(tmp_path: Path) -> None:
    score = draw(8)["score"].copy()
    score[6:] = np.nan
    labels = {"score": score, "split": ["train"] * 4 + ["dev"] * 2 + ["test"] * 2, "group": ["a", None] * 4}
    rows = gather(make(tmp_path / "s", 8, features=["light"], labels=labels), target="score")
    assert rows.split == ("train",) * 4 + ("dev",) * 2
    assert rows.group == ("a", None) * 3
    assert rows.unlabelled == ("test", "test")


def test_a_view_restricts_rows(store: FeatureStore) -> None:
    rows = gather(store.filter(ids=[name(5), name(3)]), target="score", columns=["light"])
    assert rows.ids == (name(3), name(5))
    assert rows.left_out == {}


def test_damage_is_told_of_the_rows_asked_for(tmp_path: Path) -> None:
    store = make(tmp_path / "s", 3, features=["light"])
    for k in (7, 8):
        put(store, name(k), {"light": 1.0}, damaged=True)
    assert list(damage(store, [name(0), name(8)])) == [name(8)]
    assert "70 frames decoded" in damage(store, [name(8)])[name(8)]
