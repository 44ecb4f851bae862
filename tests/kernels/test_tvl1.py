"""TV-L1 optical flow against OpenCV, against the scheme written out in numpy, and against known motion."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from memfeat.errors import UsageError
from memfeat.kernels import tvl1_loops
from memfeat.kernels.tvl1 import TVL1, mean_magnitude, warm_up

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

SETTERS = {
    "tau": "setTau",
    "lambda_": "setLambda",
    "theta": "setTheta",
    "n_scales": "setScalesNumber",
    "warps": "setWarpingsNumber",
    "epsilon": "setEpsilon",
    "inner_iterations": "setInnerIterations",
    "outer_iterations": "setOuterIterations",
    "scale_step": "setScaleStep",
    "median": "setMedianFiltering",
}


def moved(
    height: int, width: int, *, turn: float = 2.0, zoom: float = 1.02, seed: int = 0
) -> tuple[Gray, Gray]:
    """A part of a photograph, and the same after a shift, a turn (degrees) and a zoom."""
    photograph = cv2.resize(data.camera(), (2 * width, 2 * height), interpolation=cv2.INTER_AREA)
    matrix = cv2.getRotationMatrix2D((width, height), turn, zoom)
    matrix[:, 2] += np.random.default_rng(seed).uniform(-2, 2, 2)
    after = cv2.warpAffine(photograph, matrix, (2 * width, 2 * height), flags=cv2.INTER_CUBIC)
    window = (slice(height // 2, height // 2 + height), slice(width // 2, width // 2 + width))
    return photograph[window].copy(), after[window].copy()


def shifted(height: int, width: int, to_right: int, down: int) -> tuple[Gray, Gray]:
    """Blurred noise that moves by whole pixels, with new content at the borders."""
    noise = np.random.default_rng(1).uniform(0, 255, (height + 16, width + 16)).astype(np.float32)
    texture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX, cv2.CV_8U)
    first = texture[8 : 8 + height, 8 : 8 + width]
    second = texture[8 - down : 8 - down + height, 8 - to_right : 8 - to_right + width]
    return first.copy(), second.copy()


def opencv(first: npt.NDArray[Any], second: npt.NDArray[Any], **parameters: Any) -> Floats:
    solver = cv2.optflow.DualTVL1OpticalFlow_create()
    for name, value in parameters.items():
        getattr(solver, SETTERS[name])(value)
    return solver.calc(first, second, None)


def noise_floor(first: Gray, second: Gray, reference: Floats, **parameters: Any) -> float:
    """How far OpenCV moves from its own result when each pixel changes by 1e-4 grey levels."""
    signs = np.random.default_rng(5).choice([-1e-4, 1e-4], (2, *first.shape))
    noisy = ((np.stack([first, second]) + signs) / 255).astype(np.float32)
    return end_point_error(opencv(*noisy, **parameters), reference)


def end_point_error(flow: Floats, reference: Floats) -> float:
    return mean_magnitude(flow - reference)


def written_out(first: Gray, second: Gray, iterations: int, epsilon: float) -> tuple[Floats, int]:
    """The scheme on one level from zero flow, in double precision, as the paper has it; and its iterations."""
    tau, lambda_, theta = 0.25, 0.15, 0.3
    before, after = first.astype(float), second.astype(float)
    edge = np.pad(after, 1, mode="edge")
    slope = np.stack([edge[1:-1, 2:] - edge[1:-1, :-2], edge[2:, 1:-1] - edge[:-2, 1:-1]]) / 2
    steepness = np.maximum((slope**2).sum(axis=0), 1e-7)
    u = np.zeros((2, *first.shape))
    p = np.zeros((2, 2, *first.shape))
    done, moving = 0, True
    while moving and done < iterations:
        done += 1
        rho = after - before + (slope * u).sum(axis=0)
        v = u + np.clip(-rho / steepness, -lambda_ * theta, lambda_ * theta) * slope
        divergence = np.diff(p[:, 0], axis=2, prepend=0) + np.diff(p[:, 1], axis=1, prepend=0)
        change = v + theta * divergence - u
        u = u + change
        dx = np.diff(u, axis=2, append=u[:, :, -1:])
        dy = np.diff(u, axis=1, append=u[:, -1:])
        p = (p + tau / theta * np.stack([dx, dy], axis=1)) / (1 + tau / theta * np.hypot(dx, dy))[:, None]
        moving = (change**2).sum() > epsilon**2 * first.size
    return np.moveaxis(u, 0, -1).astype(np.float32), done


@pytest.mark.parametrize(
    ("height", "width"), [(64, 64), (96, 80), (41, 67), (18, 262), (15, 15), (5, 40), (40, 5), (3, 3)]
)
def test_agrees_with_opencv(height: int, width: int) -> None:
    first, second = moved(height, width)
    reference = opencv(first, second)
    flow = TVL1().flow(first, second)
    assert flow.shape == (height, width, 2)
    assert flow.dtype == np.float32
    assert mean_magnitude(reference) > 0.3
    assert end_point_error(flow, reference) < max(0.03, 3 * noise_floor(first, second, reference))
    assert mean_magnitude(flow) == pytest.approx(mean_magnitude(reference), rel=0.01)


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
        {"inner_iterations": 5},
        {"median": 3},
        {"median": 0},
    ],
    ids=str,
)
def test_every_parameter_means_what_it_means_in_opencv(parameters: dict[str, Any]) -> None:
    first, second = moved(48, 56, seed=2)
    reference = opencv(first, second, **parameters)
    flow = TVL1(**parameters).flow(first, second)
    assert end_point_error(flow, reference) < max(
        0.03, 3 * noise_floor(first, second, reference, **parameters)
    )
    assert end_point_error(flow, TVL1().flow(first, second)) > 1e-3


def test_parameters_make_the_same_solver_again() -> None:
    given_ones = {"epsilon": 0.05, "median": 3, "warps": 2, "n_scales": 2}
    solver = TVL1(**given_ones)
    assert solver.parameters().items() >= given_ones.items()
    pair = moved(32, 32)
    np.testing.assert_array_equal(solver.flow(*pair), TVL1(**solver.parameters()).flow(*pair))


@pytest.mark.parametrize(("height", "width"), [(23, 31), (6, 270), (9, 513), (4, 256), (17, 16), (1, 7)])
@pytest.mark.parametrize(("iterations", "epsilon"), [(1, 0.0), (2, 0.0), (60, 0.0), (60, 0.05)])
def test_iterations_are_those_of_the_paper(height: int, width: int, iterations: int, epsilon: float) -> None:
    first, second = shifted(height, width, 1, -1)
    expected, done = written_out(first, second, iterations, epsilon)
    assert done < iterations or not epsilon
    solver = TVL1(
        n_scales=1, warps=1, median=0, outer_iterations=1, inner_iterations=iterations, epsilon=epsilon
    )
    np.testing.assert_allclose(solver.flow(first, second), expected, atol=2e-4)


@pytest.mark.parametrize(("to_right", "down"), [(2, -1), (-3, 0), (0, 4)])
def test_recovers_a_translation(to_right: int, down: int) -> None:
    flow = TVL1().flow(*shifted(64, 64, to_right, down))
    inside = flow[8:-8, 8:-8]
    assert np.median(np.hypot(inside[..., 0] - to_right, inside[..., 1] - down)) < 0.1


def test_a_still_picture_has_no_flow() -> None:
    still, after = moved(40, 50)
    solver = TVL1()
    assert not solver.flow(still, still).any()
    solver.push(still)
    assert not solver._solve(0, 0).any(), "the iterations find what the short cut for equal frames says"
    # A repeated frame does not end the sequence.
    assert not solver.push(still).any()
    np.testing.assert_array_equal(solver.push(after), TVL1().flow(still, after))


@pytest.mark.parametrize("levels", [(0, 0), (0, 255), (255, 254)])
def test_constant_frames_give_zero_flow(levels: tuple[int, int]) -> None:
    first, second = (np.full((40, 33), level, np.uint8) for level in levels)
    np.testing.assert_array_equal(TVL1().flow(first, second), 0)


def test_a_stream_equals_its_pairs() -> None:
    first, second = moved(48, 40)
    frames = [first, second, second, np.roll(first, 1, axis=1), np.zeros_like(first), first]
    solver = TVL1()
    assert solver.push(frames[0]) is None
    for before, after in pairwise(frames):
        flow = solver.push(after)
        assert flow is not None
        np.testing.assert_array_equal(flow, TVL1().flow(before, after))
    solver.reset()
    assert solver.push(second) is None


def test_memory_is_reused_without_a_trace() -> None:
    pairs = [moved(48, 40, seed=0), moved(48, 40, seed=1), moved(20, 70, seed=2)]
    solver = TVL1()
    alone = [TVL1().flow(*pair) for pair in pairs]
    for k in (0, 1, 0, 2, 1, 2, 0):
        np.testing.assert_array_equal(solver.flow(*pairs[k]), alone[k])


def test_flow_belongs_to_the_caller_and_images_stay_as_they_are() -> None:
    first, second = moved(32, 32)
    copies = first.copy(), second.copy()
    solver = TVL1()
    flow = solver.flow(first, second)
    kept = flow.copy()
    solver.flow(second, first)
    np.testing.assert_array_equal(flow, kept)
    np.testing.assert_array_equal((first, second), copies)


def test_any_memory_layout_will_do() -> None:
    first, second = moved(32, 40)
    expected = TVL1().flow(first, second)
    np.testing.assert_array_equal(TVL1().flow(np.asfortranarray(first), second[::-1][::-1]), expected)
    first.flags.writeable = second.flags.writeable = False
    np.testing.assert_array_equal(TVL1().flow(first, second), expected)


def test_each_thread_may_have_its_own_solver() -> None:
    pairs = [moved(48, 48, seed=seed) for seed in range(4)]
    alone = [TVL1().flow(*pair) for pair in pairs]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda pair: TVL1().flow(*pair), pairs))
    np.testing.assert_array_equal(together, alone)


@settings(max_examples=30, deadline=None)
@given(
    height=st.integers(1, 45),
    width=st.integers(1, 45),
    seed=st.integers(0, 9),
    scale_step=st.sampled_from([0.1, 0.5, 0.77, 0.8, 0.95]),
)
def test_any_size_and_content_gives_finite_flow(
    height: int, width: int, seed: int, scale_step: float
) -> None:
    images = np.random.default_rng(seed).integers(0, 256, (2, height, width), dtype=np.uint8)
    flow = TVL1(inner_iterations=4, outer_iterations=2, scale_step=scale_step).flow(*images)
    assert flow.shape == (height, width, 2)
    assert np.isfinite(flow).all()


@pytest.mark.parametrize(
    "parameters",
    [
        {"tau": 1},
        {"tau": 1, "theta": 1e-4, "lambda_": 1e6},
        {"tau": 1e-6, "theta": 1e4, "lambda_": 1e-6},
        {"tau": 1e-6, "theta": 1e4, "lambda_": 1e6},
        {"epsilon": 1e6},
        {"epsilon": 0},
    ],
    ids=str,
)
def test_parameters_at_their_bounds_give_finite_flow(parameters: dict[str, Any]) -> None:
    assert np.isfinite(TVL1(**parameters, inner_iterations=9).flow(*moved(24, 24))).all()


@pytest.mark.parametrize(
    ("image", "shown"),
    [
        (np.zeros((8, 8), np.float32), "float32 .8, 8."),
        (np.zeros((8, 8, 3), np.uint8), "uint8 .8, 8, 3."),
        (np.zeros((0, 8), np.uint8), "uint8 .0, 8."),
        ([[1, 2], [3, 4]], "list"),
    ],
)
def test_refuses_what_is_no_grey_image(image: Any, shown: str) -> None:
    good = np.zeros((8, 8), np.uint8)
    for call in (
        lambda: TVL1().push(image),
        lambda: TVL1().flow(image, good),
        lambda: TVL1().flow(good, image),
    ):
        with pytest.raises(UsageError, match=shown):
            call()


def test_refuses_images_of_two_sizes() -> None:
    small, large = np.zeros((8, 8), np.uint8), np.zeros((8, 9), np.uint8)
    with pytest.raises(UsageError, match=r"\(8, 8\) and \(8, 9\)"):
        TVL1().flow(small, large)
    solver = TVL1()
    solver.push(small)
    with pytest.raises(UsageError, match=r"\(8, 8\) so far, now \(8, 9\).*reset"):
        solver.push(large)
    assert not solver.push(small).any(), "the sequence goes on after a refused frame"
    solver.reset()
    assert solver.push(large) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tau", 0),
        ("tau", 2),
        ("tau", float("nan")),
        ("lambda_", -1),
        ("theta", "0.3"),
        ("theta", 0),
        ("n_scales", 0),
        ("n_scales", 2.0),
        ("warps", 0),
        ("epsilon", -0.1),
        ("epsilon", float("inf")),
        ("inner_iterations", 0),
        ("outer_iterations", -3),
        ("scale_step", 1),
        ("scale_step", 0),
        ("median", 4),
        ("median", 7),
    ],
)
def test_refuses_parameters_out_of_range(name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=rf"{name} must be .*; got {value!r}"):
        TVL1(**{name: value})


def test_mean_magnitude_is_the_mean_of_lengths() -> None:
    flow = np.random.default_rng(0).normal(size=(30, 40, 2)).astype(np.float32)
    assert mean_magnitude(flow) == pytest.approx(
        np.hypot(*flow.astype(float).reshape(-1, 2).T).mean(), rel=1e-6
    )
    assert mean_magnitude(np.zeros((3, 4, 2))) == 0


@pytest.mark.parametrize("shape", [(0, 0, 2), (4, 4), (4, 4, 3), ()])
def test_mean_magnitude_refuses_other_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="shape"):
        mean_magnitude(np.zeros(shape))


def test_warm_up_compiles_every_loop() -> None:
    warm_up()
    assert tvl1_loops.solve_level.nopython_signatures
    compiled = len(tvl1_loops.solve_level.nopython_signatures)
    TVL1(median=3).flow(*moved(20, 280))
    assert len(tvl1_loops.solve_level.nopython_signatures) == compiled, (
        "no other image compiles anything anew"
    )
