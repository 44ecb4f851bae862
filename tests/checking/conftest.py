"""Small datasets, sound but for what a test asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from memfeat.dataset import Dataset, SplitHalves
from memfeat.store.labels import Labels
from memfeat.store.texts import Texts

ITEMS = 12


@pytest.fixture
def sound(tmp_path: Path) -> Callable[..., Dataset]:
    """Make a dataset of 12 different files with scores; columns and files can be replaced."""

    def make(
        columns: Mapping[str, Sequence[object]] | None = None,
        *,
        files: Mapping[str, bytes] | None = None,
        texts: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
        halves: Mapping[str, SplitHalves] | None = None,
        missing: tuple[str, ...] = (),
        extra: tuple[str, ...] = (),
        targets: Sequence[str] | None = None,
    ) -> Dataset:
        ids = [f"v{number:02}.mp4" for number in range(ITEMS)]
        content = {id: b"content of " + id.encode() for id in ids} if files is None else files
        for id, data in content.items():
            (tmp_path / id).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / id).write_bytes(data)
        table = {"score": np.linspace(0.4, 0.9, ITEMS), **(columns or {})}
        return Dataset(
            "pilot",
            {id: tmp_path / id for id in content},
            Labels(pd.DataFrame(table, index=ids), targets=targets),
            texts=None if texts is None else Texts(texts),
            halves=halves or {},
            missing=missing,
            extra=extra,
        )

    return make
