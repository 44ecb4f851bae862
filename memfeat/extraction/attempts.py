"""Markers that tell a video that ended its worker from the innocent ones that waited behind it.

A worker leaves a marker before it opens a video and removes it afterwards, whatever happened. A scheduler that loses
a worker runs its tasks again elsewhere; the one that finds a marker of its own run knows who did it. Each run has a
folder of its own, so that two runs on one store do not disturb each other.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from memfeat.errors import CrashedError, SetupError
from memfeat.store.files import write_atomically
from memfeat.store.naming import file_stem

_FOLDER = "attempts"
_OWNER = "owner.json"
_STOP = "stop"


@contextmanager
def open_run(store: Path, run: str) -> Iterator[None]:
    """Keep a folder for the markers of `run`, and clear away those of runs that were killed on this machine.

    Raises
    ------
    SetupError
        The store cannot be written.
    """
    for other in (store / _FOLDER).glob("*"):
        if not _is_alive(other / _OWNER):
            shutil.rmtree(other, ignore_errors=True)
    folder = store / _FOLDER / run
    write_atomically(folder / _OWNER, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # other runs are there, or have taken the folder away
            folder.parent.rmdir()


def _is_alive(owner: Path) -> bool:
    try:
        known = json.loads(owner.read_text())
        if known["host"] != socket.gethostname():
            return True
        os.kill(int(known["pid"]), 0)
    except ProcessLookupError:
        return False
    except (OSError, ValueError, KeyError):
        return True
    return True


def begin(store: Path, video: str, *, run: str) -> None:
    """Mark that this process is about to open `video`.

    Raises
    ------
    CrashedError
        The same run has tried before and its process did not live to remove the marker.
    SetupError
        The store cannot be written.
    """
    marker = _marker(store, video, run)
    if marker.exists():
        earlier = marker.read_text()
        raise CrashedError(
            f"The process that measured this video ended before it was done (a crash in a decoder, or no memory left): "
            f"{earlier}. It is left out; --retry-failed tries it again."
        )
    try:
        marker.write_text(f"process {os.getpid()} on {socket.gethostname()}")
    except OSError as error:
        raise SetupError(f"The store {store} cannot be written: {error}.") from error


def end(store: Path, video: str, *, run: str) -> None:
    """Remove the marker of `video`."""
    _marker(store, video, run).unlink(missing_ok=True)


def _marker(store: Path, video: str, run: str) -> Path:
    return store / _FOLDER / run / f"{file_stem(video)}.txt"


def request_stop(store: Path, run: str) -> None:
    """Tell every worker of `run`, on whatever machine, to begin no further video; nothing where none has begun."""
    with suppress(FileNotFoundError):
        (store / _FOLDER / run / _STOP).touch()


def stop_requested(store: Path, run: str) -> bool:
    """Return whether the run has been told to stop."""
    return (store / _FOLDER / run / _STOP).exists()
