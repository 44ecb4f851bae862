"""Fits by named splits, repeats, groups of texts and tables of ids."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold
from stores import make, name

from memfeat.errors import UsageError
from memfeat.evaluation.evaluate import FITTED, evaluate
from memfeat.evaluation.fit import fit
from memfeat.evaluation.run import Run
from memfeat.metrics import spearman
from memfeat.store.feature_store import FeatureStore
from memfeat.store.texts import Texts, write_texts

FOLDS = {
    f"split:fold{k}": ["test" if j % 6 == k else "val" if j % 6 == 5 else "train" for j in range(60)]
    for k in (1, 2)
}
QUICK = {"columns": ["light", "embedding"], "resamples": 30}


@pytest.fixture(scope="module")
def folds(tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    return make(tmp_path_factory.mktemp("named") / "s", features=["light", "embedding"], labels=FOLDS)


@pytest.fixture(scope="module")
def repeated(store: FeatureStore, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return fit(store, out=tmp_path_factory.mktemp("repeated") / "run", folds=4, repeats=3, seed=2, **QUICK)


def test_repeats_hold_every_video_out_once_each(repeated: Run, store: FeatureStore, tmp_path: Path) -> None:
    assert repeated.predictions["id"].value_counts().tolist() == [3] * 60
    assert list(repeated.splits) == ["id", "split:repeat 1", "split:repeat 2", "split:repeat 3"]
    (headline,) = repeated.results
    assert (headline.split, headline.how) == ("4-fold, 3 times", "fold mean")
    assert (headline.figures["spearman"].n, headline.figures["spearman"].folds) == (60, 12)
    of_part = {
        part: spearman(rows["target"], rows["predicted"])
        for part, rows in repeated.predictions.groupby("split")
    }
    assert headline.figures["spearman"].value == pytest.approx(np.mean(list(of_part.values())))
    # The second repeat is what a run with its seed gives: folds are those of scikit-learn with that seed.
    ids = [name(k) for k in range(60)]
    for fold, (_, held_out) in enumerate(KFold(4, shuffle=True, random_state=3).split(ids), 1):
        rows = repeated.predictions[repeated.predictions["split"] == f"repeat 2 fold {fold}"]
        assert rows["id"].tolist() == [ids[k] for k in held_out]


def test_a_saved_split_repeats_a_run_exactly(
    repeated: Run, store: FeatureStore, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = fit(store, folds=4, repeats=3, seed=2, **QUICK)
    table = first.splits.sample(frac=1, random_state=0)
    table.to_csv("mine.csv", index=False)
    # Everything that determines the result is the same, and so is the name that is made from it.
    with pytest.raises(UsageError, match=f"{first.path.name} exists"):
        fit(store, split_file="mine.csv", seed=2, **QUICK)
    again = fit(store, split_file="mine.csv", seed=2, out="again", **QUICK)
    pd.testing.assert_frame_equal(again.predictions, first.predictions)
    assert again.results[0].figures == first.results[0].figures
    assert again.info.split_rule.startswith("as mine.csv says (sha256 ")


def test_a_repeated_run_is_judged_again_and_on_nothing_it_saw(
    repeated: Run, store: FeatureStore, tmp_path: Path
) -> None:
    judged = evaluate(repeated.path, resamples=30, seed=2)
    assert judged.results[0].figures == repeated.results[0].figures
    with pytest.raises(UsageError, match="fitted on every labelled row"):
        evaluate(repeated.path, store=store)


def test_a_named_split_and_all_of_them(folds: FeatureStore, tmp_path: Path) -> None:
    one = fit(folds, out=tmp_path / "one", split="fold2", **QUICK)
    assert (one.info.split, one.info.split_kind) == ("fold2 test", "official")
    assert one.predictions["id"].tolist() == [name(k) for k in range(60) if k % 6 == 2]
    assert one.splits["split:fold2"].value_counts().to_dict() == {"fit": 50, "test": 10}
    judged = evaluate(one.path, store=folds, resamples=30)
    assert (len(judged.left_out[FITTED]), judged.rows) == (50, 10)

    every = fit(folds, out=tmp_path / "all", **QUICK)
    assert (every.info.split, every.info.split_kind) == ("2 official folds", "k-fold")
    assert every.results[0].parts.keys() == {"fold1 test", "fold2 test"}
    both = one.predictions.set_index("id")["predicted"]
    held = every.predictions[every.predictions["split"] == "fold2 test"].set_index("id")["predicted"]
    pd.testing.assert_series_equal(held, both)


def test_rows_outside_every_part_do_not_reach_the_saved_model(store: FeatureStore, tmp_path: Path) -> None:
    half = pd.DataFrame({"id": [name(k) for k in range(30)], "split": ["a", "b", "c"] * 10})
    half.to_csv(tmp_path / "half.csv", index=False)
    run = fit(store, out=tmp_path / "run", split_file=tmp_path / "half.csv", **QUICK)
    assert "30 ids are not in half.csv" in run.info.notes[0]
    assert "all 30 labelled rows" in run.info.fitted
    assert len(run.info.left_out["neither fitted nor judged in this split"]) == 30
    judged = evaluate(run.path, store=store, resamples=30)
    assert judged.predictions["id"].tolist() == [name(k) for k in range(30, 60)]


def test_rows_that_share_a_title_stay_together(tmp_path: Path) -> None:
    store = make(tmp_path / "s", 40, features=["light"], labels={"group": [f"g{k // 2}" for k in range(40)]})
    titles = {name(k): [f"shoot {k % 8}"] for k in range(40)}
    write_texts(store.path, Texts({"titles": titles, "captions": {name(0): ["a dog"]}}))
    store = FeatureStore(store.path)
    run = fit(store, out=tmp_path / "run", group_by="titles", folds=4, resamples=0, columns=["light"])
    assert run.info.split == "4-fold by titles"
    for shoot in range(8):
        ids = {name(k) for k in range(40) if k % 8 == shoot}
        assert run.predictions[run.predictions["id"].isin(ids)]["split"].nunique() == 1
    free = fit(store, out=tmp_path / "free", group_by="none", folds=4, resamples=0, columns=["light"])
    assert free.info.split == "4-fold"
    by_default = fit(store, out=tmp_path / "group", folds=4, resamples=0, columns=["light"])
    assert by_default.info.split == "4-fold by group"
    with pytest.raises(UsageError, match=r"nothing called 'title' .*group, titles, captions, none.*'titles'"):
        fit(store, out=tmp_path / "none", group_by="title", columns=["light"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "fold7"}, "there are auto, .*fold1, fold2"),
        ({"split": "fold1", "repeats": 2}, "always the same"),
        ({"split_file": "x.csv", "repeats": 2}, "a split file fixes them"),
        ({"split_file": "x.csv"}, "no split file 'x.csv'"),
    ],
)
def test_wrong_calls_are_refused(folds: FeatureStore, tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        fit(folds, out=tmp_path / "run", **options, **QUICK)
    assert not list(tmp_path.iterdir())
