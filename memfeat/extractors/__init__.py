"""The features, one file each: descriptors, and families of networks.

Every module of this package that has no leading underscore holds descriptors (`Extractor` classes), or one family of
networks, an object of the name ``FAMILY``.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterable
from functools import cache
from types import ModuleType

from memfeat.errors import UsageError, nearest
from memfeat.extractor import Extractor
from memfeat.network_extractor import NetworkExtractor, NetworkFamily

__all__ = [
    "all_extractors",
    "families",
    "get",
    "get_network",
    "is_network",
    "names",
    "network_names",
    "select",
    "split",
]

_RANDOM = re.compile(r"-random\d+$")


@cache
def _modules() -> dict[str, ModuleType]:
    listed = [info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_")]
    return {name: importlib.import_module(f"{__name__}.{name}") for name in sorted(listed)}


@cache
def _registry() -> dict[str, Extractor]:
    found: dict[str, Extractor] = {}
    for module in _modules().values():
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
        if is_network(name):
            raise UsageError(f"{name!r} is the feature of a network, and a descriptor is asked for.")
        raise _unknown(name)
    return registry[name]


@cache
def families() -> dict[str, NetworkFamily]:
    """Return the families of networks by the name of their file.

    >>> all(isinstance(family.names(), list) for family in families().values())
    True
    """
    found = {name: getattr(module, "FAMILY", None) for name, module in _modules().items()}
    return {name: family for name, family in found.items() if isinstance(family, NetworkFamily)}


def network_names() -> list[str]:
    """Return the names of the networks that have published weights, sorted; families make more by their grammar."""
    return sorted(name for family in families().values() for name in family.names())


def get_network(name: str) -> NetworkExtractor:
    """Return the network whose feature is called `name`: a listed name, one of a family's grammar, or a short name.

    The end ``-randomSEED`` that random weights put to a feature's name is left aside.

    Raises
    ------
    UsageError
        There is none; the message proposes the closest name.
    """
    network = _find(name)
    if network is None:
        if name in _registry():
            raise UsageError(f"{name!r} is a descriptor, and the feature of a network is asked for.")
        raise _unknown(name)
    return network


def is_network(name: str) -> bool:
    """Return whether `name` is the feature of a network.

    >>> is_network("hog")
    False
    """
    return name not in _registry() and _find(name) is not None


def split(wanted: Iterable[str]) -> tuple[list[Extractor], list[NetworkExtractor]]:
    """Return the descriptors and the networks among `wanted`, each once, in the order in which they are named.

    Raises
    ------
    UsageError
        A name is unknown, or a descriptor cannot be computed by this installation.

    Examples
    --------
    >>> [extractor.name for extractor in split(["hog", "contrast"])[0]]
    ['hog', 'contrast']
    """
    asked = list(dict.fromkeys(wanted))
    descriptors = [name for name in asked if name in _registry()]
    networks = {network.name: network for network in (get_network(n) for n in asked if n not in descriptors)}
    return (select(descriptors)[0] if descriptors else []), list(networks.values())


def _find(name: str) -> NetworkExtractor | None:
    name = _RANDOM.sub("", name)
    for family in families().values():
        if (network := family.make(name)) is not None:
            return network
    short = {
        alias: (full, family) for family in families().values() for alias, full in family.aliases().items()
    }
    for alias in sorted(short, key=len, reverse=True):  # one short name may begin as another
        full, family = short[alias]
        if name == alias or name.startswith(f"{alias}-"):
            return family.make(full + name.removeprefix(alias))
    return None


def _unknown(name: str) -> UsageError:
    networks = network_names()
    known = [
        *_registry(),
        *networks,
        *(alias for family in families().values() for alias in family.aliases()),
    ]
    more = f", and those of {len(networks)} networks (memfeat list features)" if networks else ""
    return UsageError(
        f"There is no feature {name!r}.{nearest(name, known)} The features are: {', '.join(_registry())}{more}."
    )


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
