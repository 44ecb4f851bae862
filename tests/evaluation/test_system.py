from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold
from stores import make, name

from memfeat import models
from memfeat.errors import UsageError
from memfeat.evaluation.gather import Rows, gather
from memfeat.evaluation.splits import Plan, plan
from memfeat.evaluation.system import Fitted, digest, fit_part, fit_plan, hold_out, notes_of
from memfeat.models import ModelSpec
from memfeat.store.feature_store import FeatureStore
from memfeat.store.labels import Labels
from memfeat.store.texts import Texts


def build_ridge(seed: int, **given: Any) -> Ridge:
    return Ridge(**given)


RIDGE = ModelSpec(name="some-ridge", summary="Ridge.", build=build_ridge, takes_sparse=True)
BRR = models.get("brr")


@pytest.fixture(scope="module")
def rows(store: FeatureStore) -> Rows:
    return gather(store, target="score", columns=["embedding", "light"])


@pytest.fixture(scope="module")
def folds(rows: Rows) -> Plan:
    return plan(rows.ids, folds=4)


def test_a_plan_is_its_parts_put_together(rows: Rows, folds: Plan) -> None:
    whole = fit_plan(rows, folds, BRR)
    for part in folds.parts:
        alone = hold_out(rows, part, fit_part(rows, part.fit, BRR), BRR)
        there = whole.predictions[whole.predictions["split"] == part.name].reset_index(drop=True)
        assert there.equals(alone.sort_values("id", ignore_index=True))
    assert whole.predictions["id"].tolist() == list(rows.ids)


def test_whatever_a_parameter_does_to_a_library_is_said_with_it(rows: Rows) -> None:
    def build(seed: int, **given: Any) -> Any:
        class Broken(Ridge):
            def fit(self, X: Any, y: Any) -> Any:
                raise OverflowError("too  large\nfor C")

        return Broken(**given)

    broken = ModelSpec(name="broken", summary="Fails.", build=build)
    with pytest.raises(
        UsageError, match=r"fitted on 20 rows \(fold 1\) with alpha=3: OverflowError: too large for C"
    ):
        fit_part(rows, np.arange(20), broken, parameters={"alpha": 3}, name="fold 1")
    with pytest.raises(OverflowError):  # nothing that was given can be the cause
        fit_part(rows, np.arange(20), broken)


def test_the_last_fit_is_of_all_rows_or_of_the_last_part(rows: Rows, folds: Plan) -> None:
    every = fit_part(rows, folds.used, BRR).pipeline.predict(rows.X)
    np.testing.assert_array_equal(fit_plan(rows, folds, BRR).fitted.pipeline.predict(rows.X), every)
    last = fit_part(rows, folds.parts[-1].fit, BRR).pipeline.predict(rows.X)
    np.testing.assert_array_equal(
        fit_plan(rows, folds, BRR, refit=False).fitted.pipeline.predict(rows.X), last
    )


def test_a_system_can_be_sent_to_another_process(rows: Rows, folds: Plan) -> None:
    there_rows, there_plan, there_spec = pickle.loads(pickle.dumps((rows, folds, BRR)))
    fitted = pickle.loads(pickle.dumps(fit_part(there_rows, there_plan.parts[0].fit, there_spec)))
    expected = hold_out(rows, folds.parts[0], fit_part(rows, folds.parts[0].fit, BRR), BRR)
    assert hold_out(there_rows, there_plan.parts[0], fitted, there_spec).equals(expected)


def test_parameters_reach_the_model_and_its_refusal_names_them(rows: Rows, folds: Plan) -> None:
    fitted = fit_part(rows, folds.used, RIDGE, parameters={"alpha": 7.0}).pipeline
    assert fitted.named_steps["model"].alpha == 7.0
    with pytest.raises(UsageError, match=r"on 60 rows \(all\) with alpha=-1: .*alpha"):
        fit_part(rows, folds.used, RIDGE, parameters={"alpha": -1}, name="all")


def test_captions_are_fitted_in_each_fold_as_by_a_plain_script(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    words = np.array(["dog", "cat", "runs", "sleeps", "grass", "house", "red", "blue", "man", "woman"])
    worth = generator.normal(size=10)
    drawn = generator.integers(0, 10, size=(50, 6))
    score = worth[drawn].mean(axis=1) + 0.05 * generator.normal(size=50)
    captions = {name(k): (" ".join(words[drawn[k, :3]]), " ".join(words[drawn[k, 3:]])) for k in range(50)}
    import pandas as pd

    labels = Labels(pd.DataFrame({"score": score}, index=pd.Index(list(captions), name="id")))
    store = FeatureStore.create(
        tmp_path / "s", dataset="told", labels=labels, texts=Texts({"captions": captions})
    )
    rows = gather(store, target="score", columns=["captions"])
    judged = fit_plan(rows, plan(rows.ids), RIDGE, parameters={"alpha": 3.0})

    def terms(texts: tuple[str, ...]) -> list[str]:
        pairs = [f"{a} {b}" for text in texts for a, b in zip(text.split(), text.split()[1:], strict=False)]
        return [*(word for text in texts for word in text.split()), *pairs]

    expected = np.zeros(50)
    texts = list(captions.values())
    for fit, held_out in KFold(5, shuffle=True, random_state=0).split(texts):
        weigh = TfidfVectorizer(analyzer=terms).fit([texts[k] for k in fit])
        model = Ridge(3.0).fit(weigh.transform([texts[k] for k in fit]), score[fit])
        expected[held_out] = model.predict(weigh.transform([texts[k] for k in held_out]))
    np.testing.assert_allclose(judged.predictions["predicted"], expected, atol=1e-9)
    assert spearmanr(score, expected).statistic > 0.5


def test_the_digest_changes_with_all_that_predictions_depend_on(
    store: FeatureStore, rows: Rows, folds: Plan
) -> None:
    def of(rows: Rows = rows, plan: Plan = folds, **changed: Any) -> str:
        return digest(rows, plan, **{"dataset": "made", "model": "brr", **changed})

    other_values = gather(store, target="score", columns=["embedding", "light:max"])
    prepared = gather(store, target="score", columns=["embedding", "light@none"])
    pair = gather(store, target="score", columns=["grid@pca-m3s"])
    assert of() == of(gather(store, target="score", columns=["embedding", "light"])) and len(of()) == 64
    found = [
        of(),
        of(other_values),
        of(prepared),
        of(pair),
        of(plan=plan(rows.ids, folds=5)),
        of(model="ridge"),
        of(seed=1),
        of(parameters={"alpha": 1}),
        of(parameters={"alpha": 2}),
        of(dataset="other"),
    ]
    assert len(set(found)) == len(found)
    assert of(parameters={"a": 1, "b": 2}) == of(parameters={"b": 2, "a": 1})


def test_the_digest_sees_texts(tmp_path: Path) -> None:
    stores = []
    for word in ("dog", "cat"):
        made = make(tmp_path / word, 8, features=["light"])
        texts = Texts({"captions": {name(k): (f"a {word}" if k == 5 else "grass",) for k in range(8)}})
        stores.append(FeatureStore.create(made.path, dataset="made", texts=texts, exist_ok=True))
    rows = [gather(s, target="score", columns=["captions"]) for s in stores]
    made_plan = plan(rows[0].ids, folds=2)
    one, other = (digest(r, made_plan, dataset="made", model="ridge") for r in rows)
    assert one != other


def test_each_remark_is_made_once_with_the_fewest_components() -> None:
    fits = [
        Fitted(None, ("m: slow", "m: odd"), {"grid": (5, 10)}),
        Fitted(None, ("m: slow",), {"grid": (3, 10), "hog": (9, 50)}),
        Fitted(None),
    ]
    assert notes_of(fits) == (
        "grid has 3 of 10 components in a fit (few or equal rows)",
        "hog has 9 of 50 components in a fit (few or equal rows)",
        "m: slow",
        "m: odd",
    )


def test_progress_counts_every_fit(rows: Rows, folds: Plan) -> None:
    calls: list[tuple[int, int]] = []
    fit_plan(rows, folds, BRR, refit=False, progress=lambda *call: calls.append(call))
    assert calls == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
