"""Where tasks run: in this process, on a cluster of this machine, or on a Dask scheduler elsewhere."""

from __future__ import annotations

import itertools
import logging
import multiprocessing
import os
import queue
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from memfeat import __version__
from memfeat.errors import SetupError
from memfeat.extraction.task import Outcome, Task, lost, process

Item = TypeVar("Item")

_MANY = 1_000_000
_PATIENCE = "10s"
_LOOK_SECONDS = 5.0
_ALONE_SECONDS = 60.0
_GUARD = (
    "Worker processes read the script that starts them: put the call under `if __name__ == '__main__':`, or give "
    "workers=0 to use one process."
)


class Pool(Protocol):
    """Runs tasks and yields what became of each, in any order."""

    workers: int

    def run(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        """Run every task."""
        ...


class InProcess:
    """Runs tasks one after another in this process: for debugging, profiling and small folders."""

    workers = 0

    def run(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        """Run every task."""
        torch = sys.modules.get("torch")
        threads = 1 if torch is None else torch.get_num_threads()
        limit_threads()
        try:
            yield from map(process, tasks)
        finally:
            if torch is not None:  # networks may run next, on all cores
                torch.set_num_threads(threads)


class OnDask:
    """Keeps a window of tasks at a Dask scheduler."""

    def __init__(self, client: Any, workers: int) -> None:
        self._client = client
        self.workers = workers

    def run(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        """Run every task; a task whose workers all died is recorded as a crash.

        Raises
        ------
        SetupError
            The scheduler went away, or has had no worker for a while.
        """
        from distributed import KilledWorker

        for task, future in sliding(self._client, process, tasks, most=8 * self.workers + 24):
            try:
                yield future.result()
            except KilledWorker:
                yield lost(task)


def sliding(
    client: Any, function: Callable[[Item], Any], items: Iterable[Item], *, most: int, **options: Any
) -> Iterator[tuple[Item, Any]]:
    """Keep up to `most` calls at a Dask scheduler and yield (item, finished future), in any order.

    Parameters
    ----------
    client
        Of the scheduler.
    function, items
        Called with each of the items.
    most
        Calls that are waiting or running.
    options
        Of `distributed.Client.submit`, such as ``resources``.

    Raises
    ------
    SetupError
        The scheduler went away, or has had no worker for a while.
    """
    waiting = iter(items)
    of_key: dict[str, Item] = {}
    finished: queue.Queue[Any] = queue.Queue()

    def submit(item: Item) -> None:
        future = client.submit(function, item, pure=False, **options)
        of_key[future.key] = item
        future.add_done_callback(finished.put)

    try:
        for item in itertools.islice(waiting, most):
            submit(item)
        while of_key:
            future = _next(client, finished)
            item = of_key.pop(future.key)
            if future.cancelled():
                raise CancelledError(future.key)
            for following in itertools.islice(waiting, 1):
                submit(following)
            yield item, future
            future.release()
    # No video's fault: futures are cancelled when the connection to the scheduler breaks.
    except (OSError, CancelledError) as error:
        raise SetupError(
            "The connection to the Dask scheduler was lost. What was committed is kept: start scheduler and "
            "workers again, and run the same command to go on."
        ) from error


def _next(client: Any, finished: queue.Queue[Any]) -> Any:
    """Wait for a future; SetupError when there is nobody who could finish one."""
    alone_since: float | None = None
    while True:
        try:
            return finished.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            if client.scheduler_info(n_workers=-1)["workers"]:
                alone_since = None
                continue
        now = time.monotonic()
        alone_since = alone_since or now
        if now - alone_since > _ALONE_SECONDS:
            raise SetupError(
                f"For {_ALONE_SECONDS:.0f} seconds the scheduler has had no worker. What was committed is kept: "
                "start workers again, and run the same command to go on."
            )


def limit_threads() -> None:
    """Hold OpenCV, and torch where it is loaded, to one thread: parallelism comes from processes."""
    import cv2

    cv2.setNumThreads(1)
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(1)


def _plugin() -> Any:
    from distributed import WorkerPlugin

    class OneThread(WorkerPlugin):  # type: ignore[misc, unused-ignore]
        """Prepares a worker process: one thread per library, and Ctrl-C is the main process's business."""

        name = "memfeat-one-thread"

        def setup(self, worker: Any) -> None:
            limit_threads()
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    return OneThread()


@contextmanager
def open_pool(*, workers: int | None, scheduler: str | None, store: Path) -> Iterator[Pool]:
    """Open the pool that the user asked for and close it at the end.

    Parameters
    ----------
    workers
        Processes on this machine; 0 runs in this process, None takes one per core.
    scheduler
        Address of a Dask scheduler, which is used instead of processes of this machine.
    store
        Folder that every worker must be able to write.

    Raises
    ------
    SetupError
        The scheduler cannot be reached or has no workers, its workers run several threads or another version of
        memfeat, or cannot see the store.
    """
    if scheduler is None and workers == 0:
        yield InProcess()
        return
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        # A worker process runs the caller's script again to find its functions, and it has come this far.
        raise SetupError(_GUARD)
    import dask
    from distributed import Client

    settings = {
        # A video that ends its worker is found by its marker; the scheduler must not judge the ones queued behind it.
        "distributed.scheduler.allowed-failures": _MANY,
        "distributed.admin.tick.limit": "1h",
        # Profiling and frequent ticks cost two workers a tenth of a core.
        "distributed.admin.tick.interval": "1s",
        "distributed.worker.profile.enabled": False,
    }
    if scheduler is None:
        count = workers or usable_cores()
        with dask.config.set(settings), _quiet(), _start_cluster(count) as cluster, Client(cluster) as client:
            client.register_plugin(_plugin())
            yield OnDask(client, count)
        return
    with connect(scheduler) as client:
        count = _check_workers(client, scheduler, store)
        client.register_plugin(_plugin())
        yield OnDask(client, count)


@contextmanager
def connect(scheduler: str) -> Iterator[Any]:
    """Return a client of a Dask scheduler elsewhere, whose tasks may lose their workers as often as it takes.

    Raises
    ------
    SetupError
        It cannot be reached.
    """
    from distributed import Client

    try:
        client = Client(scheduler, timeout=_PATIENCE)
    except (OSError, ValueError, TypeError) as error:
        raise SetupError(
            f"No Dask scheduler answers at {scheduler!r} ({error}). Start one with `dask scheduler`, give its "
            "address as tcp://HOST:PORT, or leave --scheduler out to use this machine."
        ) from error
    with _quiet(), client:
        client.run_on_scheduler(_allow_failures)
        yield client


def _start_cluster(count: int) -> Any:
    from distributed import LocalCluster

    try:
        return LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            memory_limit=0,
            # A fixed port would be taken, with a warning, when two runs share a machine.
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        )
    except RuntimeError as error:
        raise SetupError(f"{count} worker processes cannot be started ({error}). {_GUARD}") from None


def usable_cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the cluster's chatter about lost workers off the user's terminal: what matters, an error says."""
    parts = ("", ".client", ".nanny", ".scheduler")
    loggers = [logging.getLogger(f"distributed{part}") for part in parts]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _allow_failures(dask_scheduler: Any = None) -> None:
    dask_scheduler.allowed_failures = _MANY


def _check_workers(client: Any, scheduler: str, store: Path) -> int:
    known = client.scheduler_info(n_workers=-1)["workers"]
    if not known:
        raise SetupError(
            f"The scheduler at {scheduler} has no workers. Start some: dask worker {scheduler} --nthreads 1"
        )
    threaded = [address for address, worker in known.items() if worker["nthreads"] != 1]
    if threaded:
        raise SetupError(
            f"{len(threaded)} of {len(known)} workers at {scheduler} run several threads (e.g. {threaded[0]}); a "
            "crash in one would be blamed on the others. Start workers with --nthreads 1, one per core."
        )
    check_alike(client, scheduler, store)
    return len(known)


def check_alike(client: Any, scheduler: str, store: Path) -> None:
    """Raise SetupError unless every worker has this version of memfeat and sees the store."""
    token = store / f".seen-{uuid.uuid4().hex}"
    token.touch()
    try:
        seen: dict[str, tuple[str, bool]] = client.run(_look, str(token))
    except Exception as error:
        raise SetupError(
            f"A worker at {scheduler} cannot run memfeat ({type(error).__name__}: {error}). Install memfeat "
            f"{__version__} in the workers' environment."
        ) from error
    finally:
        token.unlink(missing_ok=True)
    for address, (version, visible) in seen.items():
        if version != __version__:
            raise SetupError(
                f"The worker {address} has memfeat {version}, this is {__version__}. Install one version."
            )
        if not visible:
            raise SetupError(
                f"The worker {address} does not see {store}. Use a store on a disk that all workers share."
            )


def _look(token: str) -> tuple[str, bool]:
    return __version__, Path(token).exists()
