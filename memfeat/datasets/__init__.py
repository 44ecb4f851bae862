"""The adapters that read releases as they are shipped, one per file."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path
from typing import Any

from memfeat.dataset import Adapter, Dataset
from memfeat.errors import UsageError, nearest
from memfeat.recipe import Recipe, parse

__all__ = ["adapters", "get", "load"]


@cache
def adapters() -> dict[str, Adapter[Any]]:
    """Return every adapter by name.

    >>> "folder" in adapters()
    True
    """
    found: dict[str, Adapter[Any]] = {}
    for module_info in pkgutil.iter_modules(__path__):
        if not module_info.name.startswith("_"):
            adapter: Adapter[Any] = importlib.import_module(f"{__name__}.{module_info.name}").ADAPTER
            found[adapter.name] = adapter
    return found


def get(name: str) -> Adapter[Any]:
    """Return the adapter called `name`.

    Raises
    ------
    UsageError
        There is none; the message lists those there are.
    """
    known = adapters()
    if name not in known:
        raise UsageError(
            f"There is no dataset adapter {name!r}.{nearest(name, known)} Adapters: {', '.join(sorted(known))}."
        )
    return known[name]


def load(recipe: Recipe, *, root: str | Path | None = None) -> Dataset:
    """Read the dataset of a recipe: find its files, read its labels, match the two.

    Raises
    ------
    UsageError
        The data are not where the recipe says, or an option means nothing.
    LabelError
        The table of labels cannot be read or matched.
    """
    adapter = get(recipe.dataset.adapter)
    options = parse(
        recipe.dataset.options(), where=f"recipe {recipe.name!r}, [dataset]", model=adapter.options
    )
    return adapter.load(recipe.name, recipe.root(root), options, recipe.note)
