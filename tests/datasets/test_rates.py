from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from memfeat.datasets._rates import rates
from memfeat.datasets._release import json_table
from memfeat.errors import LabelError


def test_rates_are_shares_of_the_answers_that_were_possible() -> None:
    table = json_table(
        Path("a.mat"),
        [
            {"hits": 3, "misses": 1, "false_alarms": 0, "correct_rejections": 8},
            {"hits": 0, "misses": 0, "false_alarms": 2, "correct_rejections": 0},
        ],
    )
    found = rates(table, suffix="_x")
    np.testing.assert_array_equal(found["hit_rate_x"], [0.75, np.nan])
    assert found["false_alarm_rate_x"].tolist() == [0, 1]
    assert found["n:false_alarm_rate_x"].tolist() == [8, 2]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"hits": 1}, "a.mat has no column 'misses'"),
        ({"hits": 1, "misses": None}, "entry 1, column 'misses'"),
        ({"hits": 1, "misses": -2}, "entry 1, column 'misses': -2 is below 0"),
        ({"hits": 0.5, "misses": 2}, "entry 1, column 'hits': 0.5 is no whole number"),
    ],
)
def test_what_was_not_counted_is_refused(entry: dict, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        rates(json_table(Path("a.mat"), [entry]))
