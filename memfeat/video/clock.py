"""Frame times that can be relied on: in seconds, strictly increasing, and a count of those that were not."""

from __future__ import annotations

import math

FALLBACK_RATE = 25.0
"""Frames per second assumed where a stream states no rate."""


class Clock:
    """Passes a stream's times through, and repairs those that are missing or do not increase.

    A repaired time lies one frame, at the average rate, after the one before; the first of all is 0.

    Parameters
    ----------
    rate : float or None
        Average frames per second; `FALLBACK_RATE` when unknown.

    Examples
    --------
    >>> clock = Clock(10)
    >>> [clock.read(time) for time in (0.5, 0.75, None, 0.75, 2.0)]
    [0.5, 0.75, 0.85, 0.95, 2.0]
    >>> clock.repaired
    2
    """

    def __init__(self, rate: float | None) -> None:
        self._step = 1 / (rate or FALLBACK_RATE)
        self._last: float | None = None
        self.repaired = 0

    @property
    def end(self) -> float:
        """Seconds at which the latest frame ends, at the average rate; 0 before the first."""
        return 0.0 if self._last is None else self._last + self._step

    def read(self, time: float | None) -> float:
        """Return the time of the next frame, in seconds."""
        if time is None or not math.isfinite(time) or (self._last is not None and time <= self._last):
            self.repaired += 1
            time = self.end if self._last is None else max(self.end, math.nextafter(self._last, math.inf))
        self._last = time
        return time
