"""One process and its share of the videos: load the networks, try suspects of a crash alone, measure, commit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memfeat.errors import MemfeatError, SetupError
from memfeat.extraction.deep import markers
from memfeat.extraction.deep.decoding import Problem
from memfeat.extraction.deep.device import memory_in_use, unusable
from memfeat.extraction.deep.halving import is_out_of_memory
from memfeat.extraction.deep.work import StoreJob, Work
from memfeat.extraction.deep.writing import Writer, fail, settle
from memfeat.extraction.task import Outcome

if TYPE_CHECKING:
    from memfeat.extraction.deep.runner import Runner

_CRASH = Problem(
    "Crashed",
    "A process in which this video was the only one ended before it was done (a crash in a decoder, or no memory "
    "left). It is left out; --retry-failed tries it again.",
)


@dataclass(frozen=True, slots=True)
class Looked:
    """Networks have looked at some frames."""

    frames: int
    memory: str = ""


@dataclass(frozen=True, slots=True)
class Ran:
    """How the networks were run, by feature: information for the summary."""

    networks: dict[str, dict[str, Any]] = field(default_factory=dict)


Message = Outcome | Looked | Ran
Tell = Callable[[Message], None]


def load(work: Work, device: str) -> list[Runner]:
    """Load every network onto a device.

    Raises
    ------
    SetupError
        Weights are damaged, a library is missing, or the device cannot be used or has no memory for all of them.
    """
    from memfeat.extraction.deep.runner import Runner

    runners: list[Runner] = []
    for wanted in work.wanted:
        try:
            runners.append(Runner(wanted, device, batch_size=work.batch_size, compile=work.compile))
        except Exception as error:
            if not is_out_of_memory(error):
                if not isinstance(error, MemfeatError) and (known := unusable(device, error)) is not None:
                    raise known from error
                raise
            fitting = ",".join(runner.wanted.network.name for runner in runners)
            beside = f" beside {fitting}" if fitting else ""
            remedy = f"Ask for fewer at once, such as --features {fitting}" if fitting else "Use --device cpu"
            raise SetupError(
                f"{device} has no memory for {wanted.network.name}{beside}. {remedy}, and for the others in another "
                "run: they go into the same store."
            ) from None
    return runners


def perform(
    work: Work,
    videos: Mapping[str, Path],
    runners: Sequence[Runner],
    *,
    tell: Tell,
    stop: Callable[[], bool] = lambda: False,
) -> None:
    """Measure videos with networks that are loaded, and commit each as soon as it is complete.

    Videos on which an earlier process may have died are tried first, one at a time.

    Raises
    ------
    SetupError
        The device, the disk or the installation cannot do it; what was committed is kept.
    """
    from memfeat.extraction.deep.engine import process

    states = {video: markers.look(work.store, video) for video in videos}
    for video in (video for video, state in states.items() if state == "culprit"):
        tell(fail(StoreJob(work, video, videos[video]), _CRASH))
        markers.end(work.store, video)
    device = runners[0].device

    def on_frames(count: int) -> None:
        tell(Looked(count, memory_in_use(device)))

    jobs = _Jobs()
    on_frames(0)  # the networks are loaded: from here on, time counts
    try:
        for video in (video for video, state in states.items() if state == "suspect"):
            if stop():
                break
            alone = jobs.note(StoreJob(work, video, videos[video], alone=True, device=device))
            for finished in process([alone], runners, threads=1, on_frames=on_frames):
                tell(_checked(settle(finished)))
                markers.end(work.store, video)
        waiting = (
            jobs.note(StoreJob(work, video, videos[video], device=device))
            for video, state in states.items()
            if state == "free"
        )
        with Writer(lambda finished: jobs.settled(finished.job, settle(finished))) as writer:
            for finished in process(waiting, runners, threads=work.threads, stop=stop, on_frames=on_frames):
                writer.put(finished)
                for outcome in writer.outcomes():
                    tell(_checked(outcome))
            for outcome in writer.finish():
                tell(_checked(outcome))
    finally:
        jobs.unmark()
        markers.tidy(work.store)
    tell(Ran({runner.wanted.name: runner.provenance() for runner in runners}))


def _checked(outcome: Outcome) -> Outcome:
    if outcome.state == "setup":
        raise SetupError(outcome.message)
    return outcome


class _Jobs:
    """The videos that are marked; a process that lives to its end leaves no marker."""

    def __init__(self) -> None:
        self._open: dict[str, StoreJob] = {}
        self._lock = threading.Lock()

    def note(self, job: StoreJob) -> StoreJob:
        with self._lock:
            self._open[job.video] = job
        return job

    def settled(self, job: StoreJob, outcome: Outcome) -> Outcome:
        markers.end(job.work.store, job.video)
        with self._lock:
            self._open.pop(job.video, None)
        return outcome

    def unmark(self) -> None:
        for job in self._open.values():
            markers.end(job.work.store, job.video)
