"""Finding the tables of a release wherever its folders lie, and saying which were read."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from memfeat.errors import LabelError, VideoError
from memfeat.store.source import Source


def find_files(root: Path, *patterns: str, depth: int = 5) -> list[Path]:
    """Return the files below `root` whose name fits a pattern, in order of their paths.

    Patterns are those of the shell, without regard to case. Hidden files and folders are passed over, and
    those deeper than `depth` folders. Of files with the same name and content the first is taken.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "Scores.CSV").write_text("a")
    ...     [file.name for file in find_files(Path(folder), "*scores*.csv")]
    ['Scores.CSV']
    """
    found: list[Path] = []
    contents: set[tuple[str, str]] = set()
    for place, below, names in os.walk(root, followlinks=True):
        # Relative depth also ends a walk through links that lead back up.
        deep = len(Path(place).relative_to(root).parts) >= depth
        below[:] = [] if deep else sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            low = name.lower()
            if name.startswith(".") or not any(fnmatch.fnmatchcase(low, p.lower()) for p in patterns):
                continue
            file = Path(place, name)
            if (content := (low, _digest(file))) not in contents:
                contents.add(content)
                found.append(file)
    return found


def one_file(root: Path, *patterns: str, what: str) -> Path | None:
    """Return the one file below `root` that fits, or None when there is none.

    Raises
    ------
    LabelError
        Several files with different contents fit; `what` says in words what was looked for.
    """
    found = find_files(root, *patterns)
    if len(found) > 1:
        raise LabelError(
            f"{root} holds {len(found)} different files that could be {what}: {', '.join(map(str, found[:5]))}. "
            "Keep one of them below the root, or give the folder of one release."
        )
    return found[0] if found else None


def _digest(file: Path) -> str:
    try:
        return Source.of(file).sha256
    except VideoError as error:
        raise LabelError(f"A table of the release cannot be read: {error}") from error


def sources(files: Iterable[Path]) -> dict[str, Any]:
    """Return name and SHA-256 of the files that labels were read from, for `Labels.source`."""
    listed = sorted(set(files))
    names = ", ".join(file.name for file in listed)
    return {"name": names, "files": [{"name": f.name, "sha256": Source.of(f).sha256} for f in listed]}
