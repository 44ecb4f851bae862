"""What is left to do: compare the store with what is asked for, before any worker starts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from memfeat.errors import UsageError
from memfeat.extraction.task import STAGE
from memfeat.extractor import Extractor
from memfeat.store.failures import Failure, list_failures
from memfeat.store.naming import video_path
from memfeat.store.record import read_marks
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
    wanted: Sequence[Extractor],
    *,
    force: bool = False,
    retry_failed: bool = False,
    on_video: Callable[[], None] | None = None,
) -> Plan:
    """Sort `files` into what is present, what has failed before and what is to be done.

    Raises
    ------
    UsageError
        A feature of that name is in the store already but was measured otherwise, and `force` is off.
    """
    keys = {extractor.name: extractor.key() for extractor in wanted}
    failures = {failure.id: failure for failure in list_failures(store) if failure.stage == STAGE}
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
                raise UsageError(
                    f"{video!r} in {store} has {name!r} with the key {mark.key}, and this version of memfeat "
                    f"measures it with the key {keys[name]}. Use --force to measure it again, "
                    "or another --out to keep both."
                )
        if all(name in marks and _unchanged(path, marks[name].source) for name in keys):
            plan.present.append(video)
        elif (
            not retry_failed
            and (known := failures.get(video)) is not None
            and _same_failure(known, path, keys)
        ):
            plan.failed.append(known)
        else:
            plan.todo.append(video)
    return plan


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
