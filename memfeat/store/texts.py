"""What people wrote about videos: captions, action labels, titles; several of each per video, in ``texts.csv``."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from memfeat.errors import LabelError, SetupError, StoreError, UsageError
from memfeat.store.files import write_atomically
from memfeat.store.manifest import Manifest, read_manifest, update_manifest
from memfeat.store.naming import check_id

FILE_NAME = "texts.csv"
MAX_CHARACTERS = 100_000
"""Of one text; Python's own reader of CSV stops a little above."""
_HEADING = ["id", "field", "text"]


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
        A field has no name, or an id has no text, or one that is empty, no valid Unicode or longer than
        100,000 characters.

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
            found: dict[str, tuple[str, ...]] = {}
            for id, texts in of.items():
                if isinstance(texts, str) or not texts or not all(text.strip() for text in texts):
                    raise LabelError(f"{field} of {id!r} are {texts!r}; a list of non-empty texts is needed.")
                for text in texts:
                    _check(text, f"{field} of {id!r}")
                if check_id(id) in found:
                    raise LabelError(f"{field} of {id!r} are given twice, with accents encoded in two ways.")
                found[check_id(id)] = tuple(texts)
            self._fields[field] = dict(sorted(found.items()))

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields, as given."""
        return tuple(self._fields)

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id that has a text of any field, sorted."""
        return tuple(sorted({id for of in self._fields.values() for id in of}))

    def only(self, ids: Iterable[str]) -> Texts:
        """Return the texts of some ids, with all fields.

        >>> Texts({"titles": {"a.mp4": ["x"], "b.mp4": ["y"]}}).only(["b.mp4", "ghost"])["titles"]
        {'b.mp4': ('y',)}
        """
        wanted = set(ids)
        fields = {name: {id: of[id] for id in of if id in wanted} for name, of in self._fields.items()}
        return Texts(fields, source=self.source)

    def __getitem__(self, field: str) -> dict[str, tuple[str, ...]]:
        return self._fields[field]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        listed = ", ".join(f"{field} of {len(of)}" for field, of in self._fields.items())
        return f"<Texts: {listed or 'none'}>"


def write_texts(store: str | Path, texts: Texts) -> None:
    """Write ``texts.csv`` and its entry in ``store.json``, in place of those that are there.

    Examples
    --------
    >>> import tempfile
    >>> from memfeat.store.manifest import create_store
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = create_store(folder, dataset="demo")
    ...     write_texts(folder, Texts({"captions": {"a.mp4": ["a dog", "it runs"]}}))
    ...     read_texts(folder)["captions"]["a.mp4"]
    ('a dog', 'it runs')
    """
    content = _to_csv(texts)
    entry = {
        "fields": list(texts.fields),
        "source": texts.source,
        "sha256": hashlib.sha256(content.encode()).hexdigest(),
    }

    def change(manifest: Manifest) -> Manifest:
        # The table goes first: if writing it fails, the entry still belongs to the old one.
        write_atomically(Path(store, FILE_NAME), content)
        return replace(manifest, texts=entry)

    update_manifest(store, change)


def read_texts(store: str | Path) -> Texts | None:
    """Return the texts of a store, or None when it has none.

    Raises
    ------
    StoreError
        The table is damaged or missing.
    """
    entry = read_manifest(store).texts
    path = Path(store, FILE_NAME)
    if entry is None:
        return None
    try:
        content = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise StoreError(
            f"{path} is missing, though store.json speaks of it. Restore it, or extract again."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path} cannot be read: {error}.") from error
    try:
        names = [str(name) for name in entry["fields"]]
        return Texts(_from_csv(content, names), source=entry["source"])
    except (StoreError, LabelError, UsageError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise StoreError(
            f"{path} does not fit its entry in store.json: {error}. Extract again to rewrite both."
        ) from error


def texts_unchanged(store: str | Path) -> bool:
    """Return whether ``texts.csv`` is byte for byte what was written (True when the store has no texts)."""
    entry = read_manifest(store).texts
    if entry is None:
        return True
    try:
        data = Path(store, FILE_NAME).read_bytes()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise SetupError(
            f"{Path(store, FILE_NAME)} cannot be read: {error}. Check its permissions."
        ) from error
    return hashlib.sha256(data).hexdigest() == entry.get("sha256")


def _check(text: str, what: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise LabelError(
            f"{what} have a text of {len(text):,} characters, {text[:40]!r}…; at most {MAX_CHARACTERS:,} "
            "are allowed. Check where the table's quotes end."
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise LabelError(f"{what} have a text that is no valid Unicode: {text[:40]!r}.") from error


def _to_csv(texts: Texts) -> str:
    buffer = io.StringIO()
    # Quoted throughout: unquoted, a text with a carriage return would come back as two rows.
    writer = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(_HEADING)
    for id in texts.ids:
        for field in texts.fields:
            writer.writerows((id, field, text) for text in texts[field].get(id, ()))
    return buffer.getvalue()


def _from_csv(content: str, names: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    rows = csv.reader(io.StringIO(content, newline=""), strict=True)
    if next(rows, None) != _HEADING:
        raise StoreError(f"the heading must be {','.join(_HEADING)}")
    fields: dict[str, dict[str, list[str]]] = {name: {} for name in names}
    for row in rows:
        if len(row) != len(_HEADING):
            raise StoreError(f"line {rows.line_num} has {len(row)} cells, the heading {len(_HEADING)}")
        id, field, text = row
        if field not in fields:
            raise StoreError(f"line {rows.line_num} has the field {field!r}, which is not listed there")
        fields[field].setdefault(id, []).append(text)
    return fields
