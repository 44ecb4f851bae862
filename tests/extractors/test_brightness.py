import numpy as np
import pytest
from stills import frame_of

from memfeat import extractors


def measure(image):
    return extractors.get("brightness").measure(frame_of(image))


def test_equals_the_mean_of_the_largest_channel(photograph):
    assert measure(photograph) == pytest.approx(np.mean(photograph.max(axis=2)), rel=1e-12)


@pytest.mark.parametrize("level", [0, 1, 254, 255])
def test_constant_is_its_level(level):
    assert measure(np.full((256, 256, 3), level, np.uint8)) == level
