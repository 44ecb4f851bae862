"""M3: M3-S without its similarity module, the model that measures of similarity are added to."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from memfeat.models import ModelSpec, _modules

PARTS = ("raw", "scene", "event")


def build(seed: int, **parameters: Any) -> Any:
    """Return an unfitted `memfeat.estimators.m3s_head.M3SHead`: 512-64-1, Mish, sigmoid.

    >>> build(0, epochs=5).get_params()["epochs"]
    5
    """
    from memfeat.estimators.m3s_head import M3SHead

    return M3SHead(random_state=seed, **parameters)


def columns(features: Collection[str]) -> list[str]:
    """Return the columns of the raw, scene and event modules among these features.

    >>> columns(["contrast", "hrnetv2-w48-imagenet"])
    ['contrast', 'hrnetv2-w48-imagenet']
    """
    return _modules.columns(features, parts=PARTS)


def modules(features: Collection[str]) -> dict[str, list[str]]:
    """Return the same columns by module.

    >>> modules(["contrast", "hrnetv2-w48-imagenet"])
    {'raw': ['contrast'], 'scene': ['hrnetv2-w48-imagenet']}
    """
    return _modules.modules(features, parts=PARTS)


SPEC = ModelSpec(
    name="m3",
    summary="M3-S without similarity: its head on raw, scene and event features.",
    build=build,
    needs_deep=True,
    columns=columns,
    modules=modules,
)
