"""The version of the store format, and how an older description becomes a current one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from memfeat.errors import StoreError

SCHEMA = 1
"""Raised with every change that an older reader would misread; each raise adds its step below."""

UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""Version → function that turns a ``store.json`` of that version into one of the next version."""


class NewerSchemaError(StoreError):
    """The store was written by a newer memfeat than this one."""


def check_schema(version: object, where: object) -> int:
    """Return a schema number that this memfeat reads.

    >>> check_schema(1, "store.json")
    1

    Raises
    ------
    NewerSchemaError
        The number is larger than `SCHEMA`.
    StoreError
        It is no positive integer.
    """
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise StoreError(f"{where} gives the schema version {version!r}; a positive integer is needed.")
    if version > SCHEMA:
        raise NewerSchemaError(
            f"{where} has schema version {version}; this memfeat reads up to {SCHEMA}. Upgrade memfeat."
        )
    return version


def upgraded(data: dict[str, Any], where: object) -> dict[str, Any]:
    """Return a store description brought to the current schema, one step at a time."""
    version = check_schema(data.get("schema"), where)
    while version < SCHEMA:
        data = {**UPGRADES[version](data), "schema": version + 1}
        version += 1
    return data
