from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr, spearmanr
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.linear_model import BayesianRidge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from stores import draw, make, name, put

from memfeat.errors import UsageError
from memfeat.estimators.bayesian_ridge import GramBayesianRidge
from memfeat.estimators.principal_components import PrincipalComponents
from memfeat.evaluation.evaluate import evaluate
from memfeat.evaluation.fit import fit
from memfeat.evaluation.judge import COLUMNS
from memfeat.evaluation.run import Run
from memfeat.store.feature_store import FeatureStore


def by_plain_scikit_learn(X: np.ndarray, y: np.ndarray, fit_rows: np.ndarray, rows: np.ndarray) -> tuple:
    """The script that someone would write by hand: columns embedding (5), grid (90), light (1)."""
    prepared = ColumnTransformer(
        [
            ("embedding", "passthrough", slice(0, 5)),
            ("grid", PCA(10, whiten=True, svd_solver="randomized", random_state=0), slice(5, 95)),
            ("light", StandardScaler(), [95]),
        ]
    )
    return (
        make_pipeline(prepared, BayesianRidge())
        .fit(X[fit_rows], y[fit_rows])
        .predict(X[rows], return_std=True)
    )


def plain_arrays() -> tuple[np.ndarray, np.ndarray]:
    drawn = draw(60)
    return np.hstack([drawn["embedding"], drawn["grid"], drawn["light"][:, None]]), drawn["score"]


def test_figures_and_predictions_are_those_of_a_plain_script(run: Run) -> None:
    X, y = plain_arrays()
    mean, sd, metrics = np.zeros(60), np.zeros(60), []
    for rows, held_out in KFold(5, shuffle=True, random_state=0).split(X):
        mean[held_out], sd[held_out] = by_plain_scikit_learn(X, y, rows, held_out)
        metrics.append(
            [
                spearmanr(y[held_out], mean[held_out]).statistic,
                pearsonr(y[held_out], mean[held_out]).statistic,
                mean_squared_error(y[held_out], mean[held_out]),
            ]
        )
    assert run.predictions["id"].tolist() == [name(k) for k in range(60)]
    np.testing.assert_allclose(run.predictions["predicted"], mean, atol=1e-9)
    np.testing.assert_allclose(run.predictions["predicted_sd"], sd, atol=1e-9)
    np.testing.assert_array_equal(run.predictions["target"], y)
    headline, pooled = run.results
    np.testing.assert_allclose(
        [f.value for f in headline.figures.values()], np.mean(metrics, axis=0), atol=1e-9
    )
    assert pooled.figures["spearman"].value == pytest.approx(spearmanr(y, mean).statistic)
    assert headline.figures["spearman"].value > 0.3  # the features do say something
    assert (headline.split, headline.how, headline.figures["mse"].n) == ("5-fold", "fold mean", 60)


def test_predictions_by_features_of_random_weights_are_marked(tmp_path: Path) -> None:
    store = make(tmp_path / "s", 20, features=["light"])
    for k, values in enumerate(draw(20)["embedding"]):
        put(store, name(k), {"net-random7": values})
    made = fit(store, columns=["net-random7"], out=tmp_path / "run", resamples=50)
    evaluate(made, out=tmp_path / "again.csv")
    for file in (made.path / "predictions.csv", tmp_path / "again.csv"):
        assert set(pd.read_csv(file)["note"]) == {made.info.note}
        assert made.info.note.startswith("net-random7: RANDOM weights (seed 7)")
    assert list(made.predictions) == list(COLUMNS)
    plain = fit(store, columns=["light"], out=tmp_path / "plain", resamples=50)
    assert list(pd.read_csv(plain.path / "predictions.csv")) == list(COLUMNS)


def test_a_still_image_is_left_out_of_a_fit_on_motion_where_that_is_asked_for(tmp_path: Path) -> None:
    store = make(tmp_path / "s", 20, features=["light"])
    for k in range(20):
        put(store, name(k), {"motion": None if k == 3 else float(k)})
    given = {"columns": ["light", "motion"], "resamples": 50, "out": tmp_path / "run"}
    with pytest.raises(UsageError, match="--missing drop"):
        fit(store, **given)
    made = fit(store, missing="drop", **given)
    assert made.info.rows == 19
    assert made.info.left_out == {"motion is not applicable: needs 2 frames, the file has 1": (name(3),)}


def test_after_the_folds_the_model_is_fitted_on_all_rows(run: Run) -> None:
    X, y = plain_arrays()
    everything = np.arange(60)
    expected, _ = by_plain_scikit_learn(X, y, everything, everything)
    np.testing.assert_allclose(run.model.predict(X), expected, atol=1e-9)
    assert "all 60 labelled rows" in run.info.fitted


def test_held_out_rows_reach_nothing_that_is_fitted(store: FeatureStore, tmp_path: Path) -> None:
    """Garbage in the test rows' features changes their own predictions and not a bit of anything fitted."""
    split = ["train"] * 40 + ["test"] * 20
    clean = make(tmp_path / "clean", labels={"split": split})
    spoilt = make(tmp_path / "spoilt", labels={"split": split})
    generator = np.random.default_rng(8)
    for k in range(40, 60):
        values = {"grid": 1e4 * generator.normal(size=90), "light": 1e6, "embedding": np.full(5, -1e5)}
        put_again(spoilt, name(k), values)
    one, other = (fit(s, out=tmp_path / f"run-{s.path.name}", resamples=10) for s in (clean, spoilt))
    assert one.info.split == "test"
    first, second = (run.model.named_steps for run in (one, other))
    for (_, _, a), (_, _, b) in zip(first["features"].parts_, second["features"].parts_, strict=True):
        if isinstance(a, PrincipalComponents):
            np.testing.assert_array_equal(a.components_, b.components_)
            np.testing.assert_array_equal(a.mean_, b.mean_)
        elif isinstance(a, StandardScaler):
            assert (a.mean_, a.scale_) == (b.mean_, b.scale_)
    np.testing.assert_array_equal(first["model"].coef_, second["model"].coef_)
    assert (one.predictions["predicted"] - other.predictions["predicted"]).abs().min() > 1e-6


def put_again(store: FeatureStore, video: str, values: dict) -> None:
    from memfeat.store.naming import video_path

    video_path(store.path, video).unlink()
    put(store, video, values)


def test_each_fold_fits_its_preparation_on_its_own_rows(
    store: FeatureStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[frozenset[float]] = []
    original = StandardScaler.fit

    def spy(self: StandardScaler, X: np.ndarray, y: object = None, **options: object) -> StandardScaler:
        seen.append(frozenset(X[:, 0].tolist()))
        return original(self, X, y, **options)

    monkeypatch.setattr(StandardScaler, "fit", spy)
    run = fit(store, columns=["light"], folds=4, out=tmp_path / "run", resamples=10)
    light = dict(zip((name(k) for k in range(60)), draw(60)["light"].tolist(), strict=True))
    parts = run.predictions.groupby("split")["id"].agg(list)
    expected = [frozenset(light.values()) - {light[i] for i in parts[f"fold {k}"]} for k in (1, 2, 3, 4)]
    assert seen == [*expected, frozenset(light.values())]


def test_an_official_split_is_fitted_on_train_and_judged_on_the_rest(tmp_path: Path) -> None:
    score = draw(60)["score"].copy()
    score[50:] = np.nan
    labels = {"score": score, "split": ["train"] * 35 + ["dev"] * 15 + ["test"] * 10}
    run = fit(make(tmp_path / "s", labels=labels), out=tmp_path / "run", resamples=50)
    X, y = plain_arrays()
    judged = np.arange(35, 50)
    expected, _ = by_plain_scikit_learn(X, y, np.arange(35), judged)
    np.testing.assert_allclose(run.predictions["predicted"], expected, atol=1e-9)
    (only,) = run.results
    assert (only.split, only.how, only.figures["spearman"].n) == ("dev", "one split", 15)
    assert only.figures["spearman"].value == pytest.approx(spearmanr(y[judged], expected).statistic)
    assert "test has 10 rows and no scores, so dev is judged" in run.info.notes
    assert run.info.fitted == "the dataset's own split: fitted on train (35 rows), judged on dev"
    assert run.splits["split"].value_counts().to_dict() == {"fit": 35, "dev": 15}
    np.testing.assert_allclose(run.model.predict(X[judged]), expected, atol=1e-9)
    by_folds = fit(run.info.store, out=tmp_path / "folds", split="k-fold", resamples=10)
    assert by_folds.info.split == "5-fold"
    assert by_folds.info.rows == 50


def test_groups_stay_whole(tmp_path: Path) -> None:
    store = make(tmp_path / "s", labels={"group": [f"g{k // 4}" for k in range(60)]})
    run = fit(store, columns=["light"], out=tmp_path / "run", resamples=10)
    table = run.predictions.assign(group=[int(i.split()[1][:3]) // 4 for i in run.predictions["id"]])
    assert (table.groupby("group")["split"].nunique() == 1).all()
    assert run.info.split == "5-fold by group"


def test_nothing_depends_on_the_order_of_a_file_and_all_on_the_seed(
    store: FeatureStore, tmp_path: Path
) -> None:
    shuffled = store.filter(ids=list(reversed(store.ids)))
    one = fit(store, columns=["light"], out=tmp_path / "one", resamples=50)
    two = fit(shuffled, columns=["light"], out=tmp_path / "two", resamples=50)
    pd.testing.assert_frame_equal(one.predictions, two.predictions)
    assert one.results == two.results
    other = fit(store, columns=["light"], seed=1, out=tmp_path / "three", resamples=50)
    assert (one.predictions["split"] != other.predictions["split"]).any()


def test_the_run_is_named_by_what_determines_it(
    store: FeatureStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    one = fit(FeatureStore(store.path.absolute()), columns=["light"], resamples=10)
    assert one.path.parent == Path("runs")
    assert one.path.name.startswith("made-brr-score-")
    with pytest.raises(UsageError, match="exists.*replace"):
        fit(store, columns=["light"], resamples=10)
    assert fit(store, columns=["light"], resamples=10, replace=True).path == one.path
    others = [
        fit(store, columns=["light"], resamples=10, seed=1),
        fit(store, columns=["light"], resamples=10, folds=4),
        fit(store, columns=["light:max"], resamples=10),
        fit(store.filter(ids=store.ids[:-1]), columns=["light"], resamples=10),
    ]
    assert len({run.path for run in [one, *others]}) == 5


def test_parameters_are_fitted_kept_and_part_of_the_name(
    store: FeatureStore, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = FeatureStore(store.path.absolute())
    plain = fit(store, columns=["light", "grid"], resamples=0)
    strict = fit(store, columns=["light", "grid"], parameters={"alpha_1": 1e6, "lambda_2": 1e-5}, resamples=0)
    assert Run.load(strict.path).info.parameters == {"alpha_1": 1e6, "lambda_2": 1e-5}
    assert strict.path != plain.path
    assert strict.model.named_steps["model"].alpha_1 == 1e6
    assert (strict.predictions["predicted"] - plain.predictions["predicted"]).abs().max() > 1e-6
    with pytest.raises(UsageError, match="no parameter 'alpha_3'.*Did you mean 'alpha_"):
        fit(store, parameters={"alpha_3": 1.0})


def test_one_feature_in_two_preparations(store: FeatureStore, tmp_path: Path) -> None:
    run = fit(
        store, columns=["grid@pca4", "grid:first@l2", "grid@pca-m3s"], out=tmp_path / "run", resamples=0
    )
    assert [block.name for block in Run.load(run.path).info.columns] == [
        "grid:mean@pca4",
        "grid:first@l2",
        "grid:mean@pca-m3s",
    ]
    assert run.model.named_steps["features"].transform(rows_of(store, run)).shape == (60, 4 + 90 + 10)


def rows_of(store: FeatureStore, run: Run) -> object:
    from memfeat.evaluation.gather import gather

    return gather(store, target="score", columns=[block.name for block in run.info.columns]).X


def test_a_model_chooses_its_columns_when_none_are_named(
    store: FeatureStore, tmp_path: Path, monkeypatch
) -> None:
    from dataclasses import replace

    from memfeat import models

    choosy = replace(models.get("brr"), columns=lambda features: [f"{min(features)}@zscore"])
    monkeypatch.setattr(models, "get", lambda name: choosy)
    run = fit(store, out=tmp_path / "run", resamples=0)
    assert [block.name for block in run.info.columns] == ["embedding:mean@zscore"]
    assert "no features were named: the model takes embedding@zscore" in run.info.notes


def test_new_values_give_a_new_name(
    store: FeatureStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copytree(store.path, tmp_path / "copy"))
    monkeypatch.chdir(tmp_path)
    before = fit(copy, columns=["light"], resamples=10)
    put_again(FeatureStore(copy), name(0), {"light": 3.0, "grid": np.ones(90), "embedding": np.ones(5)})
    assert fit(copy, columns=["light"], resamples=10).path != before.path


def test_a_caution_and_damage_are_carried(tmp_path: Path) -> None:
    store = make(tmp_path / "s", 30, features=["light"], note="scores are synthetic", damaged=True)
    run = fit(store, out=tmp_path / "run", resamples=10)
    assert run.info.note == "scores are synthetic"
    assert len(run.info.damaged) == 30


def test_rows_without_a_feature_are_left_out_only_where_that_is_asked_for(tmp_path: Path) -> None:
    score = draw(30)["score"].copy()
    score[:2] = np.nan
    store = make(tmp_path / "s", 30, labels={"score": score}, skip={"light": [7]})
    with pytest.raises(
        UsageError,
        match=r"1 video of made lacks what is asked for: 'clip 007.mp4' \(not extracted: light\)\. .*--missing drop",
    ):
        fit(store, columns=["light", "grid"], out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    fit(store, columns=["grid"], out=tmp_path / "whole", resamples=10)  # a video without a score is no matter
    run = fit(store, columns=["light", "grid"], missing="drop", out=tmp_path / "run", resamples=10)
    assert run.info.left_out == {"no score": (name(0), name(1)), "not extracted: light": (name(7),)}
    assert run.info.rows == len(run.predictions) == 27


def test_a_feature_that_says_nothing_is_undefined(tmp_path: Path) -> None:
    store = make(tmp_path / "s", 30, features=["light"])
    for k in range(30):
        put(store, name(k), {"grey": 128.0})
    run = fit(store, columns=["grey"], out=tmp_path / "run", resamples=20)
    assert run.results[0].figures["spearman"].value is None
    assert run.results[0].figures["mse"].value > 0
    notes = " ".join(run.info.notes)
    assert "equal for all 30 rows, which tells the model nothing: grey:mean" in notes
    assert "brr: predicts the same for all rows of a part, whose correlations are undefined" in notes


def test_few_rows_are_fitted_with_fewer_components_and_a_note(tmp_path: Path) -> None:
    store = make(tmp_path / "s", 9, features=["grid"])
    run = fit(store, folds=3, out=tmp_path / "run", resamples=10)
    # Six rows in each fold's fit span five dimensions.
    assert "grid:mean has 5 of 10 components in a fit (few or equal rows)" in run.info.notes
    assert run.model.named_steps["features"].parts_[0][2].components_.shape == (8, 90)


def test_progress_counts_the_fits(store: FeatureStore, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    fit(
        store,
        columns=["light"],
        folds=3,
        out=tmp_path / "r",
        resamples=0,
        progress=lambda *c: calls.append(c),
    )
    assert calls == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_what_a_model_complains_of_is_noted(store: FeatureStore, tmp_path: Path, monkeypatch) -> None:
    import warnings

    original = GramBayesianRidge.fit

    def complain(self: GramBayesianRidge, *given: object) -> GramBayesianRidge:
        warnings.warn("did not converge", UserWarning, stacklevel=1)
        return original(self, *given)

    monkeypatch.setattr(GramBayesianRidge, "fit", complain)
    run = fit(store, columns=["light"], out=tmp_path / "run", resamples=0)
    assert run.info.notes.count("brr: did not converge") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "brrr"}, "Did you mean 'brr'"),
        ({"target": "scor"}, "Did you mean 'score'"),
        ({"columns": ["lihgt"]}, "Did you mean 'light'"),
        ({"columns": ["light:middle"]}, "no reduction 'middle'"),
        ({"columns": ["light", "light"]}, "asked for twice"),
        ({"folds": 40}, "too few for 40 folds"),
        ({"split": "official"}, "no row has a split"),
        ({"split": "folds"}, "Unknown split 'folds'"),
    ],
)
def test_wrong_calls_are_refused_before_anything_is_fitted(store, tmp_path, options, message) -> None:
    with pytest.raises(UsageError, match=message):
        fit(store, out=tmp_path / "run", **options)
    assert not list(tmp_path.iterdir())


def test_too_few_rows_and_constant_scores_are_refused(tmp_path: Path) -> None:
    few = make(tmp_path / "few", 8, features=["light"], skip={"light": [0, 1, 2]})
    with pytest.raises(
        UsageError, match=r"5 rows .* are too few; at least 6 .*3 left out: not extracted: light"
    ):
        fit(few, columns=["light"], out=tmp_path / "run")
    flat = make(tmp_path / "flat", 8, features=["light"], labels={"score": [0.5] * 8})
    with pytest.raises(UsageError, match="'score' is 0.5 for all 8 rows"):
        fit(flat, out=tmp_path / "run")
