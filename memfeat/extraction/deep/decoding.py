"""Decoding several videos side by side in threads, while what comes out is in one order, whatever the threads do.

Some videos are open at once. Each is advanced by one chunk at a time, of a limited number of bytes, and chunks are
handed out in turn: one of the first video, one of the second, ... and when a video ends, the next takes its place. So
the order follows from the videos alone, no thread runs ahead by more than a chunk, and a long video holds up nobody.
"""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from memfeat.errors import DataError, SetupError
from memfeat.extraction.deep.frames import Reading, Row

OPEN_VIDEOS = 8
"""Videos open at once, where there are not more threads. Part of what decides which frames share a batch."""
CHUNK_BYTES = 24 * 2**20
"""About 160 frames of 224×224."""


class Job(Protocol):
    """One video to be read."""

    def begin(self) -> Reading | None:
        """Return what reads the video; None when it turns out that nothing is to be done. Called in a thread."""
        ...


AnyJob = TypeVar("AnyJob", bound=Job)


@dataclass(slots=True)
class Problem:
    """Why a video gave nothing."""

    kind: str
    """Name of the error, without the word "Error"."""
    message: str
    details: str = ""


@dataclass(slots=True)
class Chunk:
    """Some rows of a video, the next in its order."""

    rows: list[Row] = field(default_factory=list)
    ended: bool = False
    """Whether these are the last."""
    reading: Reading | None = None
    """At the end: what is known of the video now. None where there was nothing to do, or a problem."""
    problem: Problem | None = None


def decode(
    jobs: Iterable[AnyJob],
    *,
    threads: int,
    stop: Callable[[], bool] = lambda: False,
    videos: int = OPEN_VIDEOS,
    chunk_bytes: int = CHUNK_BYTES,
) -> Generator[tuple[AnyJob, Chunk]]:
    """Read videos in `threads` threads and yield their rows, chunk by chunk, in an order that does not vary.

    Parameters
    ----------
    jobs
        The videos.
    threads
        Threads that decode; 1 and more.
    stop
        Asked before each chunk: True begins no further video and leaves those in work unfinished.
    videos
        Videos open at once, where there are not more threads.
    chunk_bytes
        Pixels of a chunk, in bytes; a row that is larger makes a chunk of its own.

    Raises
    ------
    SetupError
        The machine cannot do this; no video's fault.
    """
    waiting = iter(jobs)
    with ThreadPoolExecutor(threads, thread_name_prefix="memfeat-decode") as executor:
        open_: deque[_Slot[AnyJob]] = deque()
        try:
            for job in waiting:
                open_.append(_Slot(job, executor, chunk_bytes))
                if len(open_) >= max(threads, videos):
                    break
            while open_ and not stop():
                slot = open_.popleft()
                chunk = slot.next()
                if not chunk.ended:
                    open_.append(slot)
                elif (following := next(waiting, None)) is not None:
                    open_.append(_Slot(following, executor, chunk_bytes))
                yield slot.job, chunk
        finally:
            for slot in open_:
                slot.close()


class _Slot(Generic[AnyJob]):
    """An open video, of which the next chunk is being decoded."""

    def __init__(self, job: AnyJob, executor: ThreadPoolExecutor, chunk_bytes: int) -> None:
        self.job = job
        self._executor = executor
        self._chunk_bytes = chunk_bytes
        self._reading: Reading | None = None
        self._rows: Generator[Row] | None = None
        self._future: Future[Chunk] = executor.submit(self._advance)

    def next(self) -> Chunk:
        """Return the next chunk, and have the one after it decoded."""
        chunk = self._future.result()
        if not chunk.ended:
            self._future = self._executor.submit(self._advance)
        return chunk

    def close(self) -> None:
        """Leave the video where it is."""
        if not self._future.cancel():
            self._future.exception()
        if self._rows is not None:
            self._rows.close()

    def _advance(self) -> Chunk:
        try:
            if self._rows is None:
                self._reading = self.job.begin()
                if self._reading is None:
                    return Chunk(ended=True)
                self._rows = iter(self._reading)
            chunk, size = Chunk(), 0
            for row in self._rows:
                chunk.rows.append(row)
                size += row.pixels.nbytes
                if size >= self._chunk_bytes:
                    return chunk
            chunk.ended, chunk.reading = True, self._reading
            return chunk
        except SetupError:
            raise
        except DataError as error:
            return Chunk(ended=True, problem=problem_of(error))
        except MemoryError:
            return Chunk(
                ended=True,
                problem=Problem("OutOfMemory", "Decoding ran out of memory. Use fewer --decode-threads."),
            )
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            return Chunk(ended=True, problem=Problem("Unexpected", text, traceback.format_exc()))


def problem_of(error: DataError) -> Problem:
    """Return what is recorded of an error.

    >>> problem_of(DataError("no frames"))
    Problem(kind='Data', message='no frames', details='')
    """
    return Problem(type(error).__name__.removesuffix("Error"), str(error))
