from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as np_arrays

from memfeat.errors import StoreError, UsageError
from memfeat.store.reductions import OF_FRAMES, REDUCTIONS, available, needed, reduce

FINITE = st.floats(-1e6, 1e6)
SERIES = st.integers(1, 30).flatmap(lambda n: np_arrays(np.float64, n, elements=FINITE))


@given(SERIES)
def test_scalars_over_time_reduce_as_numpy_does(values: np.ndarray) -> None:
    expected = {
        "mean": values.mean(),
        "std": values.std(),
        "first": values[0],
        "last": values[-1],
        "min": values.min(),
        "max": values.max(),
        "median": np.median(values),
    }
    assert {*expected, "stack"} == set(REDUCTIONS)
    for name, value in expected.items():
        found = reduce("x", {"values": values, "times": np.arange(len(values)) * 1.0}, name)
        assert found.shape == (1,) and found.dtype == np.float64
        np.testing.assert_allclose(found[0], value, rtol=1e-12, atol=1e-6)


def test_vectors_reduce_per_component_in_float64_and_come_back_as_float32() -> None:
    values = np.random.default_rng(0).normal(1e4, 1, (50_000, 3)).astype("f4")
    for name, expected in (("mean", values.astype("f8").mean(0)), ("std", values.astype("f8").std(0))):
        found = reduce("clip", {"values": values}, name)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, expected.astype("f4"))
    np.testing.assert_array_equal(reduce("clip", {"values": values}, "last"), values[-1])


@given(SERIES.map(np.abs), st.data())
def test_rates_are_weighted_by_time(values: np.ndarray, data: st.DataObject) -> None:
    dt = data.draw(np_arrays(np.float64, len(values), elements=st.sampled_from([0.01, 0.04, 0.5])))
    arrays = {"values": values, "dt": dt}
    mean = values.sum() / dt.sum()
    np.testing.assert_allclose(reduce("flow", arrays, "mean"), [mean], rtol=1e-9)
    variance = (dt * (values / dt - mean) ** 2).sum() / dt.sum()
    np.testing.assert_allclose(reduce("flow", arrays, "std") ** 2, [variance], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(reduce("flow", arrays, "max"), [(values / dt).max()])
    np.testing.assert_allclose(reduce("flow", arrays, "mean-per-frame"), [values.mean()], rtol=1e-9)
    np.testing.assert_allclose(reduce("flow", arrays, "std-per-frame"), [values.std()], rtol=1e-6, atol=1e-6)


def test_constant_speed_has_one_rate_however_it_is_sampled() -> None:
    dt = np.array([0.01, 0.2, 0.04])
    arrays = {"values": 30.0 * dt, "dt": dt}
    for name in ("mean", "first", "last", "min", "max", "median"):
        np.testing.assert_allclose(reduce("flow", arrays, name), [30.0])
    np.testing.assert_allclose(reduce("flow", arrays, "std"), [0.0], atol=1e-12)


def test_vectors_over_intervals_divide_by_time_too() -> None:
    values, dt = np.array([[1.0, 2.0], [3.0, 4.0]], "f4"), np.array([0.5, 1.0])
    np.testing.assert_allclose(reduce("x", {"values": values, "dt": dt}, "first"), [2.0, 4.0])
    np.testing.assert_allclose(
        reduce("x", {"values": values, "dt": dt}, "mean"), [4 / 1.5, 6 / 1.5], rtol=1e-6
    )


def test_stored_reductions_are_taken_as_they_are() -> None:
    arrays = {"first": np.array([1, 2], "f4"), "mean": np.array([3, 4], "f4")}
    assert reduce("hog", arrays, "mean") is arrays["mean"]
    with pytest.raises(UsageError, match=r"'hog' has no reduction 'std'; it has mean, first"):
        reduce("hog", arrays, "std")


def test_a_lone_number_is_its_own_mean() -> None:
    found = reduce("size", {"values": np.array(7.0)}, "mean")
    assert found.shape == (1,) and found[0] == 7.0
    with pytest.raises(UsageError, match="it has mean"):
        reduce("size", {"values": np.array(7.0)}, "std")


def test_unknown_reductions_are_listed_with_the_nearest() -> None:
    with pytest.raises(
        UsageError, match=r"mean, std, first, last, min, max, median, stack, frames\. Did you mean 'median'\?"
    ):
        reduce("x", {"values": np.zeros(2)}, "medain")
    with pytest.raises(UsageError, match="no reduction 'mean-per-frame'"):
        reduce("x", {"values": np.zeros(2)}, "mean-per-frame")
    assert available({"times": (3,)}) == []


def test_stack_is_every_step_in_order() -> None:
    values = np.arange(6, dtype="f4").reshape(3, 2)
    found = reduce("clip", {"values": values, "times": np.arange(3.0)}, "stack")
    assert found.dtype == np.float32 and found.tolist() == [0, 1, 2, 3, 4, 5]
    flow = {"values": np.array([2.0, 3.0]), "dt": np.array([0.5, 2.0])}
    assert reduce("flow", flow, "stack").tolist() == [4.0, 1.5]
    assert reduce("flow", flow, "stack-per-frame").tolist() == [2.0, 3.0]
    with pytest.raises(UsageError, match="no reduction 'stack'"):
        reduce("hog", {"first": values[0], "mean": values[1]}, "stack")


def test_frames_are_kept_one_below_the_other() -> None:
    values = np.arange(8, dtype="f4").reshape(4, 2)
    times = np.array([0.04, 0.9, 1.04, 3.0])  # seconds count from the first frame: 0.04, 1.04, 2.04, 3.04
    arrays = {"values": values, "times": times}
    found = reduce("clip", arrays, "frames")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, values)
    np.testing.assert_array_equal(reduce("clip", arrays, "per-second"), values[[0, 2, 3]])
    scalars = reduce(
        "contrast", {"values": np.array([5.0, 6.0, 7.0]), "times": np.arange(3) / 2}, "per-second"
    )
    assert scalars.tolist() == [[5.0], [7.0]] and scalars.dtype == np.float64
    flow = {"values": np.array([2.0, 3.0]), "dt": np.array([0.5, 2.0]), "times": np.array([0.5, 2.5])}
    assert (
        reduce("flow", flow, "frames").tolist() == reduce("flow", flow, "per-second").tolist() == [[4], [1.5]]
    )


@given(st.floats(1, 60), st.integers(1, 300), st.floats(0, 5))
def test_per_second_takes_one_frame_of_each_second_that_has_one(fps: float, n: int, begin: float) -> None:
    times = begin + np.arange(n) / fps
    found = reduce("x", {"values": np.arange(n) * 1.0, "times": times}, "per-second")[:, 0].astype(int)
    seconds = np.floor((times - times[0]) + 1e-7)
    np.testing.assert_array_equal(found, [np.flatnonzero(seconds == s)[0] for s in np.unique(seconds)])


def test_frames_need_values_over_time_and_seconds_need_times() -> None:
    with pytest.raises(UsageError, match="no reduction 'frames'; it has mean, first"):
        reduce("hog", {"first": np.ones(2, "f4"), "mean": np.ones(2, "f4")}, "frames")
    with pytest.raises(UsageError, match="no reduction 'per-second'"):
        reduce("x", {"values": np.ones(3)}, "per-second")
    with pytest.raises(StoreError, match="2 times for 3 values"):
        reduce("x", {"values": np.ones(3), "times": np.arange(2.0)}, "per-second")


@given(st.sampled_from(OF_FRAMES))
def test_needed_arrays_of_frames_suffice(reduction: str) -> None:
    arrays = {"values": np.array([1.0, 4.0]), "times": np.array([0.0, 1.0]), "dt": np.array([0.5, 0.25])}
    part = {name: arrays[name] for name in needed(reduction, arrays)}
    np.testing.assert_array_equal(reduce("x", part, reduction), reduce("x", arrays, reduction))


@pytest.mark.parametrize("dt", [[0.0, 1.0], [-1.0, 1.0], [1.0]])
def test_unusable_intervals_are_refused(dt: list[float]) -> None:
    with pytest.raises(StoreError, match="one positive length in seconds per value"):
        reduce("flow", {"values": np.zeros(2), "dt": np.array(dt)}, "mean")


@given(st.sampled_from([*REDUCTIONS, "mean-per-frame"]), st.booleans())
def test_needed_arrays_suffice(reduction: str, with_dt: bool) -> None:
    arrays = {"values": np.array([1.0, 4.0]), "times": np.array([0.0, 1.0]), "dt": np.array([0.5, 0.25])}
    if not with_dt:
        del arrays["dt"]
        reduction = reduction.removesuffix("-per-frame")
    part = {name: arrays[name] for name in needed(reduction, arrays)}
    assert "times" not in part
    np.testing.assert_array_equal(reduce("x", part, reduction), reduce("x", arrays, reduction))
