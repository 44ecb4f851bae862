import numpy as np
import pytest
from stills import frame_of

from memfeat import extractors


def measure(image):
    return extractors.get("contrast").measure(frame_of(image))


def test_equals_the_standard_deviation_of_rounded_grey(photograph):
    grey = np.rint(photograph @ np.array([0.299, 0.587, 0.114]))
    assert measure(photograph) == pytest.approx(np.std(grey), abs=1e-3)


def test_half_black_half_white_is_the_maximum():
    image = np.zeros((256, 256, 3), np.uint8)
    image[:, 128:] = 255
    assert measure(image) == 127.5


def test_constant_is_zero():
    assert measure(np.full((256, 256, 3), 77, np.uint8)) == 0.0
