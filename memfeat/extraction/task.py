"""The unit of work: one video, opened once, measured, committed; what happened comes back as a small record."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from memfeat import extractors
from memfeat.errors import CrashedError, DataError, SetupError, UnreadableError, VideoError
from memfeat.extraction import attempts
from memfeat.measure import measure_video
from memfeat.store.commit import commit
from memfeat.store.failures import Failure, remove_failure, write_failure
from memfeat.store.index import damage_of
from memfeat.store.naming import video_path
from memfeat.store.record import read_marks, read_source
from memfeat.store.source import Source

STAGE = "cpu"
State = Literal["done", "present", "failed", "skipped", "setup"]


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker needs to know; everything in it is small and can be sent."""

    store: Path
    video: str
    path: Path
    features: tuple[str, ...]
    run: str
    force: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one video."""

    video: str
    state: State
    computed: tuple[str, ...] = ()
    frames: int = 0
    seconds: float = 0.0
    damage: str = ""
    error: str = ""
    message: str = ""
    dropped: dict[str, str] = field(default_factory=dict)


def process(task: Task) -> Outcome:
    """Measure and commit what `task` asks for and the store lacks.

    Anything wrong with the video is recorded in the store as a failure; only what is wrong with the machine
    comes back as the state ``setup``, and the run stops.
    """
    if attempts.stop_requested(task.store, task.run):
        return Outcome(task.video, "skipped")
    began = time.perf_counter()
    try:
        try:
            attempts.begin(task.store, task.video, run=task.run)
            outcome = _measure(task)
        except DataError as error:
            outcome = _fail(task, type(error).__name__.removesuffix("Error"), str(error))
        except MemoryError:
            outcome = _fail(task, "OutOfMemory", "The worker ran out of memory. Use fewer --workers.")
        except SetupError as error:
            outcome = Outcome(task.video, "setup", message=str(error))
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            outcome = _fail(task, "Unexpected", text, details=traceback.format_exc())
        attempts.end(task.store, task.video, run=task.run)
    except (OSError, SetupError) as error:
        outcome = Outcome(task.video, "setup", message=f"The store {task.store} cannot be written: {error}")
    return replace(outcome, seconds=time.perf_counter() - began)


def _measure(task: Task) -> Outcome:
    stored = video_path(task.store, task.video)
    source = Source.of(task.path, known=read_source(stored))
    wanted = [extractors.get(name) for name in task.features]
    if not task.force:
        marks = read_marks(stored, ignore_damage=True)
        wanted = [
            extractor
            for extractor in wanted
            if (mark := marks.get(extractor.name)) is None
            or mark.key != extractor.key()
            or not mark.source.same_content(source)
        ]
    if not wanted:
        remove_failure(task.store, task.video, STAGE)
        return Outcome(task.video, "present")
    measured = measure_video(task.path, wanted)
    video = measured.video()
    if not source.same_content(Source.of(task.path, known=source)):
        raise UnreadableError(f"{task.path} changed while it was read. Run again when it is complete.")
    committed = commit(
        task.store,
        task.video,
        source=source,
        video=video,
        features=measured.features,
        replace=task.force,
    )
    remove_failure(task.store, task.video, STAGE)
    return Outcome(
        task.video,
        "done",
        computed=committed.written,
        frames=measured.counts.decoded,
        damage=damage_of(video),
        dropped=committed.dropped,
    )


def _fail(task: Task, kind: str, message: str, *, details: str = "") -> Outcome:
    try:
        source = Source.of(task.path, known=read_source(video_path(task.store, task.video)))
    except (VideoError, OSError):
        source = None
    keys = {name: extractors.get(name).key() for name in task.features}
    write_failure(
        task.store, Failure(task.video, STAGE, kind, message, source=source, keys=keys, details=details)
    )
    return Outcome(task.video, "failed", error=kind, message=message)


def lost(task: Task) -> Outcome:
    """Record a video whose task the scheduler gave up after losing its worker again and again."""
    attempts.end(task.store, task.video, run=task.run)
    return _fail(
        task, CrashedError.__name__.removesuffix("Error"), "The scheduler lost every worker that tried it."
    )
