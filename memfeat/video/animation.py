"""Animated GIF, WebP and PNG: the frame durations from the file's own blocks, the pictures through Pillow."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from memfeat.errors import NoFramesError
from memfeat.video.frame import Frame
from memfeat.video.header import DecodeCounts, VideoHeader
from memfeat.video.image import image_rgb, open_image

_SHORTEST_MS = 20
_INSTEAD_MS = 100


def shown_ms(stated: float) -> float:
    """Return how long a frame is shown: what is stated, but 100 ms below 20 ms, as browsers do.

    Examples
    --------
    >>> shown_ms(40), shown_ms(10), shown_ms(0)
    (40, 100, 100)
    """
    return stated if stated >= _SHORTEST_MS else _INSTEAD_MS


def frame_durations(file: BinaryIO, name: str) -> list[float]:
    """Return the stated duration of every frame in milliseconds, reading no pixels.

    Parameters
    ----------
    file : binary file
        Read from its beginning, and left there.
    name : str
        ``GIF``, ``WEBP`` or ``PNG``; other formats have no animation: an empty list.

    Returns
    -------
    list of float
        Empty, or one entry, for a still image. A truncated file gives the frames that begin in it.
    """
    readers = {"GIF": _gif, "WEBP": _webp, "PNG": _png}
    if name not in readers:
        return []
    file.seek(0)
    try:
        return list(readers[name](file))
    finally:
        file.seek(0)


class AnimationSource:
    """The frames of an animation, decoded one at a time; raises as `memfeat.video.image.ImageSource` does.

    Parameters
    ----------
    path : Path
        The file, for messages and the header.
    file : binary file
        The same, open; closed by `close`.
    name : str
        Its format.
    durations : list of float
        What `frame_durations` gave.
    """

    def __init__(self, path: Path, file: BinaryIO, name: str, durations: list[float]) -> None:
        self._path, self._file = path, file
        self._shown = [shown_ms(duration) for duration in durations]
        self._decoded = self._bad = 0
        self._bytes = path.stat().st_size
        self._image = open_image(path, file, name)
        # The separate picture that programs without animation show is no frame.
        self._skip = 1 if self._image.info.get("default_image") else 0
        # GIF states no count, and Pillow would have to read the file to give one.
        frames = len(durations) if name == "GIF" else getattr(self._image, "n_frames", 1) - self._skip
        seconds = sum(self._shown) / 1000
        self.header = VideoHeader(
            path=path,
            width=self._image.width,
            height=self._image.height,
            rotation=0,
            rate=len(durations) / seconds,
            time_base=Fraction(1, 1000),
            duration=seconds,
            frames=frames,
            stream=0,
            container=name.lower(),
            codec=name.lower(),
            pixel_format=self._image.mode,
            is_image=False,
        )
        self._first = self._read(0)

    def frames(self) -> Iterator[Frame]:
        """Yield every frame, in order; once only."""
        frame, self._first = self._first, None
        while frame is not None:
            yield frame
            self._decoded += 1
            frame = self._read(self._decoded)

    def counts(self) -> DecodeCounts:
        """Return the counts up to now."""
        return DecodeCounts(
            decoded=self._decoded,
            header=self.header.frames,
            corrupt=0,
            bad_packets=self._bad,
            repaired_times=0,
            stream_bytes=self._bytes,
            ended_early=self._decoded < (self.header.frames or 0),
        )

    def close(self) -> None:
        """Close the file. Frames that were handed out stay valid."""
        self._first = None
        self._image.close()
        self._file.close()

    def _read(self, index: int) -> Frame | None:
        if index >= len(self._shown):
            return None
        try:
            self._image.seek(index + self._skip)
            rgb = image_rgb(self._path, self._image)
        except MemoryError:
            raise
        except Exception as error:
            # Frames build on each other: after a damaged one, the rest cannot be drawn.
            if index == 0:
                raise NoFramesError(f"{self._path}: the first frame does not decode ({error})") from error
            self._bad += 1
            return None
        return Frame(index, sum(self._shown[:index]) / 1000, rgb=rgb)


def _gif(file: BinaryIO) -> Iterator[float]:
    head = file.read(13)
    if len(head) < 13:
        return
    _skip_colors(file, head[10])
    delay = 0.0
    while (kind := file.read(1)) in (b"!", b","):
        if kind == b"!":
            label = file.read(1)
            block = _first_block(file)
            if label == b"\xf9" and len(block) >= 4:
                delay = struct.unpack_from("<H", block, 1)[0] * 10.0
        else:
            descriptor = file.read(9)
            if len(descriptor) < 9:
                return
            yield delay
            delay = 0.0
            _skip_colors(file, descriptor[8])
            file.read(1)
            _first_block(file)


def _skip_colors(file: BinaryIO, flags: int) -> None:
    if flags & 0x80:
        file.seek(3 << ((flags & 7) + 1), 1)


def _first_block(file: BinaryIO) -> bytes:
    first = b""
    while size := file.read(1):
        if not size[0]:
            break
        block = file.read(size[0])
        first = first or block
    return first


def _webp(file: BinaryIO) -> Iterator[float]:
    file.seek(12)
    while len(head := file.read(8)) == 8:
        size = struct.unpack_from("<I", head, 4)[0]
        begin = file.tell()
        if head[:4] == b"ANMF":
            body = file.read(16)
            if len(body) == 16:
                yield float(int.from_bytes(body[12:15], "little"))
        file.seek(begin + size + (size & 1))


def _png(file: BinaryIO) -> Iterator[float]:
    file.seek(8)
    while len(head := file.read(8)) == 8:
        size = struct.unpack_from(">I", head)[0]
        begin = file.tell()
        if head[4:] == b"fcTL":
            body = file.read(26)
            if len(body) == 26:
                numerator, denominator = struct.unpack_from(">HH", body, 20)
                yield 1000 * numerator / (denominator or 100)
        file.seek(begin + size + 4)
