"""What the published M3-S code computes under the name of brightness."""

from __future__ import annotations

import numpy as np

from memfeat.extractor import FrameScalar
from memfeat.video.frame import Frame


class BrightnessM3S(FrameScalar):
    """Mean of hue, saturation and value together over the first row of the canvas.

    The published code indexes the first axis of the HSV image where the last was meant; offered for comparison with
    numbers that were obtained so. Use `brightness` for the quantity itself.
    """

    name = "brightness-m3s"
    summary = "Mean of H, S and V over the first image row, as the published code has it."
    unit = "levels, 0 to 255"

    def measure(self, frame: Frame) -> float:
        """Return the mean of the first row of the HSV canvas."""
        return float(np.mean(frame.hsv[0]))
