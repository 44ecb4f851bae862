"""Blur as the slope of the power spectrum."""

from __future__ import annotations

from typing import Any

from memfeat.extractor import FrameScalar
from memfeat.kernels.spectrum import BAND, CONSTANT_SLOPE, power_slope
from memfeat.video.frame import Frame


class BlurLps(FrameScalar):
    r"""Exponent :math:`\alpha` of the grey canvas's power spectrum, :math:`S(f) \propto f^{-\alpha}`.

    Larger is blurrier: about 2.5 for a sharp photograph, and 0.2, 0.9 or 3.2 more after a Gaussian blur
    with a sigma of 1, 2 or 4 pixels. Fitted from 1/64 to 1/8 cycles per pixel (see
    `memfeat.kernels.spectrum`). The image-level slope of Liu, Li and Jia, CVPR 2008, whose blur measure
    compares it with that of patches. Constant frames get 10.
    """

    name = "blur-lps"
    summary = "Slope of the power spectrum; larger is blurrier."
    unit = "exponent, mostly 1 to 9; 10 for a constant frame"

    def parameters(self) -> dict[str, Any]:
        """Return band, rings and window of the fit, and the value of a constant frame."""
        return {"band": list(BAND), "rings": 6, "window": "hann", "constant": CONSTANT_SLOPE}

    def measure(self, frame: Frame) -> float:
        """Return the frame's slope."""
        return power_slope(frame.gray)
