"""The chosen frames of one video, prepared for every network that looks at it, from one decode.

A selection that counts from the end (``fml``, ``spreadN``) needs the number of frames, which only decoding tells. The
header's number is taken for a guess: the frames of the guessed positions are kept, and where the guess was wrong the
video is decoded a second time. So memory does not grow with the length of a video, except for what a network sees as
one clip, which has a limit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from memfeat.errors import TooLongError, UnreadableError
from memfeat.network_extractor import NetworkExtractor, Pixels
from memfeat.video import DecodeCounts, VideoHeader
from memfeat.video.frame import Frame
from memfeat.video.reader import Video

MAX_CLIP = 1024
"""Most frames of one clip: 200 MB of pixels at 256×256, and some tens of GB inside a video network."""
_MOST_KEPT = 512
"""Most prepared frames that are kept on the strength of the header's word."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a network looks at for one row of its feature.

    Attributes
    ----------
    network
        The network, by its place in the run.
    index
        The row.
    time
        Seconds: of the frame, or of the middle of the clip.
    pixels
        uint8 (3, H, W), or (3, frames, H, W).
    dt
        Seconds from the first frame of a pair to the second; `time` is that of the first.
    """

    network: int
    index: int
    time: float
    pixels: Pixels
    dt: float | None = None


class Reading:
    """One pass (or two) over a video: iterate to get rows, then ask for the rest.

    Parameters
    ----------
    path
        The video or image.
    networks
        The networks by their place in the run.
    opener
        Opens a file as `memfeat.video.open_video` does.

    Attributes
    ----------
    header, counts
        Of the file; known when the rows are exhausted.
    rows
        How many rows each network has; known when the rows are exhausted.
    reasons
        Why a network does not apply to this video; its rows, if any, mean nothing.
    problems
        What a network alone cannot do with this video.

    Raises
    ------
    VideoError
        While rows are read: the file gives no frame.
    """

    def __init__(
        self, path: Path, networks: Mapping[int, NetworkExtractor], *, opener: Callable[[Path], Video]
    ) -> None:
        self.path = path
        self.header: VideoHeader | None = None
        self.counts: DecodeCounts | None = None
        self.rows: dict[int, int] = {}
        self.reasons: dict[int, str] = {}
        self.problems: dict[int, TooLongError] = {}
        self._networks = networks
        self._open = opener

    def __iter__(self) -> Generator[Row]:
        """Read the video and yield its rows."""
        with self._open(self.path) as video:
            hint = frames_hint(video.header)
            choosers = {place: _chooser(place, network, hint) for place, network in self._networks.items()}
            for frame in video:
                for chooser in choosers.values():
                    yield from chooser.add(frame)
            self.header, self.counts = video.header, video.counts
            total = video.counts.decoded
        again = {}
        for place, chooser in choosers.items():
            if (reason := self._too_short(place, total)) is not None:
                self.reasons[place] = reason
            elif chooser.settles(total):
                yield from chooser.finish()
            else:
                again[place] = _AtPositions(place, self._networks[place], total)
        if again:
            yield from self._second_pass(again, total)
            choosers |= again
        for place, chooser in choosers.items():
            self.rows[place] = chooser.count
            if place not in self.reasons and chooser.problem is not None:
                self.problems[place] = chooser.problem

    def _second_pass(self, again: Mapping[int, _AtPositions], total: int) -> Iterator[Row]:
        with self._open(self.path) as video:
            for frame in video:
                for chooser in again.values():
                    yield from chooser.add(frame)
            if video.counts.decoded != total:
                raise UnreadableError(
                    f"{self.path} changed while it was read. Run again when it is complete."
                )
        for chooser in again.values():
            yield from chooser.finish()

    def _too_short(self, place: int, total: int) -> str | None:
        least = self._networks[place].min_frames
        return None if total >= least else f"needs {least} frames, the file has {total}"


def frames_hint(header: VideoHeader) -> int | None:
    """Return how many frames the header lets expect, or None where it says nothing; never to be trusted."""
    if header.frames:
        return header.frames
    if header.duration and header.rate:
        return round(header.duration * header.rate) or None
    return None


class _Chooser:
    """Takes one network's frames out of a pass and makes rows of them."""

    problem: TooLongError | None = None

    def __init__(self, place: int, network: NetworkExtractor) -> None:
        self.count = 0
        self._place = place
        self._network = network
        self._clip = _Clip(network) if network.clips else None

    def add(self, frame: Frame) -> Iterator[Row]:
        """Look at the next frame and yield the rows that are complete with it."""
        raise NotImplementedError

    def settles(self, total: int) -> bool:
        """Return whether the pass was enough, now that the number of frames is known."""
        raise NotImplementedError

    def finish(self) -> Iterator[Row]:
        """Yield the rows that waited for the end."""
        if self._clip is None or self.problem is not None:
            return
        selection = self._network.selection
        if selection.kind != "windows":
            yield self._row(*self._clip.take())
        elif not self.count:
            yield self._row(*self._clip.take(selection.n))

    def _taken(self, time: float, pixels: Pixels) -> Iterator[Row]:
        if self._clip is None:
            yield self._row(time, pixels)
            return
        if self.problem is not None:
            return
        selection = self._network.selection
        if len(self._clip) == MAX_CLIP:
            self._clip.clear()
            self.problem = TooLongError(
                f"{self._network.name} sees the chosen frames of a video as one clip of at most {MAX_CLIP}, and this "
                f"video has more. Use a variant that cuts it into windows, or takes some of the frames: the name "
                "of the network followed by -windows32 or -spread32."
            )
            return
        self._clip.add(time, pixels)
        if selection.kind == "windows" and len(self._clip) == selection.n:
            yield self._row(*self._clip.take())

    def _row(self, time: float, pixels: Pixels) -> Row:
        row = Row(self._place, self.count, time, pixels)
        self.count += 1
        return row


class _AsTheyCome(_Chooser):
    """For selections that look at one frame after the other."""

    def __init__(self, place: int, network: NetworkExtractor) -> None:
        super().__init__(place, network)
        self._takes = network.selection.taker()

    def add(self, frame: Frame) -> Iterator[Row]:
        if self._takes(frame.time) and self.problem is None:
            yield from self._taken(frame.time, self._network.prepare(frame.rgb))

    def settles(self, total: int) -> bool:
        return True


class _Pairs(_AsTheyCome):
    """Every frame with the one after it."""

    _before: tuple[float, Pixels] | None = None

    def _taken(self, time: float, pixels: Pixels) -> Iterator[Row]:
        if self._before is not None:
            earlier, first = self._before
            yield Row(self._place, self.count, earlier, np.stack([first, pixels], axis=1), dt=time - earlier)
            self.count += 1
        self._before = time, pixels

    def finish(self) -> Iterator[Row]:
        yield from ()


class _AtPositions(_Chooser):
    """For selections that count: the number of frames is known from an earlier pass, and rows are given at once."""

    def __init__(self, place: int, network: NetworkExtractor, total: int) -> None:
        super().__init__(place, network)
        self._wanted = _repeats(network, total)

    def add(self, frame: Frame) -> Iterator[Row]:
        if times := self._wanted.get(frame.index, 0):
            pixels = self._network.prepare(frame.rgb)
            for _ in range(times):
                yield from self._taken(frame.time, pixels)

    def settles(self, total: int) -> bool:
        return True


class _ByGuess(_Chooser):
    """For selections that count, where the header says how many frames there are: kept until it is proved right."""

    def __init__(self, place: int, network: NetworkExtractor, guess: int) -> None:
        super().__init__(place, network)
        self._guess = guess
        self._wanted = _repeats(network, guess)
        self._kept: list[tuple[float, Pixels, int]] = []

    def add(self, frame: Frame) -> Iterator[Row]:
        if times := self._wanted.get(frame.index, 0):
            self._kept.append((frame.time, self._network.prepare(frame.rgb), times))
        yield from ()

    def settles(self, total: int) -> bool:
        return total == self._guess

    def finish(self) -> Iterator[Row]:
        for time, pixels, times in self._kept:
            for _ in range(times):
                yield from self._taken(time, pixels)
        yield from super().finish()


class _ForLater(_Chooser):
    """For selections that count, where nothing is known of the number of frames: nothing is taken in this pass."""

    def add(self, frame: Frame) -> Iterator[Row]:
        yield from ()

    def settles(self, total: int) -> bool:
        return False


def _chooser(place: int, network: NetworkExtractor, hint: int | None) -> _Chooser:
    selection = network.selection
    if selection.kind == "pairs":
        return _Pairs(place, network)
    if not selection.counted or selection.kind == "first":
        return _AsTheyCome(place, network)
    if hint is None or selection.n > _MOST_KEPT:
        return _ForLater(place, network)
    return _ByGuess(place, network, hint)


def _repeats(network: NetworkExtractor, total: int) -> dict[int, int]:
    return Counter(network.selection.positions(total))


class _Clip:
    """Frames that become one clip."""

    def __init__(self, network: NetworkExtractor) -> None:
        self._name = network.name
        self._frames: list[Pixels] = []
        self._first = self._last = 0.0

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, time: float, pixels: Pixels) -> None:
        if self._frames and pixels.shape != self._frames[0].shape:
            raise UnreadableError(
                f"The frames change from {self._frames[0].shape[1:]} to {pixels.shape[1:]} on their way, and "
                f"{self._name} needs one size per clip. Convert the video to one size."
            )
        if not self._frames:
            self._first = time
        self._frames.append(pixels)
        self._last = time

    def take(self, length: int | None = None) -> tuple[float, Pixels]:
        """Return time and pixels of the clip, repeated up to `length` frames, and begin the next."""
        frames = self._frames if length is None else list(islice(cycle(self._frames), length))
        clip = np.stack(frames, axis=1)
        middle = (self._first + self._last) / 2
        self.clear()
        return middle, clip

    def clear(self) -> None:
        self._frames.clear()
