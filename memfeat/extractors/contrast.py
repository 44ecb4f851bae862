"""RMS contrast of the grey image."""

from __future__ import annotations

import cv2

from memfeat.extractor import FrameScalar
from memfeat.video.frame import Frame


class Contrast(FrameScalar):
    r"""Standard deviation of the grey canvas.

    :math:`\sqrt{\frac1N\sum_i (g_i - \bar g)^2}` with the grey value :math:`g = .299R + .587G + .114B`
    rounded to an integer, over the N pixels of the 256×256 canvas: RMS contrast, Peli, JOSA A 7(10), 1990.
    """

    name = "contrast"
    summary = "Standard deviation of grey."
    unit = "grey levels, 0 to 127.5"

    def measure(self, frame: Frame) -> float:
        """Return the frame's contrast."""
        return float(cv2.meanStdDev(frame.gray)[1][0, 0])
