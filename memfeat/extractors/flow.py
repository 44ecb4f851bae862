"""Mean magnitude of TV-L1 optical flow between consecutive frames."""

from __future__ import annotations

from typing import Any

import numpy as np

from memfeat.extractor import Arrays, Extractor, Measurement
from memfeat.video.frame import Frame
from memfeat.video.header import DecodeCounts, VideoHeader


class _TVL1Flow(Measurement):
    def __init__(self) -> None:
        # Only here: compiled loops must not be loaded to list features.
        from memfeat.kernels.tvl1 import TVL1, mean_magnitude

        self._solver = TVL1()
        self._magnitude = mean_magnitude
        self._times: list[float] = []
        self._values: list[float] = []

    def add(self, frame: Frame) -> None:
        flow = self._solver.push(frame.gray)
        if flow is not None:
            self._values.append(self._magnitude(flow))
        self._times.append(frame.time)

    def finish(self, counts: DecodeCounts) -> Arrays:
        times = np.array(self._times)
        return {"values": np.array(self._values), "times": times[:-1], "dt": np.diff(times)}


class Flow(Extractor):
    r"""Mean magnitude of TV-L1 optical flow over the grey canvas, one value per pair of consecutive frames.

    :math:`\frac1N\sum_i \sqrt{u_i^2 + v_i^2}` in pixels per frame; C. Zach, T. Pock and H. Bischof, "A Duality Based
    Approach for Realtime TV-L1 Optical Flow", DAGM 2007, with the defaults of OpenCV's DualTVL1. ``times`` are those
    of each pair's first frame and ``dt`` the seconds between the two, so that models can use pixels per second:
    frame rates from 5 to 120 are not comparable per frame.
    """

    name = "flow"
    summary = "Mean magnitude of TV-L1 optical flow per pair of frames; models use pixels per second."
    unit = "pixels of the 256×256 canvas per frame"
    arrays = {"values": "(T-1,)", "times": "(T-1,)", "dt": "(T-1,)"}  # noqa: RUF012
    min_frames = 2

    def parameters(self) -> dict[str, Any]:
        """Return the solver's parameters."""
        from memfeat.kernels.tvl1 import TVL1

        return {"algorithm": "TV-L1", "backend": "numba", **TVL1().parameters()}

    def warm_up(self) -> None:
        """Compile the canvas and the solver's loops."""
        from memfeat.kernels.tvl1 import warm_up

        super().warm_up()
        warm_up()

    def start(self, header: VideoHeader) -> Measurement:
        """Begin to measure one video."""
        return _TVL1Flow()
