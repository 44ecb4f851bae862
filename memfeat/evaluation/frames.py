"""Columns that hold frames: a model of images scores each, and the mean over them is the video's score.

Such a column has the reduction ``frames`` or ``per-second`` (`memfeat.store.reductions`). Its array is (n, F D): the
frames of a video side by side, NaN alone where a video has fewer than the longest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin

from memfeat.errors import UsageError, nearest
from memfeat.evaluation.columns import parse_column
from memfeat.evaluation.preparation import Blocks
from memfeat.store.reductions import OF_FRAMES

Array = npt.NDArray[Any]
AGGREGATES = ("mean-of-frames",)
_SHOWN = 5


def columns_of(columns: Sequence[str] | None, aggregate: str | None) -> Sequence[str] | None:
    """Return the columns that a model is given, after making sure that they suit how it is used.

    Parameters
    ----------
    columns
        As they were asked for.
    aggregate
        ``mean-of-frames``: every column is one of frames, and a bare name means one frame per second. None:
        every column has one row per video.

    Raises
    ------
    UsageError
        An unknown way; columns of frames without one, or others with one; no columns are named with one.

    Examples
    --------
    >>> columns_of(["clip", "hrnet:frames@pca50"], "mean-of-frames")
    ['clip:per-second', 'hrnet:frames@pca50']
    >>> columns_of(["clip"], None)
    ['clip']
    """
    if aggregate is None:
        for name in columns or ():
            if is_of_frames(parse_column(name).reduction):
                raise UsageError(
                    f"The column {name!r} holds the frames of a video, and a model needs one row for each video. Have "
                    f"frames scored one by one with aggregate={AGGREGATES[0]!r} (--aggregate {AGGREGATES[0]}), or "
                    f"name a reduction, such as '{parse_column(name).feature}:mean'."
                )
        return columns
    if aggregate not in AGGREGATES:
        raise UsageError(
            f"There is no aggregate {aggregate!r}; there is {', '.join(AGGREGATES)}.{nearest(aggregate, AGGREGATES)}"
        )
    if columns is None:
        raise UsageError(
            f"aggregate={aggregate!r} scores frames of features that are named, as not every feature keeps its "
            "frames. Name them, such as 'clip-vit-b-32-quickgelu-openai-1ps' (--features)."
        )
    found = []
    for name in columns:
        parts = parse_column(name)
        if not is_of_frames(parts.reduction or OF_FRAMES[0]):
            raise UsageError(
                f"{name!r} has one row for each video, and aggregate={aggregate!r} scores frames. Name "
                f"'{parts.feature}:per-second' or '{parts.feature}:frames', or leave the aggregate out."
            )
        found.append(parts.named(parts.reduction or "per-second"))
    return found


def is_of_frames(reduction: str | None) -> bool:
    """Return whether a column of this reduction holds frames.

    >>> is_of_frames("per-second"), is_of_frames("mean"), is_of_frames(None)
    (True, False, False)
    """
    return reduction in OF_FRAMES


def counts(array: Array, width: int) -> npt.NDArray[np.intp]:
    """Return how many frames each row has, shape (n,).

    >>> counts(np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, np.nan, np.nan]]), 2)
    array([2, 1])
    """
    return np.asarray((~np.isnan(array[:, ::width])).sum(axis=1))


def trimmed(array: Array, width: int) -> Array:
    """Return the array without frames that no row has."""
    return array[:, : int(counts(array, width).max(initial=0)) * width]


def padded(rows: Sequence[Array]) -> Array:
    """Return frames of several videos, shapes (F, D), as rows of equal length, the rest of shorter ones NaN.

    >>> padded([np.ones((2, 1)), np.zeros((1, 1))])
    array([[ 1.,  1.],
           [ 0., nan]])
    """
    found = np.full((len(rows), max(row.size for row in rows)), np.nan, rows[0].dtype)
    for row, frames in zip(found, rows, strict=True):
        row[: frames.size] = frames.reshape(-1)
    return found


def check_counts(names: Sequence[str], widths: Sequence[int], X: Blocks, ids: Sequence[str]) -> None:
    """Make sure that all columns have equally many frames of each video.

    Raises
    ------
    UsageError
        They have not; videos are named.
    """
    each = [counts(array, width) for array, width in zip(X.arrays, widths, strict=True)]
    for name, found in zip(names[1:], each[1:], strict=True):
        differing = np.flatnonzero(found != each[0])
        if differing.size:
            listed = ", ".join(f"{ids[k]!r} ({each[0][k]} and {found[k]})" for k in differing[:_SHOWN])
            more = f" and {differing.size - _SHOWN} more" if differing.size > _SHOWN else ""
            raise UsageError(
                f"{names[0]} and {name} have differently many frames of {differing.size} videos: {listed}{more}. "
                "Frames are put side by side: name features of the same frames, or ':per-second' for all."
            )


class FramesSideBySide(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Puts what several columns have of a frame side by side, and the frames of a video as they were.

    Parameters
    ----------
    parts
        One ``(name, width)`` per column; width is that of one frame.

    Examples
    --------
    >>> clip, light = np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([[8.0, 9.0]])  # two frames of each
    >>> FramesSideBySide([("clip", 2), ("light", 1)]).fit_transform(Blocks([clip, light]))
    array([[1., 2., 8., 3., 4., 9.]])
    """

    def __init__(self, parts: Sequence[tuple[str, int]]) -> None:
        self.parts = parts

    def fit(self, X: Blocks, y: object = None) -> FramesSideBySide:
        """Check X; nothing is learned from it."""
        self._frames(X)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def transform(self, X: Blocks) -> Array:
        """Return one array, shape (n, F (D + D' + ...)), in the wider of the columns' types.

        Raises
        ------
        ValueError
            Other columns than `parts` says, or a number of frames that is not whole.
        """
        frames = self._frames(X)
        most = max(each.shape[1] for each in frames)
        filled = [
            np.pad(each, ((0, 0), (0, most - each.shape[1]), (0, 0)), constant_values=np.nan)
            if each.shape[1] < most
            else each
            for each in frames
        ]
        return np.concatenate(filled, axis=2).reshape(len(X), -1)

    def _frames(self, X: Blocks) -> list[Array]:
        widths = [width for _, width in self.parts]
        found = [array.shape[1] for array in X.arrays]
        if len(found) != len(widths) or any(n % width for n, width in zip(found, widths, strict=True)):
            raise ValueError(f"X has blocks of {found} columns; frames of {widths} numbers are expected.")
        return [array.reshape(len(X), -1, width) for array, width in zip(X.arrays, widths, strict=True)]
