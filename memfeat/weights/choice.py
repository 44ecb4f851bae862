"""Which weights a network is given: the published ones, a file, or random ones that were asked for by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from memfeat.errors import UsageError

_RANDOM = re.compile(r"random:(\d{1,9})")
_IN_A_NAME = re.compile(r"-random(\d{1,9})$")


@dataclass(frozen=True, slots=True)
class Choice:
    """The answer to ``--weights``; without `seed` and `file`, the published file of that name."""

    seed: int | None = None
    """Seed of random weights."""
    file: Path | None = None
    """A file to use instead of the published one; its digest enters the feature key."""

    @property
    def random(self) -> bool:
        """Whether what comes out means nothing."""
        return self.seed is not None

    @property
    def given(self) -> bool:
        """Whether other weights than the published ones were asked for."""
        return self != PUBLISHED

    @property
    def note(self) -> str:
        """What must be said of everything made from these weights; mostly empty."""
        if self.seed is None:
            return ""
        return f"RANDOM weights (seed {self.seed}): the network is untrained and its features mean nothing"


PUBLISHED = Choice()


def parse(text: str | None) -> Choice:
    """Return the choice that ``--weights`` names: nothing, ``random:SEED``, or a file.

    Raises
    ------
    UsageError
        The text is neither ``random:SEED`` nor an existing file.

    Examples
    --------
    >>> parse("random:7").seed, parse(None) == PUBLISHED
    (7, True)
    """
    if text is None or text == "published":
        return PUBLISHED
    if found := _RANDOM.fullmatch(text):
        return Choice(seed=int(found.group(1)))
    if text.startswith("random"):
        raise UsageError(f"--weights {text!r}: random weights need a seed, as in random:0.")
    if not Path(text).is_file():
        raise UsageError(
            f"--weights {text!r} is no file. Give a file of weights, random:SEED, or nothing for the published ones."
        )
    return Choice(file=Path(text))


def seed_in(name: str) -> int | None:
    """Return the seed of the random weights that a feature's name speaks of, or None.

    >>> seed_in("csn-ip-152-ig65m-random7"), seed_in("csn-ip-152-ig65m")
    (7, None)
    """
    found = _IN_A_NAME.search(name)
    return int(found.group(1)) if found else None


def note_of(name: str) -> str:
    """Return what must be said of a feature of that name; mostly nothing.

    >>> note_of("csn-ip-152-ig65m-random7")
    'csn-ip-152-ig65m-random7: RANDOM weights (seed 7): the network is untrained and its features mean nothing'
    """
    seed = seed_in(name)
    return "" if seed is None else f"{name}: {Choice(seed=seed).note}"
