import colorsys

import numpy as np
import pytest
from stills import frame_of

from memfeat import extractors


def measure(image):
    return extractors.get("brightness-hue").measure(frame_of(image))


@pytest.mark.parametrize("color", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (30, 200, 170), (200, 30, 170)])
def test_a_plain_colour_has_its_hue(color):
    hue = colorsys.rgb_to_hsv(*(part / 255 for part in color))[0] * 256
    assert measure(np.full((256, 256, 3), color, np.uint8)) == pytest.approx(hue, abs=1.0)


def test_the_mean_is_the_plain_one():
    image = np.zeros((256, 256, 3), np.uint8)
    image[:, :128, 0] = 255
    image[:, 128:, 1] = 255
    assert measure(image) == pytest.approx(256 / 3 / 2, abs=0.5)
