from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import BayesianRidge, Ridge
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler
from stores import draw, make, put
from stores import name as clip

from memfeat.errors import UsageError
from memfeat.evaluation import system
from memfeat.evaluation.compare import compare
from memfeat.evaluation.comparison.systems import System, grid
from memfeat.evaluation.fit import fit
from memfeat.metrics import spearman
from memfeat.store.feature_store import FeatureStore

FAST: dict[str, Any] = {"resamples": 100, "cache": None}
PAIR = grid(["brr", "ridge"], [["embedding", "light"]], {"ridge": {"alpha": 3.0}})


@pytest.fixture
def fits(monkeypatch) -> list[str]:
    """The name of each fit that is made in this process."""
    made: list[str] = []
    real = system.fit_part

    def counted(*given: Any, **settings: Any) -> Any:
        made.append(f"{given[2].name} {settings['name']}")
        return real(*given, **settings)

    monkeypatch.setattr(system, "fit_part", counted)
    return made


def test_figures_are_those_of_a_run_of_the_same_system(store: FeatureStore, tmp_path: Path) -> None:
    found = compare(store, PAIR, resamples=200, cache=None)
    run = fit(store, columns=["embedding", "light"], resamples=200, out=tmp_path / "run")
    assert found.lines[0].figures == run.results[0].figures
    mine = found.predictions[found.predictions["system"] == "brr"].drop(columns=["system", "seed"])
    assert mine.reset_index(drop=True).equals(run.predictions)
    assert found.splits.equals(run.splits)


def test_rows_that_not_all_systems_can_use_are_left_out_only_where_that_is_asked_for(tmp_path: Path) -> None:
    holes = make(tmp_path / "s", 30, skip={"light": [4]})
    with pytest.raises(UsageError, match=r"'clip 004.mp4' \(not extracted: light\)"):
        compare(holes, grid(["brr"], [["light"], ["grid"]]), **FAST)
    found = compare(holes, grid(["brr"], [["light"], ["grid"]]), missing="drop", **FAST)
    assert found.about.rows == 29 and "1 left out: not extracted: light" in found.about.notes


def test_figures_and_differences_are_those_of_a_plain_script(store: FeatureStore) -> None:
    drawn = draw(60)
    embedding, light, y = drawn["embedding"].astype(float), drawn["light"][:, None], drawn["score"]
    values = {"brr": [], "ridge": []}
    for train, test in KFold(5, shuffle=True, random_state=0).split(y):
        scaler = StandardScaler().fit(light[train])
        X = [np.hstack([embedding[rows], scaler.transform(light[rows])]) for rows in (train, test)]
        for name, model in (("brr", BayesianRidge()), ("ridge", Ridge(3.0))):
            values[name].append(spearman(y[test], model.fit(X[0], y[train]).predict(X[1])))
    found = compare(store, PAIR, **FAST).table.set_index("system")
    for name, by_fold in values.items():
        assert found.loc[name, "spearman"] == pytest.approx(np.mean(by_fold), abs=1e-9)
    difference = np.mean(values["ridge"]) - np.mean(values["brr"])
    assert found.loc["ridge", "spearman_difference"] == pytest.approx(difference, abs=1e-9)
    assert (
        found.loc["ridge", "spearman_difference_low"]
        <= difference
        <= found.loc["ridge", "spearman_difference_high"]
    )


def test_a_second_call_fits_nothing_and_a_larger_one_only_what_is_new(
    store: FeatureStore, tmp_path, fits
) -> None:
    kept = {**FAST, "cache": tmp_path / "kept"}
    first = compare(store, PAIR, **kept)
    assert (len(fits), first.fitted, first.cached) == (10, 10, 0)
    fits.clear()
    again = compare(store, PAIR, **kept)
    assert (fits, again.fitted, again.cached) == ([], 0, 10)
    assert again.predictions.equals(first.predictions) and again.to_text() == first.to_text()
    compare(store, [*PAIR, *grid(["knn"], [["light"]])], **kept)
    assert fits == [f"knn fold {k}" for k in range(1, 6)]
    fits.clear()
    for changed in (
        [
            System(
                name="other name", model="ridge", features=("embedding", "light"), parameters={"alpha": 3.0}
            )
        ],
        [
            System(
                name="ridge", model="ridge", features=("embedding:mean", "light"), parameters={"alpha": 3.0}
            )
        ],
    ):
        compare(store, changed, **kept)
    assert fits == []
    compare(store, [System(name="ridge", model="ridge", features=("embedding", "light"))], **kept)
    compare(store, PAIR[:1], **{**kept, "seed": 1})
    assert len(fits) == 10


def test_equal_systems_are_fitted_once(store: FeatureStore, fits) -> None:
    found = compare(store, [*PAIR, System(name="brr again", features=("embedding", "light"))], **FAST)
    assert len(fits) == 10
    assert found.lines[2].figures == found.lines[0].figures
    assert found.lines[2].difference["spearman"].value == 0


def test_an_interrupted_comparison_goes_on(store: FeatureStore, tmp_path, fits, monkeypatch) -> None:
    kept = {**FAST, "cache": tmp_path / "kept"}

    def stop(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(store, PAIR, **kept, progress=stop)
    assert len(fits) == 4
    assert compare(store, PAIR, **kept).fitted == 6


def test_a_damaged_prediction_is_made_again(store: FeatureStore, tmp_path: Path) -> None:
    kept = {**FAST, "cache": tmp_path}
    first = compare(store, PAIR, **kept)
    file = sorted(tmp_path.rglob("*.json"))[0]
    file.write_text(file.read_text()[:-20])
    again = compare(store, PAIR, **kept)
    assert (again.fitted, again.cached) == (1, 9)
    assert again.predictions.equals(first.predictions)
    json.loads(file.read_text())


def test_seeds_are_averaged_where_something_is_drawn(store: FeatureStore, fits) -> None:
    asked = grid(["tree", "brr"], [["embedding", "light"]], {"tree": {"max_features": 2}})
    found = compare(store, asked, seeds=[0, 1, 2], **FAST)
    assert len([name for name in fits if name.startswith("tree")]) == 15
    assert len([name for name in fits if name.startswith("brr")]) == 5
    single = [
        compare(store, asked[:1], seeds=[k], **FAST).lines[0].figures["spearman"].value for k in range(3)
    ]
    tree, brr = found.lines
    assert tree.figures["spearman"].value == pytest.approx(np.mean(single))
    assert tree.spread["spearman"] == pytest.approx(np.std(single, ddof=1))
    assert tree.seeds == (0, 1, 2) and brr.spread == {}
    assert sorted(found.predictions.query("system == 'tree'")["seed"].unique()) == [0, 1, 2]


def test_one_that_fails_does_not_lose_the_others(store: FeatureStore) -> None:
    bad = System(name="bad", model="ridge", features=("light",), parameters={"alpha": -1.0})
    absent = System(name="absent", features=("sound",))
    fused = System.fused("with bad", ["brr", "bad"])
    found = compare(store, [*PAIR, bad, absent, fused], **FAST)
    assert list(found.failures) == ["bad", "absent", "with bad"]
    assert "alpha=-1" in found.failures["bad"]
    assert "it fuses bad, which failed" in found.failures["with bad"]
    assert "sound" in found.to_text() and "failed" in found.to_html() and "failed" in found.to_latex()
    alone = compare(store, PAIR, **FAST)
    assert found.lines[:2] == alone.lines


def test_a_baseline_that_failed_leaves_figures_without_differences(store: FeatureStore) -> None:
    found = compare(store, [System(name="absent", features=("sound",)), *PAIR], **FAST)
    assert found.about.baseline == "absent"
    assert found.lines[1].figures and not found.lines[1].difference


def test_processes_give_the_same_to_the_last_bit(store: FeatureStore) -> None:
    one, two = (compare(store, PAIR, workers=k, **FAST) for k in (1, 2))
    assert one.predictions.equals(two.predictions)
    assert one.lines == two.lines


def test_an_official_split_is_judged_once(tmp_path: Path) -> None:
    store = make(tmp_path / "s", 40, labels={"split": ["train"] * 25 + ["test"] * 15})
    found = compare(store, grid(["brr", "constant"], [["light"]]), baseline="constant", **FAST)
    assert found.about.how == "test" and found.about.judged == 15
    assert found.lines[0].difference["spearman"].value is None  # a constant has no correlation
    assert found.lines[0].difference["mse"].value is not None


def test_a_single_number_shows_its_own_correlation(store: FeatureStore) -> None:
    drawn = draw(60)
    found = compare(store, grid(["brr"], [["light"], ["embedding"]]), raw=True, **FAST)
    assert found.lines[0].raw.value == pytest.approx(spearman(drawn["score"], drawn["light"]))
    assert found.lines[1].raw is None
    assert compare(store, grid(["brr"], [["light"]]), **FAST).lines[0].raw is None


def test_features_of_random_weights_are_marked_wherever_figures_stand(tmp_path: Path) -> None:
    made = make(tmp_path / "s", 20, features=["light"], note="scores are made up")
    for k, values in enumerate(draw(20)["embedding"]):
        put(made, clip(k), {"net-random7": values})
    found = compare(made, grid(["brr"], [["light"], ["light", "net-random7"]]), **FAST)
    caution = "scores are made up; net-random7: RANDOM weights (seed 7)"
    assert found.about.note.startswith(caution)
    for told in (found.to_text(width=200), found.to_csv(), found.to_latex(), found.to_html()):
        assert caution in told
    assert set(found.predictions["note"].str[:27]) == {"net-random7: RANDOM weights"}
    plain = compare(made, grid(["brr"], [["light"]]), **FAST)
    assert plain.about.note == "scores are made up" and "note" not in plain.predictions


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"seeds": []}, "seeds="),
        ({"seeds": [1, 1]}, "seeds="),
        ({"workers": 0}, "workers=0"),
        ({"baseline": "bbr"}, "Did you mean 'brr'"),
        ({"target": "scor"}, "Did you mean 'score'"),
        ({"split": "official"}, "own split cannot be used"),
        ({"folds": 40}, "too few"),
    ],
)
def test_calls_that_make_no_sense_are_refused_before_any_fit(store: FeatureStore, fits, given, words) -> None:
    with pytest.raises(UsageError, match=words):
        compare(store, PAIR, **{**FAST, **given})
    assert fits == []
