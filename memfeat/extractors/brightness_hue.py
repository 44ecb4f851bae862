"""Mean hue, the second of the two definitions of brightness in the M3-S paper."""

from __future__ import annotations

import cv2

from memfeat.extractor import FrameScalar
from memfeat.video.frame import Frame


class BrightnessHue(FrameScalar):
    """Arithmetic mean of hue over the 256×256 canvas, on OpenCV's full scale (256 steps for 360°).

    Hue is an angle; the mean is the plain one of the paper (Dumont, Hevia and Fosco, CVPR 2023, section 3.2),
    so reds on both sides of 0° average to cyan.
    """

    name = "brightness-hue"
    summary = "Mean hue (HSV), plain mean of the angle."
    unit = "steps of 360/256 degrees, 0 to 255"

    def measure(self, frame: Frame) -> float:
        """Return the frame's mean hue."""
        return float(cv2.mean(frame.hsv)[0])
