"""Decoding for networks with torchcodec, on the CPU or by a GPU's own decoder: an option beside PyAV.

On the CPU its pixels are PyAV's to the bit for whole 8-bit videos of even height. With more bits per sample or an odd
height, colours are converted by another filter and lie some grey levels apart, even with PyAV's own FFmpeg. What a GPU
gives may differ as well. So the decoder's name is a part of the feature key.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from memfeat.errors import SetupError, UnreadableError
from memfeat.video.array import MAGIC
from memfeat.video.clock import Clock
from memfeat.video.container import ContainerSource
from memfeat.video.frame import Frame
from memfeat.video.header import DecodeCounts, VideoHeader
from memfeat.video.image import image_format
from memfeat.video.probe import probe
from memfeat.video.reader import Video, open_video, read_head

_OLDEST = (0, 12)
"""Before 0.9, torchcodec gives a frame twice where the next one is lost; between, nobody has tried."""
_REFUSED = ("Could not push packet", "Could not receive frame")
"""How torchcodec says that FFmpeg refused one packet; the next may be whole."""
_ENDED = "no more frames left"


def opener_on(device: str) -> Callable[[Path], Video]:
    """Return what opens a file as `memfeat.video.open_video` does, and decodes it with torchcodec.

    Images, animations and arrays are read as always. A video is opened by PyAV first, which checks the container,
    chooses the stream and gives the header.

    Parameters
    ----------
    device
        Where it decodes: ``cpu``, ``cuda`` or ``cuda:N``.

    Raises
    ------
    SetupError
        torchcodec is not installed, or cannot be loaded, or finds no FFmpeg; or `device` is a GPU and torch sees none.
    """
    decoder = _decoder_class()
    if device != "cpu":
        import torch

        if not torch.cuda.is_available():
            raise SetupError(
                "--decoder torchcodec-cuda decodes on a GPU, and torch sees none. Use pyav or torchcodec."
            )

    def open_with_torchcodec(path: Path) -> Video:
        head = read_head(path)
        if head.startswith(MAGIC) or image_format(head) is not None:
            return open_video(path)
        return Video(TorchcodecSource(path, decoder, device))

    return open_with_torchcodec


def _decoder_class() -> Any:
    try:
        import torchcodec  # type: ignore[import-not-found, import-untyped, unused-ignore]
        from torchcodec.decoders import VideoDecoder  # type: ignore[import-not-found, attr-defined, unused-ignore]
    except ImportError as error:
        raise SetupError(
            "--decoder torchcodec needs the package torchcodec in the version that belongs to this torch: "
            "pip install torchcodec. Or use --decoder pyav."
        ) from error
    except (OSError, RuntimeError) as error:
        raise SetupError(
            f"torchcodec cannot be loaded ({_reason(error)}). It needs FFmpeg's shared libraries "
            "and the torch that it was built for. Or use --decoder pyav."
        ) from error
    version = str(getattr(torchcodec, "__version__", ""))
    if (found := re.match(r"(\d+)\.(\d+)", version)) and (int(found[1]), int(found[2])) < _OLDEST:
        raise SetupError(
            f"torchcodec {version} is older than {_OLDEST[0]}.{_OLDEST[1]}, the first that memfeat knows: "
            "pip install --upgrade torchcodec, with the torch that belongs to it. Or use --decoder pyav."
        )
    # Newer versions can be imported without FFmpeg, and would fail at every single video.
    if getattr(torchcodec, "ffmpeg_major_version", 0) is None:
        raise SetupError(
            "torchcodec finds no FFmpeg that it can use. It needs FFmpeg's shared libraries, in a version that it "
            "supports (apt install ffmpeg, or conda install ffmpeg). Or use --decoder pyav."
        )
    return VideoDecoder


class TorchcodecSource:
    """The frames of a video file, decoded by torchcodec.

    ``header.frames`` is the number of packets that torchcodec counted, so that frames which are chosen from the end are
    mostly found in one pass; what the file's own header says is in the counts.

    A packet that FFmpeg refuses is passed over and counted, as with PyAV. Where the frames that come are not those that
    the packets promise, the file is refused: torchcodec 0.17 loses frames of MPEG transport and program streams, and of
    AVI files whose frames are stored out of order; 0.14 begins too late where an edit list hides the first key frame.

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
        As `memfeat.video.container.ContainerSource`; and UnreadableError where torchcodec cannot open the file or
        begins with another frame, where the GPU's decoder does not take it, or where it would have to be turned
        upright, which versions of torchcodec do differently.
    SetupError
        The GPU's decoder is not there.
    MemoryError
        The GPU's memory does not suffice.
    """

    def __init__(self, path: Path, decoder: Any, device: str) -> None:
        self._path = path
        self._size = path.stat().st_size
        self._decoded = self._refused = 0
        self._decoder: Any = None
        self._first: Any = None
        source = ContainerSource(path)
        try:
            first = next(source.frames())
            self._cut_short = source.promises_more()
        finally:
            source.close()
        if first.rotation or first.mirrored:
            raise UnreadableError(
                f"{path}: is to be turned or mirrored, which versions of torchcodec do differently; use --decoder pyav"
            )
        self._promised = source.header.frames
        self._clock = Clock(source.header.rate)
        try:
            self._decoder = self._open(decoder, source.header.stream, device)
            self.header: VideoHeader = dataclasses.replace(source.header, frames=len(self._decoder))
            self._first = self._begin(first.time)
            if device != "cpu":
                self._check_gpu()
        except BaseException:
            self.close()
            raise

    def frames(self) -> Iterator[Frame]:
        """Yield every frame, in order of presentation; once only."""
        total = self.header.frames or 0
        frame, self._first = self._first, None
        while frame is not None:
            pixels = np.ascontiguousarray(frame.data.cpu().numpy())
            time, frame = float(frame.pts_seconds), None
            yield Frame(self._decoded, self._clock.read(time), rgb=pixels)
            self._decoded += 1
            if self._decoded < total:
                frame = self._read(self._decoded)
        if self._decoded < total - self._refused:
            raise UnreadableError(
                f"{self._path}: torchcodec gives {self._decoded} of its {total} frames; use --decoder pyav"
            )
        if "matroska" in self.header.container:
            self._cut_short = probe(self._path).cut_short

    def counts(self) -> DecodeCounts:
        """Return the counts up to now.

        torchcodec does not tell of errors that FFmpeg concealed, so none are counted; and the bytes are the file's.
        """
        return DecodeCounts(
            decoded=self._decoded,
            header=self._promised,
            corrupt=0,
            bad_packets=self._refused,
            repaired_times=self._clock.repaired,
            stream_bytes=self._size,
            ended_early=self._cut_short,
        )

    def close(self) -> None:
        """Let go of the decoder, and with it of the file."""
        self._decoder = self._first = None

    def _open(self, decoder: Any, stream: int, device: str) -> Any:
        try:
            return decoder(
                # "file:" keeps FFmpeg from taking the beginning of a:b.mp4 for a protocol.
                f"file:{self._path}",
                stream_index=stream,
                dimension_order="NHWC",
                num_ffmpeg_threads=1,
                device=device,
                seek_mode="exact",
            )
        except (RuntimeError, ValueError) as error:
            raise self._named(error) from error

    def _begin(self, time: float) -> Any:
        # Where seeking in a container is inexact, torchcodec begins somewhere behind the beginning.
        frame = self._read(0)
        wanted = (self.header.height, self.header.width, 3)
        if frame is None or tuple(frame.data.shape) != wanted or abs(frame.pts_seconds - time) > 1e-3:
            raise UnreadableError(
                f"{self._path}: torchcodec does not begin with its first frame; use --decoder pyav"
            )
        return frame

    def _read(self, index: int) -> Any | None:
        """Return a frame; None at the end. Called with one index after the other, as it then never seeks."""
        while True:
            try:
                return self._decoder.get_frame_at(index)
            except IndexError:
                return None
            except (RuntimeError, ValueError) as error:
                if _ENDED in str(error):
                    return None
                # Asked again, it goes on with the next packet; but for the first frame, for which it seeks.
                if index == 0 or self._refused >= len(self._decoder) or not _is_refusal(error):
                    raise self._named(error) from error
                self._refused += 1

    def _check_gpu(self) -> None:
        # It would decode on the CPU without a word, and one feature would hold the pixels of two decoders.
        fallback = self._decoder.cpu_fallback
        if not fallback:
            return
        if "unavailable" in str(fallback):
            raise SetupError(
                f"The GPU's decoder is not there ({fallback}): the driver's video library, libnvcuvid, is missing. "
                "Use --decoder pyav or torchcodec."
            )
        raise UnreadableError(
            f"{self._path}: the GPU's decoder does not take it ({fallback}); use --decoder pyav or torchcodec"
        )

    def _named(self, error: Exception) -> Exception:
        if "out of memory" in str(error):
            return MemoryError(str(error))
        return UnreadableError(
            f"{self._path}: torchcodec cannot decode it ({_reason(error)}); use --decoder pyav"
        )


def _is_refusal(error: Exception) -> bool:
    return any(text in str(error) for text in _REFUSED)


def _reason(error: Exception) -> str:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return re.sub(r"^.*\.cpp:\d+, ", "", first).removesuffix(" Likely causes:").rstrip(".")
