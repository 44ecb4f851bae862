"""What takes a whole file: the size after encoding, and all descriptors together."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import av
import numpy as np

from memfeat import extractors
from memfeat.measure import measure_video

from . import clips, limits, naive
from .clips import Clip
from .compare import Input, interleave
from .report import Row
from .settings import Bench


def size(bench: Bench) -> list[Row]:
    """Bytes after encoding at 256×256."""
    chosen = bench.clips[: bench.settings.frame_clips]
    wanted = [extractors.get("h264-size")]
    comparison = interleave(
        "h264-size",
        "frame",
        [Input(clip.name, clip.path, clip.frames) for clip in chosen],
        naive.h264_size,
        lambda path: float(measure_video(path, wanted).features["h264-size"].arrays["values"]),
        rounds=bench.settings.rounds,
        say=bench.say,
    )
    row = Row.of(bench.keep(comparison), "bytes after encoding", limit=limits.encoding(chosen))
    worst = max(abs(plain - ours) for plain, ours in comparison.results)
    return [row.check("largest difference in bytes", worst, "==", 0)]


def pipeline(bench: Bench) -> list[Row]:
    """All descriptors but flow, decoded again for each of them or once."""
    settings = bench.settings
    chosen = bench.clips[: settings.pipeline_clips]
    row = compare(bench, "all-but-flow", chosen, with_flow=False, rounds=settings.pipeline_rounds).at_least(4)
    row.check(
        "opens per clip, plain", opens(lambda path: naive.measure(path, with_flow=False), chosen[0].path)
    )
    ours = [extractors.get(name) for name in naive.DESCRIPTORS]
    row.check(
        "opens per clip, memfeat", opens(lambda path: measure_video(path, ours), chosen[0].path), "==", 1
    )
    return [row]


def pipeline_with_flow(bench: Bench) -> list[Row]:
    """All descriptors."""
    settings = bench.settings
    paths = [clip.whole for clip in bench.clips[: settings.pipeline_flow_clips]]
    chosen = clips.prepare(paths, bench.folder / "with-flow", frames=settings.pipeline_flow_frames)
    return [compare(bench, "all", chosen, with_flow=True, rounds=1).at_least(15)]


def compare(bench: Bench, stage: str, chosen: list[Clip], *, with_flow: bool, rounds: int) -> Row:
    wanted = [extractors.get(name) for name in (*naive.DESCRIPTORS, *(["flow"] if with_flow else []))]

    def ours(path: Path) -> dict[str, Any]:
        features = measure_video(path, wanted).features
        return {
            name: feature.arrays["mean" if name == "hog" else "values"] for name, feature in features.items()
        }

    comparison = interleave(
        stage,
        "frame",
        [Input(clip.name, clip.path, clip.frames) for clip in chosen],
        lambda path: naive.measure(path, with_flow=with_flow),
        ours,
        rounds=rounds,
        warm_naive=not with_flow,
        say=bench.say,
    )
    row = Row.of(bench.keep(comparison), "every descriptor" if with_flow else "every descriptor but flow")
    for name in (each.name for each in wanted):
        values = [(plain[name], mine[name]) for plain, mine in comparison.results]
        if name == "flow":
            apart = [abs(mine.mean() / plain.mean() - 1) for plain, mine in values if plain.mean() > 0.1]
            if apart:
                row.check("flow: largest relative difference of a clip's mean", max(apart))
        else:
            apart = [float(np.abs(np.subtract(plain, mine)).max()) for plain, mine in values]
            row.check(f"{name}: largest difference", max(apart))
    return row


def opens(measure: Any, path: Path) -> int:
    with mock.patch.object(av, "open", side_effect=av.open) as counted:
        measure(path)
    return sum(call.args[1:2] != ("w",) for call in counted.call_args_list)
