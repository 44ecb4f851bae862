"""The decoders that give frames to networks, by name; they do not agree to the bit, so the name is in the key."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from memfeat.network_extractor import Decoder
from memfeat.video import open_video
from memfeat.video.reader import Video


def opener(decoder: Decoder, device: str = "cuda") -> Callable[[Path], Video]:
    """Return what opens a file with the decoder of that name.

    Parameters
    ----------
    decoder
        Its name.
    device
        Where the networks run: a decoder on a GPU takes the same one, or torch's first for networks on the CPU.

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

    gpu = device if device.startswith("cuda") else "cuda"
    return opener_on(gpu if decoder == "torchcodec-cuda" else "cpu")


def versions(decoder: Decoder) -> dict[str, Any]:
    """Return what a reader may want to know of a decoder, as JSON; PyAV's version is told with all libraries'.

    >>> versions("pyav")
    {}
    """
    if decoder == "pyav":
        return {}
    import torchcodec  # type: ignore[import-not-found, import-untyped, unused-ignore]

    try:
        own = version("torchcodec")
    except PackageNotFoundError:
        own = ""
    return {"torchcodec": own, "ffmpeg": getattr(torchcodec, "ffmpeg_major_version", None)}
