"""Decoding, and the descriptors that are one number or vector per frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from memfeat import extractors
from memfeat.kernels.hog import hog
from memfeat.video import open_video
from memfeat.video.frame import Frame

from . import clips, limits, naive
from .clips import Clip, canvases
from .compare import Comparison, Input, interleave
from .report import Limit, Row
from .settings import Bench


def inputs(bench: Bench, data: Callable[[Clip], Any]) -> list[Input[Any]]:
    chosen = bench.clips[: bench.settings.frame_clips]
    return [Input(clip.name, data(clip), clip.frames) for clip in chosen]


def decode(bench: Bench) -> list[Row]:
    """Every frame as RGB, from the file.

    Whole clips: a beginning is richer in key frames, which cost more to decode and as much to convert. As they are
    stored, and at 256×256: the larger a clip, the more of the time is FFmpeg's own.
    """
    chosen = bench.whole[: bench.settings.frame_clips]
    small = clips.at_canvas_size(chosen, bench.folder / "small")
    row = whole_clips(bench, "decode", "decoding to RGB", chosen).at_least(1.6)
    assert row.naive is not None
    assert row.limit is not None
    row.check("ratio that a conversion without cost would reach", row.naive.cpu / row.limit.seconds, unit="×")
    cut = bench.clips[: bench.settings.frame_clips]
    return [
        row,
        whole_clips(bench, "decode-256", "decoding to RGB, clips of 256×256", small).at_least(1.6),
        convert(bench, cut),
        three(bench, chosen),
    ]


def whole_clips(bench: Bench, stage: str, title: str, chosen: list[Clip]) -> Row:
    """Every frame of some clips as RGB."""

    def plain(clip: Clip) -> None:
        deque(naive.frames(clip.path), maxlen=0)

    def ours(clip: Clip) -> None:
        with open_video(clip.path) as video:
            deque((frame.rgb for frame in video), maxlen=0)

    comparison = interleave(
        stage,
        "frame",
        [Input(clip.name, clip, clip.frames) for clip in chosen],
        plain,
        ours,
        rounds=bench.settings.rounds,
        say=bench.say,
    )
    row = Row.of(bench.keep(comparison), title, limit=limits.decoding(chosen))
    return row.check("frames that differ in any bit", sum(map(differing, chosen)), "==", 0)


def differing(clip: Clip) -> int:
    with open_video(clip.path) as video:
        return sum(
            not np.array_equal(frame.rgb, plain)
            for frame, plain in zip(video, naive.frames(clip.path), strict=True)
        )


def convert(bench: Bench, chosen: list[Clip]) -> Row:
    """The conversion to RGB alone, of frames that are decoded."""

    def held(clip: Clip) -> Any:
        with open_video(clip.path) as video:
            return list(video)

    def again(frames: list[Frame]) -> list[Frame]:
        return [
            Frame(frame.index, frame.time, picture=frame.picture, reformatter=frame._reformatter)
            for frame in frames
        ]

    def ours(frames: list[Frame]) -> None:
        # Each is forgotten before the next, as in a pass over a video.
        deque((frames.pop().rgb for _ in range(len(frames))), maxlen=0)

    def against(stage: str, **options: int) -> Comparison:
        def plain(frames: list[Frame]) -> None:
            deque((frame.picture.to_ndarray(format="rgb24", **options) for frame in frames), maxlen=0)

        rounds = bench.settings.rounds
        return interleave(stage, "frame", data, plain, ours, fresh=again, rounds=rounds, say=bench.say)

    data = [Input(clip.name, held(clip), clip.frames) for clip in chosen]
    comparison, aware = against("to-rgb"), against("to-rgb, threads=1", threads=1)
    row = Row.of(bench.keep(comparison), "conversion to RGB")
    return row.check("ratio to PyAV's conversion when told threads=1", aware.ratio().median, unit="×")


def three(bench: Bench, chosen: list[Clip]) -> Row:
    """First, middle and last frame."""

    def plain(clip: Clip) -> list[Any]:
        frames = list(naive.frames(clip.path))
        return [frames[0], frames[len(frames) // 2], frames[-1]]

    def ours(clip: Clip) -> list[Any]:
        with open_video(clip.path) as video:
            frames = list(video)
        return [frame.rgb for frame in (frames[0], frames[len(frames) // 2], frames[-1])]

    comparison = interleave(
        "three-frames",
        "frame",
        [Input(clip.name, clip, clip.frames) for clip in chosen],
        plain,
        ours,
        rounds=bench.settings.rounds,
        say=bench.say,
    )
    row = Row.of(bench.keep(comparison), "first, middle and last frame to RGB")
    same = all(
        np.array_equal(a, b) for plain, ours in comparison.results for a, b in zip(plain, ours, strict=True)
    )
    return row.check("clips that differ in any bit", 0 if same else 1, "==", 0)


def canvas(bench: Bench) -> list[Row]:
    """Frames of every size to 256×256."""

    def held(clip: Clip) -> list[Any]:
        with open_video(clip.path) as video:
            return [frame.rgb for frame in video]

    def fresh(images: list[Any]) -> list[Frame]:
        return [Frame(number, 0.0, rgb=image) for number, image in enumerate(images)]

    chosen = bench.clips[: bench.settings.frame_clips]
    comparison = interleave(
        "canvas",
        "frame",
        inputs(bench, held),
        lambda images: [naive.to_canvas(image) for image in images],
        lambda frames: [frame.canvas for frame in frames],
        fresh=fresh,
        rounds=bench.settings.rounds,
        say=bench.say,
    )
    different = sum(
        not np.array_equal(a, b)
        for left, right in comparison.results
        for a, b in zip(left, right, strict=True)
    )
    row = Row.of(
        bench.keep(comparison), "area averaging to 256×256", limit=limits.shrinking(bench.rates, chosen)
    )
    return [row.check("frames that differ in any bit", different, "==", 0)]


def per_frame(
    bench: Bench,
    stage: str,
    title: str,
    plain: Callable[[Any], Any],
    ours: Callable[[Frame], Any],
    limit: Limit,
) -> tuple[Row, float]:
    """Compare one descriptor on canvases; return the row and the largest difference of any value."""

    def fresh(images: list[Any]) -> list[Frame]:
        made = [Frame(number, 0.0, rgb=image) for number, image in enumerate(images)]
        for frame in made:
            _ = frame.canvas
        return made

    comparison = interleave(
        stage,
        "frame",
        inputs(bench, lambda clip: canvases(clip.path)),
        lambda images: [plain(image) for image in images],
        lambda frames: [ours(frame) for frame in frames],
        fresh=fresh,
        rounds=bench.settings.rounds,
        say=bench.say,
    )
    worst = max(
        float(np.abs(np.subtract(a, b)).max())
        for left, right in comparison.results
        for a, b in zip(left, right, strict=True)
    )
    return Row.of(bench.keep(comparison), title, limit=limit), worst


def contrast(bench: Bench) -> list[Row]:
    limit = limits.reading(bench.rates)
    row, worst = per_frame(
        bench, "contrast", "contrast", naive.contrast, extractors.get("contrast").measure, limit
    )
    return [row.at_least(3).check("largest difference, grey levels", worst, "<=", 1e-12)]


def brightness(bench: Bench) -> list[Row]:
    limit = limits.reading(bench.rates)
    row, worst = per_frame(
        bench, "brightness", "brightness", naive.brightness, extractors.get("brightness").measure, limit
    )
    return [row.at_least(1.5).check("largest difference, levels of V", worst, "<=", 1e-12)]


def sharpness(bench: Bench) -> list[Row]:
    limit = limits.transforms(bench.rates, side=500, kept=61, inverse=True)
    row, worst = per_frame(
        bench,
        "sharpness-fft",
        "FFT sharpness",
        naive.sharpness,
        extractors.get("sharpness-fft").measure,
        limit,
    )
    return [row.at_least(2).check("largest difference, 20 ln(grey levels)", worst, "<=", 1e-10)]


def blur(bench: Bench) -> list[Row]:
    limit = limits.transforms(bench.rates, side=256, kept=33, inverse=False)
    row, worst = per_frame(
        bench,
        "blur-lps",
        "slope of the power spectrum",
        naive.blur,
        extractors.get("blur-lps").measure,
        limit,
    )
    return [row.check("largest difference of the exponent", worst, "<=", 1e-6)]


def gradients(bench: Bench) -> list[Row]:
    row, worst = per_frame(
        bench, "hog", "HOG", naive.hog, lambda frame: hog(frame.canvas), limits.hog(bench.rates)
    )
    row.at_least(25).check("largest difference of any value", worst, "<=", 1e-5)
    tied = ties()
    return [
        row.check(
            "the same on constructed ties of hypot",
            float(np.abs(hog(tied) - naive.hog(tied)).max()),
            "<=",
            1e-5,
        )
    ]


def ties() -> Any:
    """Return an image whose channels have gradients of equal squared sums that ``np.hypot`` rounds apart."""
    sides = np.arange(256)
    squares = np.add.outer(sides**2, sides**2)
    lengths = np.hypot.outer(sides.astype(float), sides.astype(float))
    order = np.lexsort((lengths.ravel(), squares.ravel()))
    same = np.diff(squares.ravel()[order]) == 0
    apart = np.flatnonzero(same & (np.diff(lengths.ravel()[order]) > 0))
    image = np.zeros((256, 256, 3), np.uint8)
    for place, at in enumerate(apart[:256]):
        y, x = 16 * (place // 16) + 4, 16 * (place % 16) + 4
        # The first channel has the smaller of the two lengths, so the other must win.
        for channel, pair in ((0, order[at]), (1 + place % 2, order[at + 1])):
            image[y + 1, x, channel], image[y, x + 1, channel] = divmod(int(pair), 256)
    return image
