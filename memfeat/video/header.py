"""What is known of a video before and after its pass: header, counts, accepted suffixes, size limit."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

VIDEO_SUFFIXES = frozenset(
    {".3g2", ".3gp", ".asf", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4"}
    | {".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv"}
)
"""Lower-case suffixes that a folder scan takes for videos. Opening decides by content, not by suffix."""

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""Lower-case suffixes that a folder scan takes for images; an animated WebP or PNG opens as a video."""

MAX_PIXELS = 178_956_970
"""Most pixels of a frame, of videos and images alike: half a gigabyte of RGB, and Pillow's own limit."""


@dataclass(frozen=True, slots=True)
class VideoHeader:
    """What the container and the first frame say. Header figures are kept, never trusted.

    Parameters
    ----------
    path : Path
        The file, as it was given.
    width, height : int
        Size of the frames in pixels, after rotation. (A stream may change size on its way.)
    rotation : int
        Degrees clockwise by which decoded pictures are turned for display: 0, 90, 180 or 270. Always 0 for
        images, which are upright as soon as they are read.
    rate : float or None
        Average frames per second; None when unknown, and for images.
    time_base : Fraction or None
        Unit of the stream's own times, in seconds.
    duration : float or None
        Seconds, as the header states them.
    frames : int or None
        Frames, as the header states them; None when it does not (Matroska, MPEG-TS and others).
    stream : int
        Index of the chosen stream in the container.
    container, codec, pixel_format : str
        Names as FFmpeg gives them; for images the file format, twice, and Pillow's mode.
    is_image : bool
        Whether this is one still picture.
    """

    path: Path
    width: int
    height: int
    rotation: int
    rate: float | None
    time_base: Fraction | None
    duration: float | None
    frames: int | None
    stream: int
    container: str
    codec: str
    pixel_format: str
    is_image: bool


@dataclass(frozen=True, slots=True)
class DecodeCounts:
    """What one pass over a video met.

    Parameters
    ----------
    decoded : int
        Frames that decoded: the true count.
    header : int or None
        Frames that the header promises. May differ without damage: edit lists hide frames.
    corrupt : int
        Decoded frames in which the decoder reports that it concealed errors. H.264 and the MPEG codecs
        report; VP8, VP9, AV1 and mostly HEVC conceal in silence. Frames predicted from a concealed one do not
        count.
    bad_packets : int
        Packets that the decoder refused, the container marks as damaged, or that could not be read.
    repaired_times : int
        Frames whose time was missing or did not increase, and was set from the average rate.
    stream_bytes : int
        Bytes of the chosen stream's packets; for images and animations the file's size.
    ended_early : bool
        The data stops before the end that the header states (MP4, AVI, Matroska, animations).

    Examples
    --------
    >>> DecodeCounts(75, 75, 0, 0, 0, 41_000).damaged
    False
    >>> DecodeCounts(66, 75, 1, 9, 0, 36_000).damaged
    True
    """

    decoded: int
    header: int | None
    corrupt: int
    bad_packets: int
    repaired_times: int
    stream_bytes: int
    ended_early: bool = False

    @property
    def damaged(self) -> bool:
        """Whether part of the video was lost or concealed."""
        return self.corrupt > 0 or self.bad_packets > 0 or self.ended_early
