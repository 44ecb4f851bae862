"""From a display matrix to quarter turns: how a decoded picture has to lie to be seen upright."""

from __future__ import annotations

import math
import struct
from typing import Any, NamedTuple, cast

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter


class Orientation(NamedTuple):
    """Mirror left to right first (if `mirrored`), then turn `rotation` degrees clockwise."""

    rotation: int
    mirrored: bool


UPRIGHT = Orientation(0, False)


def from_matrix(a: float, b: float, c: float, d: float) -> Orientation:
    """Return the orientation nearest to a display matrix.

    Parameters
    ----------
    a, b, c, d : float
        The matrix of ISO/IEC 14496-12: a stored point (x, y), y downwards, is shown at
        (a·x + c·y, b·x + d·y). Any common scale; angles go to the nearest quarter turn.

    Examples
    --------
    >>> from_matrix(0, 1, -1, 0)
    Orientation(rotation=90, mirrored=False)
    >>> from_matrix(1, 0, 0, -1)
    Orientation(rotation=180, mirrored=True)
    """
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    return Orientation(round(math.degrees(math.atan2(b, a)) / 90) * 90 % 360, mirrored)


def of_picture(picture: av.VideoFrame) -> Orientation:
    """Return the orientation that a decoded picture's display matrix asks for.

    PyAV's ``rotation`` alone does not tell a mirrored picture from a turned one, and its ``side_data`` ties the
    picture into a reference cycle: its memory, and with it the decoder's whole pool of pictures, would wait for
    the garbage collector. So the matrix is read from a copy of a few pixels, once per stream; any will do.
    """
    try:
        small = VideoReformatter().reformat(
            picture, width=16, height=16, format="gray", interpolation="POINT", threads=1
        )
    except (av.FFmpegError, ValueError):
        # A pixel format without conversions: reading its frames will say so.
        return UPRIGHT
    data = cast(Any, small.side_data).get("DISPLAYMATRIX")
    if data is None:
        return UPRIGHT
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(data))
    return from_matrix(a, b, c, d)


_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def upright(rgb: npt.NDArray[np.uint8], orientation: Orientation) -> npt.NDArray[np.uint8]:
    """Return uint8 (H, W, 3) mirrored and turned, exactly, or the same array when there is nothing to do."""
    if orientation.mirrored:
        rgb = cast("npt.NDArray[np.uint8]", cv2.flip(rgb, 1))
    if orientation.rotation:
        rgb = cast("npt.NDArray[np.uint8]", cv2.rotate(rgb, _TURNS[orientation.rotation]))
    return rgb
