"""From videos to features of several networks at once: decode, batch across videos, compute, put together.

While a GPU works on a batch, the threads decode on and the next batch is put together.
"""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

from memfeat.errors import SetupError
from memfeat.extraction.deep.assembly import Assembly
from memfeat.extraction.deep.decoding import OPEN_VIDEOS, AnyJob, Problem, decode
from memfeat.extraction.deep.frames import Reading
from memfeat.extraction.deep.halving import Halving
from memfeat.extraction.deep.packing import Batch, Packer
from memfeat.store.record import FeatureRecord

if TYPE_CHECKING:
    from memfeat.extraction.deep.runner import Pending, Runner

_IN_FLIGHT = 2
"""Batches that a device is given before the rows of the first are asked for."""
_OPEN_ON_CPU = 2
"""Videos open at once on a CPU, where they last for minutes: what is open when a run is interrupted is lost."""


@dataclass(frozen=True, slots=True)
class Finished(Generic[AnyJob]):
    """What became of one video.

    Attributes
    ----------
    reading
        What is known of the file; None where nothing was to be done, or where `problem` says why.
    records
        The features, of the networks that had no problem with it.
    problem
        Why the whole video gives nothing.
    problems
        What single networks could not do with it, by their place in the run.
    frames
        Frames that were decoded.
    """

    job: AnyJob
    reading: Reading | None
    records: list[FeatureRecord]
    problem: Problem | None
    problems: dict[int, Problem]
    frames: int


def process(
    jobs: Iterable[AnyJob],
    runners: Sequence[Runner],
    *,
    threads: int,
    stop: Callable[[], bool] = lambda: False,
    on_frames: Callable[[int], None] = lambda count: None,
) -> Iterator[Finished[AnyJob]]:
    """Yield each video's features as soon as they are complete.

    Rows do not depend on what else is in their batch, up to rounding: the order of batches is fixed by the videos and
    the batch size, so that a CPU gives the same bits each time.

    A batch that does not fit into the device's memory is halved until it does. Where a single row does not fit: a clip,
    whose size is its video's, is a problem of that video and network; a frame, whose size is the network's, ends the
    run.

    Parameters
    ----------
    jobs
        The videos, each with the places of the networks that look at it.
    runners
        The networks.
    threads
        Threads that decode.
    stop
        Asked often: True lets go of videos that are not decoded to their end, and finishes the others.
    on_frames
        Told how many frames a network has looked at, batch by batch.

    Raises
    ------
    SetupError
        The device has no memory for a single frame, or failed; or the machine cannot decode.
    """
    from memfeat.extraction.deep.runner import exact_float32

    line = _Line[AnyJob](runners, on_frames)
    videos = _OPEN_ON_CPU if runners[0].device == "cpu" else OPEN_VIDEOS
    with exact_float32(), closing(decode(jobs, threads=threads, stop=stop, videos=videos)) as chunks:
        for job, chunk in chunks:
            assembly = line.assembly(job)
            for row in chunk.rows:
                assembly.expect(row)
                for batch in line.packers[row.network].add(assembly, row):
                    line.launch(row.network, batch)
            if chunk.ended:
                assembly.end(chunk)
            yield from line.finished()
        line.let_go()
        for place, packer in enumerate(line.packers):
            for batch in packer.flush():
                line.launch(place, batch)
                yield from line.finished()
        line.collect()
        yield from line.finished()


class _Line(Generic[AnyJob]):
    """The state of one run of the engine."""

    def __init__(self, runners: Sequence[Runner], on_frames: Callable[[int], None]) -> None:
        self.packers = [Packer[Assembly](runner.batch_size) for runner in runners]
        self._runners = runners
        self._on_frames = on_frames
        self._halvings = [Halving(runner.launch, self._release) for runner in runners]
        self._pending: deque[tuple[int, Batch[Assembly], Pending]] = deque()
        self._assemblies: dict[int, tuple[AnyJob, Assembly]] = {}

    def assembly(self, job: AnyJob) -> Assembly:
        return self._assemblies.setdefault(id(job), (job, Assembly(job)))[1]

    def launch(self, place: int, batch: Batch[Assembly]) -> None:
        """Begin to compute a batch; rows of videos that have failed meanwhile, or were let go, are left out."""
        useful = [
            k for k, owner in enumerate(batch.owners) if owner.problem is None and place not in owner.problems
        ]
        if not useful:
            return
        batch = Batch([batch.owners[k] for k in useful], [batch.rows[k] for k in useful])
        try:
            for begin, end, pending in self._halvings[place]([row.pixels for row in batch.rows]):
                part = Batch(batch.owners[begin:end], batch.rows[begin:end])
                if pending is None:
                    self._too_large(place, part)
                    continue
                self._pending.append((place, part, pending))
        except SetupError:
            raise
        except (
            Exception
        ) as error:  # what a network cannot do with pixels of this shape, such as too few frames
            problem = Problem("Unexpected", f"{type(error).__name__}: {error}", traceback.format_exc())
            for owner in batch.owners:
                owner.problems[place] = problem
        while len(self._pending) > _IN_FLIGHT:
            self._collect_one()

    def let_go(self) -> None:
        """Give up the videos that are not decoded to their end."""
        for key, (_, assembly) in list(self._assemblies.items()):
            if not assembly.ended:
                assembly.problem = Problem("Interrupted", "The run was interrupted.")
                del self._assemblies[key]

    def finished(self) -> Iterator[Finished[AnyJob]]:
        """Yield the videos that are complete."""
        for key, (job, assembly) in list(self._assemblies.items()):
            if assembly.complete:
                del self._assemblies[key]
                yield Finished(
                    job,
                    assembly.reading,
                    assembly.records(
                        [runner.wanted for runner in self._runners],
                        {place: runner.provenance() for place, runner in enumerate(self._runners)},
                    ),
                    assembly.problem,
                    assembly.problems,
                    assembly.frames,
                )

    def collect(self) -> None:
        """Wait for every batch."""
        while self._pending:
            self._collect_one()

    def _collect_one(self) -> None:
        place, batch, pending = self._pending.popleft()
        vectors = self._runners[place].collect(pending)
        for owner, row, vector in zip(batch.owners, batch.rows, vectors, strict=True):
            owner.put(row, vector)
        # A pair is one more frame than the pair before it.
        many = (row.pixels.shape[1] if row.pixels.ndim == 4 and row.dt is None else 1 for row in batch.rows)
        self._on_frames(sum(many))

    def _release(self) -> None:
        self.collect()
        for runner in self._runners:
            runner.release()

    def _too_large(self, place: int, batch: Batch[Assembly]) -> None:
        runner, shape = self._runners[place], batch.rows[0].pixels.shape
        name, beside = runner.wanted.name, " beside the other networks" if len(self._runners) > 1 else ""
        if len(shape) == 3:
            raise SetupError(
                f"{runner.device} has no memory for a single frame of {name}{beside}. Free memory there, ask for fewer "
                "features at once, or use another --device. What was committed is kept."
            )
        text = (
            f"One clip of {shape[1]} frames does not fit into the memory of {runner.device}{beside}. Use a variant of "
            f"{runner.wanted.network.name} with -windows32 or -spread32, fewer features at once, or another --device."
        )
        for owner in batch.owners:
            owner.problems[place] = Problem("OutOfMemory", text)
