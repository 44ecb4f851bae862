"""The stage of batched TV-L1 measures what it says, on one core and on a stand-in for a GPU. No timing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data

torch = pytest.importorskip("torch", reason="needs the extra deep")

from benchmarks import clips, flow_torch
from benchmarks.clips import Pair
from benchmarks.settings import QUICK, Bench
from memfeat.networks import tvl1


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    photograph = cv2.resize(data.camera(), (80, 80), interpolation=cv2.INTER_AREA)
    pairs = [
        Pair(f"clip {k}", "moving", photograph[8:64, 8:64], photograph[8:64, 8 - k : 64 - k])
        for k in (1, 2, 3)
    ]
    monkeypatch.setattr(clips, "pairs", lambda *args, **options: pairs)
    made = Bench(QUICK, [], tmp_path, lambda text: None)
    made.clips = [None] * 3
    return made


def test_one_core(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    threads = torch.get_num_threads()
    (row,) = flow_torch.tvl1_torch(bench)
    assert torch.get_num_threads() == threads
    assert row.stage == "tvl1-torch"
    assert row.ratio is not None
    assert row.ratio.count == 3
    assert all(check.passed is not False for check in row.checks), row.checks
    assert [check.value for check in row.checks if "largest change" in check.what] == [0, 0]
    assert bench.comparisons[0].results[0][0].shape == (56, 56, 2)


def test_gpu(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    genuine = tvl1.BatchedTVL1

    def stand_in(*, device: str, **options: Any) -> tvl1.BatchedTVL1:
        asked.append(device)
        return genuine(**options)

    monkeypatch.setattr(tvl1, "BatchedTVL1", stand_in)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some Card")
    monkeypatch.setattr(flow_torch, "GPU_PAIRS", 6)
    row = flow_torch.on_gpu(bench, clips.pairs())
    assert set(asked) == {"cuda"}
    timed = [check for check in row.checks if "wall milliseconds" in check.what]
    assert len(timed) == len(flow_torch.GPU_BATCHES)
    assert all("Some Card" in check.what and np.isfinite(check.value) for check in timed)
    assert [check.bound for check in timed] == [None, 1, None]
    assert all(check.passed for check in row.checks if check not in timed)


def test_without_torch_the_stage_is_left_out(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_torch, "find_spec", lambda name: None)
    assert flow_torch.tvl1_torch(bench) == []
