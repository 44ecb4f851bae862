"""The decoders that give frames to networks, by name; they do not agree to the bit, so the name is in the key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from memfeat.network_extractor import Decoder
from memfeat.video import open_video
from memfeat.video.reader import Video


def opener(decoder: Decoder) -> Callable[[Path], Video]:
    """Return what opens a file with the decoder of that name.

    Raises
    ------
    SetupError
        The decoder is not installed, or cannot work on this machine.

    Examples
    --------
    >>> opener("pyav").__name__
    'open_video'
    """
    if decoder == "pyav":
        return open_video
    from memfeat.video.torchcodec import opener_on

    return opener_on("cuda" if decoder == "torchcodec-cuda" else "cpu")
