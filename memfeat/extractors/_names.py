"""Reading the frame selection off the end of a network's name."""

from __future__ import annotations

from memfeat.errors import UsageError
from memfeat.frame_selection import FrameSelection, parse_selection


def selection_of(name: str, base: str, usual: FrameSelection) -> FrameSelection | None:
    """Return the selection of a name that begins with `base`: the usual one, or that after ``-``; None for others.

    >>> selection_of("net-w-fml", "net-w", FrameSelection("all"))
    FrameSelection(kind='first-middle-last', n=0)
    >>> selection_of("net-wide", "net-w", FrameSelection("all")) is None
    True
    """
    if name == base:
        return usual
    if not name.startswith(f"{base}-"):
        return None
    try:
        return parse_selection(name.removeprefix(f"{base}-"))
    except UsageError:
        return None


def named(base: str, selection: FrameSelection, usual: FrameSelection) -> str:
    """Return the name of a network with that selection.

    >>> named("net-w", FrameSelection("every", 9), FrameSelection("all"))
    'net-w-every9'
    """
    return base if selection == usual else f"{base}-{selection.suffix}"
