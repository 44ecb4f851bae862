from __future__ import annotations

import numpy as np
import pytest

from memfeat import models


@pytest.mark.filterwarnings("ignore:fewer than 500 gradient steps")
def test_it_is_the_classes_network_with_the_settings_it_finds() -> None:
    pytest.importorskip("torch", reason="needs the extra deep")
    from memfeat.estimators.kclass import KClassRegressor

    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(60, 3)), generator.uniform(size=60)
    space = {"hidden": [[4], [8]], "optimizer": ["rmsprop"]}
    found = models.get("kclass-search").build(1, n_classes=3, n_trials=2, folds=2, space=space).fit(X, y)
    assert found.best_params_["optimizer"] == "rmsprop"
    plain = KClassRegressor(n_classes=3, random_state=1, **found.best_params_).fit(X, y)
    np.testing.assert_array_equal(found.predict(X), plain.predict(X))
