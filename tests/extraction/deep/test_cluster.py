"""On Dask, workers that offer the resource GPU get the networks' work, and others none; a CPU stands in for the GPU."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from clips import write_clip
from distributed import LocalCluster
from tiny_networks import TinyImages

from memfeat.errors import SetupError
from memfeat.extraction import attempts
from memfeat.extraction.deep.cluster import call, on_scheduler
from memfeat.extraction.deep.perform import Looked, Ran
from memfeat.extraction.deep.work import Work
from memfeat.extraction.task import Outcome
from memfeat.store.failures import list_failures
from memfeat.store.feature_store import FeatureStore

torch = pytest.importorskip("torch", reason="needs the extra deep")


class Marked(TinyImages):
    """Leaves a file with the process that built it; kills it at a frame of 40 pixels in height."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def build(self):
        (self.folder / str(os.getpid())).touch()
        return super().build()

    def prepare(self, rgb):
        if rgb.shape[0] == 40:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().prepare(rgb)


@pytest.fixture
def store(tmp_path) -> Path:
    FeatureStore.create(tmp_path / "s", dataset="mine")
    return tmp_path / "s"


def cluster(**options):
    return LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
        silence_logs=50,
        **options,
    )


def test_workers_with_the_resource_are_used_and_one_that_dies_costs_one_video(
    store, clip_files, wanted_of, features_of, tmp_path
):
    videos = {file.name: file for file in clip_files}
    videos["deadly.mp4"] = write_clip(tmp_path / "deadly.mp4", frames=3, size=(64, 40))
    (tmp_path / "built").mkdir()
    work = Work(store, "r", tuple(wanted_of(Marked(tmp_path / "built"))), batch_size=4)
    told = []
    with cluster(resources={"GPU": 1}) as dask, attempts.open_run(store, "r"):
        count = on_scheduler(
            work, videos, scheduler=dask.scheduler_address, device="cpu", tell=told.append, videos_per_call=4
        )
    assert count == 1
    (failure,) = list_failures(store)
    assert (failure.id, failure.type) == ("deadly.mp4", "Crashed")
    assert sorted(FeatureStore(store)) == sorted(file.name for file in clip_files)
    here, _ = features_of(clip_files, TinyImages())
    for name, of in here.items():
        values = FeatureStore(store)[name]["tiny-images-random3"].values
        np.testing.assert_allclose(values, of["tiny-images"].values, rtol=1e-5, atol=1e-6)
    assert {message.video for message in told if isinstance(message, Outcome)} == set(videos)
    assert any(isinstance(message, Looked) for message in told)
    # Each process that lived built the network once, though it was called more often.
    assert len(list((tmp_path / "built").iterdir())) == 3


def test_workers_without_the_resource_are_left_alone(store, clip_files, wanted_of):
    work = Work(store, "r", tuple(wanted_of(TinyImages())))
    with cluster() as dask, pytest.raises(SetupError, match=r'None of the 1 workers .*--resources "GPU=1"'):
        on_scheduler(
            work,
            {"v0.mp4": clip_files[0]},
            scheduler=dask.scheduler_address,
            device="cpu",
            tell=lambda message: None,
        )


def test_a_call_tells_everything_at_its_end(store, clip_files, wanted_of):
    work = Work(store, "r", tuple(wanted_of(TinyImages())), batch_size=4)
    videos = {file.name: file for file in clip_files}
    with attempts.open_run(store, "r"):
        told = call((work, videos, "cpu"))
        assert sum(message.frames for message in told if isinstance(message, Looked)) == sum(range(5, 12))
        assert sum(isinstance(message, Ran) for message in told) == 1
        attempts.request_stop(store, "r")
        assert call((work, videos, "cpu")) == []


def test_what_a_worker_lacks_is_said_with_its_name(store, clip_files, wanted_of, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    work = Work(store, "r", tuple(wanted_of(TinyImages())))
    with pytest.raises(SetupError, match="On .*: --device cuda: torch .* sees no GPU"):
        call((work, {"v0.mp4": clip_files[0]}, "cuda"))
