"""Mean of the value channel."""

from __future__ import annotations

import cv2

from memfeat.extractor import FrameScalar
from memfeat.video.frame import Frame


class Brightness(FrameScalar):
    """Mean of V = max(R, G, B) over the 256×256 canvas."""

    name = "brightness"
    summary = "Mean of V (HSV)."
    unit = "levels of V, 0 to 255"

    def measure(self, frame: Frame) -> float:
        """Return the frame's brightness."""
        return float(cv2.mean(frame.value)[0])
