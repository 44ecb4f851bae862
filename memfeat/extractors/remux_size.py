"""Bytes of the video stream as it is."""

from __future__ import annotations

import numpy as np

from memfeat.extractor import Arrays, Extractor, Measurement
from memfeat.video.frame import Frame
from memfeat.video.header import DecodeCounts, VideoHeader


class _StreamBytes(Measurement):
    def add(self, frame: Frame) -> None:
        pass

    def finish(self, counts: DecodeCounts) -> Arrays:
        return {"values": np.array(counts.stream_bytes, np.float64)}


class RemuxSize(Extractor):
    """Sum of the packet sizes of the chosen video stream; of an image the size of its file.

    What a copy of the stream without audio weighs, container apart: the quantity that the published M3-S code takes
    for its size feature. It depends on how the release was encoded; `h264-size` does not.
    """

    name = "remux-size"
    summary = "Bytes of the video stream as it is."
    unit = "bytes"
    arrays = {"values": "()"}  # noqa: RUF012
    uses_canvas = False

    def start(self, header: VideoHeader) -> Measurement:
        """Begin to measure one video."""
        return _StreamBytes()
