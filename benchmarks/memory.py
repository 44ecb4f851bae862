"""Does a worker that measures thousands of videos grow?"""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from . import clips
from .report import Row
from .settings import Bench

FRAMES = 2
DIFFERENT = 20


def memory(bench: Bench) -> list[Row]:
    """Measure and commit small clips in one process, and look at its memory after a tenth and at the end."""
    total = bench.settings.memory_videos
    small = clips.prepare(bench.paths[:DIFFERENT], bench.folder / "small", frames=FRAMES)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=measure, args=(theirs, bench.folder / "many", [clip.path for clip in small], total)
    )
    process.start()
    theirs.close()
    sizes: dict[int, int] = {}
    try:
        while True:
            number, size = ours.recv()
            sizes[number] = size
            bench.say(f"{number:,} of {total:,} videos, {size / 2**20:.0f} MiB")
    except EOFError:
        process.join()
    if process.exitcode or total not in sizes:
        raise RuntimeError(
            f"The process that measured {total:,} clips ended early, with code {process.exitcode}."
        )
    early, late = sizes[total // 10], sizes[total]
    row = Row("memory", "memory of a worker", "process")
    row.check(f"resident after {total // 10:,} videos", early / 2**20, unit=" MiB")
    row.check(f"resident after {total:,} videos", late / 2**20, unit=" MiB")
    row.check("growth between the two", 100 * (late / early - 1), "<=", 3, " %")
    return [row]


def measure(out: Connection, root: Path, paths: list[Path], total: int) -> None:
    """Run in a process of its own: what a worker does, video after video."""
    from memfeat import extractors
    from memfeat.extraction import attempts
    from memfeat.extraction.pool import limit_threads
    from memfeat.extraction.task import Task, process
    from memfeat.store.feature_store import FeatureStore

    limit_threads()
    FeatureStore.create(root, dataset="benchmark")
    names = tuple(extractor.name for extractor in extractors.select()[0])
    itself = psutil.Process(os.getpid())
    with attempts.open_run(root, "benchmark"):
        for number in range(total):
            path = paths[number % len(paths)]
            outcome = process(Task(root, f"{number:05}{path.suffix}", path, names, "benchmark"))
            if outcome.state != "done":
                raise RuntimeError(f"{outcome.video}: {outcome.message}")
            if (number + 1) % max(total // 10, 1) == 0:
                out.send((number + 1, itself.memory_info().rss))
    out.close()
