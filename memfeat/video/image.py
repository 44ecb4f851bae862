"""Still images through Pillow: upright, opaque, 8 bits per channel."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

from memfeat.errors import NoFramesError, TooLargeError, UnreadableError, VideoError
from memfeat.video.frame import Frame, Pixels
from memfeat.video.header import MAX_PIXELS, DecodeCounts, VideoHeader

_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N")


def image_format(head: bytes) -> str | None:
    """Return Pillow's name of the image format that a file begins with, or None.

    Examples
    --------
    >>> image_format(b"GIF89a..........")
    'GIF'
    >>> image_format(b"....ftypisom....") is None
    True
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    for name, starts in {
        "JPEG": (b"\xff\xd8\xff",),
        "PNG": (b"\x89PNG\r\n\x1a\n",),
        "GIF": (b"GIF87a", b"GIF89a"),
        "BMP": (b"BM",),
        "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    }.items():
        if head.startswith(starts):
            return name
    return None


class ImageSource:
    """The one frame of a still image, at time 0.

    Parameters
    ----------
    path : Path
        The file, for messages and the header.
    file : binary file
        The same, open; closed when the pixels are read.
    name : str
        Its format, as `image_format` gives it.

    Raises
    ------
    UnreadableError
        The header is damaged, or its pixels have no 8-bit meaning (floating point, 32-bit integers).
    TooLargeError
        More than `MAX_PIXELS` pixels.
    NoFramesError
        The pixels are truncated or damaged.
    """

    def __init__(self, path: Path, file: BinaryIO, name: str) -> None:
        with file, open_image(path, file, name) as image:
            mode = image.mode
            self._rgb: Pixels | None = image_rgb(path, image)
            size = file.seek(0, 2)
        height, width = self._rgb.shape[:2]
        self.header = VideoHeader(
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
            pixel_format=mode,
            is_image=True,
        )
        self._counts = DecodeCounts(1, 1, 0, 0, 0, size)

    def frames(self) -> Iterator[Frame]:
        """Yield the frame; once only."""
        rgb, self._rgb = self._rgb, None
        yield Frame(0, 0.0, rgb=rgb)

    def counts(self) -> DecodeCounts:
        """Return the counts."""
        return self._counts

    def close(self) -> None:
        """Let go of the pixels. Frames that were handed out stay valid."""
        self._rgb = None


def open_image(path: Path, file: BinaryIO, name: str) -> Image.Image:
    """Read an image's header with one of Pillow's readers; raises as `ImageSource` does."""
    try:
        with _quiet():
            image = Image.open(file, formats=[name])
    except Image.DecompressionBombError as error:
        raise TooLargeError(
            f"{path}: {error}; at most {MAX_PIXELS:,} pixels per frame are accepted: scale it down"
        ) from error
    except Exception as error:
        raise UnreadableError(f"{path}: looks like {name}, and its header is damaged ({error})") from error
    if image.width * image.height > MAX_PIXELS:
        raise TooLargeError(
            f"{path}: {image.width}×{image.height} is {image.width * image.height:,} pixels; "
            f"at most {MAX_PIXELS:,} are accepted: scale it down"
        )
    return image


def image_rgb(path: Path, image: Image.Image) -> Pixels:
    """Return an image's pixels, upright by its EXIF tag: uint8 (H, W, 3), a fresh array.

    Alpha lies over white. 16-bit grey is scaled by 255/65535 and rounded. Colour profiles are not applied.
    """
    try:
        with _quiet():
            image.load()
    except MemoryError:
        raise
    except Exception as error:  # Pillow's readers let many kinds of error through on damaged pixels.
        raise NoFramesError(
            f"{path}: the pixels of this {image.format} image do not decode ({error}); "
            "the file is truncated or damaged: get it again"
        ) from error
    # A damaged EXIF block says nothing about the pixels.
    with _quiet(), contextlib.suppress(Exception):
        image = ImageOps.exif_transpose(image)
    return _eight_bit(path, image)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    # Pillow warns of half the size that it refuses, and of oddities in tags that do not touch the pixels.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _eight_bit(path: Path, image: Image.Image) -> Pixels:
    if image.mode in _SIXTEEN_BIT or (image.mode == "I" and image.format == "PNG"):
        wide = np.asarray(image).astype(np.int64)
        gray = ((wide * 255 + 32767) // 65535).clip(0, 255).astype(np.uint8)
        return np.repeat(gray[:, :, None], 3, axis=2)
    if image.mode in ("I", "F"):
        raise _no_range(path, image.mode)
    try:
        if image.has_transparency_data:
            opaque = Image.new("RGBA", image.size, "white")
            opaque.alpha_composite(image.convert("RGBA"))
            image = opaque
        return np.array(image.convert("RGB"))
    except ValueError as error:
        raise UnreadableError(
            f"{path}: pixels of mode {image.mode} cannot be converted to RGB ({error}); save it as RGB"
        ) from error


def _no_range(path: Path, mode: str) -> VideoError:
    kind = "floating-point" if mode == "F" else "32-bit"
    return UnreadableError(
        f"{path}: {kind} pixels have no agreed black and white; save the image with 8 or 16 bits per channel"
    )
