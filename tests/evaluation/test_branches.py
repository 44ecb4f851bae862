from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from systems import FIT, made

from memfeat import models
from memfeat.errors import UsageError
from memfeat.evaluation.branches import BY_FEATURE
from memfeat.evaluation.fit import fit
from memfeat.evaluation.model_file import dump, load
from memfeat.evaluation.system import fit_part
from memfeat.store.feature_store import FeatureStore

pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore:fewer than 500 gradient steps")
QUICK = {"epochs": 3, "branch_units": 8, "hidden": [8]}


def test_each_feature_has_a_branch_as_wide_as_its_prepared_columns(tmp_path: Path) -> None:
    rows = made(["pca", "tfidf-svd6", "none"])  # 10 components, 6 of texts, 90 as they are
    found = fit_part(rows, FIT, models.get("kclass"), parameters={**QUICK, "branches": BY_FEATURE}).pipeline
    assert found.named_steps["model"].architecture_["widths"] == [10, 6, 90]
    by_hand = fit_part(
        rows, FIT, models.get("kclass"), parameters={**QUICK, "branches": [10, 6, 90]}
    ).pipeline
    np.testing.assert_array_equal(found.predict(rows.X), by_hand.predict(rows.X))
    np.testing.assert_array_equal(
        found.predict(rows.X, edge="upper-edge"), by_hand.predict(rows.X, edge="upper-edge")
    )
    one = fit_part(rows, FIT, models.get("kclass"), parameters=QUICK).pipeline
    assert not np.array_equal(one.predict(rows.X), found.predict(rows.X))
    dump(found, tmp_path)
    np.testing.assert_array_equal(load(tmp_path).predict(rows.X), found.predict(rows.X))


def test_widths_are_found_anew_in_each_fold(store: FeatureStore, tmp_path: Path) -> None:
    """Ten components are asked for; thirty rows of a fold allow as many, five rows allow four."""
    rows = made(["pca", "none"])
    parameters = {**QUICK, "n_classes": 2, "branches": BY_FEATURE}
    few = fit_part(rows, np.arange(5), models.get("kclass"), parameters=parameters).pipeline
    assert few.named_steps["model"].architecture_["widths"][0] < 10
    run = fit(
        store,
        model="kclass",
        columns=["grid", "light"],
        parameters=parameters,
        resamples=0,
        out=tmp_path / "run",
    )
    assert run.model.named_steps["model"].architecture_["widths"] == [10, 1]
    assert run.info.parameters["branches"] == BY_FEATURE


def test_another_word_is_refused(store: FeatureStore, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="branches=by-fature.*give the number of columns of each branch"):
        fit(
            store,
            model="kclass",
            columns=["light"],
            parameters={"branches": "by-fature"},
            out=tmp_path / "run",
        )
