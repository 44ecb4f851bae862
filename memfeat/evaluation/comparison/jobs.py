"""The fits of a comparison, in processes of one thread each: of this machine, or of a Dask cluster."""

from __future__ import annotations

import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from itertools import islice
from typing import Any

import numpy as np

from memfeat import models
from memfeat.errors import MemfeatError, SetupError
from memfeat.evaluation import system
from memfeat.evaluation.comparison.cache import Held, usable
from memfeat.evaluation.gather import Rows
from memfeat.evaluation.splits import Part

_AHEAD = 4  # tasks that wait per worker of a cluster: few, because a task may carry a copy of its rows


@dataclass(frozen=True, slots=True)
class Job:
    """One fit of one system on one part, with one seed."""

    key: str
    """Digest of all that its predictions depend on."""
    system: str
    """The first system that asked for it."""
    model: str
    parameters: dict[str, Any]
    seed: int
    rows: Rows
    part: Part


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a job: predictions, or why there are none."""

    key: str
    held: Held | None
    failure: str = ""


@dataclass
class Runner:
    """Runs jobs and hands each result over as soon as it is there.

    Parameters
    ----------
    workers
        Processes; 1 works in this one.
    scheduler
        Address of a Dask scheduler, whose workers are used instead.
    """

    workers: int = 1
    scheduler: str | None = None
    skip: set[str] = field(default_factory=set)
    """Systems of which no further job is begun: those with a failed one."""

    def run(self, jobs: Sequence[Job], receive: Callable[[Job, Done], None]) -> None:
        """Run jobs; `receive` is called in this process with each, in the order in which they end.

        Raises
        ------
        SetupError
            A process died, or the scheduler cannot be reached.
        """
        by_key = {job.key: job for job in jobs}
        if self.scheduler is not None:
            results = self._on_cluster(jobs)
        elif self.workers > 1 and len(jobs) > 1:
            results = self._in_processes(jobs)
        else:
            results = self._here(jobs)
        for done in results:
            job = by_key[done.key]
            if done.failure:
                self.skip.add(job.system)
            receive(job, done)

    def _wanted(self, jobs: Iterable[Job]) -> Iterator[Job]:
        return (job for job in jobs if job.system not in self.skip)

    def _here(self, jobs: Sequence[Job]) -> Iterator[Done]:
        from threadpoolctl import threadpool_limits

        # Sums of several threads differ in their last digits; a fit is the same wherever it is made.
        with threadpool_limits(1):
            yield from (perform(job) for job in self._wanted(jobs))

    def _in_processes(self, jobs: Sequence[Job]) -> Iterator[Done]:
        from joblib import Parallel, delayed, parallel_config
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        workers = min(self.workers, len(jobs))
        deep = any(models.get(job.model).needs_deep for job in jobs)
        tasks = (delayed(_perform_in_worker)(job, deep) for job in self._wanted(jobs))
        try:
            with parallel_config("loky", n_jobs=workers, inner_max_num_threads=1), warnings.catch_warnings():
                # A worker whose memory has grown is replaced, which is nobody's fault and loses nothing.
                warnings.filterwarnings("ignore", message="A worker stopped while some jobs")
                parallel = Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="2*n_jobs")
                yield from parallel(tasks)
        except TerminatedWorkerError as error:
            raise SetupError(
                "A process died while it fitted a model, most likely for want of memory. Use fewer --workers; "
                "finished fits are kept."
            ) from error

    def _on_cluster(self, jobs: Sequence[Job]) -> Iterator[Done]:
        from distributed import Client, KilledWorker, as_completed

        try:
            client = Client(self.scheduler, timeout="20s", set_as_default=False)
        except (OSError, ValueError) as error:
            raise SetupError(
                f"No Dask scheduler answers at {self.scheduler} ({error}). Check the address, or leave "
                "--scheduler out to work on this machine."
            ) from error
        with client:
            wanted = self._wanted(jobs)
            ahead = _AHEAD * max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
            keys: dict[Any, str] = {}

            def submit(job: Job) -> Any:
                future = client.submit(_perform_in_worker, job, pure=False)
                keys[future.key] = job.key
                return future

            waiting = as_completed([submit(job) for job in islice(wanted, ahead)], loop=client.loop)
            for future in waiting:
                try:
                    yield future.result()
                except KilledWorker as error:
                    yield Done(keys[future.key], None, f"the workers it was given to died ({error})")
                future.release()
                waiting.update([submit(job) for job in islice(wanted, 1)])


def perform(job: Job) -> Done:
    """Fit a system on a part and predict what it holds out. What goes wrong is in the result."""
    begun = time.perf_counter()
    try:
        spec = models.get(job.model)
        fitted = system.fit_part(
            job.rows, job.part.fit, spec, seed=job.seed, parameters=job.parameters, name=job.part.name
        )
        table = system.hold_out(job.rows, job.part, fitted, spec)
        predicted = {"": table["predicted"].to_numpy(np.float64)}
        for name, keywords in spec.readings.items():
            if any(job.parameters.get(key) != value for key, value in keywords.items()):
                found = fitted.pipeline.predict(job.rows.X[job.part.judged], **keywords)
                predicted[name] = np.asarray(found, np.float64)
        deviation = table["predicted_sd"].to_numpy(np.float64)
        held = Held(
            predicted=predicted,
            deviation=deviation if np.isfinite(deviation).all() else None,
            notes=(*fitted.notes, *system.flat_note(predicted[""], spec)),
            reduced=dict(fitted.reduced or {}),
            seconds=round(time.perf_counter() - begun, 4),
        )
    except MemfeatError as error:
        return Done(job.key, None, str(error))
    except Exception as error:  # one system must not end the comparison of the others
        return Done(job.key, None, f"{job.part.name}: {type(error).__name__}: {error}")
    if not usable(held):
        return Done(job.key, None, f"{job.part.name}: the model predicts values that are not finite.")
    return Done(job.key, held)


def _perform_in_worker(job: Job, deep: bool = False) -> Done:
    from threadpoolctl import threadpool_limits

    if deep:  # loaded before the first fit, so that it does not look like a leak in a later one
        import_module("torch")
    # Ctrl-C reaches every process of a terminal; the one that was started decides.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    with threadpool_limits(1):
        return perform(job)
