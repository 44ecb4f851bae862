"""What only a GPU can tell, in minutes and without the other stages: ``python -m benchmarks.gpu [STAGE ...]``.

For a machine that is lent for a while and has little installed. Rows are printed and kept as soon as they are measured,
in ``results/gpu.json`` or the file that ``--out`` names. What the stages need beside torch is in README.md.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from memfeat import demo
from memfeat.extractors import get_network

from . import clips, deep, flow_torch
from .clips import Pair
from .report import Row
from .settings import QUICK, Bench

HERE = Path(__file__).resolve().parent
CLIPS = 24
VIDEO_NETWORKS = ("csn-ir-152-ig65m-kinetics", "i3d-kinetics")
CLIP_FRAMES = 32
CLIP_BATCH = 16


def main(arguments: list[str]) -> int:
    import torch

    parser = argparse.ArgumentParser("python -m benchmarks.gpu")
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=f"of {', '.join(STAGES)}; default all")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "gpu.json", help="file of the results")
    options = parser.parse_args(arguments)
    asked = options.stages
    if not torch.cuda.is_available():
        print(f"torch {torch.__version__} sees no GPU.")
        return 1
    if unknown := [name for name in asked if name not in STAGES]:
        print(f"There is no stage {unknown[0]!r}; there are {', '.join(STAGES)}.")
        return 2
    began = time.monotonic()
    kept = {"card": torch.cuda.get_device_name(0), "torch": str(torch.__version__)}
    kept |= {"date": datetime.date.today().isoformat()}
    done: list[Row] = []

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:4.0f} s] {text}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="memfeat-bench-") as folder:
        bench = Bench(QUICK, [], Path(folder), say)
        for name in asked or STAGES:
            try:
                rows = STAGES[name](bench)
            except Exception as error:  # the rest of the lent time should not be lost
                say(f"{name} failed: {type(error).__name__}: {error}")
                continue
            for row in rows:
                show(row)
            done += rows
            text = json.dumps({**kept, "rows": [row.to_json() for row in done]}, indent=1, ensure_ascii=False)
            options.out.write_text(text + "\n", encoding="utf-8")
    return 0


def show(row: Row) -> None:
    """Print a row and its figures."""
    ratio = "" if row.ratio is None else f": {row.ratio.median:.2f} × (wall)"
    print(f"{row.stage}, {row.title}{ratio}", flush=True)
    for check in row.checks:
        print(f"    {check.what}: {check.value:.5g} {check.unit} {check.target} {check.verdict}".rstrip())


def flow(bench: Bench) -> list[Row]:
    """Batched TV-L1 on pairs of the demo's clips as they are drawn, without a video file."""
    return [flow_torch.on_gpu(bench, pairs(CLIPS))]


def pairs(count: int) -> list[Pair]:
    """Return ten pairs of each of the demo's clips, from beginning to end."""
    made = []
    for plan in demo.plan(clips=count):
        grays = [
            cv2.cvtColor(cv2.resize(frame, (256, 256), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
            for frame in demo.render(plan)
        ]
        following = list(itertools.pairwise(grays))
        for at in np.linspace(0, len(following) - 1, 10).round().astype(int):
            made.append(Pair(plan.name, "moving", *following[at]))
    return made


def rate(bench: Bench) -> list[Row]:
    """A large network's share of the card's matrix rate."""
    if find_spec("open_clip") is None:
        bench.say("rate left out: open_clip is missing")
        return []
    return [deep.large(bench, "cuda:0")]


def video(bench: Bench) -> list[Row]:
    """Networks for video with channels last, as the engine has them, and first."""
    return [video_network(bench, name, "cuda:0") for name in VIDEO_NETWORKS]


def video_network(bench: Bench, name: str, device: str) -> Row:
    import torch

    from memfeat.extraction.deep.runner import exact_float32

    network = get_network(name)
    row = Row("deep-video-rate-gpu", f"{name} on {deep.described(device)}", "clip")
    shape = network.prepare(np.zeros((64, 64, 3), np.uint8)).shape
    for layout in (torch.channels_last_3d, torch.contiguous_format):
        module = network.build().eval().requires_grad_(False).to(device).to(memory_format=layout)
        batch = torch.randn(CLIP_BATCH, 3, CLIP_FRAMES, *shape[1:], device=device).to(memory_format=layout)
        for kind in (torch.float32, torch.bfloat16):
            bench.say(f"{name}, {kind}, {layout}")
            half = torch.autocast(device.partition(":")[0], kind, enabled=kind != torch.float32)
            with exact_float32(), torch.inference_mode(), half:
                shortest = min(deep.seconds_of(lambda m=module, b=batch: m(b), device) for _ in range(3))
            row.check(f"clips per second, {kind}, {layout}".replace("torch.", ""), CLIP_BATCH / shortest)
    return row


def engine(bench: Bench) -> list[Row]:
    """Files to features by the engine and by the way of most scripts."""
    if any(find_spec(library) is None for library in ("open_clip", "av")):
        bench.say("engine left out: open_clip or av is missing")
        return []
    paths = clips.generated(bench.folder / "generated", QUICK.clips, say=bench.say)
    whole = Bench(QUICK, paths, bench.folder, bench.say).whole
    many = [whole[number % len(whole)] for number in range(deep.GPU_VIDEOS)]
    return deep.stages(bench, many, "cuda:0", threads=deep.GPU_THREADS)


STAGES: dict[str, Callable[[Bench], list[Row]]] = {
    "flow": flow, "rate": rate, "video": video, "engine": engine,
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
