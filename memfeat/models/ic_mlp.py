"""VideoMem's caption-feature model: the embeddings of three frames and one wide hidden layer."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from memfeat.errors import UsageError
from memfeat.models import ModelSpec

THREE_FRAMES = "-fml"


def build(seed: int, **parameters: Any) -> Any:
    """Return an unfitted `memfeat.estimators.ic_mlp.CaptionFeatureMLP`: 1,500 tanh units, L-BFGS.

    >>> build(0, max_iter=50).get_params()["max_iter"]
    50
    """
    from memfeat.estimators.ic_mlp import CaptionFeatureMLP

    return CaptionFeatureMLP(random_state=seed, **parameters)


def columns(features: Collection[str]) -> list[str]:
    """Return a feature of the first, middle and last frame, side by side; CLIP's embedding before others.

    The published feature is an image in a space shared with captions, as CLIP's projected embedding is.

    Raises
    ------
    UsageError
        There is no feature of three frames.

    Examples
    --------
    >>> columns(["clip-vit-b-32-fml", "clip-vit-b-32", "densenet121-fml"])
    ['clip-vit-b-32-fml:stack']
    """
    three = [name for name in features if name.endswith(THREE_FRAMES)]
    if not three:
        raise UsageError(
            "ic-mlp takes the embeddings of three frames, a feature whose name ends in -fml; the store has "
            f"{', '.join(sorted(features)) or 'none'}. Extract one, or name columns (--features)."
        )
    best = min(three, key=lambda name: (not name.startswith("clip"), len(name), name))
    return [f"{best}:stack"]


SPEC = ModelSpec(
    name="ic-mlp",
    summary="Embeddings of three frames, one layer of 1,500 tanh units, L-BFGS (VideoMem, 2019).",
    build=build,
    needs_deep=True,
    columns=columns,
)
