"""Bytes of the video re-encoded at 256×256 by x264: how hard its content is to compress."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import av.filter
import numpy as np

from memfeat.extractor import Arrays, Extractor, Measurement
from memfeat.video.frame import Frame
from memfeat.video.header import DecodeCounts, VideoHeader

_SIZE = 256
_DEFAULT_RATE = Fraction(25)
_TURNS = {
    0: [],
    90: [("transpose", "clock")],
    180: [("hflip", ""), ("vflip", "")],
    270: [("transpose", "cclock")],
}


class _Encoder(Measurement):
    """One x264 context fed with the frames as they are decoded; only the byte count is kept."""

    def __init__(self, header: VideoHeader, options: dict[str, str]) -> None:
        rate = Fraction(header.rate).limit_denominator(1_000_000) if header.rate else _DEFAULT_RATE
        context: Any = av.CodecContext.create("libx264", "w")
        context.width = context.height = _SIZE
        context.pix_fmt = "yuv420p"
        context.framerate = rate
        context.time_base = header.time_base or 1 / rate
        # More encoder threads change the result: x264 cuts frames into slices, up to 19 % more bytes.
        context.thread_count = 1
        context.options = options
        self._context = context
        self._graph: av.filter.Graph | None = None
        self._shape: tuple[Any, ...] = ()
        self._last = -1 << 62
        self._bytes = 0

    def add(self, frame: Frame) -> None:
        picture = frame.picture
        shape = (picture.width, picture.height, picture.format.name, frame.rotation, frame.mirrored)
        if self._graph is None or shape != self._shape:
            self._graph, self._shape = _scaler(frame), shape
        self._graph.push(picture)
        small: Any = self._graph.pull()
        # A decoded frame remembers its type, and x264 would be forced to repeat it.
        small.pict_type = 0
        self._last = max(round(frame.time / self._context.time_base), self._last + 1)
        small.pts, small.time_base = self._last, self._context.time_base
        self._bytes += sum(packet.size for packet in self._context.encode(small))

    def finish(self, counts: DecodeCounts) -> Arrays:
        self._bytes += sum(packet.size for packet in self._context.encode(None))
        return {"values": np.array(self._bytes, np.float64)}


def _scaler(frame: Frame) -> av.filter.Graph:
    picture = frame.picture
    graph = av.filter.Graph()
    graph.threads = 1
    last = graph.add_buffer(
        width=picture.width, height=picture.height, format=picture.format, time_base=Fraction(1, 1000)
    )
    upright = [("hflip", "")] * frame.mirrored + _TURNS[frame.rotation]
    for name, argument in [
        *upright,
        ("scale", f"{_SIZE}:{_SIZE}"),
        ("format", "yuv420p"),
        ("buffersink", ""),
    ]:
        node = graph.add(name, argument) if argument else graph.add(name)
        last.link_to(node)
        last = node
    graph.configure()
    return graph


class H264Size(Extractor):
    """Sum of the packet bytes of a raw H.264 stream at 256×256.

    libx264, preset medium, crf 23, yuv420p, one thread; scaled by FFmpeg's ``scale`` filter; the stream's own times
    and average rate, no frame dropped or repeated (images and unknown rates: 25 frames per second, which matters:
    the rate moves the size by up to a factor of two). The size feature of Dumont, Hevia and Fosco, CVPR 2023.
    """

    name = "h264-size"
    summary = "Bytes after H.264 encoding at 256×256 (x264, medium, crf 23)."
    unit = "bytes"
    arrays = {"values": "()"}  # noqa: RUF012
    uses_canvas = False

    def parameters(self) -> dict[str, Any]:
        """Return size, encoder and rate-control settings."""
        return {"size": _SIZE, "encoder": "libx264", "preset": "medium", "crf": 23, "pixels": "yuv420p"}

    def unavailable(self) -> str | None:
        """Return why x264 cannot be used, or None."""
        if "libx264" in av.codecs_available:
            return None
        return (
            "this build of PyAV has no libx264; install PyAV's own wheel (pip install --force-reinstall av)."
        )

    def start(self, header: VideoHeader) -> Measurement:
        """Begin to measure one video."""
        return _Encoder(header, {"preset": "medium", "crf": "23"})
