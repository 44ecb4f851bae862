"""Scripts and engine give the same features in the benchmark, and work is counted as it is on paper. No timing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tiny_clip

from benchmarks import clips, deep
from benchmarks.compare import Comparison, Time
from benchmarks.settings import QUICK, Bench
from memfeat.demo import make_demo
from memfeat.extractors import get_network

pytest.importorskip("torch", reason="needs the extra deep")
pytest.importorskip("open_clip", reason="needs the extra deep")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Two short clips, and a small network in place of both large ones."""
    tiny_clip.register(tmp_path, monkeypatch)
    monkeypatch.setattr(deep, "NETWORK", tiny_clip.NAME)
    monkeypatch.setattr(deep, "LARGE", tiny_clip.NAME)
    monkeypatch.setattr(deep, "LARGE_BATCH", 3)
    paths = sorted((make_demo(tmp_path / "demo", clips=2) / "clips").glob("*.mp4"))
    settings = dataclasses.replace(QUICK, deep_clips=2, deep_frames=5, deep_rounds=1)
    return Bench(settings, paths, tmp_path, lambda text: None)


def test_scripts_and_engine_give_the_same_features(bench: Bench) -> None:
    chosen = clips.prepare(bench.paths, bench.folder / "short", frames=5)
    engine = deep.Engine(get_network(tiny_clip.NAME), "cpu", threads=2)
    scripts = deep.Scripts(engine.network, engine.runner.wanted.load().eval(), "cpu")
    paths = [clip.path for clip in chosen]
    frames = [scripts.prepared(path) for path in paths]
    assert [len(each) for each in frames] == [5, 5]
    assert not np.allclose(scripts.by_video(frames[0]), scripts.by_video(frames[1]))
    looked = engine.look([engine.prepared(path) for path in paths])
    extracted = engine.extract(paths)
    for number, each in enumerate(frames):
        plain = scripts.by_video(each)
        assert plain.shape == (5, tiny_clip.RELEASE.embedding)
        for other in (scripts.by_frame(each), looked[number], extracted[number]):
            np.testing.assert_allclose(other, plain, atol=1e-5)


def test_every_row_says_how_far_features_are_apart(bench: Bench) -> None:
    rows = deep.deep(bench)
    cpu = [row for row in rows if not row.stage.endswith("-gpu")]
    assert [row.stage for row in cpu] == [
        "deep-prepare", "deep-model", "deep-model-video", "deep", "deep-video",
    ]  # fmt: skip
    for row in cpu[1:]:
        assert row.limit is not None and row.limit.seconds > 0
        (apart,) = [check for check in row.checks if "difference" in check.what]
        assert apart.passed
    assert len(bench.comparisons) == len([row for row in rows if row.ratio])


def test_the_large_network_is_held_to_a_share_of_the_matrix_rate(bench: Bench) -> None:
    row = deep.large(bench, "cpu")
    assert [check.what.split(": ")[-1] for check in row.checks if not check.bound] == [
        "frames per second", "frames per second", "share of the card's measured matrix rate, float32",
    ]  # fmt: skip
    (share,) = [check for check in row.checks if check.bound]
    assert (share.sign, share.bound) == (">=", 0.5)
    assert all(check.value > 0 for check in row.checks)


def test_work_is_counted_as_on_paper() -> None:
    tokens, width, layers, patch = 50, 768, 12, 32
    per_layer = 2 * tokens * 12 * width**2 + 4 * tokens**2 * width
    expected = layers * per_layer + 2 * (tokens - 1) * width * 3 * patch**2 + 2 * width * 512
    assert deep.flops(get_network("clip-vit-b-32")) == pytest.approx(expected, rel=1e-3)


def test_wall_times_take_the_place_of_processor_times() -> None:
    made = Comparison("stage", "frame", {"a": 1})
    made.add("naive", "a", Time(1.0, 8.0))
    made.add("memfeat", "a", Time(3.0, 2.0))
    assert deep.by_wall(made).ratio().median == 4
