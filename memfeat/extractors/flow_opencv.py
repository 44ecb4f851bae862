"""Flow as OpenCV's own TV-L1 computes it: the slow reference for `flow`."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from memfeat.extractor import Arrays, Extractor, Measurement
from memfeat.video.frame import Frame
from memfeat.video.header import DecodeCounts, VideoHeader


class _OpenCVFlow(Measurement):
    def __init__(self) -> None:
        contrib: Any = cv2.optflow
        self._solver = contrib.DualTVL1OpticalFlow_create()
        self._before: Any = None
        self._times: list[float] = []
        self._values: list[float] = []

    def add(self, frame: Frame) -> None:
        gray = frame.gray
        if self._before is not None:
            flow = self._solver.calc(self._before, gray, None)
            self._values.append(float(np.hypot(flow[..., 0], flow[..., 1]).mean(dtype=np.float64)))
        self._before = gray.copy()
        self._times.append(frame.time)

    def finish(self, counts: DecodeCounts) -> Arrays:
        times = np.array(self._times)
        return {"values": np.array(self._values), "times": times[:-1], "dt": np.diff(times)}


class FlowOpenCV(Extractor):
    """Mean magnitude of TV-L1 optical flow (Zach, Pock and Bischof, 2007) by OpenCV's contrib module, at its defaults.

    The same quantity as `flow`, which is an order of magnitude faster; versions of OpenCV differ among themselves by
    about .01 px of mean end-point error.
    """

    name = "flow-opencv"
    summary = "TV-L1 optical flow by OpenCV: the slow reference for flow."
    unit = "pixels of the 256×256 canvas per frame"
    arrays = {"values": "(T-1,)", "times": "(T-1,)", "dt": "(T-1,)"}  # noqa: RUF012
    min_frames = 2
    in_default_set = False

    def parameters(self) -> dict[str, Any]:
        """Return the solver; its version is kept with the libraries."""
        return {"algorithm": "TV-L1", "backend": "opencv", "settings": "defaults"}

    def unavailable(self) -> str | None:
        """Return why OpenCV's contrib module cannot be used, or None."""
        if hasattr(cv2, "optflow"):
            return None
        return "this OpenCV lacks the contrib modules; keep only opencv-contrib-python-headless installed."

    def start(self, header: VideoHeader) -> Measurement:
        """Begin to measure one video."""
        return _OpenCVFlow()
