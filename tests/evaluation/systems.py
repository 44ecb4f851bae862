"""Rows for every preparation there is, without a store, and every model in a quick version of itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from stores import draw

from memfeat import models
from memfeat.evaluation import preparations
from memfeat.evaluation.gather import Rows
from memfeat.evaluation.pipeline import Block
from memfeat.evaluation.preparation import Blocks
from memfeat.models import ModelSpec

FIT = np.arange(45)
JUDGED = np.arange(45, 60)
WORDS = ["dog", "cat", "runs", "sleeps", "grass", "house", "red", "blue", "man", "woman", "walks", "street"]
RIDGE = ModelSpec(name="some-ridge", summary="Ridge.", build=lambda seed: Ridge(), takes_sparse=True)
PREPARATIONS = [name.replace("N", "6").replace("E", "4.5") for name in preparations.listed()]


def texts(n: int, generator: np.random.Generator, words: list[str]) -> np.ndarray:
    found = np.empty((n, 1), dtype=object)
    found[:, 0] = [
        tuple(" ".join(generator.choice(words, 4)) for _ in range(generator.integers(1, 4))) for _ in range(n)
    ]
    return found


def arrays_of(name: str, n: int, *, garbage: bool) -> Any:
    """What a column with this preparation reads."""
    generator = np.random.default_rng(99 if garbage else 7)
    preparation = preparations.find(name)
    if preparation.text:
        return texts(n, generator, ["garbage", "zebra", *WORDS[:2]] if garbage else WORDS)
    grid = 1e3 * generator.normal(size=(n, 90)) if garbage else draw(n)["grid"]
    if preparation.also_reduction:
        return Blocks([grid, grid + generator.normal(size=grid.shape)])
    if preparation.also_texts:
        classes = np.empty((n, 1), dtype=object)
        classes[:, 0] = [
            ("garbage",) if garbage else ("run",) if k % 2 else ("run", "jump") for k in range(n)
        ]
        return Blocks([grid, classes])
    return grid


def spoilt(clean: Any, other: Any) -> Any:
    """The clean values, and garbage where rows are judged."""
    if isinstance(clean, Blocks):
        return Blocks([spoilt(a, b) for a, b in zip(clean.arrays, other.arrays, strict=True)])
    found = clean.copy()
    found[JUDGED] = other[JUDGED]
    return found


def made(names: list[str], *, garbage: bool = False, n: int = 60) -> Rows:
    arrays, blocks = [], []
    for name in names:
        array = arrays_of(name, n, garbage=False)
        if garbage:
            array = spoilt(array, arrays_of(name, n, garbage=True))
        text = preparations.find(name).text
        feature, reduction = ("captions", "text") if text else ("grid", "mean")
        arrays.append(array)
        blocks.append(Block(f"{feature}:{reduction}@{name}", feature, reduction, array.shape[1], "key", name))
    y = draw(n)["score"].clip(0.05, 0.95)
    if garbage:
        y = y.copy()
        y[JUDGED] = 1 - y[JUDGED]
    return Rows(
        ids=tuple(f"v{k:03}" for k in range(n)),
        target="score",
        y=y,
        X=Blocks(arrays),
        blocks=tuple(blocks),
        split=None,
        group=None,
        unlabelled=(),
        named={},
        unlabelled_named={},
        left_out={},
        notes=(),
    )


def all_together(spec: ModelSpec) -> list[str]:
    """The preparations that a model can take at once."""
    names = [name for name in PREPARATIONS if spec.takes_sparse or not preparations.find(name).sparse]
    # One of those that differ in a setting of t-SNE and DBSCAN, which takes most of the time, stands for them all.
    return [name for name in names if not name.startswith("dbscan") or name == "dbscan-m3s-eps4.5"]


def quick(spec: ModelSpec) -> dict[str, Any]:
    """Parameters that make a model faster and no other: fewer rounds of whatever it repeats."""
    fewer = {"n_trials": 2, "folds": 2, "epochs": 3}
    built = spec.build(0)
    if spec.name == "ic-mlp":
        fewer["max_iter"] = 5
    return {name: value for name, value in fewer.items() if name in built.get_params(deep=False)}


def spec_of(name: str) -> ModelSpec:
    """The model of that name; skips the test where it needs torch and there is none."""
    found = models.get(name)
    if found.needs_deep:
        pytest.importorskip("torch")
    return found
