"""The regressors, one per file, and their registry.

A file ``memfeat/models/raw_mlp.py`` defines the model ``raw-mlp`` by a module-level ``SPEC``. Nothing else
has to be told of it: listings, the command line and the contract tests find it here.

>>> "brr" in names()
True
>>> get("brr").gives_deviation
True
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from memfeat.errors import UsageError, nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """What a model is called and how to make one. Importing a model's file loads no heavy library."""

    name: str
    """As given to ``memfeat fit --model``; the file's name with ``-`` for ``_``."""
    summary: str
    """One sentence for listings: what it is, by whom, how it was used."""
    build: Callable[..., Any]
    """``build(seed, **parameters)`` returns a fresh scikit-learn regressor. It holds no preprocessing of
    features. Parameters are those of the regressor's constructor; none are its published settings."""
    gives_deviation: bool = False
    """Whether ``predict(X, return_std=True)`` gives the predictive standard deviation as well."""
    takes_sparse: bool = False
    """Whether it is fitted on scipy's sparse matrices, as words of captions are, without making them dense."""
    needs_deep: bool = False
    """Whether it needs torch, which comes with the extra ``deep``."""
    columns: Callable[[Collection[str]], list[str]] | None = None
    """From the names of the features in a store to the columns it takes when none are named; None: all."""
    modules: Callable[[Collection[str]], dict[str, list[str]]] | None = None
    """The same columns by module (raw, scene, event, similarity), for ablations by module."""
    readings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Other predictions of the same fit, by name: the keywords of ``predict`` that give them. A comparison
    shows each in a row of its own."""


def names() -> list[str]:
    """Return the names of all models, sorted, without importing them.

    >>> names() == sorted(names())
    True
    """
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name.replace("_", "-") for name in found if not name.startswith("_"))


def get(name: str) -> ModelSpec:
    """Return the model of that name.

    Raises
    ------
    UsageError
        There is no such model; the message lists those there are.

    Examples
    --------
    >>> get("brr").name
    'brr'
    """
    known = names()
    if name not in known:
        raise UsageError(f"Unknown model {name!r}; there are {', '.join(known)}.{nearest(name, known)}")
    spec = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").SPEC
    if not isinstance(spec, ModelSpec) or spec.name != name:
        raise TypeError(
            f"memfeat/models/{name.replace('-', '_')}.py must define SPEC, a ModelSpec named {name!r}."
        )
    return spec


def all_models() -> list[ModelSpec]:
    """Return every model, sorted by name."""
    return [get(name) for name in names()]
