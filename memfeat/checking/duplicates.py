"""Items that are one thing twice: same bytes, same title, same source; and splits that tear them apart."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

from memfeat.checking.counting import SPLIT, split_columns
from memfeat.checking.report import Finding, Severity, number
from memfeat.dataset import Dataset
from memfeat.metrics import spearman

Groups = tuple[tuple[str, ...], ...]
TEXT_FIELDS = ("titles", "title", "captions")
"""Fields whose equal texts hint at one source; actions and categories are shared by nature."""
_BLANKS = re.compile(r"[\W_]+")
_MOST_MEMBERS = 20
_LEAST_PAIRS = 20


@dataclass(frozen=True, slots=True)
class Kind:
    """One way of being the same."""

    code: str
    """``content``, ``group``, or a field of texts."""
    words: str
    """In words: ``have the same bytes as another``."""
    groups: Groups
    """Two or more ids each."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Everybody in the groups."""
        return tuple(id for group in self.groups for id in group)


def by_group(dataset: Dataset) -> Kind | None:
    """Return the groups that the labels name."""
    if dataset.labels is None or not dataset.labels.has_group:
        return None
    named = dataset.labels.table["group"].dropna()
    return Kind("group", "share their group with another", gather(named.items()))


def by_text(dataset: Dataset) -> Iterator[Kind]:
    """Yield the items whose titles, or all of whose captions, are equal but for case and punctuation."""
    for field in TEXT_FIELDS:
        if field in (dataset.texts or {}):
            assert dataset.texts is not None
            keys = {
                id: tuple(sorted(_BLANKS.sub(" ", text.casefold()).strip() for text in texts))
                for id, texts in dataset.texts[field].items()
            }
            same = gather((id, key) for id, key in keys.items() if any(key))
            yield Kind(field, f"have the same {field} as another", same)


def gather(keys: Iterable[tuple[Hashable, Hashable]]) -> Groups:
    """Return the ids that share a key, in groups of two or more.

    >>> gather([("a", 1), ("b", 2), ("c", 1)])
    (('a', 'c'),)
    """
    found: dict[Hashable, list[str]] = defaultdict(list)
    for id, key in keys:
        found[key].append(str(id))
    return tuple(tuple(group) for group in found.values() if len(group) > 1)


def check_duplicates(dataset: Dataset, kinds: Sequence[Kind]) -> Iterator[Finding]:
    """Report what is there twice, and every split that has it on both sides."""
    table = None if dataset.labels is None else dataset.labels.table
    rows = 0 if table is None else len(table)
    group_of: Mapping[str, str | None] = (
        {}
        if table is None or "group" not in table
        else {str(id): name for id, name in table["group"].items()}
    )
    for kind in kinds:
        if not kind.groups:
            continue
        kept = all(len({group_of.get(id) or id for id in group}) == 1 for group in kind.groups)
        largest = max(map(len, kind.groups))
        total = len(dataset.files) if kind.code == "content" else rows or len(dataset.files)
        message = (
            f"{len(kind.ids):,} of {total:,} items {kind.words} ({number(len(kind.groups), 'group')}, the largest of "
            f"{largest:,}{_agreement(dataset, kind.groups)})"
        )
        severity: Severity = "note"
        if kind.code != "group" and not kept:
            severity = "warning"
            message += "; k-fold puts them on both sides unless a group keeps them together"
        yield Finding(severity, f"same-{kind.code}", message, kind.ids, kind.groups)
        yield from _leaks(dataset, kind)


def _leaks(dataset: Dataset, kind: Kind) -> Iterator[Finding]:
    """Report groups on both sides of an official split; of several splits in one finding per pair of sides."""
    if dataset.labels is None:
        return
    said: dict[tuple[str, str], list[str]] = defaultdict(list)
    torn: dict[tuple[str, str], dict[tuple[str, ...], None]] = defaultdict(dict)
    for column in split_columns(dataset):
        split_of = {str(id): name for id, name in dataset.labels.table[column].items() if name}
        sizes = Counter(split_of.values())
        inside: Counter[tuple[str, str]] = Counter()
        for group in kind.groups:
            sides = sorted({split_of[id] for id in group if id in split_of}, key=lambda s: (sizes[s], s))
            for pair in combinations(sides, 2):
                torn[pair][tuple(id for id in group if split_of.get(id) in pair)] = None
                inside[pair] += sum(split_of.get(id) == pair[0] for id in group)
        for pair, n in inside.items():
            where = f" ({column.partition(':')[2]})" if column != SPLIT else ""
            said[pair].append(f"{n:,} of {sizes[pair[0]]:,}{where}")
    for pair, counts in sorted(said.items()):
        groups = tuple(torn[pair])
        yield Finding(
            "error" if kind.code == "content" else "warning",
            f"leak-{kind.code}",
            f"{', '.join(counts)} items of split {pair[0]!r} {kind.words.removesuffix(' another')} "
            f"one of split {pair[1]!r}",
            tuple(dict.fromkeys(id for group in groups for id in group)),
            groups,
        )


def _agreement(dataset: Dataset, groups: Groups) -> str:
    """Say how alike the scores within groups are, where there are enough pairs to tell."""
    if dataset.labels is None or not dataset.labels.targets:
        return ""
    target = dataset.labels.targets[0]
    score = {str(id): float(value) for id, value in dataset.labels.table[target].dropna().items()}
    pairs = [
        (score[a], score[b])
        for group in groups
        if len(group) <= _MOST_MEMBERS
        for a, b in permutations(group, 2)
        if a in score and b in score
    ]
    if len(pairs) < 2 * _LEAST_PAIRS:
        return ""
    rho = spearman([a for a, _ in pairs], [b for _, b in pairs])
    return "" if rho is None else f"; within them, scores of {target!r} correlate {rho:.2f}"
