"""Sharpness as the energy that a high-pass filter leaves: the published code's "blurriness"."""

from __future__ import annotations

from typing import Any

from memfeat.extractor import FrameScalar
from memfeat.video.frame import Frame


class SharpnessFft(FrameScalar):
    r"""Mean of :math:`20 \ln |r|` over the frame without its low frequencies: larger is sharper.

    The canvas is resized to 500×500, its grey image transformed, the centred block of 120×120 frequencies
    set to zero, and transformed back to :math:`r`: the measure called blurriness by the code of Dumont,
    Hevia and Fosco, CVPR 2023, equal to it within 1e-10. Constant frames have :math:`r = 0` and get -460.5,
    the value of
    :math:`|r| = 10^{-10}`, below which no frame lies.
    """

    name = "sharpness-fft"
    summary = "Mean log of what is left without low frequencies; larger is sharper."
    unit = "20·ln(grey levels), mostly -30 to 60; -460.5 for a constant frame"

    def parameters(self) -> dict[str, Any]:
        """Return the filter's size, the width it is applied at, and the value of nothing."""
        return {"width": 500, "block": [120, 120], "floor": 1e-10}

    def warm_up(self) -> None:
        """Compile the kernels."""
        from memfeat.kernels.sharpness import warm_up

        super().warm_up()
        warm_up()

    def measure(self, frame: Frame) -> float:
        """Return the frame's sharpness."""
        from memfeat.kernels.sharpness import fft_sharpness  # imports numba, which a listing can do without

        return fft_sharpness(frame.canvas)
