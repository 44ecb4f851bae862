"""Time two implementations in turn, in one process and on the same inputs, and keep the times as pyperf benchmarks.

Ratios are of processor time, which other work on the machine disturbs less than the clock on the wall.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

import cv2
import numpy as np
import pyperf
from threadpoolctl import threadpool_limits

NAIVE, MEMFEAT = "naive", "memfeat"

Data = TypeVar("Data")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Input(Generic[Data]):
    """What both implementations are given, and how many units (frames, pairs) it has."""

    name: str
    data: Data
    units: int = 1


class Time(NamedTuple):
    """Seconds per unit."""

    cpu: float
    wall: float


@dataclass
class Ratio:
    """How many times less processor time memfeat takes."""

    median: float
    first_quartile: float
    third_quartile: float
    summed: float
    """Ratio of the sums over all inputs, in which long inputs weigh more."""
    count: int


@dataclass
class Comparison:
    """The times of two implementations by input, in the order of rounds."""

    stage: str
    unit: str
    units: dict[str, int] = field(default_factory=dict)
    times: dict[str, dict[str, list[Time]]] = field(default_factory=lambda: {NAIVE: {}, MEMFEAT: {}})
    results: list[tuple[Any, Any]] = field(default_factory=list)
    """What each implementation returned in the first round, by input."""

    def add(self, implementation: str, name: str, taken: Time) -> None:
        self.times[implementation].setdefault(name, []).append(taken)

    def ratio(self) -> Ratio:
        pairs = np.array(
            [
                [naive.cpu * self.units[name], memfeat.cpu * self.units[name]]
                for name, times in self.times[NAIVE].items()
                for naive, memfeat in zip(times, self.times[MEMFEAT][name], strict=True)
            ]
        )
        q1, median, q3 = np.percentile(pairs[:, 0] / pairs[:, 1], [25, 50, 75]).tolist()
        naive, memfeat = pairs.sum(axis=0).tolist()
        return Ratio(median, q1, q3, naive / memfeat, len(pairs))

    def mean(self, implementation: str) -> Time:
        """Return the mean time per unit over all inputs, each with the median of its rounds."""
        medians = [np.median(times, axis=0) for times in self.times[implementation].values()]
        return Time(*np.average(medians, axis=0, weights=list(self.units.values())).tolist())

    def benchmarks(self, implementation: str) -> list[pyperf.Benchmark]:
        """Return processor and wall time per unit for pyperf: one run per input, one value per round."""
        made = []
        for clock, suffix in (("cpu", ""), ("wall", " (wall)")):
            runs = [
                pyperf.Run(
                    [getattr(each, clock) for each in times],
                    metadata={"name": self.stage + suffix, "per": self.unit, "input": name},
                    collect_metadata=False,
                )
                for name, times in self.times[implementation].items()
            ]
            made.append(pyperf.Benchmark(runs))
        return made


def interleave(
    stage: str,
    unit: str,
    inputs: Sequence[Input[Data]],
    naive: Callable[[Data], Any],
    memfeat: Callable[[Any], Any],
    *,
    rounds: int,
    fresh: Callable[[Data], Any] = lambda data: data,
    warm_naive: bool = True,
    say: Callable[[str], None] = lambda text: None,
) -> Comparison:
    """Time both implementations on every input, `rounds` times; who goes first changes from input to input.

    `fresh` prepares, untimed, what memfeat is given. Each implementation runs once before it is timed (the plain one
    need not where it has nothing to warm up and takes long).
    """
    comparison = Comparison(stage, unit, {each.name: each.units for each in inputs})
    with one_thread():
        memfeat(fresh(inputs[0].data))
        if warm_naive:
            naive(inputs[0].data)
        for turn in range(rounds):
            for number, each in enumerate(inputs):
                say(f"round {turn + 1} of {rounds}, {each.name}")
                order = [NAIVE, MEMFEAT] if (turn + number) % 2 == 0 else [MEMFEAT, NAIVE]
                got: dict[str, Any] = {}
                for implementation in order:
                    work, data = (
                        (naive, each.data) if implementation == NAIVE else (memfeat, fresh(each.data))
                    )
                    taken, got[implementation] = timed(work, data, each.units)
                    comparison.add(implementation, each.name, taken)
                if turn == 0:
                    comparison.results.append((got[NAIVE], got[MEMFEAT]))
    return comparison


def timed(work: Callable[[Any], Result], data: Any, units: int) -> tuple[Time, Result]:
    """Run `work` once and return the time per unit, of all threads of this process and on the wall."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work(data)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return Time(cpu / units, wall / units), result


@contextmanager
def one_thread() -> Any:
    """Hold OpenCV and the linear algebra below numpy to one thread."""
    before = cv2.getNumThreads()
    with ExitStack() as stack:
        stack.enter_context(threadpool_limits(1))
        stack.callback(cv2.setNumThreads, before)
        cv2.setNumThreads(1)
        yield


def suite(
    benchmarks: Sequence[pyperf.Benchmark],
    metadata: Mapping[str, Any],
    kept: Sequence[pyperf.Benchmark] = (),
) -> pyperf.BenchmarkSuite:
    """Return benchmarks as a suite that says where and with what they were measured, after those `kept` as they are."""
    for benchmark in benchmarks:
        benchmark.update_metadata(dict(metadata))
    return pyperf.BenchmarkSuite([*kept, *benchmarks])
