"""Several devices share the videos, and a process that dies costs only the video that did it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from clips import write_clip
from tiny_networks import TinyImages

from memfeat.errors import SetupError
from memfeat.extraction import attempts
from memfeat.extraction.deep import markers
from memfeat.extraction.deep.perform import Ran
from memfeat.extraction.deep.processes import on_devices
from memfeat.extraction.deep.work import Work
from memfeat.extraction.task import Outcome
from memfeat.store.failures import list_failures
from memfeat.store.feature_store import FeatureStore

torch = pytest.importorskip("torch", reason="needs the extra deep")


class Deadly(TinyImages):
    """Kills its process at a frame of 40 pixels in height; elsewhere a small network."""

    def prepare(self, rgb):
        if rgb.shape[0] == 40:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().prepare(rgb)


class Stillborn(TinyImages):
    """Kills its process when it is built in another than the test's."""

    def __init__(self) -> None:
        super().__init__()
        self.home = os.getpid()

    def build(self):
        if os.getpid() != self.home:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().build()


class Unbuilt(TinyImages):
    def build(self):
        raise ImportError("No module named 'timm'", name="timm")


@pytest.fixture
def store(tmp_path) -> Path:
    FeatureStore.create(tmp_path / "s", dataset="mine")
    return tmp_path / "s"


def run(store, videos, wanted):
    told = []
    work = Work(store, "r", tuple(wanted), threads=1, batch_size=4)
    with attempts.open_run(store, "r"):
        on_devices(work, videos, ["cpu", "cpu"], tell=told.append, stop=lambda: False)
    return told


def test_two_processes_do_what_one_does_and_one_that_dies_costs_one_video(
    store, clip_files, wanted_of, features_of, tmp_path
):
    videos = {file.name: file for file in clip_files}
    videos["deadly.mp4"] = write_clip(tmp_path / "deadly.mp4", frames=3, size=(64, 40))
    told = run(store, videos, wanted_of(Deadly()))
    (failure,) = list_failures(store)
    assert (failure.id, failure.type) == ("deadly.mp4", "Crashed")
    assert {message.video for message in told if isinstance(message, Outcome)} == set(videos)
    assert sum(isinstance(message, Ran) for message in told) == 2
    here, _ = features_of(clip_files, TinyImages())
    assert sorted(FeatureStore(store)) == sorted(here)
    for name, of in here.items():
        values = FeatureStore(store)[name]["tiny-images-random3"].values
        np.testing.assert_allclose(values, of["tiny-images"].values, rtol=1e-5, atol=1e-6)
    assert not (store / markers.FOLDER).exists()


def test_a_process_that_dies_without_a_video_ends_the_run(store, clip_files, wanted_of):
    with pytest.raises(SetupError, match="ended .exit code -9. while no video was open"):
        run(store, {"v0.mp4": clip_files[0]}, wanted_of(Stillborn()))


def test_what_a_process_lacks_is_said_here(store, clip_files, wanted_of):
    with pytest.raises(SetupError, match="timm, which is missing"):
        run(store, {"v0.mp4": clip_files[0]}, wanted_of(Unbuilt()))
