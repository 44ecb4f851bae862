"""Decoding for networks with torchcodec, on the CPU or by a GPU's own decoder: an option beside PyAV.

Its pixels are PyAV's where both use the same FFmpeg on the CPU; another FFmpeg or a GPU may differ by some grey levels.
So the decoder's name is a part of the feature key.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from memfeat.errors import SetupError, UnreadableError
from memfeat.video.clock import Clock
from memfeat.video.container import ContainerSource
from memfeat.video.frame import Frame
from memfeat.video.header import DecodeCounts, VideoHeader
from memfeat.video.image import image_format
from memfeat.video.reader import Video, open_video, read_head


def opener_on(device: Literal["cpu", "cuda"]) -> Callable[[Path], Video]:
    """Return what opens a file as `memfeat.video.open_video` does, and decodes it with torchcodec.

    Images and animations are read as always. A video is opened by PyAV first, which checks the container, chooses the
    stream and gives the header.

    Raises
    ------
    SetupError
        torchcodec is not installed or finds no FFmpeg; or `device` is ``cuda`` and torch sees no GPU.
    """
    decoder = _decoder_class()
    if device == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise SetupError(
                "--decoder torchcodec-cuda decodes on a GPU, and torch sees none. Use pyav or torchcodec."
            )

    def open_with_torchcodec(path: Path) -> Video:
        if image_format(read_head(path)) is not None:
            return open_video(path)
        return Video(TorchcodecSource(path, decoder, device))

    return open_with_torchcodec


def _decoder_class() -> Any:
    try:
        from torchcodec.decoders import VideoDecoder  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        raise SetupError(
            "--decoder torchcodec needs the package torchcodec in the version that belongs to this torch: "
            "pip install torchcodec. Or use --decoder pyav."
        ) from error
    except (OSError, RuntimeError) as error:
        raise SetupError(
            f"torchcodec cannot be loaded ({str(error).strip().splitlines()[0]}). It needs FFmpeg's shared libraries "
            "and the torch that it was built for. Or use --decoder pyav."
        ) from error
    return VideoDecoder


class TorchcodecSource:
    """The frames of a video file, decoded by torchcodec.

    Parameters
    ----------
    path
        An existing file that is no still image.
    decoder
        torchcodec's ``VideoDecoder``.
    device
        Where it decodes.

    Raises
    ------
    VideoError
        As `memfeat.video.container.ContainerSource`; and UnreadableError where torchcodec cannot open the file, or
        where it would have to be turned upright, which versions of torchcodec do differently.
    """

    def __init__(self, path: Path, decoder: Any, device: str) -> None:
        self._path = path
        self._size = path.stat().st_size
        probe = ContainerSource(path)
        first = next(probe.frames())
        probe.close()
        self.header: VideoHeader = probe.header
        if first.rotation or first.mirrored:
            raise UnreadableError(
                f"{path}: is to be turned or mirrored, which versions of torchcodec do differently; use --decoder pyav"
            )
        try:
            self._decoder = decoder(
                str(path),
                stream_index=self.header.stream,
                dimension_order="NHWC",
                num_ffmpeg_threads=1,
                device=device,
                seek_mode="exact",
            )
        except (RuntimeError, ValueError) as error:
            raise self._unreadable(error) from error
        total = len(self._decoder)
        self.header = dataclasses.replace(self.header, frames=total)
        self._clock = Clock(self.header.rate)
        self._decoded = 0

    def frames(self) -> Iterator[Frame]:
        """Yield every frame, in order of presentation; once only."""
        for index in range(len(self._decoder)):
            try:
                frame = self._decoder.get_frame_at(index)
            except (RuntimeError, ValueError, IndexError) as error:
                raise self._unreadable(error) from error
            pixels = np.ascontiguousarray(frame.data.cpu().numpy())
            yield Frame(index, self._clock.read(float(frame.pts_seconds)), rgb=pixels)
            self._decoded = index + 1

    def counts(self) -> DecodeCounts:
        """Return the counts up to now; torchcodec does not tell of concealed errors."""
        return DecodeCounts(
            decoded=self._decoded,
            header=self.header.frames,
            corrupt=0,
            bad_packets=0,
            repaired_times=self._clock.repaired,
            stream_bytes=self._size,
        )

    def close(self) -> None:
        """Let go of the decoder."""
        self._decoder = None

    def _unreadable(self, error: Exception) -> UnreadableError:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return UnreadableError(f"{self._path}: torchcodec cannot decode it ({reason}); use --decoder pyav")
