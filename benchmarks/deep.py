"""Features of a network: the engine against the way of most scripts, with the same network and random weights.

Most scripts take one video at a time: they decode all its frames, prepare each by the library's own transform, and
then have the network look at them, frame by frame or all at once. On a GPU the clock on the wall decides.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from memfeat.extraction.deep.backends import opener
from memfeat.extraction.deep.frames import Reading
from memfeat.extractors import get_network
from memfeat.network_extractor import NetworkExtractor, Precision, Settings
from memfeat.weights.choice import Choice

from . import naive
from .clips import Clip, prepare
from .compare import NAIVE, Comparison, Input, Time, interleave
from .flow_torch import torch_on_one_thread
from .report import Limit, Row
from .settings import Bench

Array = np.ndarray[Any, np.dtype[np.float32]]

NETWORK = "clip-vit-b-32"
LARGE = "clip-vit-l-14-336"
WEIGHTS = Choice(seed=0)
GPU_VIDEOS = 64
GPU_THREADS = 8
LARGE_BATCH = 256


def deep(bench: Bench) -> list[Row]:
    if any(find_spec(library) is None for library in ("torch", "open_clip")):
        bench.say("left out: the extra deep is missing")
        return []
    import torch

    count, frames = bench.settings.deep_clips, bench.settings.deep_frames
    clips = prepare(bench.paths[:count], bench.folder / "deep", frames=frames)
    with torch_on_one_thread():
        rows = stages(bench, clips, "cpu", threads=1)
    if torch.cuda.is_available():
        many = [bench.whole[number % len(bench.whole)] for number in range(GPU_VIDEOS)]
        rows += stages(bench, many, "cuda:0", threads=GPU_THREADS)
        rows.append(large(bench, "cuda:0"))
    return rows


@dataclass
class Job:
    """A video for the engine."""

    path: Path
    network: NetworkExtractor

    def begin(self) -> Reading:
        return Reading(self.path, {0: self.network}, opener=opener("pyav"))


class Scripts:
    """One video after the other: decode, prepare, look."""

    def __init__(self, network: Any, module: Any, device: str) -> None:
        from open_clip import image_transform

        size = network.release.size
        self.transform = image_transform(size, is_train=False, mean=network.mean, std=network.std)
        self.module, self.device = module, device

    def prepared(self, path: Path) -> list[Any]:
        return [self.transform(Image.fromarray(frame)) for frame in list(naive.frames(path))]

    def by_frame(self, frames: list[Any]) -> Array:
        import torch

        from memfeat.extraction.deep.runner import exact_float32

        with torch.no_grad(), exact_float32():
            rows = [self.module(frame[None].to(self.device)).cpu() for frame in frames]
        return np.asarray(torch.cat(rows).numpy())

    def by_video(self, frames: list[Any]) -> Array:
        import torch

        from memfeat.extraction.deep.runner import exact_float32

        with torch.no_grad(), exact_float32():
            return np.asarray(self.module(torch.stack(frames).to(self.device)).cpu().numpy())


class Engine:
    """Frames of many videos at once."""

    def __init__(self, network: NetworkExtractor, device: str, *, threads: int) -> None:
        from memfeat.extraction.deep.runner import Runner
        from memfeat.extraction.deep.wanted import Wanted

        self.network, self.threads = network, threads
        self.runner = Runner(Wanted(network, Settings(choice=WEIGHTS)), device)

    def prepared(self, path: Path) -> list[Any]:
        return [row.pixels for row in Job(path, self.network).begin()]

    def look(self, videos: list[list[Any]]) -> list[Array]:
        from memfeat.extraction.deep.runner import exact_float32

        frames = [frame for video in videos for frame in video]
        size = self.runner.batch_size(frames[0].shape)
        with exact_float32():
            parts = [self.runner.launch(frames[at : at + size]) for at in range(0, len(frames), size)]
            rows = np.concatenate([self.runner.collect(part) for part in parts])
        return np.split(rows, np.cumsum([len(video) for video in videos])[:-1])

    def extract(self, paths: list[Path]) -> list[Array]:
        from memfeat.extraction.deep.engine import process

        jobs = [Job(path, self.network) for path in paths]
        found: dict[int, Array] = {}
        for finished in process(jobs, [self.runner], threads=self.threads):
            found[id(finished.job)] = finished.records[0].values
        return [found[id(job)] for job in jobs]


def stages(bench: Bench, clips: list[Clip], device: str, *, threads: int) -> list[Row]:
    """Compare decoding with preparing, the network alone, and all of it."""
    network = get_network(NETWORK)
    bench.say(f"building {network.name} on {device}")
    engine = Engine(network, device, threads=threads)
    scripts = Scripts(network, engine.runner.wanted.load().eval().to(device), device)
    where, suffix = described(device), "" if device == "cpu" else "-gpu"
    paths = [clip.path for clip in clips]
    units = sum(clip.frames for clip in clips)
    rounds = bench.settings.deep_rounds
    title = f"{network.name}, {where}"
    own = [engine.prepared(path) for path in paths]
    theirs = [scripts.prepared(path) for path in paths]

    def compare(
        stage: str,
        data: list[Input[Any]],
        plain: Callable[[Any], Any],
        ours: Callable[[Any], Any],
        **more: Any,
    ) -> Comparison:
        made = interleave(stage + suffix, "frame", data, plain, ours, rounds=rounds, say=bench.say, **more)
        return bench.keep(made if device == "cpu" else by_wall(made))

    rows = []
    if device == "cpu":
        by_clip = [Input(clip.name, clip.path, clip.frames) for clip in clips]
        rows.append(
            Row.of(
                compare("deep-prepare", by_clip, scripts.prepared, engine.prepared), "decoding and preparing"
            )
        )
    work = flops(network)
    limit = Limit(
        work / matrix_rate(device), f"{work / 1e9:.1f} Gflop at the rate of a matrix product, {where}"
    )
    for stage, look, how in (
        ("deep-model", scripts.by_frame, "frame by frame"),
        ("deep-model-video", scripts.by_video, "a batch per video"),
    ):
        comparison = compare(
            stage,
            [Input("all clips", theirs, units)],
            lambda videos, look=look: [look(video) for video in videos],
            engine.look,
            fresh=lambda _: own,
        )
        row = Row.of(comparison, f"the network alone against {how}: {title}", limit=limit)
        share = limit.seconds / comparison.mean("memfeat").cpu
        row.check(f"share of the matrix rate, {where}", share)
        row.check("share of the matrix rate, naive", limit.seconds / comparison.mean(NAIVE).cpu)
        rows.append(agreement(row, comparison))
    for stage, look, how in (
        ("deep", scripts.by_frame, "frame by frame"),
        ("deep-video", scripts.by_video, "a batch per video"),
    ):
        comparison = compare(
            stage,
            [Input("all clips", paths, units)],
            lambda paths, look=look: [look(scripts.prepared(path)) for path in paths],
            engine.extract,
        )
        row = Row.of(comparison, f"from files to features against {how}: {title}", limit=limit)
        row.check("frames per second (wall)", 1 / comparison.mean("memfeat").wall)
        row.check("frames per second (wall), naive", 1 / comparison.mean(NAIVE).wall)
        rows.append(agreement(row, comparison))
    return rows


def large(bench: Bench, device: str) -> Row:
    """The rate of a large network in each precision, as a share of the rate of one large matrix product."""
    network = get_network(LARGE)
    row = Row("deep-rate-gpu", f"{network.name} on {described(device)}", "frame")
    work = flops(network)
    for precision in ("bf16", "float32"):
        bench.say(f"{network.name}, {precision}")
        rate = frames_per_second(network, device, precision, batch=LARGE_BATCH)
        row.check(f"{described(device)}, {precision}: frames per second", rate)
        share = rate * work / matrix_rate(device, precision)
        if precision == "bf16":
            row.check("share of the card's measured matrix rate, bf16", share, ">=", 0.5)
        else:
            row.check(f"share of the card's measured matrix rate, {precision}", share)
    return row


def agreement(row: Row, comparison: Comparison) -> Row:
    """Compare features, in units of how much they vary."""
    theirs, ours = comparison.results[0]
    apart = max(float(np.abs(a - b).max()) for a, b in zip(theirs, ours, strict=True))
    scale = float(np.concatenate(list(theirs)).std())
    return row.check("largest difference of a feature, in standard deviations", apart / scale, "<=", 1e-4)


def by_wall(comparison: Comparison) -> Comparison:
    """Put wall times in place of processor times, which say nothing of a GPU."""
    for times in comparison.times.values():
        for name, taken in times.items():
            times[name] = [Time(each.wall, each.wall) for each in taken]
    return comparison


def flops(network: NetworkExtractor) -> float:
    """Return the multiplications and additions of one frame."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    size = network.prepare(np.zeros((64, 64, 3), np.uint8)).shape
    # With gradients: without, fused kernels are used that the counter does not know.
    module = network.build().eval().to("meta")
    with FlopCounterMode(display=False) as counter:
        module(torch.zeros(1, *size, device="meta"))
    return float(counter.get_total_flops())


def matrix_rate(device: str, precision: Precision = "float32", *, size: int | None = None) -> float:
    """Return the multiplications and additions per second of one large matrix product."""
    import torch

    from memfeat.extraction.deep.runner import exact_float32

    size = size or (1024 if device == "cpu" else 8192)
    kind = {"float32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    a = torch.randn(size, size, device=device, dtype=kind)
    out = torch.empty_like(a)
    with exact_float32():
        shortest = min(seconds_of(lambda: torch.matmul(a, a, out=out), device) for _ in range(7))
    return 2 * size**3 / shortest


def frames_per_second(network: NetworkExtractor, device: str, precision: Precision, *, batch: int) -> float:
    """Return how fast the runner's network is on pixels that lie on the device."""
    import torch

    from memfeat.extraction.deep.runner import Runner, exact_float32
    from memfeat.extraction.deep.wanted import Wanted

    runner = Runner(Wanted(network, Settings(choice=WEIGHTS, precision=precision)), device)
    shape = network.prepare(np.zeros((64, 64, 3), np.uint8)).shape
    generator = np.random.default_rng(0)
    pixels = list(generator.integers(0, 256, (batch, *shape), dtype=np.uint8))
    with exact_float32(), torch.inference_mode(), runner._autocast():
        normalised = runner._normalised(pixels)
        shortest = min(seconds_of(lambda: runner._forward(normalised), device) for _ in range(5))
    return batch / shortest


def seconds_of(work: Callable[[], Any], device: str) -> float:
    """Return how long a call takes: processor time on the CPU, where torch has one thread, else time on the wall."""
    import torch

    clock, wait = (
        (time.process_time, lambda: None)
        if device == "cpu"
        else (time.perf_counter, lambda: torch.cuda.synchronize(device))
    )
    work()
    wait()
    began = clock()
    work()
    wait()
    return clock() - began


def described(device: str) -> str:
    import torch

    where = "one core" if device == "cpu" else torch.cuda.get_device_name(device)
    return f"{where}, torch {torch.__version__}"
