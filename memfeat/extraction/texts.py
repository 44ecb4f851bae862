"""The job for texts: embed what people wrote about videos, and commit it to their store."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from memfeat.errors import DataError, StoreError, UsageError, nearest
from memfeat.extraction import attempts
from memfeat.extraction.deep.device import choose_devices
from memfeat.extraction.deep.wanted import missing
from memfeat.extraction.interrupt import interruptible
from memfeat.extraction.progress import Reporter, Silent
from memfeat.extraction.summary import EXIT_FAILURES, EXIT_INTERRUPTED, EXIT_OK
from memfeat.extraction.text_network import UNIT, Encoder, TextNetwork
from memfeat.measure import environment
from memfeat.store.commit import commit, differences
from memfeat.store.failures import Failure, remove_failure, write_failure
from memfeat.store.feature_store import FeatureStore
from memfeat.store.naming import file_stem, video_path
from memfeat.store.record import FeatureRecord, read_marks, read_video
from memfeat.store.source import Source

_SHOWN = 10


@dataclasses.dataclass
class Embedded:
    """What a run did.

    Attributes
    ----------
    feature, key, field
        Name and key of the feature, and the texts it is made of.
    done, present, not_started
        Videos whose texts were embedded now, were before, and are left because the run was interrupted.
    failed
        Id → why; also recorded in the store.
    texts, cut
        Texts embedded now, and those of them that were longer than the network reads.
    note
        What must be said of the weights; mostly empty.
    """

    feature: str
    key: str
    field: str
    done: int = 0
    present: int = 0
    not_started: int = 0
    failed: dict[str, str] = dataclasses.field(default_factory=dict)
    texts: int = 0
    cut: int = 0
    length: int = 0
    device: str = ""
    seconds: float = 0.0
    interrupted: bool = False
    note: str = ""

    @property
    def exit_code(self) -> int:
        """0 when every text is embedded, 3 with recorded failures, 130 when interrupted."""
        if self.interrupted:
            return EXIT_INTERRUPTED
        return EXIT_FAILURES if self.failed else EXIT_OK

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON."""
        return {**dataclasses.asdict(self), "exit_code": self.exit_code}

    def lines(self) -> list[str]:
        """Return the summary in words."""
        rate = f" ({self.texts / self.seconds:.1f} texts/s on {self.device})" if self.texts else ""
        lines = [
            f"{self.feature}: {self.texts} texts of {self.done} videos embedded, {self.present} videos already "
            f"there, in {self.seconds:.1f} s{rate}."
        ]
        if self.note:
            lines.append(f"note: {self.note}")
        if self.cut:
            lines.append(f"{self.cut} texts are longer than {self.length} tokens and were cut there.")
        if self.failed:
            lines.append(f"{len(self.failed)} failed and are recorded in the store:")
            lines += [f"  {id}: {why}" for id, why in list(self.failed.items())[:_SHOWN]]
        if self.interrupted:
            lines.append(f"Interrupted; {self.not_started} videos are left. Run the same command to go on.")
        return lines


def texts_of(store: FeatureStore, field: str) -> dict[str, tuple[str, ...]]:
    """Return the texts of a field by id.

    Raises
    ------
    UsageError
        The store has none; the message lists what it has.
    """
    texts = store.texts
    if texts is None or field not in texts:
        fields = texts.fields if texts is not None else ()
        there = f"it has {', '.join(fields)}.{nearest(field, fields)}" if fields else "it has none at all."
        raise UsageError(
            f"{store.path} has no texts {field!r}; {there} Texts come with a dataset: memfeat extract RECIPE "
            "--labels-only."
        )
    return texts[field]


def embed(
    store: str | Path | FeatureStore,
    network: TextNetwork,
    *,
    device: str | None = None,
    batch_size: int | None = None,
    force: bool = False,
    reporter: Reporter | None = None,
) -> Embedded:
    """Embed the texts that a store has of its videos, where that is not done yet.

    A video's feature has one row per text, in their order: ``values`` (n_texts, width), whose mean is what models use
    unless told otherwise. It depends on the texts alone, not on the video, so that videos without a media file get it
    too; when texts change, the next run embeds them again. Each video is committed whole or not at all.

    Parameters
    ----------
    store
        A store with texts.
    network
        As `memfeat.extraction.text_network.resolve` gives it.
    device
        ``cpu``, ``cuda`` or ``cuda:N``; None for a GPU where there is one.
    batch_size
        Texts of a batch; None for what suits the device. Values do not depend on it.
    force
        Embed again what is present, and take the place of a feature of that name with another key.
    reporter
        Told of progress.

    Raises
    ------
    UsageError
        The store has no such texts, or the feature with another key and `force` is off. Nothing was written then.
    WeightsError
        The file of weights has no text side, or is that of another network.
    SetupError
        There is no such device, a library is missing, or the store cannot be written; what was committed stays.
    """
    reporter = reporter or Silent()
    store = store if isinstance(store, FeatureStore) else FeatureStore(store)
    if batch_size is not None and batch_size < 1:
        raise UsageError(f"--batch-size {batch_size}: at least 1 is needed.")
    FeatureRecord(network.name, "checks the name")
    texts = texts_of(store, network.field)
    if find_spec("torch") is None:
        raise missing("torch")
    device = choose_devices(device)[0]
    began = time.monotonic()
    summary = Embedded(network.name, network.key, network.field, note=network.choice.note)
    root = Path(store.path).resolve()
    waiting = _plan(root, network, texts, force=force)
    summary.present = len(texts) - len(waiting)
    if waiting:
        reporter.start(f"Loading {network.name} ({device})", 0)
        job = _Job(root, network, Encoder(network, device, batch_size=batch_size), summary, force=force)
        run = uuid.uuid4().hex[:12]
        reporter.start("Embedding", len(waiting))
        with interruptible(root, run, reporter) as interrupted, attempts.open_run(root, run):
            for group in _groups({id: texts[id] for id in waiting}, job.encoder.batch_size):
                if interrupted.is_set():
                    break
                for failed in job.embed(group):
                    reporter.step(failed)
            summary.interrupted = interrupted.is_set()
    summary.not_started = len(waiting) - summary.done - len(summary.failed)
    summary.interrupted = summary.interrupted and summary.not_started > 0
    summary.seconds = time.monotonic() - began
    return summary


def source_of(texts: Sequence[str]) -> Source:
    """Return the identity of some texts: their bytes as a JSON list.

    >>> source_of(["a dog"]).same_content(source_of(["a cat"]))
    False
    """
    data = json.dumps(list(texts), ensure_ascii=False, separators=(",", ":")).encode()
    return Source(len(data), 0, hashlib.sha256(data).hexdigest())


def _plan(root: Path, network: TextNetwork, texts: Mapping[str, Sequence[str]], *, force: bool) -> list[str]:
    """Return the ids whose texts are to be embedded."""
    if force:
        return list(texts)
    waiting = []
    for id, of in texts.items():
        path = video_path(root, id)
        mark = read_marks(path, ignore_damage=True).get(network.name)
        if mark is not None and mark.key != network.key:
            raise UsageError(_conflict(path, id, network, mark.key))
        if mark is None or not mark.source.same_content(source_of(of)):
            waiting.append(id)
    return waiting


def _conflict(path: Path, id: str, network: TextNetwork, key: str) -> str:
    try:
        there = read_video(path, only=[network.name])[network.name].provenance.get("recipe")
    except StoreError:
        there = None
    changes = differences(there, network.recipe) if there else []
    how = f" They differ in {'; '.join(changes)}." if changes else ""
    return (
        f"{id!r} has {network.name!r} with the key {key}, and what is asked for has the key {network.key}.{how} "
        "Use --force to embed again."
    )


def _groups(texts: Mapping[str, Sequence[str]], size: int) -> Iterator[dict[str, Sequence[str]]]:
    """Yield videos together until they have enough texts for a batch."""
    group: dict[str, Sequence[str]] = {}
    count = 0
    for id, of in texts.items():
        group[id] = of
        count += len(of)
        if count >= size:
            yield group
            group, count = {}, 0
    if group:
        yield group


class _Job:
    """What is the same for all videos of a run."""

    def __init__(
        self, root: Path, network: TextNetwork, encoder: Encoder, summary: Embedded, *, force: bool
    ) -> None:
        self.root, self.network, self.encoder, self.summary, self.force = (
            root,
            network,
            encoder,
            summary,
            force,
        )
        self.stage = f"embed-{file_stem(network.name)}"
        note = network.choice.note
        run = encoder.provenance()
        self.provenance: dict[str, Any] = {
            "recipe": network.recipe,
            "unit": UNIT,
            "preparation": "none",
            "weights": network.weights,
            **({"note": note} if note else {}),
            "run": run,
            "environment": environment(),
        }
        summary.length, summary.device = encoder.length, run["device"]

    def embed(self, group: Mapping[str, Sequence[str]]) -> Iterator[bool]:
        """Embed and commit the texts of some videos; yield for each whether it failed."""
        rows = self.encoder([text for of in group.values() for text in of])
        begin = 0
        for id, of in group.items():
            yield not self._commit(id, of, rows[begin : begin + len(of)])
            begin += len(of)

    def _commit(self, id: str, texts: Sequence[str], values: npt.NDArray[np.float32]) -> bool:
        cut = sum(map(self.encoder.cut, texts))
        provenance = {**self.provenance, "texts": {"number": len(texts), "cut": cut}}
        record = FeatureRecord(
            self.network.name,
            self.network.key,
            {"values": values},
            provenance,
            source=source_of(texts),
            imported=True,  # does not depend on the video's file
        )
        try:
            commit(self.root, id, source=None, video=None, features=[record], replace=self.force)
        except DataError as error:
            kind = type(error).__name__.removesuffix("Error")
            keys = {self.network.name: self.network.key}
            write_failure(self.root, Failure(id, self.stage, kind, str(error), keys=keys))
            self.summary.failed[id] = str(error)
            return False
        remove_failure(self.root, id, self.stage)
        self.summary.done += 1
        self.summary.texts += len(texts)
        self.summary.cut += cut
        return True
