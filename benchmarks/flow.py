"""TV-L1 optical flow against OpenCV's, on moving pairs, scene cuts and frozen frames."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from memfeat.kernels.tvl1 import TVL1, mean_magnitude

from . import clips, limits, naive
from .clips import Pair
from .compare import Comparison, Input, interleave
from .report import Row
from .settings import Bench

MOVING = 0.1
"""Mean magnitude in pixels above which relative differences mean something."""
NOISE = 1e-4
"""Change of the input, in grey levels, by which OpenCV's own stability is judged."""


def tvl1(bench: Bench) -> list[Row]:
    settings = bench.settings
    pairs = clips.pairs(
        bench.clips,
        per_clip=-(-settings.flow_pairs // len(bench.clips)),
        cuts=settings.flow_cuts,
        stills=settings.flow_stills,
        say=bench.say,
    )
    solver = TVL1()
    everything = interleave(
        "tvl1",
        "pair",
        [Input(f"{pair.clip}, pair {number + 1}", pair) for number, pair in enumerate(pairs)],
        lambda pair: naive.flow(pair.first, pair.second),
        lambda pair: solver.flow(pair.first, pair.second),
        rounds=1,
        warm_naive=False,
        say=bench.say,
    )
    results = everything.results
    for number, (pair, (plain, _)) in enumerate(zip(pairs, results, strict=True)):
        if pair.kind == "moving" and naive.magnitude(plain) <= MOVING:
            pairs[number] = replace(pair, kind="still")
    rows = []
    for kind, stage in (("moving", "tvl1"), ("still", "tvl1-still"), ("cut", "tvl1-cuts")):
        chosen = [number for number, pair in enumerate(pairs) if pair.kind == kind]
        if not chosen:
            continue
        bench.say(f"counting iterations of {len(chosen)} pairs")
        part = bench.keep(subset(everything, stage, chosen))
        limit = limits.tvl1_pairs(bench.rates, [pairs[number] for number in chosen])
        row = Row.of(part, f"TV-L1, {kind} pairs", limit=limit)
        row.check("pairs", len(chosen))
        if kind == "moving":
            row.at_least(12, summed=True)
            agreement(row, part.results)
            ordinary = [number for number, pair in enumerate(pairs) if pair.kind != "cut"]
            by_clip(row, [pairs[number] for number in ordinary], [results[number] for number in ordinary])
        elif kind == "cut":
            at_cuts(bench, row, [pairs[number] for number in chosen], part.results)
        else:
            row.check(
                "mean end-point error, pixels", np.mean([epe(a, b) for a, b in part.results]), "<=", 0.02
            )
        rows.append(row)
    return rows


def subset(comparison: Comparison, stage: str, chosen: list[int]) -> Comparison:
    names = list(comparison.units)
    kept = [names[number] for number in chosen]
    return Comparison(
        stage,
        comparison.unit,
        {name: comparison.units[name] for name in kept},
        {by: {name: times[name] for name in kept} for by, times in comparison.times.items()},
        [comparison.results[number] for number in chosen],
    )


def epe(one: Any, other: Any) -> float:
    """Mean end-point error: the mean length of the difference, in pixels."""
    return mean_magnitude(one - other)


def agreement(row: Row, results: list[tuple[Any, Any]]) -> None:
    """Compare mean magnitudes and fields of moving pairs."""
    apart = np.array([abs(mean_magnitude(ours) / naive.magnitude(plain) - 1) for plain, ours in results])
    row.check("mean magnitude, median relative difference", np.median(apart), "<=", 1e-3)
    row.check("mean magnitude, 95th percentile of it", np.percentile(apart, 95), "<=", 1e-2)
    row.check("mean end-point error, pixels", np.mean([epe(a, b) for a, b in results]), "<=", 0.02)


def by_clip(row: Row, pairs: list[Pair], results: list[tuple[Any, Any]]) -> None:
    """Rank clips by their mean magnitude, still pairs included, and compare the ranks."""
    of_clip: dict[str, list[tuple[float, float]]] = {}
    for pair, (plain, ours) in zip(pairs, results, strict=True):
        of_clip.setdefault(pair.clip, []).append((naive.magnitude(plain), mean_magnitude(ours)))
    means = np.array([np.mean(values, axis=0) for values in of_clip.values()])
    if len(means) > 2:
        row.check(f"Spearman correlation of {len(means)} clips", spearmanr(*means.T).statistic, ">=", 0.999)


def at_cuts(bench: Bench, row: Row, pairs: list[Pair], results: list[tuple[Any, Any]]) -> None:
    """Compare the change against OpenCV with OpenCV's own change when its input is disturbed invisibly."""
    ours, own, ours_relative, own_relative = [], [], [], []
    for number, (pair, (plain, field)) in enumerate(zip(pairs, results, strict=True)):
        size = naive.magnitude(plain)
        ours.append(epe(plain, field))
        ours_relative.append(abs(mean_magnitude(field) / size - 1))
        noisy = []
        for copy in range(bench.settings.noises):
            bench.say(f"OpenCV on disturbed cut {number + 1} of {len(pairs)}, copy {copy + 1}")
            generator = np.random.default_rng([number, copy])
            noisy.append(naive.flow(disturbed(pair.first, generator), disturbed(pair.second, generator)))
        own.append(np.mean([epe(plain, each) for each in noisy]))
        own_relative.append(np.mean([abs(naive.magnitude(each) / size - 1) for each in noisy]))
    row.check("end-point error against OpenCV, mean, pixels", np.mean(ours))
    row.check("OpenCV's own under noise of ±1e-4 grey levels", np.mean(own))
    row.check("end-point error in units of OpenCV's own", np.mean(ours) / np.mean(own), "<=", 3)
    row.check("the same for mean magnitude", np.mean(ours_relative) / np.mean(own_relative), "<=", 3)


def disturbed(gray: Any, generator: np.random.Generator) -> Any:
    """Return the image as floats from 0 to 1, which OpenCV scales back to 255, with noise of ±1e-4 grey levels."""
    noise = generator.choice([-NOISE, NOISE], gray.shape)
    return ((gray + noise) / 255).astype(np.float32)
