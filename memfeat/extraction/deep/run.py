"""The job for networks: bring a store to the state that was asked for, from whatever state it is in."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from memfeat.dataset import Dataset
from memfeat.errors import UsageError
from memfeat.extraction import attempts
from memfeat.extraction.deep.backends import opener
from memfeat.extraction.deep.cluster import on_scheduler
from memfeat.extraction.deep.device import choose_devices
from memfeat.extraction.deep.perform import Looked, Message, Ran
from memfeat.extraction.deep.processes import on_devices
from memfeat.extraction.deep.wanted import Wanted, require_torch, resolve
from memfeat.extraction.deep.work import Work
from memfeat.extraction.deep.writing import STAGE
from memfeat.extraction.interrupt import interruptible
from memfeat.extraction.plan import make_plan
from memfeat.extraction.pool import usable_cores
from memfeat.extraction.progress import Reporter, Silent
from memfeat.extraction.summary import Summary
from memfeat.extraction.target import check_content, prepare_store
from memfeat.network_extractor import NetworkExtractor, Settings

SUMMARY_FILE = "last-run-deep.json"


def extract_deep(
    dataset: Dataset,
    store: str | Path,
    networks: Sequence[NetworkExtractor],
    *,
    settings: Settings = Settings(),  # noqa: B008 (frozen)
    device: str | None = None,
    batch_size: int | None = None,
    decode_threads: int | None = None,
    compile: bool = False,
    scheduler: str | None = None,
    force: bool = False,
    retry_failed: bool = False,
    reporter: Reporter | None = None,
) -> Summary:
    """Compute the features of networks that the store lacks.

    All networks are loaded together and share one decode; each video is committed with all its features at once.

    Parameters
    ----------
    dataset
        Files by id, their labels and texts; these take the place of those in the store.
    store
        Folder of the store; made when it does not exist.
    networks
        As `memfeat.extractors.split` returns them.
    settings
        Weights, precision and decoder: what enters the feature keys.
    device
        ``cpu``, ``cuda`` (all GPUs, one process each) or ``cuda:N``; None for GPUs where there are any, else the CPU.
    batch_size
        Frames, or clips, of a batch; None for what suits the device. It is halved where memory does not suffice.
    decode_threads
        Threads that decode, per process; None for one less than the cores, shared among the processes.
    compile
        Have torch compile the networks.
    scheduler
        Address of a Dask scheduler to use instead (`memfeat.extraction.deep.cluster`).
    force
        Compute again what is present.
    retry_failed
        Try again what has failed before.
    reporter
        Told of progress.

    Returns
    -------
    Summary
        Also written to ``last-run-deep.json`` in the store.

    Raises
    ------
    UsageError
        As `memfeat.extraction.run.extract`; or an option is none.
    WeightsError
        Weights are absent, damaged, or those of another network.
    SetupError
        There is no such device, a library is missing, or the store cannot be written; what was committed stays.
    """
    reporter = reporter or Silent()
    _check(networks, batch_size, decode_threads)
    check_content(dataset, labels_only=False)
    devices, wanted = require(networks, settings, device=device, scheduler=scheduler)
    root = Path(store).resolve()
    prepare_store(root, dataset)
    began = time.monotonic()
    summary = Summary.begin(
        dataset,
        store,
        run=uuid.uuid4().hex[:12],
        features={each.name: each.key for each in wanted},
        total=len(dataset.files),
        networks={
            each.name: {"key": each.key, "weights": each.weights, "note": each.settings.choice.note}
            for each in wanted
        },
    )
    reporter.start("Checking the store", len(dataset.files))
    plan = make_plan(
        root,
        dataset.files,
        {each.name: (each.key, each.recipe) for each in wanted},
        stage=STAGE,
        force=force,
        retry_failed=retry_failed,
        on_video=reporter.step,
    )
    summary.present, summary.failed_before = len(plan.present), len(plan.failed)
    work = Work(
        store=root,
        run=summary.run,
        wanted=wanted,
        threads=decode_threads or max(1, (usable_cores() - 1) // max(1, len(devices))),
        batch_size=batch_size,
        compile=compile,
        force=force,
    )
    videos = {video: dataset.files[video].resolve() for video in plan.todo}
    file = root / SUMMARY_FILE
    # The summary is written inside: a third Ctrl-C must not keep it from the user.
    with interruptible(root, summary.run, reporter) as interrupted:
        try:
            if videos:
                _run(
                    work,
                    videos,
                    summary,
                    reporter,
                    interrupted,
                    devices=devices,
                    device=device,
                    scheduler=scheduler,
                )
        except KeyboardInterrupt:
            summary.interrupted = True
            summary.close(file, began)
            raise
        summary.close(file, began)
    return summary


def require(
    networks: Sequence[NetworkExtractor], settings: Settings, *, device: str | None, scheduler: str | None
) -> tuple[list[str], tuple[Wanted, ...]]:
    """Return devices and weights, before anything is opened or written; raises as `extract_deep` what is lacking."""
    require_torch()
    devices = [] if scheduler is not None else choose_devices(device)
    opener(settings.decoder)
    return devices, tuple(resolve(networks, settings))


def _check(networks: Sequence[NetworkExtractor], batch_size: int | None, decode_threads: int | None) -> None:
    if not networks:
        raise UsageError("No network was asked for (memfeat list features).")
    for name, number in (("--batch-size", batch_size), ("--decode-threads", decode_threads)):
        if number is not None and number < 1:
            raise UsageError(f"{name} {number}: at least 1 is needed.")


def _run(
    work: Work,
    videos: dict[str, Path],
    summary: Summary,
    reporter: Reporter,
    interrupted: threading.Event,
    *,
    devices: Sequence[str],
    device: str | None,
    scheduler: str | None,
) -> None:
    where = scheduler or ", ".join(devices)
    count = len(work.wanted)
    reporter.start(f"Loading {count} network{'s' if count > 1 else ''} ({where})", 0)
    watch = _Watch(summary, reporter, len(videos))
    with attempts.open_run(work.store, summary.run):
        if interrupted.is_set():  # before the run's folder was there, which tells the processes
            attempts.request_stop(work.store, summary.run)
        if scheduler is not None:
            summary.workers = on_scheduler(work, videos, scheduler=scheduler, device=device, tell=watch)
        else:
            summary.workers = len(devices)
            on_devices(work, videos, devices, tell=watch, stop=interrupted.is_set)
        summary.interrupted = interrupted.is_set()


class _Watch:
    """Counts what processes tell."""

    def __init__(self, summary: Summary, reporter: Reporter, videos: int) -> None:
        self._summary = summary
        self._reporter = reporter
        self._videos = videos
        self._began: float | None = None

    def __call__(self, message: Message) -> None:
        if self._began is None:
            self._began = time.monotonic()
            self._reporter.start("Computing", self._videos)
        if isinstance(message, Looked):
            self._summary.looked_at += message.frames
            spent = time.monotonic() - self._began
            rate = f"{self._summary.looked_at / spent:.1f} frames/s" if spent > 1 else ""
            self._reporter.detail(", ".join(part for part in (rate, message.memory) if part))
        elif isinstance(message, Ran):
            for name, run in message.networks.items():
                self._summary.networks[name] |= run
        else:
            self._summary.count(message)
            self._reporter.step(message.state == "failed")
