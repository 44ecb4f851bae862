"""The stages for a GPU that is lent: what they are given, and that one that fails costs no other. No timing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra deep")

from benchmarks import gpu
from benchmarks.report import Row
from benchmarks.settings import QUICK, Bench


def test_pairs_are_consecutive_canvases_that_move() -> None:
    made = gpu.pairs(2)
    assert len(made) == 20
    assert {pair.first.shape for pair in made} == {(256, 256)}
    assert all(pair.first.dtype == np.uint8 and (pair.first != pair.second).any() for pair in made)


def test_a_stage_that_fails_costs_no_other(monkeypatch: pytest.MonkeyPatch, capsys, tmp_path: Path) -> None:
    def broken(bench: Bench) -> list[Row]:
        raise RuntimeError("CUDA error")

    row = Row("good", "a network", "frame").check("frames per second", 12.5, ">=", 10)
    monkeypatch.setattr(gpu, "STAGES", {"broken": broken, "good": lambda bench: [row]})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "a card")
    out = tmp_path / "gpu.json"
    assert gpu.main(["--out", str(out)]) == 0
    kept = json.loads(out.read_text(encoding="utf-8"))
    assert (kept["card"], [Row.from_json(each) for each in kept["rows"]]) == ("a card", [row])
    said = capsys.readouterr()
    assert "broken failed: RuntimeError: CUDA error" in said.err
    assert "frames per second: 12.5  ≥ 10 pass" in said.out
    assert gpu.main(["other"]) == 2
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main([]) == 1


def test_networks_for_video_are_timed_in_both_layouts(tmp_path: Path, monkeypatch) -> None:
    from tiny_networks import TinyClips

    monkeypatch.setattr(gpu, "get_network", lambda name: TinyClips())
    monkeypatch.setattr(gpu, "CLIP_FRAMES", 4)
    row = gpu.video_network(Bench(QUICK, [], tmp_path, lambda text: None), "tiny-clips", "cpu")
    assert [check.what for check in row.checks] == [
        f"clips per second, {kind}, {layout}"
        for layout in ("channels_last_3d", "contiguous_format")
        for kind in ("float32", "bfloat16")
    ]
    assert all(check.value > 0 for check in row.checks)
