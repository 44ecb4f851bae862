"""A saved run: the folder with a fitted model, what it was fitted on, its figures and held-out predictions.

A run is read without executing anything it contains: JSON, CSV, and a model as `memfeat.evaluation.model_file`
reads it.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import uuid
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memfeat import models
from memfeat.errors import SetupError, StoreError, UsageError
from memfeat.evaluation import model_file
from memfeat.evaluation.judge import COLUMNS, Result
from memfeat.evaluation.parameters import require
from memfeat.evaluation.pipeline import Block

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 1
_LIBRARIES = ("numpy", "pandas", "scikit-learn", "scipy", "skops")
_DEEP = ("safetensors", "torch")
_FILES = ("run.json", "metrics.json", "results.csv", "predictions.csv", "splits.csv", *model_file.NAMES)


class VersionWarning(UserWarning):
    """A model is loaded by another version of scikit-learn or torch than the one that saved it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """What a model was fitted on and how: the content of ``run.json``."""

    schema: int = SCHEMA
    dataset: str
    store: str
    """Where the store was."""
    model: str
    seed: int
    parameters: dict[str, Any] = field(default_factory=dict)
    """Of the model, where they were given."""
    columns: tuple[Block, ...]
    target: str
    split: str
    """Name of the split, for tables: ``5-fold``, ``test``, ``dev``."""
    split_kind: str
    """``k-fold`` or ``official``."""
    split_rule: str
    fitted: str
    """One sentence: which rows the saved model was fitted on."""
    rows: int
    """Labelled rows that were used."""
    target_range: tuple[float, float]
    """Lowest and highest score that the saved model was fitted on."""
    left_out: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Ids by the reason why they were not used."""
    damaged: dict[str, str] = field(default_factory=dict)
    """Videos among the rows that did not decode cleanly, by id, in words."""
    note: str = ""
    """A caution that belongs beside every figure, such as that scores are synthetic."""
    notes: tuple[str, ...] = ()
    memfeat: str = ""
    libraries: dict[str, str] = field(default_factory=dict)
    created: str = ""
    """ISO time, UTC."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunInfo:
        """Return the info that ``run.json`` holds; StoreError when it is not what this version writes."""
        schema = values.get("schema")
        if not isinstance(schema, int) or schema > SCHEMA:
            raise StoreError(
                f"The run has schema {schema!r}, this memfeat reads up to {SCHEMA}. Update memfeat."
            )
        known = {item.name for item in fields(cls)}
        if missing := sorted(
            {"dataset", "model", "columns", "target", "target_range", "split"} - set(values)
        ):
            raise StoreError(f"run.json lacks {', '.join(missing)}; the run is damaged. Fit again.")
        try:
            chosen = {name: value for name, value in values.items() if name in known}
            chosen["columns"] = tuple(Block.from_dict(block) for block in values["columns"])
            chosen["left_out"] = {why: tuple(ids) for why, ids in values.get("left_out", {}).items()}
            low, high = values["target_range"]
            chosen["target_range"] = (float(low), float(high))
            chosen["notes"] = tuple(values.get("notes", ()))
            return cls(**chosen)
        except (TypeError, ValueError, AttributeError) as error:
            raise StoreError(f"run.json is not as memfeat writes it ({error}). Fit again.") from None


@dataclass(frozen=True)
class Run:
    """A saved run, opened. The model is loaded when it is first asked for.

    Attributes
    ----------
    path
        The run's folder.
    info
        What it was fitted on and how.
    results
        Its figures, the headline first.
    warnings
        What differs between this installation and the one that saved the run.
    """

    path: Path
    info: RunInfo
    results: tuple[Result, ...]
    warnings: tuple[str, ...] = ()

    @classmethod
    def load(cls, path: str | Path) -> Run:
        """Open a run.

        Raises
        ------
        UsageError
            There is no run at `path`; those nearby are listed.
        StoreError
            The run is damaged or of a newer schema.
        """
        path = Path(path)
        if not (path / "run.json").is_file():
            near = [str(p) for p in find_runs(path.parent)] or [str(p) for p in find_runs()]
            listed = f" There are: {', '.join(near)}." if near else " Fit one with `memfeat fit`."
            raise UsageError(f"{path} is no run folder: it has no run.json.{listed}")
        info = RunInfo.from_dict(_read_json(path / "run.json"))
        saved = _read_json(path / "metrics.json").get("results")
        if not isinstance(saved, list) or not saved:
            raise StoreError(f"{path / 'metrics.json'} holds no results; the run is damaged. Fit again.")
        return cls(path, info, tuple(Result.from_dict(result) for result in saved), _version_warnings(info))

    @cached_property
    def model(self) -> Any:
        """The fitted scikit-learn pipeline.

        Another version of scikit-learn or torch than the one that saved it is a `VersionWarning`, as in
        `warnings`. StoreError when a file is missing or damaged, or would need types that memfeat does not
        trust; SetupError when the model needs torch, which is not installed.
        """
        if "torch" in self.info.libraries:
            require(models.get(self.info.model))
        for text in self.warnings:
            warnings.warn(text, VersionWarning, stacklevel=3)
        return model_file.load(self.path)

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Held-out predictions: columns id, split, target, predicted and predicted_sd, sorted by id."""
        return _read_table(self.path / "predictions.csv", COLUMNS)

    @cached_property
    def splits(self) -> pd.DataFrame:
        """Every row used, by id: the part that held it out, or ``fit`` for a row that was only fitted.

        The column ``split``, or one column ``split:<name>`` for each repeat or named split.
        """
        return _read_table(self.path / "splits.csv", ("id",), also="split")


def find_runs(folder: str | Path = "runs") -> list[Path]:
    """Return the run folders directly below a folder, sorted."""
    return sorted(path.parent for path in Path(folder).glob("*/run.json"))


def stamp(*, deep: bool = False) -> dict[str, Any]:
    """Return the versions and the time that a run records, those of torch where the model needs it (`deep`)."""
    from datetime import UTC, datetime

    from memfeat import __version__

    versions = {"python": platform.python_version()}
    versions |= {name: metadata.version(name) for name in (*_LIBRARIES, *(_DEEP if deep else ()))}
    return {
        "memfeat": __version__,
        "libraries": versions,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def check_free(path: Path, *, replace: bool) -> None:
    """Raise UsageError unless a run may be written at `path`: nothing there, or a run and `replace`."""
    if not path.exists():
        return
    others = [] if not path.is_dir() else sorted({p.name for p in path.iterdir()} - set(_FILES))
    if not path.is_dir() or others or not (path / "run.json").is_file():
        detail = f" (it holds {', '.join(others[:3])})" if others else ""
        raise UsageError(
            f"{path} exists and is no run folder{detail}; it is left alone. Choose another name."
        )
    if not replace:
        raise UsageError(
            f"The run {path} exists. Judge it with `memfeat evaluate`, choose another name, or replace it "
            "(--replace, replace=True)."
        )


def save(
    path: Path,
    *,
    info: RunInfo,
    model: Any,
    results: tuple[Result, ...],
    predictions: pd.DataFrame,
    splits: pd.DataFrame,
    table: str,
    replace: bool = False,
) -> Run:
    """Write a run folder, completely or not at all.

    Raises
    ------
    UsageError
        Something is at `path` already (a run may be replaced, anything else is left alone).
    SetupError
        The folder cannot be written.
    """
    check_free(path, replace=replace)
    part = path.parent / f".{path.name}.{uuid.uuid4().hex[:8]}.part"
    try:
        part.mkdir(parents=True)
        _write_json(part / "run.json", asdict(info))
        _write_json(
            part / "metrics.json", {"note": info.note, "results": [result.as_dict() for result in results]}
        )
        (part / "results.csv").write_text(table, encoding="utf-8")
        predictions.to_csv(part / "predictions.csv", index=False, lineterminator="\n")
        splits.to_csv(part / "splits.csv", index=False, lineterminator="\n")
        model_file.dump(model, part)
        _swap(part, path, replace)
    except OSError as error:
        raise SetupError(
            f"The run {path} cannot be written: {error}. Check space and permissions."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Run(path, info, results)


def _swap(part: Path, path: Path, replace: bool) -> None:
    for file in part.iterdir():
        with file.open("rb") as handle:
            os.fsync(handle.fileno())
    old = part.with_suffix(".old")
    if replace and path.exists():
        path.rename(old)
    try:
        part.rename(path)
    except OSError:
        if old.exists():
            old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _version_warnings(info: RunInfo) -> tuple[str, ...]:
    differing = []
    for name in ("scikit-learn", "torch"):
        saved, here = info.libraries.get(name), _version(name)
        if saved != here and (saved or name == "scikit-learn"):
            differing.append(f"with {name} {saved} and is read with {here or 'none'}")
    if not differing:
        return ()
    return (
        f"The model was saved {', '.join(differing)}; predictions may differ. Fit again, or install "
        f"{'that version' if len(differing) == 1 else 'those versions'}, to be sure.",
    )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be read ({error}); the run is damaged. Fit again.") from error
    if not isinstance(values, dict):
        raise StoreError(f"{path} holds no JSON object; the run is damaged. Fit again.")
    return values


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    text = json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _read_table(path: Path, columns: tuple[str, ...], *, also: str | None = None) -> pd.DataFrame:
    """Read a table of a run: `columns`, and those whose name begins with `also`, of which there is at least one."""
    import pandas as pd

    text = [name for name in columns if name in ("id", "split")]
    numbers = [name for name in columns if name not in text]
    try:
        # Ids such as "NA" or "007" are text; only an empty number is missing.
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
        for name in numbers:
            table[name] = [float(value) if value else float("nan") for value in table[name]]
        further = [name for name in table if also is not None and str(name).startswith(also)]
        if also is not None and not further:
            raise KeyError(also)
        return table[[*columns, *further]]
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(f"{path} cannot be read ({error}); the run is damaged. Fit again.") from error
