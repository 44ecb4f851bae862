"""The job: bring a store to the state that was asked for, from whatever state it is in."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from memfeat.dataset import Dataset
from memfeat.errors import SetupError
from memfeat.extraction import attempts
from memfeat.extraction.interrupt import interruptible
from memfeat.extraction.plan import make_plan
from memfeat.extraction.pool import open_pool, usable_cores
from memfeat.extraction.progress import Reporter, Silent
from memfeat.extraction.summary import Summary
from memfeat.extraction.target import check_content, prepare_store
from memfeat.extraction.task import STAGE, Task
from memfeat.extractor import Extractor

SUMMARY_FILE = "last-run.json"


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
    check_content(dataset, labels_only=labels_only)
    prepare_store(root, dataset, sample=sample)
    files = {} if labels_only else dataset.files
    wanted = [] if labels_only else wanted
    run = uuid.uuid4().hex[:12]
    began = time.monotonic()
    summary = Summary.begin(
        dataset,
        store,
        run=run,
        features={extractor.name: extractor.key() for extractor in wanted},
        left_out=left_out or {},
        labels_only=labels_only,
        total=len(files),
    )
    reporter.start("Checking the store", len(files))
    plan = make_plan(
        root,
        files,
        recipes_of(wanted),
        stage=STAGE,
        force=force,
        retry_failed=retry_failed,
        on_video=reporter.step,
    )
    summary.present, summary.failed_before = len(plan.present), len(plan.failed)
    names = tuple(extractor.name for extractor in wanted)
    tasks = [Task(root, video, files[video].resolve(), names, run, force) for video in plan.todo]
    # The summary is written inside: a third Ctrl-C must not keep it from the user.
    with interruptible(root, run, reporter) as interrupted:
        try:
            if tasks:
                _run(
                    tasks,
                    root,
                    wanted,
                    summary,
                    reporter,
                    interrupted,
                    workers=workers,
                    scheduler=scheduler,
                )
        except KeyboardInterrupt:
            summary.interrupted = True
            summary.close(root / SUMMARY_FILE, began)
            raise
        summary.close(root / SUMMARY_FILE, began)
    return summary


def recipes_of(wanted: Sequence[Extractor]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return key and recipe of each descriptor by name."""
    return {extractor.name: (extractor.key(), extractor.recipe()) for extractor in wanted}


def _run(
    tasks: list[Task],
    root: Path,
    wanted: Sequence[Extractor],
    summary: Summary,
    reporter: Reporter,
    interrupted: threading.Event,
    *,
    workers: int | None,
    scheduler: str | None,
) -> None:
    reporter.start("Preparing kernels (compiled once per machine)", len(wanted))
    for extractor in wanted:
        extractor.warm_up()
        reporter.step()
        if interrupted.is_set():
            summary.interrupted = True
            return
    with (
        attempts.open_run(root, summary.run),
        open_pool(workers=_at_most(workers, len(tasks)), scheduler=scheduler, store=root) as pool,
    ):
        summary.workers = pool.workers
        reporter.start("Measuring", len(tasks))
        # A Ctrl-C before the run's folder was there has told nobody.
        for outcome in pool.run([] if interrupted.is_set() else tasks):
            summary.count(outcome)
            if outcome.state == "setup":
                raise SetupError(outcome.message)
            if outcome.state != "skipped":
                reporter.step(outcome.state == "failed")
        summary.interrupted = interrupted.is_set()


def _at_most(workers: int | None, tasks: int) -> int | None:
    return min(usable_cores() if workers is None else workers, tasks)
