import cv2
import numpy as np
import pytest
from stills import frame_of

from memfeat import extractors


def measure(image):
    return extractors.get("brightness-m3s").measure(frame_of(image))


def test_equals_the_published_expression(photograph):
    hsv = cv2.cvtColor(photograph, cv2.COLOR_RGB2HSV_FULL)
    assert measure(photograph) == pytest.approx(hsv[0].mean(), rel=1e-12)


def test_only_the_first_row_counts(photograph):
    changed = photograph.copy()
    changed[1:] = 0
    assert measure(changed) == measure(photograph)


def test_white_is_a_third_of_the_scale():
    assert measure(np.full((256, 256, 3), 255, np.uint8)) == pytest.approx(255 / 3)
