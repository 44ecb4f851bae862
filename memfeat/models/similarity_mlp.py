"""M3-S reduced to contextual similarity: how well a measure of it predicts memorability by itself."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from memfeat.models import ModelSpec, _modules


def build(seed: int, **parameters: Any) -> Any:
    """Return an unfitted `memfeat.estimators.similarity_mlp.SimilarityMLP`, trained for 15 epochs.

    >>> build(0).get_params()["epochs"]
    15
    """
    from memfeat.estimators.similarity_mlp import SimilarityMLP

    return SimilarityMLP(random_state=seed, **parameters)


def columns(features: Collection[str]) -> list[str]:
    """Return DBSCAN's clusters of the scene and event features; another measure is named by its column.

    >>> columns(["hrnetv2-w48-imagenet", "contrast"])
    ['hrnetv2-w48-imagenet@dbscan']
    """
    return _modules.columns(features, parts=("similarity",))


SPEC = ModelSpec(
    name="similarity-mlp",
    summary="M3-S's head on contextual similarity alone, by which its authors compare measures.",
    build=build,
    needs_deep=True,
    columns=columns,
)
