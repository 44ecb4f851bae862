"""How much is measured: everything, or a sample of it in under two minutes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pyperf

from . import clips, limits
from .clips import Clip
from .compare import Comparison


@dataclass(frozen=True)
class Settings:
    """Sizes of all stages."""

    clips: int
    """Clips to generate."""
    frames: int
    """Frames to which clips are cut, except to choose pairs for flow."""
    frame_clips: int
    """Clips for decoding, the per-frame descriptors and the size."""
    rounds: int
    flow_pairs: int
    """Pairs of frames, spread evenly over the clips: percentiles of few pairs say little."""
    flow_cuts: int
    flow_stills: int
    noises: int
    """Noisy copies of each scene cut."""
    pipeline_clips: int
    pipeline_rounds: int
    pipeline_flow_clips: int
    pipeline_flow_frames: int
    store: int
    """Videos of the synthetic store."""
    store_width: int
    worker_tasks: int
    worker_rounds: int
    model_rows: int
    model_columns: int
    memory_videos: int
    """0 leaves the stage out."""
    deep_clips: int
    deep_frames: int
    """Frames of these clips that networks look at on the CPU; on a GPU whole clips."""
    deep_rounds: int


FULL = Settings(
    clips=24, frames=40, frame_clips=12, rounds=3,
    flow_pairs=120, flow_cuts=5, flow_stills=3, noises=2,
    pipeline_clips=8, pipeline_rounds=3, pipeline_flow_clips=4, pipeline_flow_frames=40,
    store=10_000, store_width=1536, worker_tasks=48, worker_rounds=3,
    model_rows=7000, model_columns=3072, memory_videos=2000,
    deep_clips=6, deep_frames=8, deep_rounds=3,
)  # fmt: skip
QUICK = Settings(
    clips=4, frames=16, frame_clips=3, rounds=3,
    flow_pairs=4, flow_cuts=1, flow_stills=1, noises=1,
    pipeline_clips=2, pipeline_rounds=2, pipeline_flow_clips=1, pipeline_flow_frames=6,
    store=400, store_width=1536, worker_tasks=8, worker_rounds=1,
    model_rows=1000, model_columns=400, memory_videos=0,
    deep_clips=2, deep_frames=4, deep_rounds=1,
)  # fmt: skip


@dataclass
class Bench:
    """What stages share: the settings, the clips, a folder for what they write, and all comparisons so far."""

    settings: Settings
    paths: list[Path]
    folder: Path
    say: Callable[[str], None]
    comparisons: list[Comparison] = field(default_factory=list)
    others: list[pyperf.Benchmark] = field(default_factory=list)
    """Times that have no plain counterpart."""

    @cached_property
    def clips(self) -> list[Clip]:
        self.say("cutting clips")
        return clips.prepare(self.paths, self.folder / "short", frames=self.settings.frames)

    @cached_property
    def whole(self) -> list[Clip]:
        """The same clips from their first frame to their last."""
        return clips.prepare(self.paths, self.folder / "whole")

    @cached_property
    def rates(self) -> limits.Rates:
        self.say("measuring what one core can do")
        return limits.measure_rates()

    def keep(self, comparison: Comparison) -> Comparison:
        self.comparisons.append(comparison)
        return comparison
