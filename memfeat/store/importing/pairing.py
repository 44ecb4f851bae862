"""Which video of a store a shipment's name means: tolerantly, never by guessing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from memfeat.errors import LabelError
from memfeat.matching import Matches, match
from memfeat.matching import resemblance as resembling


def pair(names: Sequence[str], ids: Collection[str]) -> Matches:
    """Match the names of a shipment to ids; whole numbers match whatever their leading zeros.

    Raises
    ------
    LabelError
        A name fits several ids, or several names fit one.

    Examples
    --------
    >>> pair(["video3", "00012", "ghost"], ["video3.webm", "12"]).video_of
    {'video3': 'video3.webm', '00012': '12'}
    """
    name_of: dict[str, str] = {}
    for name, spelling in zip(names, _spelt(names, ids), strict=True):
        if (other := name_of.setdefault(spelling, name)) != name:
            raise LabelError(f"{other!r} and {name!r} both belong to {spelling!r}. Keep one of them.")
    matches = match(name_of, sorted(ids))
    return Matches(
        {name_of[spelling]: id for spelling, id in matches.video_of.items()},
        tuple(name_of[spelling] for spelling in matches.rows_without_video),
        matches.videos_without_row,
    )


def resemblance(names: Sequence[str], ids: Collection[str]) -> int:
    """Return how many names fit some id.

    >>> resemblance(["0012", "video3", "ghost"], ["12", "video3.webm"])
    2
    """
    return resembling(_spelt(names, ids), ids)


def _spelt(names: Sequence[str], ids: Collection[str]) -> list[str]:
    """Return the names, those that are the number of exactly one id spelt as that id."""
    of_number: dict[str, list[str]] = defaultdict(list)
    for id in ids:
        if number := _number(id):
            of_number[number].append(id)
    known = set(ids)
    alone = {number: of[0] for number, of in of_number.items() if len(of) == 1}
    return [name if name in known else alone.get(_number(name), name) for name in names]


def _number(name: str) -> str:
    text = name.strip()
    return str(int(text)) if text.isascii() and text.isdecimal() else ""
