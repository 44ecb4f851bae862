from __future__ import annotations

import numpy as np
import pytest

from memfeat import models


@pytest.mark.filterwarnings("ignore:fewer than 500 gradient steps")
def test_it_is_the_published_head_with_the_seed_it_is_given() -> None:
    pytest.importorskip("torch")
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(40, 15)), generator.uniform(size=40)
    model = models.get("m3s").build(5, epochs=2).fit(X, y)
    assert model.get_params()["random_state"] == 5
    # The published number for the raw module alone, whose 15 numbers make 41,089 parameters.
    assert sum(value.size for value in model.state_.values()) == 33_409 + 512 * 15
    assert not np.array_equal(model.predict(X), models.get("m3s").build(6, epochs=2).fit(X, y).predict(X))
