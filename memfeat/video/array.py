"""Copies of decoded frames in a NumPy file, as some labs keep beside or instead of videos."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from memfeat.errors import NoFramesError, TooLargeError, UnreadableError
from memfeat.video.frame import Frame, Pixels
from memfeat.video.header import MAX_PIXELS, DecodeCounts, VideoHeader

MAGIC = b"\x93NUMPY"
NOMINAL_RATE = 25
"""Frames per second by which times are counted: such a file has lost them."""


class ArraySource:
    """The frames of a uint8 array (T, H, W, 3), RGB, in order.

    Size, rate and coding of the video they were taken from are lost. Times are nominal, 25 frames per second; the
    header's rate is None, as for everything whose rate is unknown.

    Parameters
    ----------
    path : Path
        A ``.npy`` file. It is mapped, not read: memory does not grow with the number of frames.

    Raises
    ------
    UnreadableError
        It is damaged, needs code to be read (pickled objects), or holds something else.
    NoFramesError
        It holds no frame.
    TooLargeError
        Frames have more pixels than `memfeat.video.header.MAX_PIXELS`.
    """

    def __init__(self, path: Path) -> None:
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise UnreadableError(f"{path}: is no readable NumPy file ({error}); copy it again") from error
        if array.dtype != np.uint8 or array.ndim != 4 or array.shape[3] != 3:
            raise UnreadableError(
                f"{path}: holds {array.dtype} of shape {array.shape}; frames are uint8 (T, H, W, 3), RGB from 0 to 255"
            )
        if 0 in array.shape:
            raise NoFramesError(f"{path}: holds no frame; its shape is {array.shape}")
        count, height, width, _ = array.shape
        if height * width > MAX_PIXELS:
            raise TooLargeError(
                f"{path}: frames of {width}x{height} pixels; at most {MAX_PIXELS} are accepted"
            )
        self._array: np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None = array
        self._decoded = 0
        self._bytes = path.stat().st_size
        self.header = VideoHeader(
            path=path,
            width=width,
            height=height,
            rotation=0,
            rate=None,
            time_base=Fraction(1, NOMINAL_RATE),
            duration=None,
            frames=count,
            stream=0,
            container="npy",
            codec="npy",
            pixel_format="rgb24",
            is_image=False,
        )

    def frames(self) -> Iterator[Frame]:
        """Yield every frame; once only."""
        array = self._array
        for index in range(self.header.frames or 0):
            if array is None:
                return
            pixels: Pixels = np.ascontiguousarray(array[index])
            yield Frame(index, index / NOMINAL_RATE, rgb=pixels)
            self._decoded += 1

    def counts(self) -> DecodeCounts:
        """Return the counts up to now."""
        return DecodeCounts(
            decoded=self._decoded,
            header=self.header.frames,
            corrupt=0,
            bad_packets=0,
            repaired_times=0,
            stream_bytes=self._bytes,
        )

    def close(self) -> None:
        """Let go of the file. Frames that were handed out stay valid."""
        self._array = None
