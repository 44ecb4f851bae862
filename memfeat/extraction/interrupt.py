"""Ctrl-C during a job: the first lets the videos in work come to their end, the second stops at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from memfeat.extraction import attempts
from memfeat.extraction.progress import Reporter


@contextmanager
def interruptible(root: Path, run: str, reporter: Reporter) -> Iterator[threading.Event]:
    """Let the first Ctrl-C finish the videos in work, and the second stop at once."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return

    def on_signal(number: int, frame: FrameType | None) -> Any:
        if interrupted.is_set():
            # A third would only tear the closing of the workers, which takes seconds.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            raise KeyboardInterrupt
        interrupted.set()
        attempts.request_stop(root, run)
        reporter.say("Finishing the videos in work; press Ctrl-C again to stop at once.")

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
