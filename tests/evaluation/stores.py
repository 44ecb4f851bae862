"""Small stores with numbers drawn at random, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from memfeat.store.commit import commit
from memfeat.store.feature_store import FeatureStore
from memfeat.store.labels import Labels
from memfeat.store.record import FeatureRecord
from memfeat.store.source import Source

WIDTH = 90
"""Of the feature ``grid``, which is wider than there are rows and reduced to ten principal components, as HOG is."""


def draw(n: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Features of n videos, and a score that depends on them."""
    generator = np.random.default_rng(seed)
    latent = generator.normal(size=(n, 4))
    grid = latent @ generator.normal(size=(4, WIDTH)) + 0.3 * generator.normal(size=(n, WIDTH)) + 2.0
    light = 120 + 40 * generator.normal(size=n)
    embedding = generator.normal(size=(n, 5))
    score = 0.75 + 0.04 * latent[:, 0] + 0.02 * (light - 120) / 40 + 0.03 * embedding[:, 1]
    return {
        "grid": grid.astype(np.float32),
        "light": light,
        "embedding": embedding.astype(np.float32),
        "score": score + 0.03 * generator.normal(size=n),
    }


def name(k: int) -> str:
    return f"clip {k:03}.mp4"


PREPARATIONS = {"grid": "pca", "light": "zscore", "embedding": "none"}


def put(
    store: FeatureStore,
    video: str,
    values: Mapping[str, Any],
    *,
    keys: Mapping[str, str] | None = None,
    recipes: Mapping[str, dict[str, Any]] | None = None,
    damaged: bool = False,
) -> None:
    """Commit one video. A value of None is a feature that does not apply to it."""
    counts = {"decoded": 70, "header": 75, "corrupt": 2, "bad_packets": 0, "damaged": damaged}
    features = []
    for feature, value in values.items():
        provenance: dict[str, Any] = {
            "recipe": (recipes or {}).get(feature, {"extractor": feature, "version": 1})
        }
        if feature in PREPARATIONS:
            provenance["preparation"] = PREPARATIONS[feature]
        key = (keys or {}).get(feature, f"{feature}-1")
        if value is None:
            record = FeatureRecord(
                feature, key, {}, provenance, "not_applicable", "needs 2 frames, the file has 1"
            )
        elif np.ndim(value):
            record = FeatureRecord(
                feature, key, {"mean": np.asarray(value), "first": np.asarray(value) + 1}, provenance
            )
        else:
            # Two frames around the value: their mean is the value.
            arrays = {"values": np.array([value - 1, value + 1]), "times": np.array([0.0, 0.04])}
            record = FeatureRecord(feature, key, arrays, provenance)
        features.append(record)
    source = Source(1, 0, video.encode().hex()[:64].ljust(64, "0"))
    commit(store.path, video, source=source, video={"counts": counts}, features=features)


def make(
    path: Path,
    n: int = 60,
    *,
    seed: int = 0,
    dataset: str = "made",
    features: Sequence[str] = ("grid", "light", "embedding"),
    labels: Mapping[str, Any] | None = None,
    note: str = "",
    skip: Mapping[str, Sequence[int]] | None = None,
    **put_options: Any,
) -> FeatureStore:
    """Fill a store with `draw`; `labels` adds or replaces columns, `skip` leaves features of some videos out."""
    drawn = draw(n, seed)
    table = pd.DataFrame(
        {"score": drawn["score"], **(labels or {})}, index=pd.Index([name(k) for k in range(n)], name="id")
    )
    table = table.drop(columns=[column for column in table if table[column].isna().all()])
    # The file is not in order of ids: nothing may depend on that.
    table = table.iloc[np.random.default_rng(1).permutation(n)]
    store = FeatureStore.create(path, dataset=dataset, labels=Labels(table, note=note, synthetic=bool(note)))
    for k in range(n):
        values = {f: drawn[f][k] for f in features if k not in (skip or {}).get(f, ())}
        if values:
            put(store, name(k), values, **put_options)
    return FeatureStore(path)
