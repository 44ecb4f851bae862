"""Committing finished videos, in a thread of its own, so that the device need not wait for the disk."""

from __future__ import annotations

import queue
import threading
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from memfeat.errors import DataError, SetupError, UnreadableError, VideoError
from memfeat.extraction.deep.decoding import Problem, problem_of
from memfeat.extraction.deep.engine import Finished
from memfeat.extraction.deep.work import StoreJob
from memfeat.extraction.task import Outcome
from memfeat.measure import Measured
from memfeat.store.canonical import InvalidFeatureError, canonical
from memfeat.store.commit import Committed, commit
from memfeat.store.failures import Failure, remove_failure, write_failure
from memfeat.store.index import damage_of
from memfeat.store.naming import video_path
from memfeat.store.record import FeatureRecord, read_source
from memfeat.store.source import Source

STAGE = "deep"
_WAITING = 16
"""Videos that may wait for the disk."""


def settle(finished: Finished[StoreJob]) -> Outcome:
    """Commit what a video's networks gave, all of it at once, or record why there is nothing.

    Only what is wrong with the machine comes back as the state ``setup``; the run then stops.
    """
    job = finished.job
    try:
        try:
            return _settle(finished)
        except DataError as error:
            return fail(job, problem_of(error))
        except (SetupError, OSError):
            raise
        except Exception as error:
            return fail(
                job, Problem("Unexpected", f"{type(error).__name__}: {error}", traceback.format_exc())
            )
    except SetupError as error:
        return Outcome(job.video, "setup", message=str(error))
    except OSError as error:
        return Outcome(job.video, "setup", message=f"The store {job.work.store} cannot be written: {error}")


def fail(job: StoreJob, problem: Problem, *, features: list[str] | None = None) -> Outcome:
    """Record that a video, or some `features` of it, cannot be measured."""
    try:
        source = job.source or Source.of(job.path, known=read_source(video_path(job.work.store, job.video)))
    except (VideoError, OSError):
        source = None
    keys = {
        wanted.name: wanted.key for wanted in job.work.wanted if features is None or wanted.name in features
    }
    write_failure(
        job.work.store,
        Failure(
            job.video, STAGE, problem.kind, problem.message, source=source, keys=keys, details=problem.details
        ),
    )
    return Outcome(job.video, "failed", error=problem.kind, message=problem.message)


def _settle(finished: Finished[StoreJob]) -> Outcome:
    job, reading = finished.job, finished.reading
    if finished.problem is not None:
        return fail(job, finished.problem)
    if reading is None or reading.header is None or reading.counts is None or job.source is None:
        remove_failure(job.work.store, job.video, STAGE)
        return Outcome(job.video, "present")
    if not job.source.same_content(Source.of(job.path, known=job.source)):
        raise UnreadableError(f"{job.path} changed while it was read. Run again when it is complete.")
    video = Measured(reading.header, reading.counts, {}).video()
    problems = {job.work.wanted[place].name: problem for place, problem in finished.problems.items()}
    records = _valid(finished.records, job.source, problems)
    committed = None
    if records:
        committed = commit(
            job.work.store,
            job.video,
            source=job.source,
            video=video,
            features=records,
            replace=job.work.force,
        )
    if problems:
        return _partly(job, problems, committed)
    remove_failure(job.work.store, job.video, STAGE)
    return Outcome(
        job.video,
        "done",
        computed=() if committed is None else committed.written,
        frames=finished.frames,
        damage=damage_of(video),
        dropped={} if committed is None else committed.dropped,
    )


def _valid(records: list[FeatureRecord], source: Source, problems: dict[str, Problem]) -> list[FeatureRecord]:
    """Return the records that can be stored, and note the problems of the others."""
    valid = []
    for record in records:
        try:
            canonical([record], source)
        except InvalidFeatureError as error:
            half = record.provenance["recipe"]["precision"] == "fp16"
            hint = " Numbers above 65,504 do not exist in fp16: use --precision bf16." if half else ""
            problems[record.name] = Problem("InvalidFeature", f"{error}{hint}")
        else:
            valid.append(record)
    return valid


def _partly(job: StoreJob, problems: dict[str, Problem], committed: Committed | None) -> Outcome:
    first = next(iter(problems.values()))
    text = "; ".join(f"{name}: {problem.message}" for name, problem in problems.items())
    details = "\n".join(problem.details for problem in problems.values() if problem.details)
    outcome = fail(job, Problem(first.kind, text, details), features=list(problems))
    if committed is None:
        return outcome
    return Outcome(
        job.video,
        "failed",
        computed=committed.written,
        error=outcome.error,
        message=outcome.message,
        dropped=committed.dropped,
    )


class Writer:
    """Settles finished videos in a thread; used in a ``with`` statement.

    Parameters
    ----------
    settle
        What is done with each.
    """

    def __init__(self, settle: Callable[[Finished[StoreJob]], Outcome]) -> None:
        self._settle = settle
        self._in: queue.Queue[Finished[StoreJob] | None] = queue.Queue(_WAITING)
        self._out: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="memfeat-writer")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def put(self, finished: Finished[StoreJob]) -> None:
        """Hand over a video; waits while many are waiting."""
        self._in.put(finished)

    def outcomes(self) -> Iterator[Outcome]:
        """Yield what has become of videos since the last call."""
        while not self._out.empty():
            yield self._out.get()

    def finish(self) -> Iterator[Outcome]:
        """Wait for everything that was handed over, and yield what has become of it."""
        self._close()
        yield from self.outcomes()

    def _close(self) -> None:
        if self._thread.is_alive():
            self._in.put(None)
            self._thread.join()

    def _work(self) -> None:
        while (finished := self._in.get()) is not None:
            try:
                outcome = self._settle(finished)
            except Exception as error:  # a thread that ended would leave the others waiting for it
                outcome = Outcome(finished.job.video, "setup", message=f"{type(error).__name__}: {error}")
            self._out.put(outcome)
