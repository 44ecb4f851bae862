"""From the arrays of one video to one row of a matrix: means and other summaries over time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from memfeat.errors import StoreError, UsageError, nearest
from memfeat.frame_selection import FrameSelection

Array = npt.NDArray[Any]
Weights = npt.NDArray[np.float64] | None

PER_FRAME = "-per-frame"


def _mean(values: Array, weights: Weights) -> Array:
    return np.asarray(np.average(values, axis=0, weights=weights))


def _std(values: Array, weights: Weights) -> Array:
    deviations = values - _mean(values, weights)
    return np.sqrt(np.average(deviations**2, axis=0, weights=weights))


_OVER_TIME: dict[str, Callable[[Array, Weights], Array]] = {
    "mean": _mean,
    "std": _std,
    "first": lambda values, _: values[0],
    "last": lambda values, _: values[-1],
    "min": lambda values, _: values.min(axis=0),
    "max": lambda values, _: values.max(axis=0),
    "median": lambda values, _: np.median(values, axis=0),
    "stack": lambda values, _: values.reshape(-1),
}
REDUCTIONS = tuple(_OVER_TIME)
"""Names of the reductions over time. ``mean-per-frame`` and its like exist for features with a ``dt``."""
OF_FRAMES = ("frames", "per-second")
"""No summaries but the frames themselves, as many as the video has, for models that score frame by frame."""


def available(shapes: Mapping[str, tuple[int, ...]]) -> list[str]:
    """Return the reductions that a feature with arrays of these shapes has.

    >>> available({"values": ()}), available({"first": (9,), "mean": (9,)})
    (['mean'], ['mean', 'first'])
    >>> available({"values": (4,), "dt": (4,)})[-2:]
    ['median-per-frame', 'stack-per-frame']
    >>> available({"values": (4, 9), "times": (4,)})[-2:]
    ['frames', 'per-second']
    """
    stored = [name for name in REDUCTIONS if name in shapes]
    if "values" not in shapes:
        return stored
    if shapes["values"] == ():
        return ["mean"]
    of_frames = OF_FRAMES if "times" in shapes else OF_FRAMES[:1]
    per_frame = [name + PER_FRAME for name in REDUCTIONS] if "dt" in shapes else []
    return [*REDUCTIONS, *of_frames, *per_frame]


def needed(reduction: str, names: Collection[str]) -> list[str]:
    """Return which stored arrays a reduction reads.

    >>> needed("mean", ["first", "mean"]), needed("mean", ["values", "times", "dt"])
    (['mean'], ['values', 'dt'])
    """
    if reduction in names:
        return [reduction]
    wanted = ("values", "dt", "times") if reduction == "per-second" else ("values", "dt")
    return [name for name in wanted if name in names]


def is_stack(reduction: str) -> bool:
    """Return whether rows of this reduction are as long as their video.

    >>> is_stack("stack-per-frame"), is_stack("mean")
    (True, False)
    """
    return reduction.removesuffix(PER_FRAME) == "stack"


def check_reduction(feature: str, reduction: str, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise UsageError, listing what there is, when a feature lacks a reduction."""
    choices = available(shapes)
    if reduction not in choices:
        raise UsageError(
            f"{feature!r} has no reduction {reduction!r}; it has {', '.join(choices) or 'none'}."
            f"{nearest(reduction, choices)}"
        )


def reduce(feature: str, arrays: Mapping[str, Array], reduction: str) -> Array:
    r"""Reduce the arrays of one video to one row.

    With per-interval values :math:`v_i` and their lengths :math:`\Delta t_i` (a feature with ``dt``), the
    plain names speak of the rate :math:`r_i = v_i / \Delta t_i` per second, weighted by time: ``mean`` is
    :math:`\sum v_i / \sum \Delta t_i`, ``std`` is the root of
    :math:`\sum \Delta t_i (r_i - \bar r)^2 / \sum \Delta t_i`; ``first``, ``last``, ``min``, ``max``,
    ``median`` and ``stack`` are taken of the :math:`r_i`. With ``-per-frame`` the same names treat the
    :math:`v_i` as they are, each with the same weight. ``stack`` is all steps in order, one after the other: a
    column of it needs videos with equally many, as embeddings of a fixed number of frames are.

    ``frames`` and ``per-second`` keep a row for each step: all of them, or the first one and then the first at or
    after each further second. Videos may have differently many; a column of them is filled up with NaN.

    Parameters
    ----------
    feature
        Name, for messages.
    arrays
        ``values`` (), (T,) or (T, D), with ``dt`` (T,) where values belong to intervals; or arrays that are
        stored reduced, such as ``first`` and ``mean`` (D,).
    reduction
        One of `available`.

    Returns
    -------
    numpy.ndarray
        (width,), for ``stack`` (T·width,), for ``frames`` and ``per-second`` (steps, width): float64 for scalars
        over time, the stored type (float32) for vectors. Sums run in float64.

    Raises
    ------
    UsageError
        The feature lacks that reduction.
    StoreError
        The intervals of ``dt`` are not positive or not as many as the values, or the times are not as many.

    Examples
    --------
    >>> import numpy as np
    >>> flow = {"values": np.array([2.0, 4.0]), "dt": np.array([0.1, 0.2])}
    >>> reduce("flow", flow, "mean").round(6), reduce("flow", flow, "mean-per-frame")
    (array([20.]), array([3.]))
    >>> embedding = {"values": np.ones((5, 512), np.float32), "times": np.array([0.0, 0.5, 1.0, 1.5, 2.0])}
    >>> reduce("clip", embedding, "per-second").shape
    (3, 512)
    """
    check_reduction(feature, reduction, {name: array.shape for name, array in arrays.items()})
    if reduction in arrays:
        return np.atleast_1d(arrays[reduction])
    values = arrays["values"]
    if values.ndim == 0:
        return np.atleast_1d(values)
    stored, values = values.dtype, values.astype(np.float64)
    weights: Weights = None
    if reduction.endswith(PER_FRAME):
        reduction = reduction.removesuffix(PER_FRAME)
    elif "dt" in arrays:
        weights = np.asarray(arrays["dt"], np.float64)
        if weights.shape != values.shape[:1] or not (weights > 0).all():
            raise StoreError(
                f"{feature!r}: dt needs one positive length in seconds per value. Extract it again."
            )
        values = (values.T / weights).T
    if reduction in OF_FRAMES:
        steps = values.reshape(len(values), -1).astype(stored, copy=False)
        return steps if reduction == "frames" else steps[_each_second(feature, arrays["times"], len(steps))]
    return np.atleast_1d(_OVER_TIME[reduction](values, weights)).astype(stored, copy=False)


def _each_second(feature: str, times: Array, steps: int) -> list[int]:
    if times.shape != (steps,):
        raise StoreError(f"{feature!r}: {len(times)} times for {steps} values. Extract it again.")
    takes = FrameSelection("per-second", 1).taker()
    return [k for k, time in enumerate(times.tolist()) if takes(time)]
