"""Failures on record: why a stage gave nothing for a video, until it does."""

from __future__ import annotations

import json
import platform
import re
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from memfeat.errors import StoreError, UsageError
from memfeat.store.files import environment_error, write_atomically
from memfeat.store.manifest import read_manifest
from memfeat.store.naming import check_id, file_stem
from memfeat.store.source import Source

FOLDER = "failures"
_STAGE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}")
_TEXTS = ("id", "stage", "type", "message", "when", "host", "details")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with one part of a store."""

    kind: str
    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one stage failed on one video.

    Parameters
    ----------
    id
        The video's id.
    stage
        The job that failed, such as ``"cpu"``: lower-case letters, digits and ``_.-``.
    type
        Name of the error, such as ``"NoFramesError"``.
    message
        What the error said.
    source
        The content it failed on, where the file could be read.
    keys
        Feature → key of what was asked for. A later run tries again when source or keys differ.
    when
        ISO 8601 time in UTC; filled in by `write_failure`.
    host
        Name of the machine; filled in by `write_failure`.
    details
        Anything longer, such as a traceback.
    """

    id: str
    stage: str
    type: str
    message: str
    source: Source | None = None
    keys: dict[str, str] = field(default_factory=dict)
    when: str = ""
    host: str = ""
    details: str = ""


def failure_path(store: str | Path, id: str, stage: str) -> Path:
    """Return where a failure is kept: ``<store>/failures/<stem>/<stage>.json``.

    >>> failure_path("features/demo", "day1/clip.mp4", "cpu").as_posix()
    'features/demo/failures/day1-clip.mp4-e82b9bee8f/cpu.json'
    """
    if not _STAGE.fullmatch(stage):
        raise UsageError(f"A stage has lower-case letters, digits and _.-; got {stage!r}.")
    return Path(store, FOLDER, file_stem(check_id(id)), f"{stage}.json")


def write_failure(store: str | Path, failure: Failure) -> Path:
    """Record a failure in place of an earlier one of the same video and stage; return the file."""
    read_manifest(store)
    path = failure_path(store, failure.id, failure.stage)
    failure = replace(
        failure,
        id=check_id(failure.id),
        when=failure.when or datetime.now(UTC).isoformat(timespec="seconds"),
        host=failure.host or platform.node(),
    )
    data = asdict(failure) | {"source": failure.source.to_dict() if failure.source else None}
    # Messages quote file names, which may hold bytes that are no UTF-8: ASCII escapes carry them.
    write_atomically(path, json.dumps(data, indent=2) + "\n")
    return path


def read_failure(store: str | Path, id: str, stage: str) -> Failure | None:
    """Return the failure on record, or None.

    Raises
    ------
    StoreError
        The file is damaged; the next failure or success of that stage replaces it.
    """
    path = failure_path(store, id, stage)
    return _read(path) if path.exists() else None


def remove_failure(store: str | Path, id: str, stage: str) -> bool:
    """Forget a failure because the stage succeeded; return whether there was one."""
    path = failure_path(store, id, stage)
    try:
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise environment_error(f"Removing {path}", error) from error
    with suppress(OSError):  # other stages of this video have failures too
        path.parent.rmdir()
    return True


def list_failures(store: str | Path) -> list[Failure]:
    """Return all failures that can be read, by id and stage."""
    return scan_failures(store)[0]


def scan_failures(store: str | Path) -> tuple[list[Failure], list[Problem]]:
    """Return all failures on record, by id and stage, and what is wrong with the files of the others."""
    found, problems = [], []
    for path in sorted(Path(store, FOLDER).glob("*/*.json")):
        where = path.relative_to(store).as_posix()
        try:
            failure = _read(path)
            if path != failure_path(store, failure.id, failure.stage):
                raise StoreError(
                    f"{path} speaks of {failure.id!r}, stage {failure.stage!r}. Remove the file."
                )
        except (StoreError, UsageError) as error:
            problems.append(Problem("damaged failure", where, str(error)))
        else:
            found.append(failure)
    return sorted(found, key=lambda failure: (failure.id, failure.stage)), problems


def _read(path: Path) -> Failure:
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        texts = {name: data[name] for name in _TEXTS}
        keys, source = data["keys"], data["source"]
        if not all(isinstance(text, str) for text in [*texts.values(), *keys, *keys.values()]):
            raise TypeError("a field that should be text is not")
        return Failure(**texts, keys=dict(keys), source=None if source is None else Source.from_dict(source))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StoreError) as error:
        raise StoreError(
            f"{path} is damaged ({type(error).__name__}: {error}). Remove the file, or retry the video."
        ) from error
