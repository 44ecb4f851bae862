from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from distributed import LocalCluster
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression

from memfeat import models
from memfeat.errors import SetupError
from memfeat.evaluation.comparison.jobs import Done, Job, Runner, perform
from memfeat.evaluation.gather import Rows, gather
from memfeat.evaluation.splits import Plan, plan
from memfeat.evaluation.system import fit_plan
from memfeat.store.feature_store import FeatureStore


@pytest.fixture(scope="module")
def rows(store: FeatureStore) -> Rows:
    return gather(store, target="score", columns=["embedding", "light"])


@pytest.fixture(scope="module")
def folds(rows: Rows) -> Plan:
    return plan(rows.ids, folds=3)


def jobs(rows: Rows, folds: Plan, system: str = "a", **given: Any) -> list[Job]:
    settings: dict[str, Any] = {"model": "brr", "parameters": {}, "seed": 0, **given}
    return [
        Job(key=f"{system} {part.name}", system=system, rows=rows, part=part, **settings)
        for part in folds.parts
    ]


def run(runner: Runner, asked: list[Job]) -> dict[str, Done]:
    found: dict[str, Done] = {}
    runner.run(asked, lambda job, done: found.__setitem__(job.key, done))
    return found


@pytest.mark.parametrize("workers", [1, 2])
def test_jobs_give_what_a_fit_gives(rows: Rows, folds: Plan, workers: int) -> None:
    found = run(Runner(workers), jobs(rows, folds))
    expected = fit_plan(rows, folds, models.get("brr"), refit=False).predictions.set_index("id")
    for part in folds.parts:
        held = found[f"a {part.name}"].held
        there = expected.loc[[rows.ids[k] for k in part.judged]]
        np.testing.assert_array_equal(held.predicted[""], there["predicted"])
        np.testing.assert_array_equal(held.deviation, there["predicted_sd"])
        assert held.seconds > 0


def test_what_goes_wrong_is_told_and_the_rest_of_that_system_is_not_begun(rows: Rows, folds: Plan) -> None:
    broken = jobs(rows, folds, "broken", model="ridge", parameters={"alpha": -1})
    found = run(Runner(), [*broken, *jobs(rows, folds)])
    assert [key for key in found if key.startswith("broken")] == ["broken fold 1"]
    assert "alpha=-1" in found["broken fold 1"].failure
    assert sum(done.held is not None for done in found.values()) == 3


def test_an_error_of_a_library_does_not_end_the_comparison(rows: Rows, folds: Plan, monkeypatch) -> None:
    def fail(*given: Any, **settings: Any) -> None:
        raise ZeroDivisionError("inside")

    monkeypatch.setattr("memfeat.evaluation.system.fit_part", fail)
    done = perform(jobs(rows, folds)[0])
    assert done.held is None
    assert done.failure == "fold 1: ZeroDivisionError: inside"


def test_predictions_that_are_no_numbers_are_a_failure(rows: Rows, folds: Plan, monkeypatch) -> None:
    class Lost(DummyRegressor):
        def predict(self, X: Any) -> Any:
            return np.full(len(X), np.nan)

    spec = models.ModelSpec(name="lost", summary="x", build=lambda seed: Lost())
    monkeypatch.setattr(models, "get", lambda name: spec)
    assert "not finite" in perform(jobs(rows, folds, model="lost")[0]).failure


def test_a_cluster_gives_the_same(rows: Rows, folds: Plan) -> None:
    here = run(Runner(), jobs(rows, folds))
    with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None) as cluster:
        there = run(Runner(scheduler=cluster.scheduler_address), jobs(rows, folds))
    assert there.keys() == here.keys()
    for key, done in here.items():
        np.testing.assert_array_equal(there[key].held.predicted[""], done.held.predicted[""])


def test_no_cluster_there_is_said(rows: Rows, folds: Plan, monkeypatch) -> None:
    def refuse(*given: Any, **settings: Any) -> None:
        raise OSError("refused")

    monkeypatch.setattr("distributed.Client", refuse)
    with pytest.raises(SetupError, match=r"No Dask scheduler answers at tcp://nowhere:1 \(refused\)"):
        run(Runner(scheduler="tcp://nowhere:1"), jobs(rows, folds))


def test_other_readings_come_from_the_same_fit(rows: Rows, folds: Plan, monkeypatch) -> None:
    class TwoWays(LinearRegression):
        def __init__(self, plus: float = 0.0) -> None:
            super().__init__()
            self.plus = plus

        def predict(self, X: Any, plus: float | None = None) -> Any:
            return super().predict(X) + (self.plus if plus is None else plus)

    spec = models.ModelSpec(
        name="two-ways",
        summary="x",
        build=lambda seed, **given: TwoWays(**given),
        readings={"more": {"plus": 2.0}},
    )
    monkeypatch.setattr(models, "get", lambda name: spec)
    held = perform(jobs(rows, folds, model="two-ways")[0]).held
    np.testing.assert_array_equal(held.predicted["more"], held.predicted[""] + 2)
    assert held.deviation is None
    # A reading that the parameters ask for anyway is not there twice.
    asked = perform(jobs(rows, folds, model="two-ways", parameters={"plus": 2.0})[0]).held
    assert list(asked.predicted) == [""]
    np.testing.assert_array_equal(asked.predicted[""], held.predicted["more"])
