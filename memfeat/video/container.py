"""Moving pictures through FFmpeg: one open file, one stream, every frame that decodes."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from memfeat.errors import NoFramesError, NoVideoStreamError, TooLargeError, UnreadableError
from memfeat.video.clock import FALLBACK_RATE, Clock
from memfeat.video.frame import Frame
from memfeat.video.header import MAX_PIXELS, DecodeCounts, VideoHeader
from memfeat.video.orientation import Orientation, of_picture

CONTAINERS = (
    "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,mxf,nut,ivf,obu,h264,hevc,m4v,dv,yuv4mpegpipe,"
    # Audio only, so that the error can say so.
    "mp3,wav,flac,aac,aiff,ac3,caf"
)
"""FFmpeg's names of the containers that memfeat opens: none that can name other files, as playlists do."""

_MAX_READ_FAILURES = 1000
_COVER = Disposition.attached_pic | Disposition.timed_thumbnails


class ContainerSource:
    """The frames of a video file.

    Opening decodes as far as the first frame, so that the header is what the frames are.

    Parameters
    ----------
    path : Path
        An existing file that is no still image.

    Raises
    ------
    UnreadableError
        No container that memfeat opens, or damaged beyond opening.
    NoVideoStreamError
        Nothing but audio, subtitles or cover pictures.
    TooLargeError
        More than `MAX_PIXELS` pixels per frame.
    NoFramesError
        Not one frame decodes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file_size = path.stat().st_size
        self._decoded = self._corrupt = self._bad = self._bytes = 0
        self._ended_early = False
        self._pictures: Generator[av.VideoFrame] | None = None
        self._container = _open(path)
        try:
            self._stream = _choose(self._container, path)
            context = self._stream.codec_context
            # Processes, not threads, use the other cores: a worker's load is then one core, whatever it does.
            context.thread_type, context.thread_count = av.codec.context.ThreadType.NONE, 1
            context.options = {"max_pixels": str(MAX_PIXELS)}
            self._reformatter = VideoReformatter()
            self._pictures = self._decode()
            self._first = next(self._pictures, None)
            if self._first is None:
                raise self._no_frames()
            self._raw_rotation = self._first.rotation
            self._orientation = of_picture(self._first)
            self.header = self._read_header(self._first)
            self._clock = Clock(self.header.rate)
        except BaseException:
            self.close()
            raise

    def frames(self) -> Iterator[Frame]:
        """Yield every frame, in order of presentation; once only."""
        picture, self._first = self._first, None
        while picture is not None and self._pictures is not None:
            self._corrupt += picture.is_corrupt
            yield Frame(
                self._decoded,
                self._clock.read(picture.time),
                picture=picture,
                orientation=self._orientation_of(picture),
                reformatter=self._reformatter,
            )
            self._decoded += 1
            picture = next(self._pictures, None)
        self._ended_early = self._stops_short()

    def counts(self) -> DecodeCounts:
        """Return the counts up to now."""
        return DecodeCounts(
            decoded=self._decoded,
            header=self.header.frames,
            corrupt=self._corrupt,
            bad_packets=self._bad,
            repaired_times=self._clock.repaired,
            stream_bytes=self._bytes,
            ended_early=self._ended_early,
        )

    def promises_more(self) -> bool:
        """Return whether the index (MP4, MOV, AVI) points behind the end of the file."""
        index = self._stream.index_entries
        return len(index) > 0 and index[-1].pos + index[-1].size > self._file_size

    def close(self) -> None:
        """Close the file. Frames that were handed out stay valid."""
        if self._pictures is not None:
            self._pictures.close()
        self._container.close()

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        # An error while reading ends PyAV's loop, though the file may well go on: start the loop again there.
        failures = 0
        while failures < _MAX_READ_FAILURES:
            try:
                for packet in self._container.demux(self._stream):
                    failures = 0
                    # The loop ends with an empty packet that flushes the decoder: done below, once.
                    if packet.size:
                        yield packet
                return
            except av.FFmpegError as error:
                failures += 1
                self._bad += 1
                self._check_readable(error)

    def _decode(self) -> Generator[av.VideoFrame]:
        for packet in self._packets():
            self._bytes += packet.size
            damaged = packet.is_corrupt
            pictures: list[av.VideoFrame] = []
            try:
                pictures = packet.decode()
            except av.FFmpegError:
                damaged = True
            self._bad += damaged
            yield from pictures
        try:
            rest = self._stream.codec_context.decode(None)
        except av.FFmpegError:
            self._bad += 1
            return
        for picture in rest:
            # PyAV takes the time base from the packet, and there is none when flushing: times would be NaN.
            picture.time_base = self._stream.time_base
            yield picture

    def _check_readable(self, error: av.FFmpegError) -> None:
        # FFmpeg reports a failing disk and a truncated file alike. Only the second is damage to be counted.
        try:
            with self._path.open("rb") as file:
                file.seek(-1, 2)
                file.read(1)
        except OSError as failure:
            raise UnreadableError(
                f"{self._path}: reading stopped after {self._decoded} frames ({failure}); "
                "check the disk or the network and run again"
            ) from error

    def _orientation_of(self, picture: av.VideoFrame) -> Orientation:
        if picture.rotation != self._raw_rotation:
            self._raw_rotation = picture.rotation
            self._orientation = of_picture(picture)
        return self._orientation

    def _read_header(self, first: av.VideoFrame) -> VideoHeader:
        stream = self._stream
        width, height = first.width, first.height
        if self._orientation.rotation % 180:
            width, height = height, width
        rate = stream.average_rate or stream.guessed_rate or stream.base_rate
        duration = _seconds(stream.duration, stream.time_base)
        if duration is None:
            duration = _seconds(self._container.duration, Fraction(1, av.time_base))
        return VideoHeader(
            path=self._path,
            width=width,
            height=height,
            rotation=self._orientation.rotation,
            rate=float(rate) if rate else None,
            time_base=stream.time_base,
            duration=duration,
            frames=stream.frames or None,
            stream=stream.index,
            container=self._container.format.name,
            codec=stream.codec_context.name,
            pixel_format=first.format.name,
            is_image=False,
        )

    def _stops_short(self) -> bool:
        # A file cut between two packets ends without an error. Only what its header promised tells.
        if "matroska" in self.header.container:
            end = _matroska_end(self._container, self._stream)
            slack = max(0.25, 3 / (self.header.rate or FALLBACK_RATE))
            return end is not None and self._clock.end < end - slack
        return self.promises_more()

    def _no_frames(self) -> NoFramesError | TooLargeError:
        context = self._stream.codec_context
        if context.width * context.height > MAX_PIXELS:
            return _too_large(self._path, context.width, context.height)
        return NoFramesError(
            f"{self._path}: no frame of its {context.name} stream decodes ({self._bad} packets refused); "
            "the file is empty, truncated or damaged: get it again"
        )


def _open(path: Path) -> InputContainer:
    # "file:" makes names such as pipe:0.mp4 or a:b.mp4 plain files. The two lists keep a text file that poses
    # as a video from making FFmpeg read others.
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": CONTAINERS,
        "max_pixels": str(MAX_PIXELS),
    }
    try:
        return av.open(f"file:{path}", mode="r", options=options, metadata_errors="replace")
    except (av.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "Invalid argument"
        raise UnreadableError(
            f"{path}: not an image, and not a video in a container that memfeat opens ({reason}); "
            "expected MP4, MOV, Matroska, WebM, AVI, MPEG or another common container, complete"
        ) from error


def _choose(container: InputContainer, path: Path) -> VideoStream:
    streams = [stream for stream in container.streams.video if not stream.disposition & _COVER]
    if not streams:
        kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
        raise NoVideoStreamError(f"{path}: holds no moving picture, only {kinds}; give a file that does")
    # PyAV gives no codec context to a stream whose codec FFmpeg cannot decode.
    decodable = [stream for stream in streams if stream.codec_context is not None]
    if not decodable:
        raise UnreadableError(
            f"{path}: its header does not name a codec that FFmpeg decodes; "
            "get the file again, or convert it to H.264"
        )
    chosen = max(decodable, key=lambda stream: stream.codec_context.width * stream.codec_context.height)
    width, height = chosen.codec_context.width, chosen.codec_context.height
    if width * height > MAX_PIXELS:
        raise _too_large(path, width, height)
    return chosen


def _too_large(path: Path, width: int, height: int) -> TooLargeError:
    return TooLargeError(
        f"{path}: {width}×{height} is {width * height:,} pixels per frame; "
        f"at most {MAX_PIXELS:,} are accepted: scale it down"
    )


def _seconds(ticks: int | None, base: Fraction | None) -> float | None:
    return None if ticks is None or base is None or ticks <= 0 else float(ticks * base)


def _matroska_end(container: InputContainer, stream: VideoStream) -> float | None:
    tag = stream.metadata.get("DURATION") or stream.metadata.get("DURATION-eng")
    if tag:
        try:
            hours, minutes, seconds = tag.split(":")
            return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
        except ValueError:
            return None
    # Without the track's own figure, the file's length is the picture's only when there is nothing else.
    return _seconds(container.duration, Fraction(1, av.time_base)) if len(container.streams) == 1 else None
