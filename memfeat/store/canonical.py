"""Features as they are stored: checked, and brought to the types of the format."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from memfeat.errors import StoreError, UsageError
from memfeat.store.record import FeatureRecord
from memfeat.store.source import Source

Array = npt.NDArray[Any]
SERIES = ("times", "dt")
VECTORS = ("first", "mean")
KINDS = (*SERIES, *VECTORS, "values")
# An HDF5 attribute of more than 64 KiB needs a file version that older readers lack.
MAX_TEXT_BYTES = 60_000


class InvalidFeatureError(StoreError):
    """A feature cannot be stored: NaN, times that run backwards, wrong shapes."""


def canonical(
    features: Mapping[str, FeatureRecord] | Iterable[FeatureRecord], source: Source | None
) -> dict[str, FeatureRecord]:
    """Return the features by name, with arrays in the stored types and `source` filled in.

    Imported features keep the source they come with; `source` may be None when there are no others.

    Raises
    ------
    InvalidFeatureError
        Values are not finite or empty; times do not increase or do not match the values.
    UsageError
        Records contradict each other, the mapping or `source`; unknown arrays; provenance that is no JSON.
    """
    if isinstance(features, Mapping):
        if wrong := [name for name, record in features.items() if name != record.name]:
            raise UsageError(f"The feature under {wrong[0]!r} is called {features[wrong[0]].name!r}.")
        features = features.values()
    found: dict[str, FeatureRecord] = {}
    for record in features:
        if record.name in found:
            raise UsageError(f"The feature {record.name!r} is given twice.")
        of = _source(record, source)
        json_text(record.provenance, f"The provenance of {record.name!r}")
        arrays = {name: _array(record.name, name, array) for name, array in record.arrays.items()}
        _check_arrays(record, arrays)
        found[record.name] = replace(record, arrays=arrays, source=of)
    return found


def _source(record: FeatureRecord, source: Source | None) -> Source:
    if record.imported:
        if record.source is None:
            raise UsageError(f"The imported feature {record.name!r} needs the source it was read from.")
        return record.source
    if source is None:
        raise UsageError(f"The feature {record.name!r} was measured; the commit needs the video's source.")
    if record.source is not None and not source.same_content(record.source):
        raise UsageError(
            f"The feature {record.name!r} was measured from other content than the commit's source."
        )
    return source


def check_times(arrays: Mapping[str, Array]) -> str | None:
    """Return what is wrong with the times, intervals and values of one feature, or None.

    >>> import numpy as np
    >>> check_times({"values": np.zeros(2), "times": np.array([0.0, 0.0])})
    'times do not strictly increase'
    """
    values, times, dt = (arrays.get(name) for name in ("values", "times", "dt"))
    if values is not None and values.ndim:
        for name, series in (("times", times), ("dt", dt)):
            if series is not None and series.shape != values.shape[:1]:
                return f"{name} has the shape {series.shape} for values of shape {values.shape}"
    if times is not None and (np.diff(times) <= 0).any():
        return "times do not strictly increase"
    if dt is not None and (dt <= 0).any():
        return "dt is not positive everywhere"
    return None


def json_text(value: Mapping[str, Any], what: str) -> str:
    """Return compact JSON; UsageError when the value has no exact JSON form or is too long to store."""
    try:
        text = json.dumps(dict(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        size = len(text.encode())
    except (TypeError, ValueError) as error:
        raise UsageError(f"{what} must be plain JSON values without NaN: {error}.") from error
    if size > MAX_TEXT_BYTES:
        raise UsageError(f"{what} has {size} bytes as JSON; at most {MAX_TEXT_BYTES} are allowed.")
    if "\\u0000" in text:
        raise UsageError(f"{what} holds a NUL character.")
    return text


def _array(feature: str, name: str, array: Array) -> Array:
    array = np.asarray(array)
    if name not in KINDS:
        raise UsageError(f"{feature!r}: {name!r} is no array of the format; it has {', '.join(KINDS)}.")
    if array.dtype.kind not in "fiub":
        raise UsageError(f"{feature!r}: {name} has the type {array.dtype}; real numbers are needed.")
    allowed = {"values": (0, 1, 2)}.get(name, (1,))
    if array.ndim not in allowed:
        raise UsageError(
            f"{feature!r}: {name} has {array.ndim} dimensions; {' or '.join(map(str, allowed))} is allowed."
        )
    vector = name in VECTORS or array.ndim == 2
    with np.errstate(over="ignore"):  # an overflow becomes inf, which is refused below
        stored = np.ascontiguousarray(array, "<f4" if vector else "<f8").reshape(array.shape)
    if not stored.size:
        raise InvalidFeatureError(
            f"{feature!r}: {name} is empty. A feature that cannot be measured is 'not applicable'."
        )
    if not np.isfinite(stored).all():
        bad = int(np.size(stored) - np.isfinite(stored).sum())
        raise InvalidFeatureError(
            f"{feature!r}: {name} holds {bad} of {stored.size} values that are NaN or infinite."
        )
    return stored


def _check_arrays(record: FeatureRecord, arrays: Mapping[str, Array]) -> None:
    name = record.name
    for text in (record.key, record.reason):
        json_text({"": text}, f"Key and reason of {name!r}")
    if record.status == "not_applicable":
        if arrays or not record.reason:
            raise UsageError(f"{name!r} is not applicable: it takes a reason and no arrays.")
        return
    if record.status != "ok" or record.reason:
        raise UsageError(f"{name!r}: the status is 'ok' without a reason, or 'not_applicable' with one.")
    if not {"values", *VECTORS} & arrays.keys():
        raise UsageError(
            f"{name!r} needs the array values, first or mean; got {', '.join(sorted(arrays)) or 'none'}."
        )
    if problem := check_times(arrays):
        raise InvalidFeatureError(f"{name!r}: {problem}.")
