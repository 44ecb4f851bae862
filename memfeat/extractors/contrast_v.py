"""RMS contrast of the value channel."""

from __future__ import annotations

import cv2

from memfeat.extractor import FrameScalar
from memfeat.video.frame import Frame


class ContrastV(FrameScalar):
    """Standard deviation of V = max(R, G, B) over the 256×256 canvas."""

    name = "contrast-v"
    summary = "Standard deviation of V (HSV)."
    unit = "levels of V, 0 to 127.5"

    def measure(self, frame: Frame) -> float:
        """Return the frame's contrast in V."""
        return float(cv2.meanStdDev(frame.value)[1][0, 0])
