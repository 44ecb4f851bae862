"""Batched TV-L1: agreement with the compiled solver and with OpenCV, and no pair that shows in another's flow."""

from __future__ import annotations

import itertools
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from skimage import data

torch = pytest.importorskip("torch", reason="needs the extra deep")

from memfeat import networks
from memfeat.demo import make_demo
from memfeat.errors import SetupError, UsageError
from memfeat.kernels.tvl1 import TVL1, mean_magnitude
from memfeat.networks import tvl1_iterations
from memfeat.networks.tvl1 import BatchedTVL1
from memfeat.video import open_video

Gray = npt.NDArray[np.uint8]
Batch = tuple[Gray, Gray]
CUT = 25.0
"""Mean change in grey levels from which the scheme does not converge."""


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def moved(height: int, width: int, *, count: int) -> Batch:
    """Parts of a photograph, and the same after a shift, a turn and a zoom."""
    photograph = cv2.resize(data.camera(), (2 * width, 2 * height), interpolation=cv2.INTER_AREA)
    window = (slice(height // 2, height // 2 + height), slice(width // 2, width // 2 + width))
    after = []
    for number in range(count):
        generator = np.random.default_rng(number)
        matrix = cv2.getRotationMatrix2D(
            (width, height), generator.uniform(-3, 3), generator.uniform(0.97, 1.03)
        )
        matrix[:, 2] += generator.uniform(-2, 2, 2)
        after.append(
            cv2.warpAffine(photograph, matrix, (2 * width, 2 * height), flags=cv2.INTER_CUBIC)[window]
        )
    return np.stack([photograph[window]] * count), np.stack(after)


def clip_pairs(paths: list[Path], *, each: int, size: int) -> Batch:
    """Consecutive frames of clips, grey and small, without scene cuts."""
    firsts, seconds = [], []
    for path in paths:
        with open_video(path) as video:
            grays = [frame.gray.copy() for frame in itertools.islice(video, 30)]
        small = [cv2.resize(gray, (size, size), interpolation=cv2.INTER_AREA) for gray in grays]
        calm = [two for two in itertools.pairwise(small) if cv2.absdiff(*two).mean() < CUT]
        for at in np.linspace(0, len(calm) - 1, each).round().astype(int):
            firsts.append(calm[at][0])
            seconds.append(calm[at][1])
    return np.stack(firsts), np.stack(seconds)


def compiled(first: Gray, second: Gray, **parameters: Any) -> npt.NDArray[np.float32]:
    return np.stack([TVL1(**parameters).flow(*pair) for pair in zip(first, second, strict=True)])


def end_point_errors(flows: Any, references: Any) -> npt.NDArray[np.float64]:
    return np.array([mean_magnitude(a - b) for a, b in zip(flows, references, strict=True)])


def assert_agreement(first: Gray, second: Gray) -> None:
    """The bounds that the compiled solver is held to against OpenCV."""
    reference = compiled(first, second)
    flow = BatchedTVL1().flow(first, second).numpy()
    lengths = np.array([mean_magnitude(each) for each in reference])
    moving = lengths > 0.1
    assert moving.sum() >= 8
    relative = np.abs([mean_magnitude(each) for each in flow] / lengths - 1)[moving]
    assert np.median(relative) <= 1e-3
    assert np.percentile(relative, 95) <= 0.01
    assert end_point_errors(flow, reference).mean() <= 0.02


def test_agrees_with_the_compiled_solver_on_generated_clips(tmp_path: Path) -> None:
    paths = sorted((make_demo(tmp_path, clips=4) / "clips").glob("*.mp4"))
    assert_agreement(*clip_pairs(paths, each=3, size=96))


def test_agrees_with_the_compiled_solver_on_real_clips(shared_data: Path) -> None:
    paths = sorted((shared_data / "clips").glob("*.mp4"))[:6]
    assert_agreement(*clip_pairs(paths, each=3, size=128))


@pytest.mark.parametrize(
    ("height", "width"), [(64, 64), (41, 67), (18, 262), (15, 15), (5, 40), (40, 5), (3, 3)]
)
def test_any_size_agrees_with_opencv(height: int, width: int) -> None:
    first, second = moved(height, width, count=2)
    solver = cv2.optflow.DualTVL1OpticalFlow_create()
    reference = [solver.calc(*pair, None) for pair in zip(first, second, strict=True)]
    flow = BatchedTVL1().flow(first, second)
    assert flow.shape == (2, height, width, 2)
    assert flow.dtype == torch.float32
    assert mean_magnitude(np.stack(reference)) > 0.3
    assert end_point_errors(flow.numpy(), reference).max() < 0.03


@pytest.mark.parametrize("shape", [(1, 7), (7, 1), (1, 1), (2, 19)])
def test_images_of_a_line_or_a_point(shape: tuple[int, int]) -> None:
    first, second = np.random.default_rng(0).integers(0, 256, (2, 3, *shape), dtype=np.uint8)
    flow = BatchedTVL1().flow(first, second).numpy()
    assert end_point_errors(flow, compiled(first, second)).max() < 0.03


@pytest.mark.parametrize(
    "parameters",
    [
        {"tau": 0.1},
        {"lambda_": 0.05},
        {"theta": 0.5},
        {"n_scales": 1},
        {"n_scales": 9, "scale_step": 0.6},
        {"warps": 1},
        {"epsilon": 0.1},
        {"inner_iterations": 3, "outer_iterations": 2},
        {"median": 3},
        {"median": 0},
    ],
    ids=str,
)
def test_every_parameter_means_the_same(parameters: dict[str, Any]) -> None:
    first, second = moved(40, 48, count=1)
    flow = BatchedTVL1(**parameters).flow(first, second).numpy()
    assert end_point_errors(flow, compiled(first, second, **parameters)).max() < 0.03
    assert end_point_errors(flow, compiled(first, second)).max() > 1e-3


def test_levels_are_those_of_the_compiled_solver() -> None:
    for (height, width), step in itertools.product(
        [(256, 256), (33, 70), (20, 21), (5, 9)], [0.8, 0.5, 0.95]
    ):
        solver = TVL1(scale_step=step)
        solver._prepare((height, width))
        sizes = BatchedTVL1(scale_step=step)._sizes(height, width)
        assert sizes == [level.shape for level in solver._levels]


def test_a_pair_does_not_depend_on_its_batch() -> None:
    """To the bit, though pairs end at different times and the first two do not converge."""
    first, second = moved(36, 41, count=6)
    first[0], second[1] = 0, np.random.default_rng(0).integers(0, 256, first.shape[1:])
    second[2] = first[2]
    second[3] = np.roll(first[3], 1, axis=1)
    few = {"outer_iterations": 4}
    alone = torch.cat([BatchedTVL1(**few).flow(first[k : k + 1], second[k : k + 1]) for k in range(6)])
    for batch_size in (2, 6):
        solver = BatchedTVL1(batch_size=batch_size, **few)
        assert torch.equal(solver.flow(first, second), alone)
        assert torch.equal(solver.flow(first[::-1], second[::-1]).flip(0), alone)
    assert not alone[2].any()


def test_one_pair_among_many_that_end_at_once() -> None:
    first, second = moved(32, 32, count=2)
    many = np.repeat(first[:1], 9, axis=0)
    others = np.clip(many.astype(int) + 1, 0, 255).astype(np.uint8)
    many[4], others[4] = first[1], second[1]
    flow = BatchedTVL1(batch_size=9).flow(many, others)
    assert torch.equal(flow[4:5], BatchedTVL1().flow(first[1:], second[1:]))


def test_floats_are_on_the_scale_of_uint8() -> None:
    first, second = moved(32, 40, count=2)
    expected = BatchedTVL1().flow(first, second)
    for kind in (np.float32, np.float64):
        assert torch.equal(BatchedTVL1().flow(first.astype(kind), second.astype(kind)), expected)
    assert torch.equal(BatchedTVL1().flow(torch.tensor(first), torch.tensor(second).half()), expected)
    between = first.astype(np.float32) + 0.25
    assert not torch.equal(BatchedTVL1().flow(between, second), expected)


def test_any_memory_layout_will_do_and_images_stay_as_they_are() -> None:
    first, second = moved(32, 40, count=3)
    expected = BatchedTVL1().flow(first, second)
    copies = first.copy(), second.copy()
    first.flags.writeable = False
    flow = BatchedTVL1().flow(first, np.asfortranarray(second)[:, ::-1][:, ::-1])
    assert torch.equal(flow, expected)
    np.testing.assert_array_equal((first, second), copies)


@pytest.mark.parametrize("levels", [(0, 0), (0, 255), (255, 254)])
def test_constant_images_have_no_flow(levels: tuple[int, int]) -> None:
    first, second = (np.full((2, 40, 33), level, np.uint8) for level in levels)
    assert not BatchedTVL1().flow(first, second).any()


@pytest.mark.parametrize(
    "parameters",
    [
        {"tau": 1, "theta": 1e-4, "lambda_": 1e6},
        {"tau": 1e-6, "theta": 1e4, "lambda_": 1e-6},
        {"tau": 1e-6, "theta": 1e4, "lambda_": 1e6},
        {"epsilon": 1e6},
        {"epsilon": 0},
    ],
    ids=str,
)
def test_parameters_at_their_bounds_give_finite_flow(parameters: dict[str, Any]) -> None:
    solver = BatchedTVL1(**parameters, inner_iterations=9)
    assert solver.flow(*moved(24, 24, count=2)).isfinite().all()


def test_mean_magnitudes_are_those_of_the_flow() -> None:
    first, second = moved(32, 40, count=3)
    solver = BatchedTVL1(batch_size=2)
    lengths = solver.mean_magnitudes(first, second)
    assert lengths.dtype == torch.float64
    expected = [mean_magnitude(flow.numpy()) for flow in solver.flow(first, second)]
    np.testing.assert_allclose(lengths, expected, rtol=1e-6)


def test_no_pair_at_all() -> None:
    none = np.zeros((0, 16, 17), np.uint8)
    assert BatchedTVL1().flow(none, none).shape == (0, 16, 17, 2)
    assert BatchedTVL1().mean_magnitudes(none, none).shape == (0,)


def test_parameters_and_provenance_are_recorded() -> None:
    given = {"epsilon": 0.05, "median": 3, "warps": 2, "n_scales": 2}
    assert BatchedTVL1(**given).parameters() == TVL1(**given).parameters()
    assert BatchedTVL1().provenance() == {"device": "cpu", "torch": torch.__version__, "backend": "torch"}


def test_kernels_that_do_not_compile_are_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    def try_out(device: Any) -> None:
        raise OSError("no compiler\nhere")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "device", lambda device: nullcontext())
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "a card")
    monkeypatch.setattr(networks, "tvl1_triton", SimpleNamespace(try_out=try_out), raising=False)
    solver = BatchedTVL1(device="cuda")
    assert solver._relax is tvl1_iterations.relax
    assert solver.provenance() == {
        "device": "a card",
        "torch": torch.__version__,
        "backend": "torch",
        "note": "without Triton: OSError: no compiler here",
    }


def test_a_gpu_takes_as_many_pairs_as_half_its_memory_holds(monkeypatch) -> None:
    solver = BatchedTVL1()
    solver.batch_size, solver._fitted = 1024, True
    memory = SimpleNamespace(total_memory=80 * 2**30)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: memory)
    assert solver._most(256, 256) == 1024
    assert solver._most(1080, 1920) == 161
    memory.total_memory = 2**30
    assert solver._most(1080, 1920) == 2
    assert solver._most(5000, 8000) == 1
    solver._fitted = False
    assert solver._most(5000, 8000) == 1024


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_no_gpu_is_a_clear_error() -> None:
    with pytest.raises(SetupError, match="sees no GPU.*device cpu"):
        BatchedTVL1(device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_agrees_with_the_cpu() -> None:
    first, second = moved(96, 80, count=8)
    solver = BatchedTVL1(device="cuda")
    flow = solver.flow(first, second).cpu().numpy()
    assert end_point_errors(flow, BatchedTVL1().flow(first, second).numpy()).mean() <= 0.02
    small = BatchedTVL1(device="cuda", batch_size=3).flow(first, second).cpu().numpy()
    np.testing.assert_allclose(flow, small, atol=1e-6)


@pytest.mark.parametrize(
    ("images", "shown"),
    [
        (np.zeros((8, 8), np.uint8), r"uint8 \(8, 8\).*image\[None\]"),
        (np.zeros((2, 8, 8), np.int32), "int32"),
        (np.zeros((2, 0, 8), np.uint8), r"\(2, 0, 8\)"),
        (torch.zeros(2, 8, 8, dtype=torch.int64), "int64"),
        (np.full((2, 8, 8), np.nan), "not finite"),
        ([[[1, 2], [3, 4]]], "list"),
    ],
)
def test_refuses_what_are_no_grey_images(images: Any, shown: str) -> None:
    good = np.zeros((2, 8, 8), np.uint8)
    for pair in ((images, good), (good, images)):
        with pytest.raises(UsageError, match=shown):
            BatchedTVL1().flow(*pair)
        with pytest.raises(UsageError, match=shown):
            BatchedTVL1().mean_magnitudes(*pair)


def test_refuses_batches_of_two_shapes() -> None:
    with pytest.raises(UsageError, match=r"\(2, 8, 8\) and \(2, 8, 9\)"):
        BatchedTVL1().flow(np.zeros((2, 8, 8), np.uint8), np.zeros((2, 8, 9), np.uint8))
    with pytest.raises(UsageError, match=r"\(2, 8, 8\) and \(1, 8, 8\)"):
        BatchedTVL1().flow(np.zeros((2, 8, 8), np.uint8), np.zeros((1, 8, 8), np.uint8))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"tau": 2}, "tau must be"),
        ({"median": 4}, "median must be"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"batch_size": 1.5}, "batch_size must be"),
        ({"batch_size": 65536}, "batch_size must be"),
        ({"device": "gpu"}, "'gpu'"),
    ],
    ids=str,
)
def test_refuses_parameters_out_of_range(given: dict[str, Any], shown: str) -> None:
    with pytest.raises(UsageError, match=shown):
        BatchedTVL1(**given)
