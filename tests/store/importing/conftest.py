"""Miniatures of what organisers ship, and a store that has labels and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from memfeat.store.feature_store import FeatureStore
from memfeat.store.labels import Labels

VIDEOS = tuple(f"video{number}.webm" for number in (3, 10, 12, 20))
INDICES = (0, 56, 112)


@pytest.fixture
def labelled(tmp_path: Path) -> FeatureStore:
    """A store of four labelled videos without any file."""
    scores = pd.DataFrame({"score": np.linspace(0.6, 0.9, len(VIDEOS))}, index=list(VIDEOS))
    return FeatureStore.create(tmp_path / "store", dataset="mini", labels=Labels(scores))


def sparse_line(vector: np.ndarray, first: int) -> str:
    return " ".join(f"{bin + first}:{value!r}" for bin, value in enumerate(vector.tolist()) if value)


@pytest.fixture
def ship(tmp_path: Path) -> Callable[..., tuple[Path, dict[str, np.ndarray]]]:
    """Write a folder of features as MediaEval 2018 shipped it; gives the folder and the vectors by id."""

    def write(kind: str, ids: tuple[str, ...] = VIDEOS) -> tuple[Path, dict[str, np.ndarray]]:
        folder = tmp_path / "features" / kind
        folder.mkdir(parents=True)
        rng = np.random.default_rng(len(kind))
        true = {}
        for id in ids:
            stem = id.removesuffix(".webm")
            if kind in ("C3D", "aesthetic_feat_dev-set_mean"):
                true[id] = rng.normal(size=101 if kind == "C3D" else 109)
                glue = " " if kind == "C3D" else ","
                (folder / f"{stem}.txt").write_text(glue.join(map(repr, true[id].tolist())) + "\n")
            elif kind == "HMP":
                true[id] = np.where(rng.random(6075) < 0.02, rng.random(6075), 0)
                true[id][-1] = 0.5
                (folder / f"{stem}.txt").write_text(sparse_line(true[id], 1))
            else:
                width = {"LBP": 122, "InceptionV3": 1000, "ColorHistogram": 768}[kind]
                true[id] = rng.random((3, width))
                if kind != "LBP":
                    true[id][true[id] < 0.9] = 0
                for index, vector in zip(INDICES, true[id], strict=True):
                    if kind == "LBP":
                        text = " ".join(map(repr, vector.tolist()))
                    elif kind == "InceptionV3":
                        text = sparse_line(vector, 0)
                    else:
                        text = "\n".join(sparse_line(line, 0) for line in vector.reshape(3, 256))
                    (folder / f"{stem}-{index}.txt").write_text(text)
        return folder, true

    return write
