"""The descriptors, one per file; every module of this package that has no leading underscore is one."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterable
from functools import cache

from memfeat.errors import UsageError, nearest
from memfeat.extractor import Extractor

__all__ = ["all_extractors", "get", "names", "select"]


@cache
def _registry() -> dict[str, Extractor]:
    found: dict[str, Extractor] = {}
    for module_info in pkgutil.iter_modules(__path__):
        if module_info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{__name__}.{module_info.name}")
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if (
                kind.__module__ == module.__name__
                and issubclass(kind, Extractor)
                and not inspect.isabstract(kind)
            ):
                found[kind.name] = kind()
    return dict(sorted(found.items()))


def names() -> list[str]:
    """Return the names of all descriptors, sorted.

    >>> "hog" in names()
    True
    """
    return list(_registry())


def all_extractors() -> list[Extractor]:
    """Return every descriptor, sorted by name."""
    return list(_registry().values())


def get(name: str) -> Extractor:
    """Return the descriptor called `name`.

    Raises
    ------
    UsageError
        There is none; the message lists the names and proposes the closest.

    Examples
    --------
    >>> get("contrast").unit
    'grey levels, 0 to 127.5'
    """
    registry = _registry()
    if name not in registry:
        raise UsageError(
            f"There is no feature {name!r}.{nearest(name, registry)} The features are: {', '.join(registry)}."
        )
    return registry[name]


def select(wanted: Iterable[str] | None = None) -> tuple[list[Extractor], dict[str, str]]:
    """Return the descriptors called `wanted` (all of the default set when None) and those left out, with why.

    Raises
    ------
    UsageError
        A name is unknown, or one that was asked for by name cannot be computed by this installation.

    Examples
    --------
    >>> [extractor.name for extractor in select(["hog", "contrast", "hog"])[0]]
    ['hog', 'contrast']
    """
    asked = [get(name) for name in dict.fromkeys(wanted)] if wanted is not None else None
    chosen: list[Extractor] = []
    left_out: dict[str, str] = {}
    for extractor in asked if asked is not None else [e for e in all_extractors() if e.in_default_set]:
        reason = extractor.unavailable()
        if reason is None:
            chosen.append(extractor)
        elif asked is None:
            left_out[extractor.name] = reason
        else:
            raise UsageError(f"The feature {extractor.name!r} cannot be computed here: {reason}")
    if not chosen:
        raise UsageError(f"No feature was asked for. The features are: {', '.join(_registry())}.")
    return chosen, left_out
