"""One process and its share: what it tells, whom it suspects, and that it leaves no mark behind."""

from __future__ import annotations

import pytest
from clips import write_clip, write_empty
from deep_marks import leave
from tiny_networks import TinyClips, TinyImages

from memfeat.errors import SetupError
from memfeat.extraction.deep import markers
from memfeat.extraction.deep import perform as module
from memfeat.extraction.deep.perform import Looked, Ran, load, perform
from memfeat.extraction.deep.work import Work
from memfeat.extraction.task import Outcome
from memfeat.store.failures import list_failures
from memfeat.store.feature_store import FeatureStore

torch = pytest.importorskip("torch", reason="needs the extra deep")


@pytest.fixture
def work(tmp_path, wanted_of):
    FeatureStore.create(tmp_path / "s", dataset="mine")
    return Work(tmp_path / "s", "r", tuple(wanted_of(TinyImages(), TinyClips())), threads=2, batch_size=4)


@pytest.fixture
def videos(clip_files):
    return {file.name: file for file in clip_files}


def run(work, videos, **options):
    told = []
    perform(work, videos, load(work, "cpu"), tell=told.append, **options)
    return told


def test_every_video_is_told_of_and_committed(work, videos, tmp_path):
    told = run(work, {**videos, "bad.mp4": write_empty(tmp_path / "bad.mp4")})
    outcomes = {message.video: message.state for message in told if isinstance(message, Outcome)}
    assert outcomes == {**dict.fromkeys(videos, "done"), "bad.mp4": "failed"}
    assert sum(message.frames for message in told if isinstance(message, Looked)) == 2 * sum(range(5, 12))
    (ran,) = (message for message in told if isinstance(message, Ran))
    assert ran.networks["tiny-images-random3"]["precision"] == "float32"
    assert sorted(FeatureStore(work.store)) == sorted(videos)
    assert not (work.store / markers.FOLDER).exists()


def test_suspects_are_tried_alone_first_and_the_culprit_is_left_out(work, videos, monkeypatch):
    leave(work.store, "v1.mp4")
    leave(work.store, "v4.mp4")
    leave(work.store, "v2.mp4", "alone")
    begun = []
    begin = markers.begin

    def watch(store, video, *, run, alone=False):
        begun.append((video, alone))
        begin(store, video, run=run, alone=alone)

    monkeypatch.setattr(markers, "begin", watch)
    told = run(work, videos)
    assert begun[:2] == [("v1.mp4", True), ("v4.mp4", True)]
    assert sorted(begun[2:]) == [(f"v{n}.mp4", False) for n in (0, 3, 5, 6)]
    (failure,) = list_failures(work.store)
    assert (failure.id, failure.type, failure.stage) == ("v2.mp4", "Crashed", "deep")
    assert "--retry-failed" in failure.message
    states = {message.video: message.state for message in told if isinstance(message, Outcome)}
    assert states == {**dict.fromkeys(videos, "done"), "v2.mp4": "failed"}
    assert not (work.store / markers.FOLDER).exists()


def test_an_error_leaves_no_mark_and_what_is_committed(work, videos, monkeypatch):
    settle = module.settle
    settled = []

    def full(finished):
        settled.append(finished.job.video)
        return settle(finished) if len(settled) < 3 else Outcome("x", "setup", message="the disk is full")

    monkeypatch.setattr(module, "settle", full)
    with pytest.raises(SetupError, match="the disk is full"):
        run(work, videos)
    assert not (work.store / markers.FOLDER).exists()
    assert len(FeatureStore(work.store)) >= 2


def test_stopping_leaves_the_rest_and_no_mark(work, tmp_path):
    many = {f"w{n:02}.mp4": write_clip(tmp_path / f"w{n:02}.mp4", frames=4, seed=n) for n in range(30)}
    done = []

    def tell(message):
        if isinstance(message, Outcome):
            done.append(message.video)

    asked = iter([*[False] * 4, *[True] * 100])
    perform(work, many, load(work, "cpu"), tell=tell, stop=lambda: next(asked))
    assert sorted(FeatureStore(work.store)) == sorted(done)
    assert len(done) == 4
    assert not (work.store / markers.FOLDER).exists()


def test_networks_that_do_not_fit_together_are_named(work, monkeypatch):
    from memfeat.extraction.deep import runner

    class Tight(runner.Runner):
        def __init__(self, wanted, device, **options):
            if wanted.network.clips:
                raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
            super().__init__(wanted, device, **options)

    monkeypatch.setattr(runner, "Runner", Tight)
    with pytest.raises(
        SetupError, match="no memory for tiny-clips beside tiny-images. Ask for fewer at once, such as"
    ):
        load(work, "cpu")


def test_a_gpu_that_torch_was_not_built_for_is_said(work, monkeypatch):
    from memfeat.extraction.deep import runner

    class Foreign(runner.Runner):
        def __init__(self, wanted, device, **options):
            raise RuntimeError(error)

    monkeypatch.setattr(runner, "Runner", Foreign)
    error = "CUDA error: no kernel image is available for execution on the device"
    with pytest.raises(
        SetupError, match=r"cuda:0 cannot be used .*no kernel image.*this torch was built for it"
    ):
        load(work, "cuda:0")
    error = "shapes do not match"
    with pytest.raises(RuntimeError, match="shapes"):
        load(work, "cuda:0")
