from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from stores import make, name, put

from memfeat.errors import UsageError
from memfeat.evaluation.assemble import cells
from memfeat.evaluation.gather import Rows, gather
from memfeat.evaluation.planning import check_missing, check_target, flat_columns, plan_rows
from memfeat.evaluation.preparation import Blocks
from memfeat.evaluation.split_file import to_table
from memfeat.store.feature_store import FeatureStore
from memfeat.store.naming import video_path
from memfeat.store.texts import Texts, write_texts


@pytest.fixture(scope="module")
def rows(store: FeatureStore) -> Rows:
    return gather(store, target="score", columns=["light"])


def test_there_must_be_something_to_learn(rows: Rows) -> None:
    check_target(rows)
    few = replace(rows, ids=rows.ids[:5], y=rows.y[:5], left_out={"no score": ("a", "b")})
    with pytest.raises(UsageError, match=r"5 rows .* at least 6 are needed \(2 left out: no score\)"):
        check_target(few)
    with pytest.raises(UsageError, match="is 0.5 for all 60 rows"):
        check_target(replace(rows, y=np.full(60, 0.5)))


def test_videos_that_lack_something_are_refused_by_name(tmp_path: Path) -> None:
    holes = make(
        tmp_path / "s", 20, features=["light", "grid"], skip={"light": [*range(7), 19], "grid": [19]}
    )
    held = gather(holes, target="score", columns=["light"])
    assert len(held.left_out["not extracted: light"]) == 8
    with pytest.raises(
        UsageError, match=r"7 videos of made lack .*'clip 000.mp4' .*'clip 004.mp4' .* and 2 more"
    ):
        check_missing(holes, held, "error")  # of video 19 the store has nothing at all
    check_missing(holes, held, "drop")
    with pytest.raises(UsageError, match="missing='dorp'; give error or drop. Did you mean 'drop'"):
        check_missing(holes, held, "dorp")


def test_texts_that_are_not_there_are_missing_too(tmp_path: Path) -> None:
    store = make(tmp_path / "s", 10, features=["light"])
    ids = [name(k) for k in range(10)]
    write_texts(
        store.path,
        Texts({"captions": {i: ["a dog"] for i in ids[2:]}, "titles": {i: ["x"] for i in ids[:9]}}),
    )
    store = FeatureStore(store.path)
    check_missing(store, gather(store, target="score", columns=["light"]), "error")
    for columns, words in (
        (["light", "captions"], r"2 videos .*'clip 000.mp4' \(no captions\), 'clip 001.mp4'"),
        (["captions", "titles"], r"3 videos .*clip 009.mp4' \(no titles\)"),
    ):
        with pytest.raises(UsageError, match=words):
            check_missing(store, gather(store, target="score", columns=columns), "error")


def test_videos_to_which_a_feature_does_not_apply_are_refused_with_the_remedy(tmp_path: Path) -> None:
    store = make(tmp_path / "s", 10, features=["light"])
    for k in range(10):
        put(store, name(k), {"motion": None if k == 3 else float(k)})
    held = gather(store, target="score", columns=["light", "motion"])
    with pytest.raises(
        UsageError,
        match=r"^1 video of made lacks .*'clip 003.mp4' \(motion is not applicable: .*='drop' \(--missing drop\)",
    ):
        check_missing(store, held, "error")
    check_missing(store, held, "drop")


def test_values_that_are_no_numbers_are_missing(tmp_path: Path) -> None:
    store = make(tmp_path / "s", 10, features=["light"])
    for k, value in ((2, np.nan), (5, np.inf)):
        with h5py.File(video_path(store.path, name(k)), "a") as file:
            file["light/values"][...] = value
    held = gather(store, target="score", columns=["light"])
    assert held.left_out == {"a feature value is not finite": (name(2), name(5))}
    with pytest.raises(UsageError, match=r"2 videos .*'clip 002.mp4' \(a feature value is not finite\)"):
        check_missing(store, held, "error")


def test_columns_that_say_nothing_are_named(rows: Rows) -> None:
    n = len(rows.ids)
    assert flat_columns(rows) == ()

    def of(array: np.ndarray) -> Rows:
        return replace(rows, X=Blocks([array]))

    flat = f"equal for all {n} rows, which tells the model nothing: light:mean"
    assert flat_columns(of(np.full((n, 3), 7.0))) == (flat,)
    late = np.full((n, 3), 7.0)
    late[-1, 2] = 8
    assert flat_columns(of(late)) == ()
    frames = np.full((n, 4), 7.0)
    frames[3, 2:] = np.nan
    assert flat_columns(of(frames)) == (flat,)
    assert flat_columns(replace(rows, X=Blocks([Blocks([np.ones((n, 1)), late])]))) == (flat,)
    assert flat_columns(of(cells({}, rows.ids))) == (flat,)
    assert flat_columns(of(cells({rows.ids[0]: ["a"]}, rows.ids))) == ()


def test_groups_of_the_rows_stay_whole(rows: Rows) -> None:
    group = tuple("abcdef"[k % 6] for k in range(60))
    made = plan_rows(replace(rows, group=group), folds=3, group_by="titles")
    assert made.name == "3-fold by titles"
    for part in made.parts:
        assert not {group[k] for k in part.fit} & {group[k] for k in part.judged}


def test_a_table_of_a_split_is_repeated_exactly(rows: Rows, tmp_path: Path) -> None:
    made = plan_rows(rows, folds=4, seed=7)
    to_table(rows.ids, made).to_csv(tmp_path / "splits.csv", index=False)
    again = plan_rows(rows, split_file=tmp_path / "splits.csv")
    for one, other in zip(made.parts, again.parts, strict=True):
        np.testing.assert_array_equal(one.judged, other.judged)
    with pytest.raises(UsageError, match="a split file fixes them"):
        plan_rows(rows, split_file=tmp_path / "splits.csv", repeats=2)
