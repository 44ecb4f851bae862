"""Real clusters of real processes: crashes, Ctrl-C, kill -9, and a scheduler elsewhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from clips import write_clip

from memfeat import extractors
from memfeat.dataset import Dataset, scan
from memfeat.errors import SetupError
from memfeat.extraction import attempts
from memfeat.extraction.pool import InProcess, OnDask, open_pool
from memfeat.extraction.run import extract
from memfeat.extraction.task import Task
from memfeat.store.failures import list_failures
from memfeat.store.feature_store import FeatureStore
from memfeat.store.verify import verify

CHEAP = extractors.select(["brightness"])[0]


def folder_of(tmp_path, count, *, frames=2):
    folder = tmp_path / "videos"
    folder.mkdir()
    first = write_clip(folder / "v000.mp4", frames=frames)
    for number in range(1, count):
        (folder / f"v{number:03}.mp4").write_bytes(first.read_bytes())
    return folder


def _crash_plugin():
    from distributed import WorkerPlugin

    class Segfault(WorkerPlugin):
        name = "segfault"

        def setup(self, worker):
            import os
            import signal

            from memfeat.extraction import task

            real = task.measure_video

            def deadly(path, wanted):
                if "deadly" in path.name:
                    os.kill(os.getpid(), signal.SIGSEGV)
                return real(path, wanted)

            task.measure_video = deadly

    return Segfault()


def test_a_video_that_ends_its_worker_is_one_failure_among_innocents(tmp_path):
    from distributed import Client, LocalCluster

    folder = folder_of(tmp_path, 24)
    (folder / "v005.mp4").rename(folder / "deadly.mp4")
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster,
        Client(cluster) as client,
    ):
        client.register_plugin(_crash_plugin())
        summary = extract(
            Dataset("mine", scan(folder).files), tmp_path / "s", CHEAP, scheduler=cluster.scheduler_address
        )
    assert (summary.done, summary.failed) == (23, 1)
    [failure] = list_failures(tmp_path / "s")
    assert (failure.id, failure.type) == ("deadly.mp4", "Crashed")
    assert "deadly.mp4" not in FeatureStore(tmp_path / "s")
    assert verify(tmp_path / "s").ok


def test_workers_with_several_threads_are_refused(tmp_path):
    from distributed import LocalCluster

    folder = folder_of(tmp_path, 1)
    with (
        LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None) as cluster,
        pytest.raises(SetupError, match="--nthreads 1"),
    ):
        extract(
            Dataset("mine", scan(folder).files), tmp_path / "s", CHEAP, scheduler=cluster.scheduler_address
        )


def test_no_scheduler_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("memfeat.extraction.pool._PATIENCE", "1s")
    with (
        pytest.raises(SetupError, match="No Dask scheduler answers at 'tcp://127.0.0.1:9'"),
        open_pool(workers=None, scheduler="tcp://127.0.0.1:9", store=tmp_path),
    ):
        pass


def test_no_workers_means_this_process(tmp_path):
    with open_pool(workers=0, scheduler=None, store=tmp_path) as pool:
        assert isinstance(pool, InProcess)


def start(folder, store, *options):
    command = [
        sys.executable, "-m", "memfeat.cli.main", "extract", "--videos", str(folder), "--out", str(store), "--features",
        "h264-size", *options,
    ]  # fmt: skip
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def wait_for(condition, *, seconds=60.0):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.02)


@pytest.mark.parametrize("workers", ["2", "0"])
def test_ctrl_c_finishes_what_is_in_work_and_the_next_run_goes_on(tmp_path, workers):
    folder = folder_of(tmp_path, 24, frames=30)
    store = tmp_path / "s"
    process = start(folder, store, "--workers", workers)
    wait_for(lambda: len(list(store.glob("videos/*/*.h5"))) >= 3 or process.poll() is not None)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers as well
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    summary = json.loads((store / "last-run.json").read_text())
    assert summary["interrupted"]
    assert summary["failed"] == 0
    kept = {file: file.stat().st_mtime_ns for file in store.glob("videos/*/*.h5")}
    assert len(kept) == summary["done"] < 24
    assert verify(store).ok
    assert not (store / "attempts").exists()
    second = start(folder, store, "--workers", workers)
    _, said = second.communicate(timeout=120)
    assert second.returncode == 0, said
    summary = json.loads((store / "last-run.json").read_text())
    assert (summary["present"], summary["present"] + summary["done"]) == (len(kept), 24)
    assert {file: file.stat().st_mtime_ns for file in kept} == kept


def test_kill_9_loses_nothing_and_blames_nobody(tmp_path):
    folder = folder_of(tmp_path, 24, frames=30)
    store = tmp_path / "s"
    process = start(folder, store, "--workers", "2")
    wait_for(lambda: len(list(store.glob("videos/*/*.h5"))) >= 3 or process.poll() is not None)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    kept = {file: file.stat().st_mtime_ns for file in store.glob("videos/*/*.h5")}
    assert 3 <= len(kept) < 24
    second = start(folder, store, "--workers", "2")
    _, said = second.communicate(timeout=120)
    assert second.returncode == 0, said
    assert {file: file.stat().st_mtime_ns for file in kept} == kept
    assert len(FeatureStore(store)) == 24
    assert list_failures(store) == []
    assert verify(store).ok
    assert not (store / "attempts").exists()


@pytest.mark.parametrize("workers", ["2", "0"])
def test_ctrl_c_again_and_again_stops_at_once_with_a_word(tmp_path, workers):
    folder = folder_of(tmp_path, 4, frames=1500)
    store = tmp_path / "s"
    process = start(folder, store, "--workers", workers)
    wait_for(lambda: any(store.glob("attempts/*/*.txt")) or process.poll() is not None)
    for _ in range(4):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.05)
    _, said = process.communicate(timeout=60)
    # The last one may meet an interpreter that is leaving already; a shell shows 130 for both.
    assert process.returncode in (130, -signal.SIGINT), said
    assert said.count("What was committed is kept") == 1
    assert "Traceback" not in said
    summary = json.loads((store / "last-run.json").read_text())
    assert summary["interrupted"]
    assert summary["done"] + summary["not_started"] == 4
    assert not (store / "attempts").exists()
    assert verify(store).ok


def tasks_of(tmp_path, count):
    folder = folder_of(tmp_path, count)
    FeatureStore.create(tmp_path / "s", dataset="mine")
    return [
        Task(tmp_path / "s", video, path.resolve(), ("brightness",), "run")
        for video, path in scan(folder).files.items()
    ]


def test_a_scheduler_that_goes_away_is_nobodys_crash(tmp_path):
    import dask
    from distributed import Client, LocalCluster

    tasks = tasks_of(tmp_path, 40)
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None, silence_logs=50
        ) as cluster,
        attempts.open_run(tmp_path / "s", "run"),
        Client(cluster.scheduler_address) as client,
    ):
        outcomes = OnDask(client, 1).run(tasks)
        assert next(outcomes).state == "done"
        cluster.close()
        with pytest.raises(SetupError, match="connection to the Dask scheduler was lost"):
            list(outcomes)
    assert list_failures(tmp_path / "s") == []
    assert verify(tmp_path / "s").ok


def test_without_any_worker_nobody_waits_for_ever(tmp_path, monkeypatch):
    from distributed import Client, LocalCluster

    monkeypatch.setattr("memfeat.extraction.pool._LOOK_SECONDS", 0.05)
    monkeypatch.setattr("memfeat.extraction.pool._ALONE_SECONDS", 0.2)
    tasks = tasks_of(tmp_path, 1)
    with (
        LocalCluster(n_workers=0, processes=False, dashboard_address=None) as cluster,
        Client(cluster) as client,
        pytest.raises(SetupError, match="the scheduler has had no worker"),
    ):
        list(OnDask(client, 1).run(tasks))
