"""The least time that a stage can take on this machine: what the plot's third mark means.

Where a library call is needed whatever is built around it (decoding, x264, looking at every file), that call alone is
timed. Everything else gets the larger of two times: its bytes at the rate at which one core copies, and its arithmetic
at the rate at which one core multiplies matrices. No code reaches that: it bounds what is left to gain.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import av
import numpy as np

from memfeat.kernels import tvl1, tvl1_loops

from .clips import Clip, Pair
from .compare import one_thread
from .report import Limit, Row

CANVAS_BYTES = 256 * 256 * 3
# Additions, multiplications, comparisons, divisions and roots, each counted once.
TVL1_PER_PIXEL = 50
HOG_PER_PIXEL = 45
COUNTED = 40
"""Pairs at most whose iterations are counted."""


class Rates(NamedTuple):
    """What one core does in a second."""

    flops32: float
    flops64: float
    cached_bytes: float
    """Bytes read while copying a block that stays in the second-level cache."""
    memory_bytes: float

    def arithmetic(self, flops: float, *, double: bool = False) -> float:
        return flops / (self.flops64 if double else self.flops32)


def best(work: Callable[[], Any], *, tries: int) -> float:
    """Return the shortest processor time of several calls."""
    taken = []
    for _ in range(tries):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


def measure_rates() -> Rates:
    with one_thread():
        flops = {}
        for kind in (np.float32, np.float64):
            a = np.random.default_rng(0).random((1024, 1024)).astype(kind)
            out = np.empty_like(a)
            np.matmul(a, a, out=out)
            flops[kind] = 2 * 1024**3 / best(lambda a=a, out=out: np.matmul(a, a, out=out), tries=7)
        rates = []
        for size, repeats in ((CANVAS_BYTES, 500), (1 << 28, 1)):
            source, target = np.ones(size, np.uint8), np.zeros(size, np.uint8)
            work = lambda: [np.copyto(target, source) for _ in range(repeats)]  # noqa: B023, E731
            rates.append(size * repeats / best(work, tries=5))
    return Rates(flops[np.float32], flops[np.float64], *rates)


def reading(rates: Rates) -> Limit:
    return Limit(CANVAS_BYTES / rates.cached_bytes, "reading the canvas once at the rate of copying")


def shrinking(rates: Rates, clips: list[Clip]) -> Limit:
    values = sum(3 * clip.frames * clip.header.width * clip.header.height for clip in clips)
    return Limit(
        values / sum(clip.frames for clip in clips) / rates.cached_bytes,
        "reading the frame once at the rate of copying",
    )


def transforms(rates: Rates, side: int, kept: int, inverse: bool) -> Limit:
    """Arithmetic of a real transform of which `kept` columns are used, and of its inverse, at 2.5 N log2 N."""
    rows = side * 2.5 * side * np.log2(side)
    columns = kept * 5 * side * np.log2(side)
    flops = (rows + columns) * (2 if inverse else 1) + 10 * side**2
    return Limit(rates.arithmetic(flops, double=True), f"the transforms' arithmetic, {flops / 1e6:.1f} Mflop")


def hog(rates: Rates) -> Limit:
    flops = HOG_PER_PIXEL * 256 * 256
    return Limit(
        max(rates.arithmetic(flops), reading(rates).seconds), f"its arithmetic, {flops / 1e6:.1f} Mflop"
    )


def tvl1_pairs(rates: Rates, pairs: list[Pair]) -> Limit:
    """The mean arithmetic of the iterations that these pairs, or every n-th, take until the stopping rule ends them."""
    sample = pairs[:: -(-len(pairs) // COUNTED)]
    pixels = sum(iterated_pixels(pair) for pair in sample) / len(sample)
    flops = TVL1_PER_PIXEL * pixels
    if not flops:
        return Limit(
            2 * 256**2 / rates.cached_bytes, "reading both images once: equal ones need no iteration"
        )
    why = f"the arithmetic of {pixels / 256**2:.0f} iterations over 256×256 pixels, {flops / 1e6:,.0f} Mflop"
    return Limit(rates.arithmetic(flops), why)


def iterated_pixels(pair: Pair) -> float:
    """Count the pixels that all iterations of a pair go over, by running the outer loops uncompiled."""
    total = 0.0
    iterate = tvl1_loops._iterate

    def counted(state: Any, height: int, width: int, *rest: Any) -> float:
        nonlocal total
        total += height * width
        return float(iterate(state, height, width, *rest))

    with (
        mock.patch.object(tvl1_loops, "_iterate", counted),
        mock.patch.object(tvl1, "solve_level", tvl1_loops.solve_level.py_func),
    ):
        tvl1.TVL1().flow(pair.first, pair.second)
    return total


def decoding(clips: list[Clip]) -> Limit:
    def work() -> None:
        for clip in clips:
            for _ in pictures(clip.path):
                pass

    return Limit(
        best(work, tries=3) / sum(clip.frames for clip in clips), "decoding without conversion to RGB"
    )


def encoding(clips: list[Clip]) -> Limit:
    """X264 alone, on frames that are decoded and scaled already."""
    total = 0.0
    for clip in clips:
        scaled = [picture.reformat(256, 256, "yuv420p") for picture in pictures(clip.path)]
        total += best(lambda scaled=scaled, clip=clip: encode(scaled, clip), tries=2)
    return Limit(total / sum(clip.frames for clip in clips), "x264 alone, frames decoded and scaled before")


def encode(scaled: list[av.VideoFrame], clip: Clip) -> None:
    context: Any = av.CodecContext.create("libx264", "w")
    context.width = context.height = 256
    context.pix_fmt = "yuv420p"
    context.time_base = clip.header.time_base
    context.framerate = round(clip.header.rate or 25)
    context.thread_count = 1
    context.options = {"preset": "medium", "crf": "23"}
    for picture in scaled:
        picture.pict_type = 0  # type: ignore[assignment]
        context.encode(picture)
    context.encode(None)


def pictures(path: Path) -> Any:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.thread_count = "NONE", 1
        yield from container.decode(stream)


def total(rows: list[Row], *, flow: bool) -> Limit | None:
    """The limits of the parts of the whole pipeline, where all of them were measured, added up."""
    parts = ["decode", "canvas", "contrast", "brightness", "sharpness-fft", "blur-lps", "hog", "h264-size"]
    parts += ["tvl1"] if flow else []
    known = {row.stage: row.limit.seconds for row in rows if row.limit}
    if not known.keys() >= set(parts):
        return None
    return Limit(sum(known[part] for part in parts), "the sum of the limits of its parts")


def looking(root: Path, values: int, rates: Rates) -> Limit:
    """Asking for every file's time of modification, and copying the matrix once."""

    def scan() -> None:
        for shard in os.scandir(root / "videos"):
            for entry in os.scandir(shard):
                entry.stat()

    return Limit(
        best(scan, tries=3) + 4 * values / rates.memory_bytes,
        "the modification time of every file, and one copy of the matrix",
    )
