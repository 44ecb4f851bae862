"""TV-L1's GPU kernels, run line by line on the CPU by Triton's interpreter: they find what plain torch finds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra deep")
pytest.importorskip("triton", reason="torch's builds for this platform come without Triton")

ROOT = Path(__file__).resolve().parents[2]

COMPARE = """
import numpy as np, torch
from memfeat.networks import tvl1_iterations, tvl1_triton
from memfeat.networks.tvl1 import BatchedTVL1
from memfeat.networks.tvl1_sampling import median_filtered

torch.set_num_threads(1)
flow = torch.randn(3, 2, 33, 32)
expected = flow.clone()
expected[[0, 2]] = median_filtered(flow[[0, 2]], 5)
tvl1_triton._smooth(flow, torch.tensor([0, 2], dtype=torch.int32), 5)
assert torch.equal(flow, expected), "the median, of the pairs that are asked for"

tvl1_triton.try_out(torch.device("cpu"))

first = np.random.default_rng(0).integers(0, 256, (2, 20, 23), dtype=np.uint8)
first[0] = np.arange(23) * 9
second = np.roll(first, 1, axis=2)
solver = BatchedTVL1(n_scales=2, warps=1, inner_iterations=11, outer_iterations=2, batch_size=2, median=3)
plain = solver.flow(first, second)
solver._relax = tvl1_triton.relax
assert float((solver.flow(first, second) - plain).abs().max()) < 1e-3
assert plain.abs().mean() > 0.01
"""


def test_kernels_find_what_plain_torch_finds() -> None:
    environment = {**os.environ, "TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", COMPARE], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


COMPILE = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from memfeat.networks import tvl1_triton as kernels

floats, pairs, sizes = ["*fp32"], ["*i32"], ["i32", "i32"]
shape = {"TILES": 64, "PIXELS": 1024}
for kernel, types, constants in (
    (kernels._primal, floats * 7 + pairs + sizes + ["fp32"] * 3, shape),
    (kernels._dual, floats * 3 + pairs + sizes + ["fp32"], shape),
    (kernels._median25, floats * 2 + pairs + sizes, {"PIXELS": 1024}),
):
    names = kernel.arg_names
    signature = dict(zip(names, types + ["constexpr"] * len(constants), strict=True))
    values = {(names.index(name),): value for name, value in constants.items()}
    made = triton.compile(ASTSource(kernel, signature, values), target=GPUTarget("cuda", 90, 32))
    assert len(made.asm["cubin"]) > 1000
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Triton compiles for NVIDIA's GPUs on Linux")
def test_kernels_compile_for_a_gpu_that_is_not_here(tmp_path: Path) -> None:
    environment = {**os.environ, "TRITON_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    environment.pop("TRITON_INTERPRET", None)
    done = subprocess.run(
        [sys.executable, "-c", COMPILE], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
