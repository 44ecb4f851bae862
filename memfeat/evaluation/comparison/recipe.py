"""Recipes of systems: a TOML file with the settings of a paper's systems, for any store that has their features.

``[[systems]]`` are the rows of the comparison; ``[compare]`` says how they are judged where a dataset's own
recipe does not. Looked up by name in the folder ``systems`` of every folder of recipes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from memfeat import recipe as recipes
from memfeat.errors import UsageError, nearest
from memfeat.evaluation.comparison.systems import System, check_names


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SystemTable(_Table):
    """``[[systems]]``: one row."""

    name: str
    model: str | None = None
    features: list[str] | None = None
    aggregate: str | None = None
    parameters: dict[str, Any] = {}
    fuse: list[str] = []
    method: str | None = None
    weights: str | None = None
    note: str = ""
    """Shown with its figures, such as a published one."""


class CompareTable(_Table):
    """``[compare]``: how the systems are judged; what is left out is as the dataset's recipe says."""

    baseline: str | None = None
    seeds: list[int] | None = Field(default=None, min_length=1)
    target: str | None = None
    split: str | None = None
    folds: int | None = Field(default=None, ge=2)
    repeats: int | None = Field(default=None, ge=1)
    group_by: str | None = None
    inner_folds: int = Field(default=5, ge=2)
    raw: bool = False


class SystemsRecipe(_Table):
    """A whole recipe of systems."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    description: str = ""
    compare: CompareTable = CompareTable()
    systems: list[SystemTable] = Field(min_length=1)

    def made(self) -> list[System]:
        """Return the systems.

        Raises
        ------
        UsageError
            A system that is no system, such as a fusion with a model of its own.
        """
        return check_names(_system(table) for table in self.systems)


def available() -> Iterator[Path]:
    """Yield the file of every recipe of systems that can be named, first come first.

    >>> "m3s" in [file.stem for file in available()]
    True
    """
    seen: set[str] = set()
    for folder in recipes.folders():
        for file in sorted((folder / "systems").glob("*.toml")):
            if file.stem not in seen and not file.is_dir():
                seen.add(file.stem)
                yield file


def find(name: str) -> Path:
    """Return the file of the recipe called `name`, or `name` itself when it is a path.

    Raises
    ------
    UsageError
        There is none; the message lists those there are.
    """
    if name.endswith(".toml") or "/" in name:
        if Path(name).is_file():
            return Path(name)
        raise UsageError(f"There is no recipe file {name!r}.")
    known = {file.stem: file for file in available()}
    if name not in known:
        raise UsageError(
            f"There is no recipe of systems {name!r}.{nearest(name, known)} There are: {', '.join(sorted(known))}. "
            f"Write your own as pipelines/systems/{name}.toml, or name models and features (--models, --features)."
        )
    return known[name]


def load(name: str) -> SystemsRecipe:
    """Read and check the recipe called `name` (a name or a path).

    Raises
    ------
    UsageError
        It cannot be found or read, is no TOML, or has a key or a value that means nothing; the message names
        the nearest key.

    Examples
    --------
    >>> [system.name for system in load("m3s").made()][0]
    'm3s'
    """
    file = find(name)
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is not valid TOML: {error}") from error
    except OSError as error:
        raise UsageError(
            f"The recipe {file} cannot be read: {error.strerror}. Check its permissions."
        ) from error
    if "systems" not in table:
        raise UsageError(f"{file} has no [[systems]]: it names nothing to compare.")
    return recipes.parse({"name": file.stem, **table}, where=str(file), model=SystemsRecipe)


def _system(table: SystemTable) -> System:
    if table.fuse:
        if table.model or table.features is not None or table.parameters or table.aggregate:
            raise UsageError(
                f"{table.name!r} fuses {', '.join(table.fuse)} and has a model, features or parameters of its own; "
                "give those to the systems it fuses."
            )
        return System.fused(
            table.name,
            table.fuse,
            method=table.method or "score-average",
            weights=table.weights or "equal",
            note=table.note,
        )
    if table.method is not None or table.weights is not None:
        raise UsageError(f"{table.name!r} has a method or weights and fuses nothing; give fuse = [...] too.")
    return System(
        name=table.name,
        model=table.model or "brr",
        features=None if table.features is None else tuple(table.features),
        aggregate=table.aggregate,
        parameters=table.parameters,
        note=table.note,
    )
