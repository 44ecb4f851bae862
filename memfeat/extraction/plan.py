"""What is left to do: compare the store with what is asked for, before any worker starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from memfeat.errors import StoreError, UsageError
from memfeat.store.commit import differences
from memfeat.store.failures import Failure, list_failures
from memfeat.store.naming import video_path
from memfeat.store.record import read_marks, read_video
from memfeat.store.source import Source


@dataclass
class Plan:
    """The videos by what has to be done with them."""

    todo: list[str] = field(default_factory=list)
    present: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    """Recorded earlier, with the same file and the same features: not tried again unless asked."""


def make_plan(
    store: Path,
    files: dict[str, Path],
    recipes: Mapping[str, tuple[str, Mapping[str, Any]]],
    *,
    stage: str,
    force: bool = False,
    retry_failed: bool = False,
    on_video: Callable[[], None] | None = None,
) -> Plan:
    """Sort `files` into what is present, what has failed before and what is to be done.

    Parameters
    ----------
    store
        Folder of the store.
    files
        Videos by id.
    recipes
        What is asked for: feature → its key, and the recipe behind it.
    stage
        Under which failures are on record.
    force
        Everything is to be done.
    retry_failed
        What has failed before is to be done.
    on_video
        Called before each video.

    Raises
    ------
    UsageError
        A feature of that name is in the store already but was measured otherwise, and `force` is off.
    """
    keys = {name: key for name, (key, _) in recipes.items()}
    failures = {failure.id: failure for failure in list_failures(store) if failure.stage == stage}
    plan = Plan()
    for video, path in files.items():
        if on_video is not None:
            on_video()
        if force:
            plan.todo.append(video)
            continue
        marks = read_marks(video_path(store, video), ignore_damage=True)
        for name, mark in marks.items():
            if name in keys and mark.key != keys[name]:
                raise UsageError(_conflict(store, video, name, mark.key, recipes[name]))
        lacking = {
            name: key
            for name, key in keys.items()
            if name not in marks or not _unchanged(path, marks[name].source)
        }
        if not lacking:
            plan.present.append(video)
        elif (
            not retry_failed
            and (known := failures.get(video)) is not None
            and _same_failure(known, path, lacking)
        ):
            plan.failed.append(known)
        else:
            plan.todo.append(video)
    return plan


def _conflict(store: Path, video: str, name: str, key: str, asked: tuple[str, Mapping[str, Any]]) -> str:
    try:
        there = read_video(video_path(store, video), only=[name])[name].provenance.get("recipe")
    except StoreError:
        there = None
    changes = differences(there, dict(asked[1])) if there else []
    how = f" They differ in {'; '.join(changes)}." if changes else ""
    return (
        f"{video!r} in {store} has {name!r} with the key {key}, and what is asked for has the key {asked[0]}.{how} "
        "Use --force to measure it again, or another --out to keep both."
    )


def _unchanged(path: Path, source: Source) -> bool:
    try:
        now = path.stat()
    except OSError:
        return False
    return (now.st_size, now.st_mtime_ns) == (source.size, source.mtime_ns)


def _same_failure(failure: Failure, path: Path, keys: dict[str, str]) -> bool:
    if not keys.items() <= failure.keys.items():
        return False
    if failure.source is None:
        return True
    return _unchanged(path, failure.source)
