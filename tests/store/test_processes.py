"""Real processes that are killed, or write at the same time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from memfeat.store.info import info
from memfeat.store.manifest import create_store
from memfeat.store.naming import video_path
from memfeat.store.record import read_video
from memfeat.store.verify import verify

WRITER = """
import hashlib, sys
import numpy as np
from memfeat.store.commit import commit
from memfeat.store.record import FeatureRecord
from memfeat.store.source import Source

store, feature, first, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
print("ready", flush=True)
for number in range(first, first + count):
    id = f"{number % 7}.mp4"
    source = Source(1, 1, hashlib.sha256(id.encode()).hexdigest())
    values = np.full((50, 100), number % 7, "f4")
    record = FeatureRecord(feature, "key", {"values": values, "times": np.arange(50.0)})
    commit(store, id, source=source, video={}, features=[record])
    print(number, flush=True)
"""


def start(store: Path, feature: str, first: int, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(store), feature, str(first), str(count)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    create_store(tmp_path / "store", dataset="d")
    return tmp_path / "store"


def test_kill_leaves_no_corrupt_file_and_loses_nothing_committed(empty: Path) -> None:
    rng = np.random.default_rng(0)
    committed: set[str] = set()
    for attempt in range(8):
        writer = start(empty, f"feature-{attempt % 3}", 0, 10**6)
        assert writer.stdout is not None and writer.stdout.readline() == "ready\n"
        lines = [writer.stdout.readline() for _ in range(4)]
        time.sleep(float(rng.uniform(0.0, 0.1)))
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.read().split()
        writer.wait()
        committed |= {f"{int(line) % 7}.mp4/feature-{attempt % 3}" for line in lines}
    assert len(committed) > 10
    for entry in committed:
        id, feature = entry.split("/")
        values = read_video(video_path(empty, id))[feature].values
        np.testing.assert_array_equal(values, np.full((50, 100), int(id[0]), "f4"))
    left = info(empty).leftovers
    report = verify(empty)
    assert report.ok and set(report.swept) == set(left)
    assert info(empty).leftovers == ()


def test_writers_of_different_features_lose_nothing_of_each_other(empty: Path) -> None:
    features = [f"feature-{number}" for number in range(4)]
    writers = [start(empty, feature, number, 14) for number, feature in enumerate(features)]
    outputs = [writer.communicate(timeout=60)[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 4 and all(len(o.split()) == 15 for o in outputs)
    for number in range(7):
        assert list(read_video(video_path(empty, f"{number}.mp4"))) == features
    assert verify(empty).ok
