"""Videos are decoded side by side, and what comes out has one order, whatever the threads do."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from clips import write_empty
from tiny_networks import TinyImages

from memfeat.errors import SetupError
from memfeat.extraction.deep.decoding import OPEN_VIDEOS, decode
from memfeat.extraction.deep.frames import Row


class Slow:
    """A video of `count` rows that takes its time at random."""

    def __init__(self, name: str, count: int, *, seed: int = 0, error: BaseException | None = None) -> None:
        self.name = name
        self.count = count
        self.error = error
        self.closed = False
        self.begun = 0
        self._rng = np.random.default_rng(seed)

    def begin(self):
        self.begun += 1
        return self if self.count else None

    def __iter__(self):
        try:
            for index in range(self.count):
                time.sleep(float(self._rng.uniform(0, 0.002)))
                yield Row(0, index, float(index), np.zeros((3, 4, 4), np.uint8))
            if self.error is not None:
                raise self.error
        finally:
            self.closed = True


def sequence(jobs, **options):
    return [(job.name, row.index) for job, chunk in decode(jobs, **options) for row in chunk.rows]


def jobs(seed: int = 0):
    return [Slow(f"v{k}", 3 + 5 * (k % 4), seed=seed + k) for k in range(20)]


def test_the_order_does_not_depend_on_threads_or_speed():
    once = sequence(jobs(), threads=1, chunk_bytes=100)
    assert sequence(jobs(seed=99), threads=5, chunk_bytes=100) == once
    assert sorted(once) == sorted((job.name, index) for job in jobs() for index in range(job.count))
    for name in {name for name, _ in once}:
        rows = [index for other, index in once if other == name]
        assert rows == sorted(rows)


def test_no_thread_runs_ahead_of_the_reader_by_more_than_a_chunk():
    many = [Slow(f"v{k}", 400) for k in range(30)]
    reader = decode(many, threads=4, chunk_bytes=48 * 10)
    next(reader)
    time.sleep(0.2)
    assert sum(job.begun for job in many) <= OPEN_VIDEOS + 1
    reader.close()
    assert all(job.closed for job in many if job.begun)


def test_as_many_videos_are_open_as_told_and_never_fewer_than_threads():
    for threads, videos, most in ((1, 2, 2), (5, 2, 5)):
        many = [Slow(f"v{k}", 400) for k in range(30)]
        reader = decode(many, threads=threads, videos=videos, chunk_bytes=48 * 10)
        next(reader)
        time.sleep(0.1)
        assert sum(job.begun for job in many) <= most + 1
        reader.close()


def test_an_error_ends_its_video_alone():
    bad = Slow("bad", 2, error=RuntimeError("odd"))
    ends = {job.name: chunk for job, chunk in decode([bad, *jobs()[:3]], threads=2) if chunk.ended}
    assert (ends["bad"].problem.kind, ends["bad"].problem.message) == ("Unexpected", "RuntimeError: odd")
    assert "Traceback" in ends["bad"].problem.details
    assert len(ends) == 4
    assert all(chunk.problem is None for name, chunk in ends.items() if name != "bad")


def test_kinds_of_problems_have_names(file_job, tmp_path):
    ((_, chunk),) = decode([file_job(write_empty(tmp_path / "e.mp4"), [TinyImages()])], threads=1)
    assert (chunk.ended, chunk.problem.kind, chunk.reading) == (True, "EmptyFile", None)
    (*_, (_, chunk)) = decode([Slow("big", 1, error=MemoryError())], threads=1)
    assert chunk.problem.kind == "OutOfMemory"


def test_what_the_machine_lacks_ends_everything():
    many = [Slow("a", 3), Slow("no", 1, error=SetupError("no disk")), Slow("b", 400)]
    with pytest.raises(SetupError, match="no disk"):
        list(decode(many, threads=2, chunk_bytes=100))
    assert all(job.closed for job in many)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("memfeat-decode")]


def test_nothing_to_do_is_an_end_without_rows():
    ((job, chunk),) = decode([Slow("present", 0)], threads=1)
    assert (job.name, chunk.ended, chunk.rows, chunk.reading, chunk.problem) == (
        "present",
        True,
        [],
        None,
        None,
    )


def test_stopping_begins_nothing_more_and_lets_go():
    many = [Slow(f"v{k}", 50) for k in range(30)]
    seen = 0

    def stop() -> bool:
        return seen >= 3

    for _ in decode(many, threads=2, stop=stop, chunk_bytes=48 * 10):
        seen += 1
    assert seen == 3
    assert sum(job.begun for job in many) < 12
    assert all(job.closed for job in many if job.begun)
