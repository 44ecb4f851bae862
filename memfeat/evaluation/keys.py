"""Whether features were extracted as those that a model was fitted on, and how they differ where not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from memfeat.errors import UsageError
from memfeat.evaluation.pipeline import Block


def check_keys(
    blocks: tuple[Block, ...], keys: Mapping[str, str], recipes: Mapping[str, Any], *, where: str
) -> None:
    """Refuse features that mean something else than those of the model.

    Parameters
    ----------
    blocks
        The model's columns.
    keys
        Feature keys found, by feature; a feature that is not there is one that is missing.
    recipes
        What each key stands for, by feature, where it is known.
    where
        What the features belong to, for the message.

    Raises
    ------
    UsageError
        A feature is missing or was extracted differently; the message lists each and how it differs.
    """
    wanted = {block.feature: block for block in blocks}
    missing = [name for name in wanted if name not in keys]
    if missing:
        raise UsageError(
            f"{where} lacks {', '.join(missing)}, which the model needs; it has "
            f"{', '.join(sorted(keys)) or 'no features'}. Extract the missing ones first."
        )
    differing = [
        f"{name} ({differences(block.recipe, recipes.get(name)) or f'key {block.key} there {keys[name]}'})"
        for name, block in wanted.items()
        if keys[name] != block.key
    ]
    if differing:
        raise UsageError(
            f"{where} was extracted differently from what the model was fitted on, so it cannot be "
            f"predicted: {'; '.join(differing)}. Extract those features alike, or fit again."
        )


def differences(model: Any, found: Any) -> str:
    """Return in words where two recipes differ, or an empty string when that is not known.

    >>> differences({"version": 1, "parameters": {"cell": 8}}, {"version": 1, "parameters": {"cell": 16}})
    'parameters.cell: the model has 8, here 16'
    """
    if not isinstance(model, Mapping) or not isinstance(found, Mapping):
        return ""
    ours, theirs = _flat(model), _flat(found)
    words = []
    for name in sorted({*ours, *theirs}):
        if ours.get(name) != theirs.get(name):
            words.append(f"{name}: the model has {ours.get(name, 'none')}, here {theirs.get(name, 'none')}")
    return ", ".join(words)


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found
