from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from memfeat.errors import SetupError
from memfeat.evaluation.comparison.cache import Held, read, usable, write

KEY = "ab" * 32
HELD = Held(
    predicted={"": np.array([0.1, 1 / 3, 5e-324]), "upper-edge": np.array([1.0, 2.0, 3.0])},
    deviation=np.array([0.1, 0.2, 0.3]),
    notes=("mlp: slow",),
    reduced={"hog:mean": (3, 10)},
    seconds=1.5,
)


def test_predictions_come_back_to_the_last_bit(tmp_path: Path) -> None:
    write(tmp_path, KEY, HELD)
    found = read(tmp_path, KEY, rows=3)
    assert found is not None
    for name, values in HELD.predicted.items():
        assert found.predicted[name].tobytes() == values.tobytes()
    assert found.deviation.tobytes() == HELD.deviation.tobytes()
    assert (found.notes, found.reduced, found.seconds) == (HELD.notes, HELD.reduced, HELD.seconds)


def test_what_cannot_be_used_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    assert read(tmp_path, KEY, rows=3) is None
    write(tmp_path, KEY, HELD)
    assert read(tmp_path, KEY, rows=4) is None
    file = next(tmp_path.rglob("*.json"))
    values = json.loads(file.read_text())
    for damaged in (
        "",
        "[]",
        "{",
        json.dumps({**values, "version": 0}),
        json.dumps({**values, "predicted": {"other": [1, 2, 3]}}),
        json.dumps({**values, "predicted": {"": [1, 2, "x"]}}),
        json.dumps({**values, "predicted": {"": [1, 2, float("nan")]}}),
        json.dumps({**values, "reduced": 3}),
    ):
        file.write_text(damaged)
        assert read(tmp_path, KEY, rows=3) is None
    write(tmp_path, KEY, HELD)
    assert read(tmp_path, KEY, rows=3) is not None


def test_many_may_write_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: write(tmp_path, KEY, HELD), range(40)))
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [f"{KEY}.json"]
    assert read(tmp_path, KEY, rows=3) is not None


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError):
        write(tmp_path / "file", KEY, HELD)


def test_infinite_predictions_are_of_no_use() -> None:
    assert usable(HELD)
    assert not usable(Held({"": np.array([1.0, np.inf])}))
