"""How a column is written: ``feature``, ``feature:reduction``, ``feature@preparation``, or all three."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memfeat.errors import UsageError
from memfeat.evaluation import preparations

TEXT = "text"
"""What stands in the place of a reduction for a field of texts."""


@dataclass(frozen=True, slots=True)
class ColumnName:
    """The parts of a column's name as they were given; None for a part that was not."""

    feature: str
    """A feature, or a field of texts such as ``captions``."""
    reduction: str | None = None
    preparation: str | None = None

    def named(self, reduction: str) -> str:
        """Return the full name with this reduction: the one given, or what a bare name means.

        >>> ColumnName("hog", None, "pca50").named("mean")
        'hog:mean@pca50'
        """
        return f"{self.feature}:{reduction}" + (f"@{self.preparation}" if self.preparation else "")


def parse_column(name: str) -> ColumnName:
    """Return the parts of a column's name.

    >>> parse_column("hog:first@pca50")
    ColumnName(feature='hog', reduction='first', preparation='pca50')
    >>> parse_column("captions").preparation is None
    True

    Raises
    ------
    UsageError
        A part is empty, there are too many, or there is no such preparation (the nearest is named).
    """
    column, at, preparation = name.partition("@")
    feature, colon, reduction = column.partition(":")
    if not feature or (colon and not reduction) or (at and not preparation) or ":" in reduction:
        raise UsageError(
            "A column is 'feature', 'feature:reduction', 'feature@preparation' or 'feature:reduction@preparation', "
            f"such as 'hog:first@pca50'; got {name!r}."
        )
    if at:
        preparations.find(preparation)
    return ColumnName(feature, reduction or None, preparation or None)


def parse_columns(names: Sequence[str]) -> tuple[ColumnName, ...]:
    """Return the parts of each name.

    Raises
    ------
    UsageError
        There is none, or one cannot be read; see `parse_column`.
    """
    if isinstance(names, str) or not names:
        raise UsageError(f"Columns are a list of at least one name; got {names!r}.")
    return tuple(parse_column(name) for name in names)
