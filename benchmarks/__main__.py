"""Run the benchmark: ``python -m benchmarks [--quick] [--only hog,tvl1] [--clips FOLDER] [--name NAME]``."""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import math
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pyperf

from . import clips, deep, files, flow, flow_torch, frames, limits, matrix, memory, models, page, workers
from .compare import MEMFEAT, NAIVE, suite
from .report import Report, Row
from .settings import FULL, QUICK, Bench

HERE = Path(__file__).resolve().parent
STAGES: dict[str, Callable[[Bench], list[Row]]] = {
    "decode": frames.decode,
    "canvas": frames.canvas,
    "contrast": frames.contrast,
    "brightness": frames.brightness,
    "sharpness-fft": frames.sharpness,
    "blur-lps": frames.blur,
    "hog": frames.gradients,
    "h264-size": files.size,
    "tvl1": flow.tvl1,
    "tvl1-torch": flow_torch.tvl1_torch,
    "all-but-flow": files.pipeline,
    "all": files.pipeline_with_flow,
    "matrix": matrix.matrix,
    "workers": workers.workers,
    "brr": models.brr,
    "svr": models.svr,
    "deep": deep.deep,
    "memory": memory.memory,
}
LIBRARIES = (
    "memfeat", "av", "numpy", "opencv-contrib-python-headless", "numba", "scipy", "scikit-image",
    "scikit-learn", "h5py", "distributed", "pyperf",
)  # fmt: skip
# What pyperf collects about the machine, without names of hosts and folders.
MACHINE = (
    "cpu_model_name", "cpu_count", "cpu_freq", "cpu_config", "platform", "python_version", "python_implementation",
    "python_compiler", "perf_version", "timer", "load_avg_1min", "runnable_threads", "date",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    began = time.monotonic()
    line, said = "", -math.inf

    def say(text: str) -> None:
        """Overwrite one line on a terminal; elsewhere print a line now and then."""
        nonlocal said
        now = time.monotonic() - began
        shown = f"[{now:4.0f} s] {line}: {text}"
        if sys.stderr.isatty():
            print(f"\r{shown[:110]:<110}", end="", file=sys.stderr, flush=True)
        elif text == "begins" or now - said > 10:
            print(shown, file=sys.stderr, flush=True)
            said = now

    collected = pyperf.Run([1.0]).get_metadata()
    with tempfile.TemporaryDirectory(prefix="memfeat-bench-") as temporary:
        settings = QUICK if options.quick else FULL
        line = "clips"
        if options.clips:
            paths = clips.given(options.clips)[: settings.clips]
        else:
            paths = clips.generated(Path(temporary, "generated"), settings.clips, say=say)
        bench = Bench(settings, paths, Path(temporary), say)
        rows: list[Row] = []
        failed: list[str] = []
        for line in options.only or STAGES:
            if line == "memory" and not settings.memory_videos:
                continue
            say("begins")
            try:
                rows += STAGES[line](bench)
            except Exception:  # half an hour of the other stages should not be lost
                failed.append(line)
                print(f"\n{line} failed:\n{traceback.format_exc()}", file=sys.stderr)
        for row in rows:
            if row.stage in ("all", "all-but-flow"):
                row.limit = limits.total(rows, flow=row.stage == "all")
        if sys.stderr.isatty():
            print(file=sys.stderr)
        report = Report(about(bench, collected, generated=not options.clips), rows)
    folder = HERE / "results" / options.name
    if options.only and (folder / "report.json").is_file():
        report.keep_others(Report.read(folder / "report.json"))
    save(bench, report, folder, {key: collected[key] for key in MACHINE if key in collected})
    print(report.text())
    print(f"\nKept in {folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder}")
    if options.name in page.SHOWN:
        page.write(options.name)
    if failed:
        print(f"Failed, see above: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m benchmarks", description="Measure memfeat against plain code."
    )
    parser.add_argument("--quick", action="store_true", help="a sample of everything in under two minutes")
    parser.add_argument("--only", metavar="STAGES", help=f"comma-separated: {', '.join(STAGES)}")
    parser.add_argument(
        "--clips", type=Path, metavar="FOLDER", help="videos to measure on; default: generated ones"
    )
    parser.add_argument("--name", help="folder below benchmarks/results; default: what was asked for")
    options = parser.parse_args(arguments)
    if options.only:
        options.only = options.only.split(",")
        unknown = [name for name in options.only if name not in STAGES]
        if unknown:
            parser.error(f"there is no stage {unknown[0]!r}; there are {', '.join(STAGES)}")
    if options.clips and not options.clips.is_dir():
        parser.error(f"there is no folder {str(options.clips)!r}")
    if options.name is None:
        kind = "real" if options.clips else "generated"
        options.name = "partial" if options.only else f"quick-{kind}" if options.quick else kind
    return options


def about(bench: Bench, collected: dict[str, Any], *, generated: bool) -> dict[str, Any]:
    sizes = sorted({f"{clip.header.width}×{clip.header.height}" for clip in bench.clips})
    counts = [clip.frames for clip in bench.clips]
    kind = "generated" if generated else "real"
    length = f"{min(counts)} to {max(counts)}" if min(counts) < max(counts) else str(counts[0])
    return {
        "full": bench.settings == FULL,
        "machine": f"{collected.get('cpu_model_name', 'unknown processor')}, {collected['cpu_count']} cores, "
        f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "date": datetime.date.today().isoformat(),
        "load": float(collected.get("load_avg_1min", float("nan"))),
        "clips": f"{len(counts)} {kind} clips of {length} frames ({', '.join(sizes)})",
        "versions": {name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def save(bench: Bench, report: Report, folder: Path, machine: dict[str, Any]) -> None:
    """Keep the report, and the times of each implementation as a pyperf suite."""
    folder.mkdir(parents=True, exist_ok=True)
    report.write(folder / "report.json")
    metadata = {
        **machine,
        **{f"{name}_version": version for name, version in report.about["versions"].items()},
    }
    for implementation in (NAIVE, MEMFEAT):
        made = [benchmark for each in bench.comparisons for benchmark in each.benchmarks(implementation)]
        made += bench.others if implementation == MEMFEAT else []
        file = folder / f"{implementation}.json"
        stages = {row.stage for row in report.rows}
        if made:
            names = {benchmark.get_name() for benchmark in made}
            earlier = pyperf.BenchmarkSuite.load(str(file)) if file.is_file() else []
            kept = [each for each in earlier if each.get_name() not in names and each.get_name() in stages]
            suite(made, metadata, kept).dump(str(file), replace=True)


if __name__ == "__main__":
    sys.exit(main())
