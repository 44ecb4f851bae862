"""Recipes: one TOML file that says which videos, labels, features and model make up a job.

Looked up as a path; in ``./pipelines``; among those that travel with the package; beside the package in a checkout.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import pydantic
from pydantic import BaseModel, ConfigDict, Field, model_validator

from memfeat.errors import UsageError, nearest

DATA_VARIABLE = "MEMFEAT_DATA"
Model = TypeVar("Model", bound=BaseModel)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DatasetTable(BaseModel):
    """``[dataset]``: the adapter, where the data lie, and the adapter's own options."""

    model_config = ConfigDict(extra="allow", frozen=True)

    adapter: str = "folder"
    root: str | None = None

    def options(self) -> dict[str, Any]:
        """Return the keys that belong to the adapter."""
        return dict(self.model_extra or {})


class FeaturesTable(_Table):
    """``[features]``: what to extract; nothing means every CPU descriptor."""

    extract: list[str] | None = None


class FitTable(_Table):
    """``[fit]``: what `memfeat fit` does when the command line does not say otherwise."""

    model: str = "brr"
    parameters: dict[str, Any] = {}
    """``[fit.parameters]``: of that model."""
    features: list[str] | None = None
    aggregate: str | None = None
    """``mean-of-frames``: the features' frames are scored one by one and averaged."""
    missing: Literal["error", "drop"] = "error"
    """What becomes of videos that lack a feature."""
    target: str | None = None
    split: str = "auto"
    folds: int = Field(default=5, ge=2)
    repeats: int = Field(default=1, ge=1)
    group_by: str | None = None
    seed: int = Field(default=0, ge=0)


class Recipe(_Table):
    """A whole recipe."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    description: str = ""
    note: str = ""
    """Shown with every figure that comes of this dataset, for instance that its scores are synthetic."""
    dataset: DatasetTable = DatasetTable()
    features: FeaturesTable = FeaturesTable()
    fit: FitTable = FitTable()

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("features"), list):
            return {**value, "features": {"extract": value["features"]}}
        return value

    def places(self) -> list[tuple[Path, str]]:
        """Return where the data are looked for, first wins, each with what names that place.

        >>> Recipe(name="x", dataset=DatasetTable(root="data/x")).places()[-1]
        (PosixPath('data/x'), "root in the recipe 'x'")
        """
        shared = os.environ.get(DATA_VARIABLE)
        found = [(Path(shared, self.name), f"{DATA_VARIABLE}/{self.name}")] if shared else []
        if self.dataset.root:
            found.append((Path(self.dataset.root).expanduser(), f"root in the recipe {self.name!r}"))
        return found

    def root(self, given: str | Path | None = None) -> Path:
        """Return the folder with the data: `given`, else ``MEMFEAT_DATA/<name>``, else the recipe's own ``root``.

        Raises
        ------
        UsageError
            None of them is set, or the folder does not exist.

        Examples
        --------
        >>> Recipe(name="x").root(".")
        PosixPath('.')
        """
        places = [(Path(given), "--root")] if given is not None else self.places()
        here = [place for place in places if place[0].is_dir()]
        wanted = here or [place for place in places if not place[1].startswith(DATA_VARIABLE)]
        if wanted:
            root, origin = wanted[0]
        else:
            raise UsageError(
                f"The recipe {self.name!r} does not say where its data lie. Give --root FOLDER, set {DATA_VARIABLE} "
                f'to a folder that holds {self.name!r}, or write root = "…" under [dataset].'
            )
        if not root.is_dir():
            raise UsageError(
                f"There is no folder {str(root)!r} ({origin}). Give the data's folder with --root FOLDER."
            )
        return root


def folders() -> list[Path]:
    """Return the folders in which recipes are looked up by name, first wins."""
    package = Path(__file__).parent
    return [Path("pipelines"), package / "_recipes", package.parent / "pipelines"]


def available() -> Iterator[Path]:
    """Yield the file of every recipe that can be named, first come first."""
    seen: set[str] = set()
    for folder in folders():
        for file in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
            if file.stem not in seen and not file.is_dir():
                seen.add(file.stem)
                yield file


def find(name: str) -> Path:
    """Return the file of the recipe called `name`, or `name` itself when it is a path.

    Raises
    ------
    UsageError
        There is none; the message lists those there are.

    Examples
    --------
    >>> find("demo").name
    'demo.toml'
    """
    if name.endswith(".toml") or "/" in name:
        if Path(name).is_file():
            return Path(name)
        raise UsageError(f"There is no recipe file {name!r}.")
    known = {file.stem: file for file in available()}
    if name in known:
        return known[name]
    listing = ", ".join(sorted(known)) or "none"
    raise UsageError(
        f"There is no recipe {name!r}.{nearest(name, known)} Recipes: {listing}. Write your own as "
        f"pipelines/{name}.toml, or use --videos FOLDER."
    )


def load(name: str) -> Recipe:
    """Read and check the recipe called `name` (a name or a path).

    Raises
    ------
    UsageError
        It cannot be found or read, is no TOML, or has a key or a value that means nothing; the message names the
        nearest key.

    Examples
    --------
    >>> load("demo").fit.model
    'brr'
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
    return parse({"name": file.stem, **table}, where=str(file), model=Recipe)


def parse(table: dict[str, Any], *, where: str, model: type[Model]) -> Model:
    """Validate `table` as `model`, turning what is wrong into one readable `UsageError`."""
    try:
        return model.model_validate(table)
    except pydantic.ValidationError as error:
        raise UsageError(
            f"{where}: " + "; ".join(_explain(problem, model) for problem in error.errors())
        ) from error


def _explain(problem: Any, model: type[BaseModel]) -> str:
    *parents, key = [str(part) for part in problem["loc"]] or ["recipe"]
    if problem["type"] == "string_pattern_mismatch" and key == "name":
        return (
            f"the name {problem['input']!r} cannot be that of a folder everywhere; begin with a letter or a digit "
            "and go on with letters, digits, '.', '_' and '-'"
        )
    if problem["type"] != "extra_forbidden":
        return f"{'.'.join([*parents, key])}: {problem['msg']}, got {problem['input']!r}"
    owner: type[BaseModel] = model
    for parent in parents:
        # The number of an entry in a list of tables is part of the place, and no field.
        inner = owner.model_fields[parent].annotation if parent in owner.model_fields else None
        for kind in (inner, *get_args(inner)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                owner = kind
    known = list(owner.model_fields)
    place = f" at [{'.'.join(parents)}]" if parents else " at the top level" if model is Recipe else ""
    return f"unknown key {key!r}{place}.{nearest(key, known)} Known keys: {', '.join(known)}"
