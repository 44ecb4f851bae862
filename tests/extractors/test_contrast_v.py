import numpy as np
import pytest
from stills import frame_of

from memfeat import extractors


def measure(image):
    return extractors.get("contrast-v").measure(frame_of(image))


def test_equals_the_standard_deviation_of_the_largest_channel(photograph):
    assert measure(photograph) == pytest.approx(np.std(photograph.max(axis=2)), rel=1e-12)


def test_a_colour_change_at_equal_value_is_no_contrast():
    image = np.zeros((256, 256, 3), np.uint8)
    image[:, :128, 0] = 200
    image[:, 128:, 2] = 200
    assert measure(image) == 0.0
