from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from stores import draw, make, name

from memfeat.errors import SetupError, UsageError
from memfeat.evaluation.evaluate import FITTED, evaluate
from memfeat.evaluation.fit import fit
from memfeat.evaluation.run import Run
from memfeat.store.feature_store import FeatureStore
from memfeat.store.texts import Texts


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    """Forty other videos, measured alike."""
    return make(tmp_path_factory.mktemp("stores") / "other", 40, seed=0, dataset="other")


def test_without_a_store_the_held_out_predictions_are_judged(run: Run, tmp_path: Path) -> None:
    judged = evaluate(run.path, resamples=200, out=tmp_path / "p.csv")
    assert judged.results == run.results
    assert judged.predictions.equals(run.predictions)
    assert evaluate(run, resamples=50, level=0.5).results[0].figures["mse"].level == 0.5
    written = pd.read_csv(tmp_path / "p.csv")
    np.testing.assert_allclose(written["predicted"], run.predictions["predicted"], rtol=1e-14)
    with pytest.raises(UsageError, match="fitted on 'score'"):
        evaluate(run, target="decay")


def test_another_dataset_is_predicted_by_the_saved_model(
    run: Run, other: FeatureStore, tmp_path: Path
) -> None:
    judged = evaluate(run, store=other.path, resamples=50, out=tmp_path / "p.csv")
    drawn = draw(40)
    mean, sd = run.model.predict(
        np.hstack([drawn["embedding"], drawn["grid"], drawn["light"][:, None]]), return_std=True
    )
    np.testing.assert_allclose(judged.predictions["predicted"], mean, rtol=1e-12)
    np.testing.assert_allclose(judged.predictions["predicted_sd"], sd, rtol=1e-12)
    figure = judged.results[0].figures["spearman"]
    assert figure.value == pytest.approx(spearmanr(drawn["score"], mean).statistic)
    assert (figure.n, judged.dataset, judged.rows, judged.split) == (40, "other", 40, "all of other")
    assert len(judged.results) == 1
    assert pd.read_csv(tmp_path / "p.csv")["id"].tolist() == [name(k) for k in range(40)]


def test_rows_that_were_fitted_are_not_judged(tmp_path: Path, run: Run, store: FeatureStore) -> None:
    with pytest.raises(UsageError, match="fitted on every labelled row of made"):
        evaluate(run, store=store)
    split = make(tmp_path / "s", 60, labels={"split": ["train"] * 40 + ["test"] * 20})
    held = fit(split, out=tmp_path / "run", resamples=20)
    judged = evaluate(held, store=split, resamples=20)
    pd.testing.assert_frame_equal(judged.predictions, held.predictions, rtol=1e-12)
    assert len(judged.left_out[FITTED]) == 40
    assert judged.split == "rows of made not fitted"


def test_new_videos_of_the_same_dataset_are_judged(run: Run, tmp_path: Path) -> None:
    grown = make(tmp_path / "s", 80)
    judged = evaluate(run, store=grown, resamples=20)
    assert judged.predictions["id"].tolist() == [name(k) for k in range(60, 80)]


def test_another_target_is_named(run: Run, tmp_path: Path) -> None:
    long_term = draw(30)["score"] ** 2
    two = make(
        tmp_path / "s", 30, dataset="two", labels={"long-term": long_term, "score": np.full(30, np.nan)}
    )
    judged = evaluate(run, store=two, resamples=20)  # the only one that there is
    assert judged.target == "long-term"
    np.testing.assert_array_equal(judged.predictions["target"], long_term)
    assert any("mind the scale of mse" in note for note in judged.notes)
    both = make(tmp_path / "t", 30, dataset="both", labels={"long-term": long_term})
    assert evaluate(run, store=both, resamples=20).target == "score"
    assert evaluate(run, store=both, target="long-term", resamples=20).target == "long-term"


def test_features_extracted_differently_are_refused_and_how(run: Run, tmp_path: Path) -> None:
    changed = {"extractor": "grid", "version": 2}
    odd = make(tmp_path / "s", 8, dataset="odd", keys={"grid": "grid-2"}, recipes={"grid": changed})
    with pytest.raises(UsageError, match=r"extracted differently.*grid \(version: the model has 1, here 2\)"):
        evaluate(run, store=odd)


def test_missing_features_are_named(run: Run, tmp_path: Path) -> None:
    poor = make(tmp_path / "s", 8, dataset="poor", features=["light"])
    with pytest.raises(UsageError, match="lacks embedding, grid, which the model needs; it has light"):
        evaluate(run, store=poor)


def test_rows_without_features_are_left_out_where_that_is_asked_for(run: Run, tmp_path: Path) -> None:
    holes = make(tmp_path / "s", 12, dataset="holes", skip={"grid": [3]})
    with pytest.raises(UsageError, match=r"1 video of holes lacks .*'clip 003.mp4' \(not extracted: grid\)"):
        evaluate(run, store=holes)
    judged = evaluate(run, store=holes, resamples=20, missing="drop")
    assert judged.left_out == {"not extracted: grid": (name(3),)}
    assert judged.rows == 11


def test_both_cautions_and_the_damage_are_carried(tmp_path: Path, store: FeatureStore) -> None:
    noted = make(tmp_path / "s", 30, dataset="noted", note="made up here", damaged=True)
    judged = evaluate(fit(store, out=tmp_path / "run", resamples=0), store=noted, resamples=20)
    assert judged.note == "made up here"
    assert len(judged.damaged) == 30
    back = evaluate(fit(noted, out=tmp_path / "back", resamples=0), store=store, resamples=20)
    assert back.note == "made up here"


def test_equal_scores_are_said(run: Run, tmp_path: Path) -> None:
    flat = make(tmp_path / "s", 10, dataset="flat", labels={"score": [0.5] * 10})
    judged = evaluate(run, store=flat, resamples=20)
    assert judged.results[0].figures["spearman"].value is None
    assert any("correlations are undefined" in note for note in judged.notes)


def test_captions_and_classes_elsewhere(tmp_path: Path) -> None:
    def told(place: str, words: tuple[str, str], **more: object) -> FeatureStore:
        made = make(tmp_path / place, 40, dataset=place, features=["grid"])
        texts = {"captions": {name(k): (f"a {words[k % 2]}",) for k in range(40)}, **more}
        return FeatureStore.create(made.path, dataset=place, texts=Texts(texts), exist_ok=True)

    classes = {name(k): ("run",) if k % 2 else ("jump",) for k in range(40)}
    here = told("here", ("dog", "cat"), actions=classes)
    there = told("there", ("dog", "bird"))
    columns = ["captions@tfidf-svd2", "grid@class-prototypes", "grid@pca-m3s"]
    run = fit(here, columns=columns, out=tmp_path / "run", resamples=0)
    judged = evaluate(run.path, store=there, resamples=0)
    assert judged.rows == 40
    with pytest.raises(UsageError, match="has the feature 'captions'"):
        evaluate(run.path, store=make(tmp_path / "mute", 8, dataset="mute", features=["grid"]), resamples=0)


def test_a_table_that_cannot_be_written_is_a_setup_error(run: Run, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be written"):
        evaluate(run, resamples=0, out=tmp_path / "no" / "such" / "p.csv")
