"""One process per GPU: each takes every n-th video, and one that dies is started again on what is left of its share."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, cast

from memfeat.errors import MemfeatError, SetupError
from memfeat.extraction import attempts
from memfeat.extraction.deep import markers
from memfeat.extraction.deep.device import make_current
from memfeat.extraction.deep.perform import Message, Tell, load, perform
from memfeat.extraction.deep.work import Work
from memfeat.extraction.task import Outcome


@dataclass(frozen=True, slots=True)
class _Ended:
    """A process has come to its end, with an error or without."""

    error: MemfeatError | None = None


class _Share:
    """The videos of one process, and the process."""

    def __init__(self, work: Work, device: str, videos: dict[str, Path]) -> None:
        self.ended = False
        self._work = work
        self._device = device
        self._left = videos
        self._begin()

    def _begin(self) -> None:
        context = multiprocessing.get_context("spawn")
        # A pipe of its own: a process that dies while it speaks must not leave the others waiting.
        self.heard, speaks = context.Pipe(duplex=False)
        self.process = context.Process(
            target=_child, args=(self._work, self._left, self._device, speaks), name=f"memfeat-{self._device}"
        )
        self.process.start()
        speaks.close()

    def listen(self, tell: Tell) -> None:
        """Take one message, or the news that the process has died: another then goes on."""
        try:
            message: Message | _Ended = self.heard.recv()
        except (EOFError, OSError):
            self.process.join()
            self._again()
            return
        if isinstance(message, _Ended):
            self.ended = True
            self.process.join()
            if message.error is not None:
                raise message.error
            return
        if isinstance(message, Outcome):
            self._left.pop(message.video, None)
        tell(message)

    def _again(self) -> None:
        if all(markers.look(self._work.store, video) == "free" for video in self._left):
            raise SetupError(
                f"The process on {self._device} ended (exit code {self.process.exitcode}) while no video was open. If "
                "memory ran out, use fewer --decode-threads or one --device. What was committed is kept: run the "
                "same command to go on."
            )
        self._begin()

    def close(self) -> None:
        """End the process."""
        if self.process.is_alive():
            self.process.terminate()
        self.process.join()


def on_devices(
    work: Work,
    videos: Mapping[str, Path],
    devices: Sequence[str],
    *,
    tell: Tell,
    stop: Callable[[], bool],
) -> None:
    """Measure videos on one device in this process, or on several with one process each.

    Which video goes where depends on the order of the videos alone. With several processes, `stop` is not asked: they
    look whether the run has been told to stop (`memfeat.extraction.attempts.request_stop`).

    Raises
    ------
    SetupError
        As `memfeat.extraction.deep.perform`; or a process died while it had no video open.
    """
    if len(devices) == 1:
        perform(work, videos, load(work, devices[0]), tell=tell, stop=stop)
        return
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        # A process of ours runs the caller's script again to find its functions, and it has come this far.
        raise SetupError(
            "Processes read the script that starts them: put the call under `if __name__ == '__main__':`, or name one "
            "device, such as cuda:0."
        )
    listed = list(videos.items())
    shares: list[_Share] = []
    try:
        for index, device in enumerate(devices[: len(listed)]):
            shares.append(_Share(work, device, dict(listed[index :: len(devices)])))
        while left := {share.heard: share for share in shares if not share.ended}:
            for heard in wait(list(left)):
                left[cast(Any, heard)].listen(tell)
    finally:
        for share in shares:
            share.close()


def _child(work: Work, videos: dict[str, Path], device: str, speaks: Connection) -> None:
    # Ctrl-C reaches the whole group; the main process tells by a file when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    error: MemfeatError | None = None
    try:
        make_current(device)
        perform(
            work,
            videos,
            load(work, device),
            tell=speaks.send,
            stop=lambda: attempts.stop_requested(work.store, work.run),
        )
    except MemfeatError as caught:
        error = caught
    speaks.send(_Ended(error))
