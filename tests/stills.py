"""Frames from arrays, without a file."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np


def frame_of(canvas: np.ndarray, *, index: int = 0, time: float = 0.0) -> SimpleNamespace:
    """Something with the attributes of a `Frame` that per-frame descriptors read, from a 256×256 RGB canvas."""
    assert canvas.shape == (256, 256, 3)
    assert canvas.dtype == np.uint8
    return SimpleNamespace(
        index=index,
        time=time,
        rgb=canvas,
        canvas=canvas,
        gray=cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY),
        hsv=cv2.cvtColor(canvas, cv2.COLOR_RGB2HSV_FULL),
        value=canvas.max(axis=2),
        rotation=0,
    )
