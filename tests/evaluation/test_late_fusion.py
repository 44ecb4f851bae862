from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import BayesianRidge
from sklearn.pipeline import Pipeline
from stores import make

from memfeat import models
from memfeat.errors import UsageError
from memfeat.evaluation import model_file
from memfeat.evaluation.compare import compare
from memfeat.evaluation.comparison.systems import System
from memfeat.evaluation.evaluate import evaluate
from memfeat.evaluation.fit import fit
from memfeat.evaluation.fusion import METHODS, WEIGHTS
from memfeat.evaluation.gather import Rows, gather
from memfeat.evaluation.late_fusion import NAME, KeepBlocks, LateFusion, build, check, columns_of, find
from memfeat.evaluation.preparation import Blocks
from memfeat.evaluation.run import Run
from memfeat.store.feature_store import FeatureStore

MEMBERS: list[dict[str, Any]] = [
    {"model": "brr", "features": ["grid@pca5", "light"]},
    {"model": "ridge", "features": ["embedding", "light"], "parameters": {"alpha": 2.0}},
]


@pytest.fixture(scope="module")
def rows(store: FeatureStore) -> Rows:
    return gather(store, target="score", columns=columns_of({"members": MEMBERS}))


def made(rows: Rows, **given: Any) -> Pipeline:
    parameters = {"members": MEMBERS, "inner_folds": 3, **given}
    return build(rows.blocks, find(NAME, parameters), seed=0, parameters=parameters)


def test_each_member_sees_its_own_columns(rows: Rows) -> None:
    fitted = made(rows).fit(rows.X, rows.y)
    alone = []
    for member in MEMBERS:
        there = [block.name for block in rows.blocks]
        wanted = [
            there.index({"light": "light:mean", "embedding": "embedding:mean"}.get(f, "grid:mean@pca5"))
            for f in member["features"]
        ]
        of = build(
            [rows.blocks[k] for k in wanted], models.get(member["model"]), parameters=member.get("parameters")
        )
        X = Blocks([rows.X.arrays[k] for k in wanted])
        alone.append(of.fit(X, rows.y).predict(X))
    np.testing.assert_allclose(fitted.predict(rows.X), np.mean(alone, axis=0), rtol=1e-12)


@pytest.mark.parametrize(("method", "weights"), list(product(METHODS, WEIGHTS)))
def test_a_run_is_what_a_comparison_found_and_comes_back_from_disk(store, tmp_path, method, weights) -> None:
    systems = [
        System(
            name=str(k), model=m["model"], features=tuple(m["features"]), parameters=m.get("parameters", {})
        )
        for k, m in enumerate(MEMBERS)
    ]
    fused = System.fused("fused", ["0", "1"], method=method, weights=weights)
    found = compare(store, [*systems, fused], folds=3, inner_folds=3, resamples=20, cache=None)
    parameters = {"members": MEMBERS, "method": method, "weights": weights, "inner_folds": 3}
    run = fit(store, model=NAME, parameters=parameters, folds=3, resamples=20, out=tmp_path / "run")
    mine = found.predictions.query("system == 'fused'")["predicted"].to_numpy()
    np.testing.assert_allclose(run.predictions["predicted"], mine, rtol=1e-9)
    again = Run.load(run.path)
    rows = gather(store, target="score", columns=[block.name for block in again.info.columns])
    np.testing.assert_array_equal(again.model.predict(rows.X), run.model.predict(rows.X))
    assert again.info.parameters["members"][1]["parameters"] == {"alpha": 2.0}


def test_a_saved_fusion_judges_another_dataset(store, tmp_path) -> None:
    run = fit(store, model=NAME, parameters={"members": MEMBERS}, folds=3, resamples=20, out=tmp_path / "run")
    other = make(tmp_path / "other", 20, seed=0, dataset="other")
    judged = evaluate(Run.load(run.path), store=other, resamples=20)
    assert judged.rows == 20
    assert judged.results[0].figures["spearman"].value > 0.3


def test_inner_folds_keep_groups_whole(rows: Rows, monkeypatch) -> None:
    seen = []
    groups = np.arange(60) // 4
    real = BayesianRidge.fit

    class Watched(BayesianRidge):
        def fit(self, X: Any, y: Any) -> Any:
            seen.append(set(np.flatnonzero(np.isin(rows.y, y)) // 4))
            return real(self, X.arrays[0], y)

        def predict(self, X: Any) -> Any:
            return super().predict(X.arrays[0])

    X = Blocks([rows.X.arrays[1], rows.X.arrays[1]])
    model = LateFusion([("a", (0,), Watched()), ("b", (1,), Watched())], method="rank-average", inner_folds=3)
    model.fit(X, rows.y, groups=groups)
    sizes = sorted(len(of) for of in seen)
    assert sizes == [10] * 6 + [15] * 2  # no group stands on both sides


def test_its_parts_are_estimators(rows: Rows, tmp_path) -> None:
    unfitted = made(rows, method="rank-average")
    again = clone(unfitted).fit(rows.X, rows.y)
    np.testing.assert_array_equal(again.predict(rows.X), unfitted.fit(rows.X, rows.y).predict(rows.X))
    kept = KeepBlocks().fit(rows.X)
    assert kept.transform(rows.X) is rows.X and kept.n_features_in_ == rows.X.shape[1]
    model_file.dump(again, tmp_path)
    np.testing.assert_array_equal(model_file.load(tmp_path).predict(rows.X), again.predict(rows.X))


def test_parameters_are_checked_down_to_those_of_the_members() -> None:
    checked = check(find(NAME), {"members": MEMBERS, "method": "rank-average"})
    assert checked["members"][0] == {"model": "brr", "features": ["grid@pca5", "light"]}
    assert check(models.get("ridge"), {"alpha": 1}) == {"alpha": 1}
    assert find(NAME, {"members": [{"model": "m3s", "features": ["a"]}, {"features": ["b"]}]}).needs_deep


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (None, "two or more members"),
        ({"members": MEMBERS[:1]}, "two or more members"),
        ({"members": "ab"}, "two or more members"),
        ({"membres": MEMBERS}, "Did you mean 'members'"),
        ({"members": [*MEMBERS, {"feature": ["a"]}]}, "Did you mean 'features'"),
        ({"members": [*MEMBERS, {"model": "brr"}]}, "needs its features"),
        ({"members": [*MEMBERS, {"features": "hog"}]}, "needs its features"),
        ({"members": [*MEMBERS, {"features": ["hog@pcaa"]}]}, "Did you mean 'pca'"),
        ({"members": [*MEMBERS, {"model": "bbr", "features": ["a"]}]}, "Did you mean 'brr'"),
        ({"members": [{**MEMBERS[1], "parameters": {"alfa": 1}}, MEMBERS[0]]}, "Did you mean 'alpha'"),
        ({"members": MEMBERS, "method": "rank"}, "score-average, rank-average"),
        ({"members": MEMBERS, "weights": "equl"}, "Did you mean 'equal'"),
        ({"members": MEMBERS, "inner_folds": 1}, "whole number from 2"),
    ],
)
def test_what_makes_no_fusion_is_refused(store: FeatureStore, parameters: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        fit(store, model=NAME, parameters=parameters)


def test_groups_make_the_same_inner_folds_in_a_run_and_in_a_comparison(tmp_path) -> None:
    # Groups in another order than their names, and one row without any.
    store = make(tmp_path / "s", 48, labels={"group": [None, *(f"g{(7 * k) % 12}" for k in range(47))]})
    systems = [
        System(
            name=str(k), model=m["model"], features=tuple(m["features"]), parameters=m.get("parameters", {})
        )
        for k, m in enumerate(MEMBERS)
    ]
    fused = System.fused("fused", ["0", "1"], weights="inner-folds")
    found = compare(store, [*systems, fused], folds=3, inner_folds=3, resamples=20, cache=None)
    parameters = {"members": MEMBERS, "weights": "inner-folds", "inner_folds": 3}
    run = fit(store, model=NAME, parameters=parameters, folds=3, resamples=20, out=tmp_path / "run")
    assert run.info.split == "3-fold by group"
    mine = found.predictions.query("system == 'fused'")["predicted"].to_numpy()
    np.testing.assert_allclose(run.predictions["predicted"], mine, rtol=1e-9)
