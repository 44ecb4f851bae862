"""A store is brought to the asked state from whatever state it is in, for networks as for descriptors."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from clips import write_clip, write_empty
from tiny_networks import TinyClips, TinyImages

from memfeat import extractors
from memfeat.dataset import Dataset, scan
from memfeat.errors import SetupError, UsageError, WeightsError
from memfeat.extraction.deep import markers
from memfeat.extraction.deep.run import SUMMARY_FILE, extract_deep
from memfeat.extraction.run import extract
from memfeat.network_extractor import Settings
from memfeat.store.failures import list_failures
from memfeat.store.feature_store import FeatureStore
from memfeat.store.verify import verify
from memfeat.weights.choice import Choice

torch = pytest.importorskip("torch", reason="needs the extra deep")

from memfeat.extraction.deep.runner import Runner

RANDOM = Settings(choice=Choice(seed=3))


@pytest.fixture
def videos(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    for number in range(3):
        write_clip(folder / f"v{number}.mp4", frames=4 + number, seed=number)
    return folder


def run(videos, store, *networks, settings=RANDOM, **options):
    dataset = Dataset("mine", scan(videos).files)
    return extract_deep(
        dataset, store, networks or [TinyImages()], settings=settings, device="cpu", **options
    )


def marks(store):
    return {file.name: file.stat().st_mtime_ns for file in (store / "videos").glob("*/*.h5")}


def test_every_video_gets_every_feature_in_one_commit(videos, tmp_path, monkeypatch):
    from memfeat.extraction.deep import writing

    commits = []
    commit = writing.commit
    monkeypatch.setattr(writing, "commit", lambda *a, **k: commits.append(a[1]) or commit(*a, **k))
    summary = run(videos, tmp_path / "s", TinyImages(), TinyImages("fml"), TinyClips())
    assert (summary.total, summary.done, summary.present, summary.failed, summary.exit_code) == (
        3,
        3,
        0,
        0,
        0,
    )
    assert summary.frames == 4 + 5 + 6
    assert summary.looked_at == 15 + 9 + 15
    assert sorted(commits) == ["v0.mp4", "v1.mp4", "v2.mp4"]
    store = FeatureStore(tmp_path / "s")
    assert store["v2.mp4"]["tiny-images-random3"].values.shape == (6, 6)
    assert verify(tmp_path / "s").ok
    assert not (tmp_path / "s" / markers.FOLDER).exists()
    assert not (tmp_path / "s" / "attempts").exists()


def test_the_summary_says_how_and_that_weights_are_random(videos, tmp_path):
    half = Settings(choice=Choice(seed=3), precision="bf16")
    summary = run(videos, tmp_path / "s", settings=half)
    said = json.loads((tmp_path / "s" / SUMMARY_FILE).read_text())
    how = said["networks"]["tiny-images-random3"]
    assert how["weights"] == {"random": 3}
    assert (how["precision"], how["torch"]) == ("bf16", torch.__version__)
    assert 0 < how["deviation_from_float32"]["relative"] < 0.05
    text = "\n".join(summary.lines())
    assert "RANDOM weights (seed 3)" in text
    assert "in bf16 lies up to" in text
    assert "frames looked at on" in text
    assert "RANDOM weights" in "\n".join(run(videos, tmp_path / "s", settings=half).lines())


def test_a_second_run_computes_nothing(videos, tmp_path, monkeypatch):
    run(videos, tmp_path / "s")
    before = marks(tmp_path / "s")
    monkeypatch.setattr(Runner, "__init__", None)
    summary = run(videos, tmp_path / "s")
    assert (summary.done, summary.present) == (0, 3)
    assert marks(tmp_path / "s") == before


def test_networks_and_descriptors_share_a_store(videos, tmp_path):
    dataset = Dataset("mine", scan(videos).files)
    extract(dataset, tmp_path / "s", extractors.select(["contrast"])[0], workers=0)
    run(videos, tmp_path / "s")
    run(videos, tmp_path / "s", TinyImages(), TinyClips())
    record = FeatureStore(tmp_path / "s")["v0.mp4"]
    assert set(record.features) == {"contrast", "tiny-images-random3", "tiny-clips-random3"}
    assert verify(tmp_path / "s").ok


def test_a_changed_video_is_looked_at_again_and_a_touched_one_is_not(videos, tmp_path):
    run(videos, tmp_path / "s")
    write_clip(videos / "v1.mp4", frames=9, seed=7)
    os.utime(videos / "v2.mp4")
    summary = run(videos, tmp_path / "s")
    assert (summary.done, summary.present) == (1, 2)
    assert len(FeatureStore(tmp_path / "s")["v1.mp4"]["tiny-images-random3"].values) == 9


def test_force_and_other_settings(videos, tmp_path):
    run(videos, tmp_path / "s")
    before = marks(tmp_path / "s")
    with pytest.raises(UsageError, match="They differ in precision: 'float32' → 'bf16'. Use --force"):
        run(videos, tmp_path / "s", settings=Settings(choice=Choice(seed=3), precision="bf16"))
    assert marks(tmp_path / "s") == before
    assert run(videos, tmp_path / "s", force=True).done == 3
    assert marks(tmp_path / "s") != before


def test_failures_are_not_tried_again_until_asked_or_changed(videos, tmp_path):
    write_empty(videos / "bad.mp4")
    summary = run(videos, tmp_path / "s")
    assert (summary.done, summary.failed, summary.exit_code) == (3, 1, 3)
    (failure,) = list_failures(tmp_path / "s")
    assert (failure.id, failure.stage, failure.type) == ("bad.mp4", "deep", "EmptyFile")
    again = run(videos, tmp_path / "s")
    assert (again.failed, again.failed_before, again.exit_code) == (0, 1, 3)
    retried = run(videos, tmp_path / "s", retry_failed=True)
    assert (retried.failed, retried.failed_before) == (1, 0)
    write_clip(videos / "bad.mp4", frames=3)
    mended = run(videos, tmp_path / "s")
    assert (mended.done, mended.failed, mended.exit_code) == (1, 0, 0)
    assert list_failures(tmp_path / "s") == []


def test_a_network_that_failed_is_not_tried_again_for_the_others(videos, tmp_path, monkeypatch):
    from memfeat.extraction.deep import frames

    monkeypatch.setattr(frames, "MAX_CLIP", 5)
    summary = run(videos, tmp_path / "s", TinyImages(), TinyClips())
    assert [failure["id"] for failure in summary.failures] == ["v2.mp4"]
    assert "tiny-images-random3" in FeatureStore(tmp_path / "s")["v2.mp4"]
    again = run(videos, tmp_path / "s", TinyImages(), TinyClips())
    assert (again.present, again.failed_before, again.done) == (2, 1, 0)


def test_what_is_lacking_is_said_before_anything_is_written(videos, tmp_path, monkeypatch):
    monkeypatch.setenv("MEMFEAT_OFFLINE", "1")
    monkeypatch.setenv("MEMFEAT_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"tiny-images\.safetensors"):
        run(videos, tmp_path / "s", settings=Settings())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    dataset = Dataset("mine", scan(videos).files)
    with pytest.raises(SetupError, match="sees no GPU"):
        extract_deep(dataset, tmp_path / "s", [TinyImages()], settings=RANDOM, device="cuda")
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", None)
    with pytest.raises(SetupError, match="torchcodec"):
        run(videos, tmp_path / "s", settings=Settings(choice=Choice(seed=3), decoder="torchcodec"))
    with pytest.raises(UsageError, match="--batch-size 0"):
        run(videos, tmp_path / "s", batch_size=0)
    with pytest.raises(UsageError, match="No network was asked for"):
        extract_deep(dataset, tmp_path / "s", [], settings=RANDOM)
    assert not (tmp_path / "s").exists()


JOB = """
import os, signal, sys
from pathlib import Path
from memfeat.dataset import Dataset, scan
from memfeat.extraction.deep.run import extract_deep
from memfeat.network_extractor import Settings
from memfeat.weights.choice import Choice
from tiny_networks import TinyImages

class Network(TinyImages):
    def prepare(self, rgb):
        if sys.argv[3] == "deadly" and rgb.shape[0] == 40:
            os.kill(os.getpid(), signal.SIGKILL)
        if sys.argv[3] == "slow":
            print("looking", flush=True)
            import time
            time.sleep(0.02)
        return super().prepare(rgb)

summary = extract_deep(
    Dataset("mine", scan(Path(sys.argv[1])).files), sys.argv[2], [Network()], device="cpu",
    settings=Settings(choice=Choice(seed=3)), decode_threads=2, batch_size=4,
)
sys.exit(summary.exit_code)
"""


def start(videos, store, how: str) -> subprocess.Popen[str]:
    here = os.pathsep.join([*sys.path, os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-c", JOB, str(videos), str(store), how],
        env={**os.environ, "PYTHONPATH": here}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_video_that_kills_the_process_is_found_by_running_again(videos, tmp_path):
    store = tmp_path / "s"
    for number in range(3, 9):
        write_clip(videos / f"v{number}.mp4", frames=4, seed=number)
    write_clip(videos / "v1-deadly.mp4", frames=3, size=(64, 40))
    codes = []
    while not codes or codes[-1] == -signal.SIGKILL:
        process = start(videos, store, "deadly")
        _, said = process.communicate(timeout=120)
        codes.append(process.returncode)
        assert process.returncode in (3, -signal.SIGKILL), said
        assert len(codes) < 5
    assert codes == [-signal.SIGKILL, -signal.SIGKILL, 3]
    (failure,) = list_failures(store)
    assert (failure.id, failure.type) == ("v1-deadly.mp4", "Crashed")
    assert sorted(FeatureStore(store)) == [f"v{number}.mp4" for number in range(9)]
    assert verify(store).ok


def test_ctrl_c_finishes_complete_videos_and_running_again_goes_on(videos, tmp_path):
    store = tmp_path / "s"
    for number in range(3, 30):
        write_clip(videos / f"v{number}.mp4", frames=6, seed=number)
    process = start(videos, store, "slow")
    for _ in range(40):
        process.stdout.readline()
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert time.monotonic() - began < 30
    summary = json.loads((store / SUMMARY_FILE).read_text())
    assert summary["interrupted"]
    done = len(marks(store))
    assert 0 < done == summary["done"] < 30
    assert summary["not_started"] == 30 - done
    assert verify(store).ok
    assert not (store / markers.FOLDER).exists()
    before = marks(store)
    assert run(videos, store).exit_code == 0
    assert len(FeatureStore(store)) == 30
    assert before.items() <= marks(store).items()
