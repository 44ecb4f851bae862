from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfeat.errors import MissingFileError, StoreError, UnreadableError
from memfeat.store import source as module
from memfeat.store.source import Source


def test_source_is_size_time_and_sha256(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"some bytes")
    found = Source.of(path)
    assert found == Source(10, path.stat().st_mtime_ns, hashlib.sha256(b"some bytes").hexdigest())


def test_unchanged_size_and_time_spare_the_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"abc")
    known = Source.of(path)
    monkeypatch.setattr(module, "_hash", lambda path: pytest.fail("hashed again"))
    assert Source.of(path, known=known) is known


@pytest.mark.parametrize("change", ["time", "size"])
def test_a_change_of_either_hashes_again(tmp_path: Path, change: str) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"abc")
    known = Source.of(path)
    path.write_bytes(b"abd" if change == "time" else b"abcd")
    time = known.mtime_ns + (10**9 if change == "time" else 0)
    os.utime(path, ns=(time, time))
    found = Source.of(path, known=known)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest() != known.sha256
    assert not found.same_content(known)


def test_a_touched_file_has_the_same_content(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"abc")
    known = Source.of(path)
    os.utime(path, ns=(1, 1))
    found = Source.of(path, known=known)
    assert found != known and found.same_content(known)


def test_empty_file_has_a_source(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert Source.of(tmp_path / "empty").sha256 == hashlib.sha256(b"").hexdigest()


def test_missing_file_folder_and_pipe_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="no file"):
        Source.of(tmp_path / "none.mp4")
    with pytest.raises(MissingFileError, match="no file"):
        Source.of("a\0b")
    with pytest.raises(UnreadableError, match="is a folder"):
        Source.of(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableError, match="pipe or a device"):
        Source.of(tmp_path / "pipe")


def test_a_file_that_grows_meanwhile_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "growing.mp4"
    path.write_bytes(b"abc")
    original = module._hash

    def grow(path: Path) -> tuple[str, os.stat_result]:
        with path.open("ab") as file:
            file.write(b"x")
        return original(path)

    monkeypatch.setattr(module, "_hash", grow)
    with pytest.raises(UnreadableError, match="changes while it is read"):
        Source.of(path)


@given(st.integers(0, 2**62), st.integers(0, 2**62), st.text("0123456789abcdef", min_size=64, max_size=64))
def test_json_form_reads_back(size: int, mtime: int, sha256: str) -> None:
    source = Source(size, mtime, sha256)
    assert Source.from_dict(source.to_dict()) == source


@pytest.mark.parametrize(
    "data",
    [None, [], {}, {"size": "3", "mtime_ns": 1, "sha256": "a"}, {"size": True, "mtime_ns": 1, "sha256": ""}],
)
def test_malformed_json_form_is_refused(data: object) -> None:
    with pytest.raises(StoreError, match="A source needs size"):
        Source.from_dict(data)
