"""The network with which M3-S's authors judge low-level descriptors, alone and together."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from memfeat.models import ModelSpec, _modules


def build(seed: int, **parameters: Any) -> Any:
    """Return an unfitted `memfeat.estimators.raw_mlp.RawMLP`: 64 units and a sigmoid.

    >>> build(0, epochs=50).get_params()["epochs"]
    50
    """
    from memfeat.estimators.raw_mlp import RawMLP

    return RawMLP(random_state=seed, **parameters)


def columns(features: Collection[str]) -> list[str]:
    """Return the low-level descriptors among these features: M3-S's raw module.

    >>> columns(["contrast", "hog", "clip-vit-b-32"])
    ['hog@pca-m3s', 'contrast']
    """
    return _modules.columns(features, parts=("raw",))


SPEC = ModelSpec(
    name="raw-mlp",
    summary="One layer of 64 units and a sigmoid output, as M3-S's authors judge low-level descriptors.",
    build=build,
    needs_deep=True,
    columns=columns,
)
