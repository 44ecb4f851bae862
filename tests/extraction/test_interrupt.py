"""The first Ctrl-C asks for an orderly end, the second stops at once, and afterwards everything is as before."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from memfeat.extraction import attempts
from memfeat.extraction.interrupt import interruptible
from memfeat.extraction.progress import Silent


class Listener(Silent):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def say(self, text: str) -> None:
        self.heard.append(text)


def test_the_first_asks_and_the_second_stops(tmp_path):
    before, listener = signal.getsignal(signal.SIGINT), Listener()
    with attempts.open_run(tmp_path, "r"):
        with pytest.raises(KeyboardInterrupt), interruptible(tmp_path, "r", listener) as interrupted:
            assert not interrupted.is_set()
            os.kill(os.getpid(), signal.SIGINT)
            assert interrupted.is_set()
            assert attempts.stop_requested(tmp_path, "r")
            assert "again to stop at once" in listener.heard[0]
            os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is before


def test_before_and_after_the_run_there_is_nobody_to_tell(tmp_path):
    with interruptible(tmp_path, "r", Silent()) as interrupted:
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupted.is_set()
    assert not list(tmp_path.iterdir())


def test_a_thread_has_no_signals_and_goes_without(tmp_path):
    seen = []

    def work() -> None:
        with interruptible(tmp_path, "r", Silent()) as interrupted:
            seen.append(interrupted.is_set())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]
