"""What people wrote about videos: captions, action labels, titles; several of each per video."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from memfeat.errors import LabelError
from memfeat.store.naming import check_id


class Texts(Mapping[str, dict[str, tuple[str, ...]]]):
    """Texts by field and id: ``texts["captions"]["video3.webm"]`` is a tuple of strings.

    Parameters
    ----------
    fields
        For each field (``captions``, ``actions``, ``titles``, ``categories``, ...) the texts of each id, in
        the order in which they were shipped. Ids without a text are left out.
    source
        Where each field came from, in words, such as a file name.

    Raises
    ------
    LabelError
        A field has no name, or an id has no text or an empty one.

    Examples
    --------
    >>> texts = Texts({"captions": {"a.mp4": ["a dog runs", "dog on grass"]}})
    >>> texts["captions"]["a.mp4"]
    ('a dog runs', 'dog on grass')
    >>> texts.fields, texts
    (('captions',), <Texts: captions of 1>)
    """

    def __init__(
        self, fields: Mapping[str, Mapping[str, Sequence[str]]], *, source: Mapping[str, str] | None = None
    ) -> None:
        self._fields: dict[str, dict[str, tuple[str, ...]]] = {}
        self.source = dict(source or {})
        for field, of in fields.items():
            if not field or not field.replace("-", "").replace("_", "").isalnum():
                raise LabelError(
                    f"A field of texts is named {field!r}; letters, digits, '-' and '_' are needed."
                )
            for id, texts in of.items():
                check_id(id)
                if isinstance(texts, str) or not texts or not all(text.strip() for text in texts):
                    raise LabelError(f"{field} of {id!r} are {texts!r}; a list of non-empty texts is needed.")
            self._fields[field] = {id: tuple(of[id]) for id in sorted(of)}

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields, as given."""
        return tuple(self._fields)

    def __getitem__(self, field: str) -> dict[str, tuple[str, ...]]:
        return self._fields[field]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        listed = ", ".join(f"{field} of {len(of)}" for field, of in self._fields.items())
        return f"<Texts: {listed or 'none'}>"
