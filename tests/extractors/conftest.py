"""A photograph on the canvas, for descriptors that are measured on single frames."""

from __future__ import annotations

import cv2
import numpy as np
import pytest


@pytest.fixture(scope="session", params=["astronaut", "coffee", "chelsea"])
def photograph(request) -> np.ndarray:
    """A colour photograph, uint8 (256, 256, 3)."""
    import skimage.data

    return cv2.resize(getattr(skimage.data, request.param)(), (256, 256), interpolation=cv2.INTER_AREA)
