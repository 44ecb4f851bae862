"""Batched TV-L1 in torch against OpenCV and the compiled solver, on one core and on a GPU where there is one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import numpy as np

from memfeat.kernels.tvl1 import TVL1, mean_magnitude

from . import clips, naive
from .clips import Pair
from .compare import MEMFEAT, Input, interleave, one_thread, timed
from .flow import MOVING, agreement
from .report import Row
from .settings import Bench

SHARE = 4
"""One in so many of the pairs that `tvl1` takes."""
CPU_BATCHES = (4, 16)
GPU_BATCHES = (64, 256, 1024)
GPU_PAIRS = 1024


def tvl1_torch(bench: Bench) -> list[Row]:
    if find_spec("torch") is None:
        bench.say("left out: torch is missing")
        return []
    import torch

    wanted = max(len(bench.clips), bench.settings.flow_pairs // SHARE)
    pairs = clips.pairs(bench.clips, per_clip=-(-wanted // len(bench.clips)), cuts=0, stills=0, say=bench.say)
    pairs = pairs[:: max(1, len(pairs) // wanted)]
    rows = [on_cpu(bench, pairs)]
    if torch.cuda.is_available():
        rows.append(on_gpu(bench, pairs))
    return rows


def on_cpu(bench: Bench, pairs: list[Pair]) -> Row:
    import torch

    from memfeat.networks.tvl1 import BatchedTVL1

    solver, compiled = BatchedTVL1(), TVL1()
    with torch_on_one_thread():
        comparison = bench.keep(
            interleave(
                "tvl1-torch",
                "pair",
                [Input(f"{pair.clip}, pair {number + 1}", pair) for number, pair in enumerate(pairs)],
                lambda pair: naive.flow(pair.first, pair.second),
                lambda pair: solver.flow(pair.first[None], pair.second[None])[0].numpy(),
                rounds=1,
                warm_naive=False,
                say=bench.say,
            )
        )
        row = Row.of(comparison, "TV-L1 in torch, one pair at a time")
        first, second = stacked(pairs)
        with one_thread():
            compiled.flow(first[0], second[0])
            bench.say("the compiled solver")
            taken, own = timed(
                lambda two: [compiled.flow(*pair) for pair in zip(*two, strict=True)],
                (first, second),
                len(pairs),
            )
            row.check(
                f"processor time over that of the compiled solver, torch {torch.__version__}",
                comparison.mean(MEMFEAT).cpu / taken.cpu,
                unit="×",
            )
            for size in CPU_BATCHES:
                bench.say(f"batches of {size}")
                work = BatchedTVL1(batch_size=size)
                taken, found = timed(lambda two, work=work: work.flow(*two), (first, second), len(pairs))
                row.check(f"milliseconds per pair in batches of {size}", taken.cpu * 1e3)
                alone = np.stack([ours for _, ours in comparison.results])
                row.check(
                    f"largest change of flow in batches of {size}",
                    np.abs(alone - found.numpy()).max(),
                    "<=",
                    1e-6,
                )
    moving = [number for number, pair in enumerate(comparison.results) if naive.magnitude(pair[0]) > MOVING]
    agreement(row, [comparison.results[number] for number in moving])
    apart = [mean_magnitude(own[number] - comparison.results[number][1]) for number in moving]
    row.check("mean end-point error against the compiled solver", np.mean(apart), "<=", 0.02)
    return row


def on_gpu(bench: Bench, pairs: list[Pair]) -> Row:
    """Wall time, with the way of 8-bit images to the GPU and of mean lengths back."""
    import torch

    from memfeat.networks.tvl1 import BatchedTVL1

    name = torch.cuda.get_device_name()
    row = Row("tvl1-torch-gpu", f"TV-L1 in torch on {name}", "pair")
    first, second = stacked(pairs)
    compiled = TVL1()
    reference = np.stack([compiled.flow(*pair) for pair in zip(first, second, strict=True)])
    many = np.resize(np.arange(len(pairs)), GPU_PAIRS)
    for size in GPU_BATCHES:
        solver = BatchedTVL1(device="cuda", batch_size=size)
        backend = solver.backend + (f" ({solver.note})" if solver.note else "")
        bench.say(f"{name}, {backend}, batches of {size}")
        solver.mean_magnitudes(first[many[:size]], second[many[:size]])
        began = time.perf_counter()
        solver.mean_magnitudes(first[many], second[many]).cpu()
        taken = (time.perf_counter() - began) / GPU_PAIRS
        what = f"{name}, {solver.backend}: wall milliseconds per pair, batches of {size}"
        if size == 256:
            row.check(what, taken * 1e3, "<=", 1)
        else:
            row.check(what, taken * 1e3)
    found = BatchedTVL1(device="cuda").flow(first, second).cpu().numpy()
    results = list(zip(reference, found, strict=True))
    agreement(row, [pair for pair in results if naive.magnitude(pair[0]) > MOVING])
    return row


def stacked(pairs: list[Pair]) -> tuple[Any, Any]:
    return np.stack([pair.first for pair in pairs]), np.stack([pair.second for pair in pairs])


@contextmanager
def torch_on_one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
