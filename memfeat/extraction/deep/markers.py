"""Markers that find the video on which a process died, though several were open in it.

A process marks every video before it opens it. What a dead process has left marked are suspects: the next one tries
them again one at a time, alone, and marks them so. Who leaves such a mark is the culprit; the others stood beside it.
"""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from memfeat.errors import SetupError
from memfeat.store.naming import file_stem

FOLDER = "attempts-deep"
State = Literal["free", "suspect", "culprit"]


@dataclass(frozen=True, slots=True)
class Marker:
    """Who has opened a video."""

    run: str
    pid: int
    host: str
    alone: bool

    def is_mine(self) -> bool:
        """Return whether this process left it."""
        return (self.pid, self.host) == (os.getpid(), socket.gethostname())

    def is_alive(self) -> bool:
        """Return whether its process is still at work; one on another machine cannot be asked and counts as dead."""
        if self.host != socket.gethostname():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except OSError:
            return True
        return True


def look(store: Path, video: str) -> State:
    """Return what an earlier process has left to know about a video."""
    try:
        known = Marker(**json.loads(_path(store, video).read_text()))
    except (OSError, ValueError, TypeError):
        return "free"
    if known.is_mine() or known.is_alive():
        return "free"
    return "culprit" if known.alone else "suspect"


def begin(store: Path, video: str, *, run: str, alone: bool = False) -> None:
    """Mark that this process is about to open `video`.

    Raises
    ------
    SetupError
        The store cannot be written.
    """
    text = json.dumps(asdict(Marker(run, os.getpid(), socket.gethostname(), alone)))
    path = _path(store, video)
    try:
        with suppress(FileNotFoundError):
            path.write_text(text)
            return
        path.parent.mkdir(parents=True, exist_ok=True)  # not there yet, or tidied away by another run
        path.write_text(text)
    except OSError as error:
        raise SetupError(f"The store {store} cannot be written: {error}.") from error


def end(store: Path, video: str) -> None:
    """Remove the marker of `video`."""
    try:
        _path(store, video).unlink(missing_ok=True)
    except OSError as error:
        raise SetupError(f"The store {store} cannot be written: {error}.") from error


def tidy(store: Path) -> None:
    """Remove the folder of markers where none is left."""
    with suppress(OSError):
        (store / FOLDER).rmdir()


def _path(store: Path, video: str) -> Path:
    return store / FOLDER / f"{file_stem(video)}.json"
