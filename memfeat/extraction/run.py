"""The job: bring a store to the state that was asked for, from whatever state it is in."""

from __future__ import annotations

import datetime
import shutil
import signal
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from memfeat import __version__
from memfeat.dataset import Dataset
from memfeat.errors import SetupError, UsageError
from memfeat.extraction import attempts
from memfeat.extraction.plan import make_plan
from memfeat.extraction.pool import open_pool, usable_cores
from memfeat.extraction.progress import Reporter, Silent
from memfeat.extraction.summary import Summary
from memfeat.extraction.task import Outcome, Task
from memfeat.extractor import Extractor
from memfeat.store.feature_store import FeatureStore
from memfeat.store.labels import write_labels
from memfeat.store.manifest import is_store, read_manifest
from memfeat.store.texts import write_texts

SUMMARY_FILE = "last-run.json"
_LEAST_FREE_BYTES = 50 * 2**20


def extract(
    dataset: Dataset,
    store: str | Path,
    wanted: Sequence[Extractor],
    *,
    left_out: dict[str, str] | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    force: bool = False,
    retry_failed: bool = False,
    labels_only: bool = False,
    sample: bool = False,
    reporter: Reporter | None = None,
) -> Summary:
    """Measure what the store lacks.

    Parameters
    ----------
    dataset
        Files by id, their labels and texts; these take the place of those in the store.
    store
        Folder of the store; made when it does not exist.
    wanted
        Descriptors, as `memfeat.extractors.select` returns them.
    left_out
        Descriptors that this installation cannot compute, with why; kept in the summary.
    workers
        Processes on this machine (None: one per core, 0: this process only).
    scheduler
        Address of a Dask scheduler to use instead.
    force
        Measure again what is present.
    retry_failed
        Try again what has failed before.
    labels_only
        Bring labels and texts up to date and open no video, even where there are some.
    sample
        Mark a new store as a sample, which is never picked as a default.

    Returns
    -------
    Summary
        Also written to ``last-run.json`` in the store.

    Raises
    ------
    UsageError
        The folder holds something else than a store, or a store of another dataset, or features of the same names
        measured otherwise. Or the dataset has no file and `labels_only` is off.
    SetupError
        Workers cannot be had, or the store cannot be written; what was committed stays.
    """
    reporter = reporter or Silent()
    root = Path(store).resolve()
    _check_content(dataset, labels_only)
    _prepare(root, dataset, sample)
    files = {} if labels_only else dataset.files
    wanted = [] if labels_only else wanted
    run = uuid.uuid4().hex[:12]
    began = time.monotonic()
    summary = Summary(
        run=run,
        dataset=dataset.name,
        store=str(store),
        started=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        features={extractor.name: extractor.key() for extractor in wanted},
        left_out=left_out or {},
        labels=0 if dataset.labels is None else len(dataset.labels.table),
        texts={} if dataset.texts is None else {name: len(of) for name, of in dataset.texts.items()},
        labels_only=labels_only,
        total=len(files),
        remarks=list(dataset.remarks),
        memfeat=__version__,
    )
    reporter.start("Checking the store", len(files))
    plan = make_plan(root, files, wanted, force=force, retry_failed=retry_failed, on_video=reporter.step)
    summary.present, summary.failed_before = len(plan.present), len(plan.failed)
    names = tuple(extractor.name for extractor in wanted)
    tasks = [Task(root, video, files[video].resolve(), names, run, force) for video in plan.todo]
    try:
        if tasks:
            _run(tasks, root, wanted, summary, reporter, workers=workers, scheduler=scheduler)
    except KeyboardInterrupt:
        summary.interrupted = True
        _close(summary, root, began)
        raise
    _close(summary, root, began)
    return summary


def _close(summary: Summary, root: Path, began: float) -> None:
    settled = summary.present + summary.done + summary.failed + summary.failed_before
    summary.not_started = summary.total - settled
    summary.seconds = time.monotonic() - began
    summary.write(root / SUMMARY_FILE)


def _check_content(dataset: Dataset, labels_only: bool) -> None:
    has = [] if dataset.labels is None else [f"labels of {len(dataset.labels.table)} videos"]
    has += [f"{name} of {len(of)}" for name, of in (dataset.texts or {}).items()]
    if labels_only and not has:
        raise UsageError(f"{dataset.name!r} has neither labels nor texts. Name its table in the recipe.")
    if not labels_only and not dataset.files:
        only = f" (only {', '.join(has)})" if has else ""
        also = ", or take what there is with --labels-only" if has else ""
        raise UsageError(
            f"{dataset.name!r} has no video or image to measure{only}. Give the folder that holds them with "
            f"--root{also}."
        )


def _prepare(root: Path, dataset: Dataset, sample: bool) -> None:
    if is_store(root):
        other = read_manifest(root).dataset
        if other != dataset.name:
            raise UsageError(
                f"{root} is the store of the dataset {other!r}, not of {dataset.name!r}. Give another folder with "
                f"--out, or the same name with --name {other}."
            )
    elif root.is_dir() and any(root.iterdir()):
        raise UsageError(f"{root} is not empty and no feature store. Give a new or empty folder with --out.")
    try:
        FeatureStore.create(root, dataset=dataset.name, sample=sample, ids=dataset.ids, exist_ok=True)
        free = shutil.disk_usage(root).free
    except OSError as error:
        raise SetupError(f"The store {root} cannot be written: {error}.") from error
    if free < _LEAST_FREE_BYTES:
        raise SetupError(f"Only {free / 2**20:.0f} MB are free at {root}; memfeat wants at least 50.")
    if dataset.labels is not None:
        write_labels(root, dataset.labels)
    if dataset.texts is not None:
        write_texts(root, dataset.texts)


def _run(
    tasks: list[Task],
    root: Path,
    wanted: Sequence[Extractor],
    summary: Summary,
    reporter: Reporter,
    *,
    workers: int | None,
    scheduler: str | None,
) -> None:
    reporter.start("Preparing kernels (compiled once per machine)", len(wanted))
    for extractor in wanted:
        extractor.warm_up()
        reporter.step()
    with (
        attempts.open_run(root, summary.run),
        _interruptible(root, summary.run, reporter) as interrupted,
        open_pool(workers=_at_most(workers, len(tasks)), scheduler=scheduler, store=root) as pool,
    ):
        summary.workers = pool.workers
        reporter.start("Measuring", len(tasks))
        for outcome in pool.run(tasks):
            _count(outcome, summary)
            if outcome.state == "setup":
                raise SetupError(outcome.message)
            if outcome.state != "skipped":
                reporter.step(outcome.state == "failed")
        summary.interrupted = interrupted.is_set()


def _at_most(workers: int | None, tasks: int) -> int | None:
    return min(usable_cores() if workers is None else workers, tasks)


def _count(outcome: Outcome, summary: Summary) -> None:
    if outcome.state == "done":
        summary.done += 1
        summary.frames += outcome.frames
    elif outcome.state == "present":
        summary.present += 1
    elif outcome.state == "failed":
        summary.failed += 1
        summary.failures.append({"id": outcome.video, "type": outcome.error, "message": outcome.message})
    if outcome.damage:
        summary.damaged[outcome.video] = outcome.damage
    if outcome.dropped:
        summary.dropped[outcome.video] = outcome.dropped


@contextmanager
def _interruptible(root: Path, run: str, reporter: Reporter) -> Iterator[threading.Event]:
    """Let the first Ctrl-C finish the videos in work, and the second stop at once."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return

    def on_signal(number: int, frame: FrameType | None) -> Any:
        if interrupted.is_set():
            # A third would only tear the closing of the workers, which takes seconds.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            raise KeyboardInterrupt
        interrupted.set()
        attempts.request_stop(root, run)
        reporter.say("Finishing the videos in work; press Ctrl-C again to stop at once.")

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
