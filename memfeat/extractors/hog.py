"""Histograms of oriented gradients: of the first frame, and their mean over time."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from memfeat.errors import UsageError
from memfeat.extractor import Arrays, Extractor, Measurement, Preparation
from memfeat.video.frame import Frame
from memfeat.video.header import DecodeCounts, VideoHeader


class _FirstAndMean(Measurement):
    def __init__(self) -> None:
        self._first: npt.NDArray[np.float32] | None = None
        self._sum: npt.NDArray[np.float64] | None = None
        self._frames = 0

    def add(self, frame: Frame) -> None:
        from memfeat.kernels.hog import hog  # imports numba, which a listing of the features can do without

        values = hog(frame.canvas)
        self._frames += 1
        if self._first is None or self._sum is None:
            self._first, self._sum = values, values.astype(np.float64)
        else:
            self._sum += values

    def finish(self, counts: DecodeCounts) -> Arrays:
        if self._first is None or self._sum is None:
            raise UsageError("The HOG of a video needs at least one frame: add() was never called.")
        return {"first": self._first, "mean": (self._sum / self._frames).astype(np.float32)}


class Hog(Extractor):
    """Histograms of oriented gradients of the colour canvas.

    Nine unsigned orientations, cells of 8×8 pixels, overlapping blocks of 2×2 cells, L2-Hys: 31·31·36 =
    34,596 values per frame, equal within 1e-6 to ``skimage.feature.hog`` (see `memfeat.kernels.hog`).
    Values per frame are not kept (over 100 GB for 10,000 clips): principal components are linear, so those
    of the mean are the mean of those of the frames. ``first`` is there because Dumont, Hevia and Fosco,
    CVPR 2023, fit them on first frames.
    """

    name = "hog"
    summary = "Histograms of oriented gradients: first frame, and mean over time."
    unit = "share of a block's gradient, 0 to 1"
    arrays: ClassVar[dict[str, str]] = {"first": "(34596,)", "mean": "(34596,)"}
    preparation: ClassVar[Preparation] = "pca"

    def parameters(self) -> dict[str, Any]:
        """Return the histogram's settings, by scikit-image's names."""
        return {
            "orientations": 9,
            "pixels_per_cell": [8, 8],
            "cells_per_block": [2, 2],
            "block_norm": "L2-Hys",
            "channel": "largest gradient",
        }

    def warm_up(self) -> None:
        """Compile the kernels."""
        from memfeat.kernels.hog import warm_up

        super().warm_up()
        warm_up()

    def start(self, header: VideoHeader) -> Measurement:
        """Begin to measure one video."""
        return _FirstAndMean()
