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
from memfeat.networks.tvl1_iterations import Linearised, Rules
from memfeat.networks.tvl1_sampling import median_filtered

torch.set_num_threads(1)
flow = torch.randn(3, 2, 33, 32)
for size in (3, 5):
    smooth, expected = flow.clone(), flow.clone()
    expected[[0, 2]] = median_filtered(flow[[0, 2]], size)
    tvl1_triton._smooth(flow, smooth, torch.tensor([0, 2], dtype=torch.int32), size)
    assert torch.equal(smooth, expected), "the median, of the pairs that are asked for"

tvl1_triton.try_out(torch.device("cpu"))

# Pairs that end early, late and never; one row, one column, several programs of a pair; both numbers of iterations.
torch.manual_seed(0)
for height, width, inner, median in ((1, 40, 3, 0), (40, 1, 4, 3), (21, 50, 11, 5), (21, 50, 12, 0)):
    flow, gradient = torch.randn(5, 2, height, width), torch.randn(5, 2, height, width)
    strength = torch.tensor([0, 1e-3, 0.03, 0.3, 1]).reshape(5, 1, 1, 1)
    flow, gradient = flow * strength, gradient * strength
    linear = Linearised(gradient, 1 / (gradient**2).sum(1).clamp(min=1e-3), torch.randn(5, height, width))
    rules = Rules(tau=0.25, bound=0.03, tolerance=1e-4 * height * width, outer=3, inner=inner, median=median)
    results = []
    for relax in (tvl1_iterations.relax, tvl1_triton.relax):
        both = flow.clone(), flow.new_zeros(5, 2, 2, height, width)
        relax(*both, linear, rules)
        results.append(both)
    for plain, ours in zip(*results):
        assert float((plain - ours).abs().max()) < 1e-4, (height, width, inner, median)
    alone = flow[2:3].clone(), flow.new_zeros(1, 2, 2, height, width)
    tvl1_triton.relax(*alone, Linearised(*(part[2:3] for part in linear)), rules)
    assert all(torch.equal(one[0], both[2]) for one, both in zip(alone, results[1]))

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
import subprocess, sys
from pathlib import Path
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from memfeat.networks import tvl1_triton as kernels

folder = Path(sys.argv[1])
tool = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"
iterate = ["*fp32"] * 9 + ["*i32", "i32", "*i32", "i32", "i32"] + ["fp32"] * 3
median = ["*fp32"] * 2 + ["*i32", "i32", "i32"]
pixels = {"PIXELS": kernels._PIXELS}
assert [each.name for each in kernels._iterate.params if each.do_not_specialize] == ["side"]
for kernel, types, constants, ones, capability in (
    (kernels._iterate, iterate, {"TILES": 128, **pixels}, (), 90),
    (kernels._iterate, iterate, {"TILES": 1, **pixels}, ("height",), 90),
    (kernels._iterate, iterate, {"TILES": 128, **pixels}, (), 80),
    (kernels._median25, median, pixels, (), 90),
    (kernels._median25, median, pixels, ("width",), 90),
):
    names = kernel.arg_names
    # An argument that is 1 is compiled in, as Triton does by itself.
    types = ["constexpr" if name in ones else kind for name, kind in zip(names, types)]
    signature = dict(zip(names, types + ["constexpr"] * len(constants), strict=True))
    values = {(names.index(name),): value for name, value in {**constants, **dict.fromkeys(ones, 1)}.items()}
    aligned = {(number,): [["tt.divisibility", 16]] for number, kind in enumerate(types) if kind[0] == "*"}
    made = triton.compile(
        ASTSource(kernel, signature, values, aligned),
        target=GPUTarget("cuda", capability, 32),
        options={"num_warps": kernels._WARPS},
    )
    file = folder / "kernel.cubin"
    file.write_bytes(made.asm["cubin"])
    if tool.is_file():
        said = subprocess.run([tool, "--dump-resource-usage", file], capture_output=True, text=True).stdout
        used = dict(part.split(":") for part in said.split() if part.startswith(("REG", "STACK", "LOCAL")))
        assert used["STACK"] == used["LOCAL"] == "0" and int(used["REG"]) <= 96, (kernel.__name__, used)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Triton compiles for NVIDIA's GPUs on Linux")
def test_kernels_compile_for_gpus_that_are_not_here_and_spill_no_registers(tmp_path: Path) -> None:
    environment = {**os.environ, "TRITON_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    environment.pop("TRITON_INTERPRET", None)
    done = subprocess.run(
        [sys.executable, "-c", COMPILE, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
