"""What a descriptor of a few lines gets from the contract."""

from __future__ import annotations

import numpy as np
import pytest
from stills import frame_of

from memfeat.extractor import Extractor, FrameScalar


class Red(FrameScalar):
    """Mean of the red channel."""

    name = "red"
    summary = "Mean red."
    unit = "levels"

    def measure(self, frame):
        return float(frame.canvas[..., 0].mean())


class Tinted(Red):
    def __init__(self, gain=1.0):
        self.gain = gain

    def parameters(self):
        return {"gain": self.gain}


def test_values_and_times_come_frame_by_frame():
    running = Red().start(None)
    for level, time in ((10, 0.0), (20, 0.5), (60, 0.6)):
        running.add(frame_of(np.full((256, 256, 3), level, np.uint8), time=time))
    arrays = running.finish(None)
    assert arrays["values"].tolist() == [10.0, 20.0, 60.0]
    assert arrays["times"].tolist() == [0.0, 0.5, 0.6]
    assert arrays["values"].dtype == np.float64


def test_two_videos_do_not_mix():
    one, two = Red().start(None), Red().start(None)
    one.add(frame_of(np.zeros((256, 256, 3), np.uint8)))
    assert len(two.finish(None)["values"]) == 0


def test_the_key_hangs_on_parameters_version_and_canvas():
    assert Tinted(1.0).key() == Tinted(1.0).key()
    assert Tinted(1.0).key() != Tinted(2.0).key()

    class Later(Red):
        version = 2

    class Raw(Red):
        uses_canvas = False

    assert len({Red().key(), Later().key(), Raw().key(), Tinted().key()}) == 4


def test_an_unfinished_descriptor_cannot_be_made():
    class Nothing(Extractor):
        name = "nothing"

    with pytest.raises(TypeError, match="start"):
        Nothing()
