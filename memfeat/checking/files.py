"""The files themselves: sizes, equal content, headers, and on demand every frame."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

from memfeat.checking.duplicates import Groups, gather
from memfeat.checking.report import Finding, Media, number
from memfeat.errors import MemfeatError, VideoError
from memfeat.extraction.progress import Reporter
from memfeat.store.source import Source
from memfeat.video.header import DecodeCounts, VideoHeader
from memfeat.video.probe import probe
from memfeat.video.reader import open_video

Got = TypeVar("Got")
_MOST_THREADS = 8
_MOST_REASONS = 3


@dataclass(frozen=True, slots=True)
class Look:
    """What opening one file gave."""

    header: VideoHeader | None
    problem: str | None = None
    """Why it cannot be used, in words."""
    cut_short: bool = False
    counts: DecodeCounts | None = None
    """After decoding every frame."""


def sizes_of(files: Mapping[str, Path]) -> tuple[dict[str, os.stat_result], list[Finding]]:
    """Ask the file system about every file, and find those that are empty or gone."""
    status: dict[str, os.stat_result] = {}
    gone, empty = [], []
    for id, path in files.items():
        try:
            status[id] = path.stat()
        except OSError:
            gone.append(id)
            continue
        if status[id].st_size == 0:
            empty.append(id)
    findings = []
    if gone:
        findings.append(
            Finding(
                "error",
                "unreachable-files",
                f"{number(len(gone), 'file')} cannot be looked at or went away",
                tuple(gone),
            )
        )
    if empty:
        findings.append(
            Finding("error", "empty-files", f"{number(len(empty), 'file')} without bytes", tuple(empty))
        )
    return status, findings


def same_content(
    files: Mapping[str, Path], status: Mapping[str, os.stat_result], reporter: Reporter, *, threads: int
) -> tuple[Groups, list[Finding]]:
    """Return groups of files with the same bytes. Only files of equal size are read."""
    by_size: dict[int, list[str]] = defaultdict(list)
    for id, of in status.items():
        if of.st_size:
            by_size[of.st_size].append(id)
    suspects = sorted(id for group in by_size.values() if len(group) > 1 for id in group)
    # Links to one file need no reading.
    first: dict[tuple[int, int], str] = {}
    for id in suspects:
        first.setdefault((status[id].st_dev, status[id].st_ino), id)
    alone = Counter(status[id].st_size for id in first.values())
    to_read = [id for id in first.values() if alone[status[id].st_size] > 1]
    digests: dict[str, str] = {}
    failed = []
    if to_read:
        reporter.start(f"comparing {number(len(to_read), 'file')} of equal size", len(to_read))
    for id, got in _each(to_read, lambda id: _digest(files[id]), threads):
        reporter.step(failed=got is None)
        if got is None:
            failed.append(id)
        else:
            digests[id] = got
    findings = []
    if failed:
        findings.append(
            Finding(
                "error",
                "unreachable-files",
                f"{number(len(failed), 'file')} cannot be read",
                tuple(sorted(failed)),
            )
        )
    keys = []
    for id in suspects:
        source = first[status[id].st_dev, status[id].st_ino]
        keys.append((id, digests.get(source, source)))
    return gather(keys), findings


def _digest(path: Path) -> str | None:
    try:
        return Source.of(path).sha256
    except MemfeatError:
        return None


def look_at(path: Path, *, deep: bool = False) -> Look:
    """Open one file; with `deep`, decode every frame."""
    try:
        if not deep:
            found = probe(path)
            return Look(found.header, cut_short=found.cut_short)
        with open_video(path) as video:
            for _ in video:
                pass
            return Look(video.header, counts=video.counts)
    except VideoError as error:
        return Look(None, str(error).removeprefix(f"{path}: "))
    except OSError as error:
        return Look(None, error.strerror or str(error))


def check_media(
    files: Mapping[str, Path],
    status: Mapping[str, os.stat_result],
    reporter: Reporter,
    *,
    deep: bool,
    threads: int,
) -> tuple[Media | None, list[Finding]]:
    """Open every file that has bytes; describe the headers, and find files that cannot be used."""
    ids = [id for id in files if id in status and status[id].st_size]
    if not ids:
        return None, []
    reporter.start("decoding every frame" if deep else "reading headers", len(ids))
    looks: dict[str, Look] = {}
    for id, look in _each(ids, lambda id: look_at(files[id], deep=deep), threads):
        reporter.step(failed=look.problem is not None)
        looks[id] = look
    headers = {id: look.header for id in ids if (look := looks[id]).header is not None}
    media = _describe({id: header for id, header in headers.items() if header}, looks, deep)
    media_bytes = sum(status[id].st_size for id in ids)
    return Media(**{**media, "bytes": media_bytes}), list(_problems(looks, ids))  # type: ignore[arg-type]


def _problems(looks: Mapping[str, Look], ids: Iterable[str]) -> Iterator[Finding]:
    unusable: dict[str, list[str]] = defaultdict(list)
    for id in ids:
        problem = looks[id].problem
        if problem is not None:
            unusable[problem.partition(";")[0].strip()].append(id)
    if unusable:
        every = tuple(id for group in unusable.values() for id in group)
        reasons = sorted(unusable, key=lambda reason: -len(unusable[reason]))
        why = reasons[0]
        if len(reasons) > 1:
            why = " / ".join(f"{len(unusable[reason]):,} × {reason}" for reason in reasons[:_MOST_REASONS])
            why += f" / {len(reasons) - _MOST_REASONS} other reasons" if len(reasons) > _MOST_REASONS else ""
        yield Finding(
            "error", "unreadable-files", f"{number(len(every), 'file')} cannot be opened; {why}", every
        )
    short = tuple(id for id in ids if looks[id].cut_short)
    if short:
        yield Finding(
            "error", "truncated-files", f"{number(len(short), 'file')} without an end: cut short", short
        )
    damaged = tuple(id for id in ids if (counts := looks[id].counts) is not None and counts.damaged)
    if damaged:
        text = f"{number(len(damaged), 'file')} with frames that are lost or damaged when decoded"
        yield Finding("error", "damaged-files", text, damaged)


def _describe(headers: Mapping[str, VideoHeader], looks: Mapping[str, Look], deep: bool) -> dict[str, object]:
    moving = {id: header for id, header in headers.items() if not header.is_image}
    durations = sorted(header.duration for header in moving.values() if header.duration)
    frames = []
    for id, header in moving.items():
        counts = looks[id].counts
        number = header.frames if counts is None else counts.decoded
        if number:
            frames.append(number)
    return {
        "read": len(headers),
        "sizes": _frequent(f"{header.width}×{header.height}" for header in headers.values()),
        "portrait": sum(header.height > header.width for header in headers.values()),
        "rates": _frequent(f"{header.rate:.5g}" for header in moving.values() if header.rate),
        "durations": (durations[0], float(median(durations)), durations[-1]) if durations else None,
        "frames": (min(frames), int(median(frames)), max(frames)) if frames else None,
        "codecs": _frequent(header.codec for header in headers.values()),
        "decoded": deep,
    }


def _frequent(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0])))


def _each(ids: list[str], job: Callable[[str], Got], threads: int) -> Iterator[tuple[str, Got]]:
    """Run a job per id, several at a time; leaving early (Ctrl-C) drops what has not begun."""
    if threads <= 1 or len(ids) < 2:
        for id in ids:
            yield id, job(id)
        return
    pool = ThreadPoolExecutor(min(threads, _MOST_THREADS))
    try:
        # Results in order of ids, so that a report does not depend on which thread was faster.
        yield from zip(ids, pool.map(job, ids), strict=True)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
