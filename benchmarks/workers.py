"""Several processes: what a second one gains, what scheduling costs, and who uses which core."""

from __future__ import annotations

import time
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
import pyperf

from memfeat import extractors
from memfeat.extraction import attempts
from memfeat.extraction.pool import Pool, open_pool
from memfeat.extraction.task import Task
from memfeat.store.feature_store import FeatureStore

from .report import Row
from .settings import Bench


class Load(NamedTuple):
    """One run of all tasks."""

    wall: float
    in_tasks: float
    """Seconds that tasks took, added up."""
    cpu: float
    """Processor seconds of the worker processes."""
    busiest: float
    """Of these, seconds of the busiest thread of each process."""
    scheduling: float
    """Processor seconds of this process, which schedules."""


def workers(bench: Bench) -> list[Row]:
    """Extract the same clips with one process and with two, in turn."""
    settings = bench.settings
    root = bench.folder / "extracted"
    FeatureStore.create(root, dataset="benchmark")
    chosen, _ = extractors.select()
    for extractor in chosen:
        extractor.warm_up()
    names = tuple(extractor.name for extractor in chosen)
    # Each clip twice in a row, so that two processes end together: a short run does not even out by itself.
    clips = [bench.clips[number // 2 % len(bench.clips)].path for number in range(settings.worker_tasks)]
    loads: dict[int, list[Load]] = {1: [], 2: []}
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        # Two clusters at once: the second finds the first one's port taken and uses another.
        warnings.filterwarnings("ignore", message="Port .* is already in use")
        stack.enter_context(attempts.open_run(root, "benchmark"))
        pools: dict[int, tuple[Pool, list[psutil.Process]]] = {}
        for count in loads:
            bench.say(f"starting {count} workers")
            before = set(psutil.Process().children(recursive=True))
            pool = stack.enter_context(open_pool(workers=count, scheduler=None, store=root))
            mine = [child for child in psutil.Process().children(recursive=True) if child not in before]
            pools[count] = (pool, mine)
            work(pool, mine, tasks(root, clips[:1] * 4 * count, names))
        for turn in range(settings.worker_rounds):
            for count in (1, 2) if turn % 2 == 0 else (2, 1):
                bench.say(
                    f"round {turn + 1} of {settings.worker_rounds}, {len(clips)} videos on {count} workers"
                )
                loads[count].append(work(*pools[count], tasks(root, clips, names)))
    return [summary(bench, loads, len(clips))]


def tasks(root: Path, clips: list[Path], names: tuple[str, ...]) -> list[Task]:
    return [
        Task(root, f"{number:03}{path.suffix}", path, names, "benchmark", force=True)
        for number, path in enumerate(clips)
    ]


def work(pool: Pool, processes: list[psutil.Process], todo: list[Task]) -> Load:
    cpu, threads = usage(processes)
    began, scheduling = time.perf_counter(), time.process_time()
    outcomes = list(pool.run(todo))
    wall, scheduling = time.perf_counter() - began, time.process_time() - scheduling
    wrong = [outcome for outcome in outcomes if outcome.state != "done"]
    if wrong:
        raise RuntimeError(f"{wrong[0].video} was not measured: {wrong[0].message}")
    cpu_after, threads_after = usage(processes)
    busiest = 0.0
    for process in processes:
        taken = [
            seconds - threads.get(key, 0.0) for key, seconds in threads_after.items() if key[0] == process.pid
        ]
        busiest += max(taken, default=0.0)
    return Load(wall, sum(outcome.seconds for outcome in outcomes), cpu_after - cpu, busiest, scheduling)


def usage(processes: list[psutil.Process]) -> tuple[float, dict[tuple[int, int], float]]:
    """Return processor seconds of all processes together, and of each of their threads."""
    cpu, threads = 0.0, {}
    for process in processes:
        times = process.cpu_times()
        cpu += times.user + times.system
        for thread in process.threads():
            threads[process.pid, thread.id] = thread.user_time + thread.system_time
    return cpu, threads


def summary(bench: Bench, loads: dict[int, list[Load]], count: int) -> Row:
    row = Row("workers", "several processes", "video")
    speedups = [one.wall / two.wall for one, two in zip(loads[1], loads[2], strict=True)]
    overheads = [100 * (load.wall / load.in_tasks - 1) for load in loads[1]]
    row.check("wall time of one process over that of two", np.median(speedups), ">=", 1.9, "×")
    row.check("  its range, from", min(speedups), unit="×")
    row.check("  its range, to", max(speedups), unit="×")
    row.check(
        "seconds per task, one process", np.median([load.in_tasks for load in loads[1]]) / count, unit=" s"
    )
    row.check("scheduling, beyond the tasks' own time", np.median(overheads), "<=", 2, " %")
    for number, of_number in loads.items():
        cores = np.median([load.cpu / load.wall for load in of_number])
        row.check(
            f"cores in use, {number} {'process' if number == 1 else 'processes'}", cores, "<=", 1.05 * number
        )
        rest = np.median([100 * (1 - load.busiest / load.cpu) for load in of_number])
        row.check("  share outside one thread per process", rest, "<=", 5, " %")
        own = np.median([100 * load.scheduling / load.wall for load in of_number])
        row.check("  of one core, used by the process that schedules", own, unit=" %")
    for number, of_number in loads.items():
        name = f"extract, {number} {'process' if number == 1 else 'processes'} (wall)"
        run = pyperf.Run(
            [load.wall / count for load in of_number],
            metadata={"name": name, "per": "video", "input": f"{count} videos"},
            collect_metadata=False,
        )
        bench.others.append(pyperf.Benchmark([run]))
    return row
