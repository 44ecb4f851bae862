"""Held-out rows reach nothing that is fitted: for every model and every preparation there is.

The rows that a part judges are replaced by garbage of the same shape. Whatever was fitted, and every prediction
of another row, must stay equal to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.sparse import issparse
from scipy.stats import spearmanr
from sklearn.base import BaseEstimator, TransformerMixin
from systems import FIT, JUDGED, PREPARATIONS, RIDGE, all_together, made, quick, spec_of

from memfeat import models
from memfeat.evaluation import preparations
from memfeat.evaluation.gather import Rows
from memfeat.evaluation.splits import Part, Plan, plan
from memfeat.evaluation.system import Fitted, fit_part, fit_plan
from memfeat.models import ModelSpec


def differences(one: Any, other: Any, path: str = "", seen: set[int] | None = None) -> Iterator[str]:
    """Yield where two fitted objects differ, looking into everything that they hold."""
    seen = set() if seen is None else seen
    if type(one) is not type(other):
        yield f"{path}: {type(one).__name__} and {type(other).__name__}"
    elif issparse(one):
        yield from differences(one.toarray(), other.toarray(), path, seen)
    elif isinstance(one, np.ndarray) and one.dtype == object:
        yield from differences(one.tolist(), other.tolist(), path, seen)
    elif isinstance(one, (np.ndarray, np.generic, float, bool, int, str, bytes, type, type(None))):
        if not same(one, other):
            yield path
    elif id(one) not in seen and (hasattr(one, "fit") or not callable(one)):
        seen.add(id(one))
        ours, theirs = items(one), items(other)
        if [name for name, _ in ours] != [name for name, _ in theirs]:
            yield f"{path}: {len(ours)} and {len(theirs)} items"
        else:
            for (name, a), (_, b) in zip(ours, theirs, strict=True):
                yield from differences(a, b, f"{path}.{name}", seen)


def same(one: Any, other: Any) -> bool:
    """Whether two leaves are equal to the last bit."""
    if isinstance(one, (np.ndarray, np.generic, float)):
        a, b = np.asarray(one), np.asarray(other)
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return bool(one == other)


def items(value: Any) -> list[tuple[str, Any]]:
    """What a container or an object holds, by name."""
    if isinstance(value, (list, tuple)):
        return [(str(k), item) for k, item in enumerate(value)]
    if not isinstance(value, dict):
        # Compiled objects, such as trees, have no dictionary and are pickled by their state.
        value = vars(value) if hasattr(value, "__dict__") else dict(enumerate(value.__reduce_ex__(2)[1:3]))
    return sorted(((repr(name), item) for name, item in value.items()), key=lambda pair: pair[0])


def assert_nothing_leaks(names: list[str], spec: ModelSpec) -> None:
    clean, dirty = made(names), made(names, garbage=True)
    one, other = (fit_part(rows, FIT, spec, parameters=quick(spec)) for rows in (clean, dirty))
    assert list(differences(one.pipeline, other.pipeline)) == []
    before, after = (fitted.pipeline.predict(rows.X) for fitted, rows in ((one, clean), (other, dirty)))
    np.testing.assert_array_equal(before[FIT], after[FIT])
    # A row's own prediction does not depend on the rows beside it either.
    np.testing.assert_allclose(one.pipeline.predict(clean.X[JUDGED[:2]]), before[JUDGED[:2]], rtol=1e-9)


@pytest.fixture(params=models.names())
def spec(request: pytest.FixtureRequest) -> ModelSpec:
    return spec_of(request.param)


@pytest.mark.parametrize("name", PREPARATIONS)
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::sklearn.exceptions.ConvergenceWarning")
def test_no_held_out_row_reaches_a_preparation(name: str) -> None:
    assert_nothing_leaks([name], RIDGE)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::sklearn.exceptions.ConvergenceWarning")
def test_no_held_out_row_reaches_a_model_whatever_stands_before_it(spec: ModelSpec) -> None:
    assert_nothing_leaks(all_together(spec), spec)


class Cheat(TransformerMixin, BaseEstimator):
    """Has seen all rows before it is fitted."""

    def __init__(self, everything: Any = None) -> None:
        self.everything = everything

    def fit(self, X: Any, y: object = None) -> Cheat:
        self.mean_ = np.asarray(self.everything).mean(axis=0)
        return self

    def transform(self, X: Any) -> Any:
        return X - self.mean_


def test_a_step_that_has_seen_all_rows_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    everything: list[Any] = []
    original = preparations.find("none")
    monkeypatch.setattr(
        preparations, "find", lambda name: replace(original, make=lambda seed: Cheat(everything[-1]))
    )
    fits: list[Fitted] = []
    for garbage in (False, True):
        rows = made(["none"], garbage=garbage)
        everything.append(rows.X.arrays[0])
        fits.append(fit_part(rows, FIT, RIDGE))
    found = " ".join(differences(fits[0].pipeline, fits[1].pipeline))
    assert "mean_" in found and "intercept_" in found


SHUFFLES = 3
FOLDS = 5
ROWS = 160


def null_bound() -> float:
    """Four standard deviations of the mean of independent rank correlations, each of variance 1 / (n - 1)."""
    return 4 / np.sqrt(SHUFFLES * FOLDS * (ROWS / FOLDS - 1))


def fold_means(rows: Rows, made_plan: Plan, spec: ModelSpec) -> float:
    table = fit_plan(rows, made_plan, spec, parameters=quick(spec), refit=False).predictions
    found = [
        0.0 if part["predicted"].nunique() == 1 else spearmanr(part["target"], part["predicted"]).statistic
        for _, part in table.groupby("split")
    ]
    return float(np.mean(found))


def shuffled(rows: Rows, seed: int) -> Rows:
    return replace(rows, y=np.random.default_rng(seed).permutation(rows.y))


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::sklearn.exceptions.ConvergenceWarning")
def test_shuffled_targets_are_not_predicted(spec: ModelSpec) -> None:
    rows = made(["pca", "tfidf-svd6"], n=ROWS)
    made_plan = plan(rows.ids, folds=FOLDS)
    means = [fold_means(shuffled(rows, seed), made_plan, spec) for seed in range(SHUFFLES)]
    assert abs(np.mean(means)) < null_bound()


def test_targets_that_leak_are_beyond_those_bounds() -> None:
    rows, few = made(["none"], n=ROWS), made(["pca"], n=ROWS)
    folds = plan(rows.ids, folds=FOLDS)
    leaking = replace(folds, parts=tuple(Part(p.name, folds.used, p.judged) for p in folds.parts))
    means = [fold_means(shuffled(rows, seed), leaking, RIDGE) for seed in range(SHUFFLES)]
    assert np.mean(means) > null_bound()
    assert fold_means(few, folds, RIDGE) > null_bound()  # and so is what can be learned honestly
