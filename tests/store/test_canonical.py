from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from memfeat.errors import DataError, UsageError
from memfeat.store.canonical import InvalidFeatureError, canonical, json_text
from memfeat.store.record import FeatureRecord
from memfeat.store.source import Source

SOURCE = Source(3, 1, "ab" * 32)


def one(arrays: dict, **options: object) -> FeatureRecord:
    return canonical([FeatureRecord("x", "key", arrays, **options)], SOURCE)["x"]


@pytest.mark.parametrize("dtype", ["f2", "f4", ">f8", "i4", "u1", "?"])
def test_numbers_of_any_type_become_the_types_of_the_format(dtype: str) -> None:
    values = np.array([[0, 1], [1, 1]], dtype)
    found = one({"values": values, "times": np.array([0, 1], "i8")})
    assert found.arrays["values"].dtype == "<f4" and found.arrays["times"].dtype == "<f8"
    np.testing.assert_array_equal(found.arrays["values"], values.astype("f4"))
    assert one({"values": np.array(3, dtype)}).arrays["values"].shape == ()
    assert one({"first": values[0].T, "mean": values[:, 0]}).arrays["mean"].dtype == "<f4"


def test_the_source_is_filled_in() -> None:
    assert one({"values": np.ones(1)}).source == SOURCE


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["values", "times"])
def test_nan_and_infinity_are_refused(bad: float, name: str) -> None:
    arrays = {"values": np.ones(3), "times": np.arange(3.0)} | {name: np.array([0.0, 1.0, bad])}
    with pytest.raises(
        InvalidFeatureError, match=rf"'x': {name} holds 1 of 3 values that are NaN or infinite"
    ) as caught:
        one(arrays)
    assert isinstance(caught.value, DataError)


def test_overflow_to_float32_is_refused() -> None:
    with pytest.raises(InvalidFeatureError, match="NaN or infinite"):
        one({"mean": np.array([1e300])})


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({"values": np.ones(0)}, "values is empty"),
        ({"values": np.ones((0, 3))}, "values is empty"),
        (
            {"values": np.ones(2), "times": np.zeros(3) + np.arange(3)},
            r"times has the shape \(3,\) for values of shape \(2,\)",
        ),
        ({"values": np.ones(2), "times": np.array([1.0, 1.0])}, "do not strictly increase"),
        ({"values": np.ones(2), "times": np.array([1.0, 0.0])}, "do not strictly increase"),
        ({"values": np.ones(2), "dt": np.array([1.0, 0.0])}, "dt is not positive"),
        ({"values": np.ones(2), "dt": np.ones(1)}, "dt has the shape"),
    ],
)
def test_times_and_values_must_agree(arrays: dict, why: str) -> None:
    with pytest.raises(InvalidFeatureError, match=why):
        one(arrays)


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({}, "needs the array values, first or mean; got none"),
        ({"times": np.arange(2.0)}, "got times"),
        ({"values": np.ones((1, 1, 1))}, "3 dimensions"),
        ({"mean": np.ones((1, 1))}, "2 dimensions; 1 is allowed"),
        ({"values": np.array(["a"])}, "real numbers are needed"),
        ({"values": np.array([1j])}, "real numbers are needed"),
        ({"values": np.ones(1), "extra": np.ones(1)}, "'extra' is no array of the format"),
    ],
)
def test_arrays_outside_the_format_are_refused(arrays: dict, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        one(arrays)


def test_not_applicable_takes_a_reason_and_nothing_else() -> None:
    assert one({}, status="not_applicable", reason="one frame").reason == "one frame"
    for arrays, status, reason in [
        ({}, "not_applicable", ""),
        ({"values": np.ones(1)}, "not_applicable", "why"),
        ({"values": np.ones(1)}, "ok", "why"),
        ({"values": np.ones(1)}, "maybe", ""),
    ]:
        with pytest.raises(UsageError):
            one(arrays, status=status, reason=reason)


@pytest.mark.parametrize("text", ["a\0b", "\udc00", "x" * 70_000])
def test_keys_and_reasons_must_fit_an_attribute(text: str) -> None:
    for key, reason in ((text, "why"), ("key", text)):
        with pytest.raises(UsageError):
            canonical([FeatureRecord("x", key, status="not_applicable", reason=reason)], SOURCE)


def test_contradictions_are_refused() -> None:
    record = FeatureRecord("x", "key", {"values": np.ones(1)})
    with pytest.raises(UsageError, match="given twice"):
        canonical([record, record], SOURCE)
    with pytest.raises(UsageError, match="under 'y' is called 'x'"):
        canonical({"y": record}, SOURCE)
    with pytest.raises(UsageError, match="measured from other content"):
        canonical([replace(record, source=Source(4, 1, "cd" * 32))], SOURCE)
    touched = replace(record, source=Source(3, 999, "ab" * 32))
    assert canonical([touched], SOURCE)["x"].source == SOURCE


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"a": float("nan")}, "without NaN"),
        ({"a": object()}, "plain JSON"),
        ({"a": "x" * 70_000}, "at most 60000 are allowed"),
        ({"a": "\0"}, "NUL"),
        ({"a": "\udc00"}, "plain JSON"),
    ],
)
def test_text_that_does_not_fit_an_attribute_is_refused(value: dict, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        json_text(value, "It")
    with pytest.raises(UsageError):
        one({"values": np.ones(1)}, provenance=value)
