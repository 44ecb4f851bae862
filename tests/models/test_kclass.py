from __future__ import annotations

import numpy as np
import pytest

from memfeat import models


@pytest.mark.filterwarnings("ignore:fewer than 500 gradient steps")
def test_parameters_as_a_command_line_gives_them_reach_the_network() -> None:
    pytest.importorskip("torch")
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(60, 5)), generator.uniform(size=60)
    model = models.get("kclass").build(0, n_classes=3, branches=[3, -1], hidden=[8], branch_units=4, epochs=1)
    model.fit(X, y)
    assert model.architecture_["widths"] == [3, 2]
    assert model.probabilities(X).shape == (60, 3)
    assert models.get("kclass").columns is None
