from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path

import filelock
import pytest

from memfeat.errors import SetupError
from memfeat.store import files
from memfeat.store.files import (
    environment_error,
    is_temporary,
    leftovers,
    locked,
    replacing,
    write_atomically,
)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "a.json"
    write_atomically(path, "one")
    write_atomically(path, "zwei ü")
    assert path.read_text("utf-8") == "zwei ü"
    assert list(path.parent.iterdir()) == [path]


def test_files_get_the_permissions_of_the_users_mask(tmp_path: Path) -> None:
    old = os.umask(0o002)
    try:
        write_atomically(tmp_path / "a", b"")
    finally:
        os.umask(old)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o664


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_error_leaves_the_old_file_and_no_temporary(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(error), replacing(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_errors_of_the_disk_become_setup_errors_with_advice(tmp_path: Path) -> None:
    with (
        pytest.raises(SetupError, match=r"No space left on device\. Free some space"),
        replacing(tmp_path / "a") as temporary,
    ):
        temporary.touch()
        raise OSError(errno.ENOSPC, "full")
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="Creating the folder"):
        write_atomically(tmp_path / "file" / "a", "")


def test_errors_that_hdf5_only_words_are_understood() -> None:
    error = RuntimeError(
        "Can't decrement id ref count (unable to extend file, errno = 28, error message = 'x')"
    )
    assert "Free some space" in str(environment_error("Writing x", error))


def test_a_lock_excludes_other_threads(tmp_path: Path) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(5):
            with locked(tmp_path):
                inside += 1
                most = max(most, inside)
                time.sleep(0.001)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_lock_held_elsewhere_is_named(tmp_path: Path) -> None:
    with (
        locked(tmp_path),
        pytest.raises(SetupError, match="Another process has held"),
        locked(tmp_path, seconds=0.05),
    ):
        pass


def test_a_disk_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(filelock.FileLock, "acquire", fail)
    with pytest.raises(SetupError, match="no file locks"), locked(tmp_path):
        pass


def test_only_old_temporaries_are_leftovers(tmp_path: Path) -> None:
    new, old = files.temporary_beside(tmp_path / "a"), files.temporary_beside(tmp_path / "a")
    for path in (new, old, tmp_path / "a", tmp_path / ".lock"):
        path.touch()
    os.utime(old, (1, 1))
    assert is_temporary(new.name) and new != old
    assert leftovers(tmp_path) == sorted([new, old])
    assert leftovers(tmp_path, older_than=60) == [old]
    assert leftovers(tmp_path / "none") == []
