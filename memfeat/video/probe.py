"""A file's header and whether the file ends too early, without decoding more than its first frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from memfeat.errors import VideoError
from memfeat.video.animation import frame_durations
from memfeat.video.header import VideoHeader
from memfeat.video.image import image_format, open_image
from memfeat.video.reader import open_video, read_head

_TAIL = 4096
_EXIF_ORIENTATION = 0x0112
_SEGMENT = 0x18538067


@dataclass(frozen=True, slots=True)
class Probe:
    """What the beginning and the end of a file tell.

    Parameters
    ----------
    header
        As `memfeat.video.open_video` gives it.
    cut_short
        Whether the file ends before the end that it promises. True is certain; False is not, where a format
        promises nothing (a stream that was written live, a transport stream).
    """

    header: VideoHeader
    cut_short: bool


def probe(path: str | Path) -> Probe:
    """Read a file's header, and see whether its end is there.

    Much faster than decoding: of JPEG and PNG no pixels are read, of videos the first frame.

    Raises
    ------
    VideoError
        As `memfeat.video.open_video`: the file is missing, empty, unreadable, without pictures or too large.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "red.jpg")
    ...     Image.new("RGB", (64, 48), "red").save(file)
    ...     whole = probe(file)
    ...     _ = file.write_bytes(file.read_bytes()[:-20])
    ...     part = probe(file)
    >>> whole.header.width, whole.cut_short, part.cut_short
    (64, False, True)
    """
    path = Path(path)
    name = image_format(read_head(path))
    if name in ("JPEG", "PNG"):
        with path.open("rb") as file:
            if len(frame_durations(file, name)) <= 1:
                return _still(path, file, name)
    with open_video(path) as video:
        cut = video.promises_more
        if "matroska" in video.header.container:
            with path.open("rb") as file:
                cut = cut or _segment_cut(file, path.stat().st_size)
        return Probe(video.header, cut)


def _still(path: Path, file: BinaryIO, name: str) -> Probe:
    image = open_image(path, file, name)
    width, height = image.size
    # Pillow would read all pixels of a PNG in search of a tag behind them.
    exif = image.getexif() if name == "JPEG" or "exif" in image.info else {}
    if exif.get(_EXIF_ORIENTATION, 1) in (5, 6, 7, 8):
        width, height = height, width
    header = VideoHeader(
        path=path,
        width=width,
        height=height,
        rotation=0,
        rate=None,
        time_base=None,
        duration=None,
        frames=1,
        stream=0,
        container=name.lower(),
        codec=name.lower(),
        pixel_format=image.mode,
        is_image=True,
    )
    size = file.seek(0, 2)
    file.seek(max(0, size - _TAIL))
    # In coded JPEG data FF is never followed by D9, so there it can only be the end.
    if (b"\xff\xd9" if name == "JPEG" else b"IEND") in file.read():
        return Probe(header, cut_short=False)
    try:  # some programs leave the mark out
        with open_video(path):
            return Probe(header, cut_short=False)
    except VideoError:
        return Probe(header, cut_short=True)


def _segment_cut(file: BinaryIO, size: int) -> bool:
    """Return whether a Matroska file is shorter than its segment says (RFC 8794: ids and sizes of elements)."""
    while True:
        id, _ = _number(file, keep_mark=True)
        length, unknown = _number(file, keep_mark=False)
        if id is None or length is None or unknown:
            return False
        if id == _SEGMENT:
            return file.tell() + length > size
        file.seek(length, 1)


def _number(file: BinaryIO, *, keep_mark: bool) -> tuple[int | None, bool]:
    """Read a number of variable length; also whether all of its bits are set, which means unknown."""
    first = file.read(1)
    if not first or not first[0]:
        return None, False
    more = 8 - first[0].bit_length()
    rest = file.read(more)
    if len(rest) < more:
        return None, False
    value = int.from_bytes(first + rest, "big")
    bits = 7 * (more + 1)
    unknown = value == (1 << (bits + 1)) - 1
    return (value if keep_mark else value & ((1 << bits) - 1)), unknown
