"""Marks of processes that are no more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LEAVE = """
import sys
from pathlib import Path
from memfeat.extraction.deep import markers
markers.begin(Path(sys.argv[1]), sys.argv[2], run="r", alone=sys.argv[3] == "alone")
"""


def leave(store: Path, video: str, how: str = "beside") -> None:
    """Have a process mark a video and be no more."""
    subprocess.run([sys.executable, "-c", LEAVE, str(store), video, how], check=True)
