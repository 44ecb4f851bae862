"""Which frames of a video a network sees, as a part of the feature's name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar

from memfeat.errors import UsageError

Kind = Literal["all", "first", "first-middle-last", "every", "per-second", "spread", "windows", "pairs"]
Timed = TypeVar("Timed")

_SUFFIXES = {
    "all": "all",
    "first": "first",
    "first-middle-last": "fml",
    "every": "every{n}",
    "per-second": "{n}ps",
    "spread": "spread{n}",
    "windows": "windows{n}",
    "pairs": "pairs",
}
_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("all", re.compile(r"all")),
    ("first", re.compile(r"first")),
    ("first-middle-last", re.compile(r"fml")),
    ("every", re.compile(r"every([1-9]\d*)")),
    ("per-second", re.compile(r"([1-9]\d*)ps")),
    ("spread", re.compile(r"spread([1-9]\d*)")),
    ("windows", re.compile(r"windows([1-9]\d*)")),
)
_COUNTED: tuple[Kind, ...] = ("first", "first-middle-last", "spread")


@dataclass(frozen=True, slots=True)
class FrameSelection:
    """A rule that picks frames by their position and time.

    * ``all``: every decoded frame;
    * ``first``: frame 0;
    * ``first-middle-last``: frames 0, T // 2 and T - 1, each once (the last two coincide where T is small: they are
      then repeated, so that there are always three);
    * ``every`` n: frames 0, n, 2n, ...;
    * ``per-second`` n: the first frame, then the first at or after each further 1/n of a second, by the stream's clock;
    * ``spread`` n: n frames spread evenly, floor(k T / n) for k = 0 … n - 1, repeated where T < n;
    * ``windows`` n: every frame, to be cut into windows of n in a row; a video that has fewer is repeated from its
      beginning until one window is full;
    * ``pairs``: every frame with the one after it; what has this selection has no other, so no name ends in it.

    Examples
    --------
    >>> parse_selection("fml").positions(90), parse_selection("spread5").positions(45)
    ([0, 45, 89], [0, 9, 18, 27, 36])
    >>> FrameSelection("per-second", 2).suffix
    '2ps'
    """

    kind: Kind
    n: int = 0

    @property
    def suffix(self) -> str:
        """The last part of a feature's name."""
        return _SUFFIXES[self.kind].format(n=self.n)

    @property
    def counted(self) -> bool:
        """Whether positions follow from the number of frames alone, which is known after a pass over the video."""
        return self.kind in _COUNTED

    def positions(self, total: int) -> list[int]:
        """Return the positions of a counted selection among `total` frames, in order, maybe repeated.

        Raises
        ------
        UsageError
            There are no frames, or the selection looks at times.
        """
        if total < 1 or not self.counted:
            raise UsageError(f"{self.suffix!r} has no fixed positions among {total} frames.")
        if self.kind == "first":
            return [0]
        if self.kind == "first-middle-last":
            return [0, total // 2, total - 1]
        return [k * total // self.n for k in range(self.n)]

    def chosen(self, frames: Iterable[tuple[float, Timed]]) -> Iterator[tuple[float, Timed]]:
        """Yield the chosen ones of (time in seconds, frame), as they come, for a selection that is not counted.

        Raises
        ------
        UsageError
            The selection is counted: use `positions`.
        """
        if self.counted:
            raise UsageError(f"{self.suffix!r} needs the number of frames; use positions().")
        takes = self.taker()
        return (item for item in frames if takes(item[0]))

    def taker(self) -> Callable[[float], bool]:
        """Return what answers, frame after frame, whether the one at this time in seconds is chosen.

        For a selection that is not counted, and for ``first``.

        Raises
        ------
        UsageError
            The selection needs the number of frames.

        Examples
        --------
        >>> takes = FrameSelection("per-second", 2).taker()
        >>> [takes(time) for time in (0.0, 0.2, 0.4, 0.6, 1.1)]
        [True, False, False, True, True]
        """
        if self.counted and self.kind != "first":
            raise UsageError(f"{self.suffix!r} needs the number of frames; use positions().")
        index = taken = -1
        begin: float | None = None

        def takes(time: float) -> bool:
            nonlocal index, taken, begin
            index += 1
            if self.kind == "first":
                return index == 0
            if self.kind == "every":
                return index % self.n == 0
            if self.kind == "per-second":
                begin = time if begin is None else begin
                # A tenth of a microsecond forgives sums of frame durations that fall short of a whole step.
                step = int((time - begin) * self.n + 1e-7)
                if step <= taken:
                    return False
                taken = step
            return True

        return takes


ALL = FrameSelection("all")
FIRST = FrameSelection("first")
PAIRS = FrameSelection("pairs")


def parse_selection(text: str) -> FrameSelection:
    """Return the selection that a suffix names, such as ``all``, ``first``, ``fml``, ``every9``, ``1ps``, ``spread5``.

    Raises
    ------
    UsageError
        It names none.

    Examples
    --------
    >>> parse_selection("every9")
    FrameSelection(kind='every', n=9)
    """
    for kind, pattern in _PATTERNS:
        if found := pattern.fullmatch(text):
            return FrameSelection(kind, int(found.group(1)) if pattern.groups else 0)
    raise UsageError(
        f"{text!r} selects no frames; use all, first, fml (first, middle, last), everyN, Nps (N per second), "
        "spreadN or windowsN."
    )
