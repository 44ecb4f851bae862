"""Reading one feature of a whole store: file by file, or through the matrix cache."""

from __future__ import annotations

import os
from pathlib import Path
from unittest import mock

import numpy as np

from memfeat.store.commit import commit
from memfeat.store.feature_store import FeatureStore
from memfeat.store.naming import video_path
from memfeat.store.record import FeatureRecord
from memfeat.store.source import Source

from . import limits, naive
from .compare import Input, interleave
from .report import Row
from .settings import Bench

FEATURE = "embedding"
FULL_SIZE = 10_000
"""Number of videos from which the target holds: with few files, what does not grow with them decides."""


def matrix(bench: Bench) -> list[Row]:
    """Build a store, warm the cache, and read it both ways."""
    settings = bench.settings
    root = bench.folder / "store"
    ids = [f"video {number:05}.mp4" for number in range(settings.store)]
    FeatureStore.create(root, dataset="benchmark")
    with mock.patch.object(os, "fsync"):  # this store need not outlive a power cut
        for number, id in enumerate(ids):
            if number % 500 == 0:
                bench.say(f"writing video {number:,} of {len(ids):,}")
            write(root, id, settings.store_width, seed=number)
    files = [video_path(root, id) for id in ids]
    store = FeatureStore(root)

    def ours(_: object) -> np.ndarray:
        """Map the matrix, as a fit does, and go through every number once."""
        block = store.matrix([FEATURE]).block(FEATURE)
        block.sum()
        return block

    comparison = interleave(
        "matrix",
        "read",
        [Input(f"{len(ids):,} × {settings.store_width:,}", files)],
        lambda paths: naive.read_matrix(paths, FEATURE),
        ours,
        rounds=5,
        say=bench.say,
    )
    limit = limits.looking(root, len(ids) * settings.store_width, bench.rates)
    row = Row.of(bench.keep(comparison), f"one feature of {len(ids):,} videos", limit=limit)
    if len(ids) >= FULL_SIZE:
        row.at_least(30)
    plain, cached = comparison.results[0]
    row.check("numbers that differ in any bit", np.count_nonzero(plain != cached), "==", 0)
    write(root, ids[len(ids) // 2], settings.store_width, seed=len(ids), replace=True)
    after = ours(None)
    again = naive.read_matrix(files, FEATURE)
    row.check("the same after one file has changed", np.count_nonzero(again != after), "==", 0)
    row.check("rows that this changed", np.count_nonzero((after != cached).any(axis=1)), "==", 1)
    return [row]


def write(root: Path, id: str, width: int, *, seed: int, replace: bool = False) -> None:
    first, mean = np.random.default_rng(seed).standard_normal((2, width), dtype=np.float32)
    record = FeatureRecord(FEATURE, "benchmark", {"first": first, "mean": mean})
    source = Source(size=1, mtime_ns=0, sha256="0" * 64)
    commit(root, id, source=source, video={}, features=[record], replace=replace)
