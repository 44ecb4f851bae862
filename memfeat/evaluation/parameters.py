"""A model's parameters: read from ``name=value``, and checked against what the model has."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import Any

from memfeat.errors import SetupError, UsageError, nearest
from memfeat.models import ModelSpec

_PYTHON = {"True": True, "False": False, "None": None}
"""Words that would pass for text, which a switch takes for true."""


def parse(settings: Iterable[str]) -> dict[str, Any]:
    """Read settings such as ``C=10``: values as in TOML, or True, False and None; as text where that says nothing.

    Raises
    ------
    UsageError
        A setting has no name or no ``=``, or a name is there twice.

    Examples
    --------
    >>> parse(["C=10", "kernel=rbf", "hidden=[64, 32]", "scale_target=true", 'name="5"'])
    {'C': 10, 'kernel': 'rbf', 'hidden': [64, 32], 'scale_target': True, 'name': '5'}
    >>> parse(["scale_target=False", "max_depth=None"])
    {'scale_target': False, 'max_depth': None}
    """
    found: dict[str, Any] = {}
    for setting in settings:
        name, separator, text = setting.partition("=")
        name, text = name.strip(), text.strip()
        if not separator or not name or not text:
            raise UsageError(f"A parameter is set as name=value, such as C=10; got {setting!r}.")
        if name in found:
            raise UsageError(f"The parameter {name!r} is set twice.")
        if text in _PYTHON:
            found[name] = _PYTHON[text]
            continue
        try:
            read = tomllib.loads(f"value = {text}")
            found[name] = read["value"] if list(read) == ["value"] else text
        except tomllib.TOMLDecodeError:
            found[name] = text
    return found


def check(spec: ModelSpec, parameters: Mapping[str, Any] | None, *, seed: int = 0) -> dict[str, Any]:
    """Return a model's parameters after making sure that it can be built with them.

    Parameters
    ----------
    spec
        The model.
    parameters
        Those of its regressor's constructor; tuples become lists, as they do in a saved run.
    seed
        Seed of the model.

    Raises
    ------
    UsageError
        The model has no parameter of that name (the nearest is named); a value cannot be written as JSON; the
        model refuses it.
    SetupError
        The model needs torch, which is not installed.
    """
    require(spec)
    if not parameters:
        return {}
    known = _names(spec.build(seed))
    for name in parameters:
        if name == "random_state":
            raise UsageError("random_state is set by the seed: give seed=... (--seed).")
        if name not in known:
            raise UsageError(
                f"The model {spec.name!r} has no parameter {name!r}; it has {', '.join(known) or 'none'}."
                f"{nearest(name, known)}"
            )
    try:
        plain: dict[str, Any] = json.loads(json.dumps(dict(parameters), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"Parameters are numbers, texts, true or false, and lists of those, so that a run can keep them: {error}."
        ) from error
    try:
        spec.build(seed, **plain)
    except (TypeError, ValueError) as error:
        raise UsageError(f"The model {spec.name!r} cannot be built with {as_text(plain)}: {error}") from error
    return plain


def require(spec: ModelSpec) -> None:
    """Raise SetupError, saying how to install it, when a model needs torch and there is none."""
    if spec.needs_deep and find_spec("torch") is None:
        raise SetupError(f"The model {spec.name!r} needs torch. Install it with: pip install 'memfeat[deep]'")


def as_text(parameters: Mapping[str, Any]) -> str:
    """Return parameters as they would be set on the command line.

    >>> as_text({"C": 10, "kernel": "rbf", "shrink": False})
    'C=10, kernel=rbf, shrink=false'
    >>> as_text({"max_depth": None})
    'max_depth=None'
    """
    return ", ".join(
        f"{name}={value if isinstance(value, str) or value is None else json.dumps(value)}"
        for name, value in parameters.items()
    )


def _names(estimator: Any) -> list[str]:
    # A wrapper, such as one that scales the target, is set up with the parameters of what it wraps.
    inner: Any = getattr(estimator, "regressor", None)
    owner = estimator if inner is None or not hasattr(inner, "get_params") else inner
    return [name for name in owner.get_params(deep=False) if name != "random_state"]
