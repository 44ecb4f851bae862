"""M3-S on stored features: raw, scene and event modules, and how unusual the video is among others."""

from __future__ import annotations

from typing import Any

from memfeat.models import ModelSpec, _modules


def build(seed: int, **parameters: Any) -> Any:
    """Return an unfitted `memfeat.estimators.m3s_head.M3SHead`: 512-64-1, Mish, sigmoid.

    >>> build(0, loss="mse-tails").get_params()["loss"]
    'mse-tails'
    """
    from memfeat.estimators.m3s_head import M3SHead

    return M3SHead(random_state=seed, **parameters)


SPEC = ModelSpec(
    name="m3s",
    summary="M3-S's head of 512 and 64 units on raw, scene, event and similarity features.",
    build=build,
    needs_deep=True,
    columns=_modules.columns,
    modules=_modules.modules,
)
