"""Scanning a folder finds every file once and says what it left out."""

from __future__ import annotations

import os

import pytest

from memfeat.dataset import nfc, scan
from memfeat.errors import UsageError


def touch(folder, *names):
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")


def test_ids_are_relative_paths_with_suffix(tmp_path):
    touch(
        tmp_path,
        "b.mp4",
        "x/a.MP4",
        "y/a.mp4",
        "x/deep/c.jpg",
        "notes.txt",
        ".hidden.mp4",
        "with space é.webm",
    )
    assert list(scan(tmp_path).files) == [
        ".hidden.mp4", "b.mp4", "with space é.webm", "x/a.MP4", "x/deep/c.jpg", "y/a.mp4",
    ]  # fmt: skip


def test_hidden_folders_and_foreign_companions_are_passed_over(tmp_path):
    touch(tmp_path, "a.mp4", "._a.mp4", ".git/b.mp4", ".ipynb_checkpoints/c.png")
    assert list(scan(tmp_path).files) == ["a.mp4"]


def test_links_are_followed_once(tmp_path):
    touch(tmp_path, "data/real/a.mp4")
    (tmp_path / "data" / "real" / "loop").symlink_to(tmp_path / "data", target_is_directory=True)
    assert list(scan(tmp_path / "data").files) == ["real/a.mp4"]


def test_nothing_found_says_what_is_known(tmp_path):
    touch(tmp_path, "a.txt")
    with pytest.raises(UsageError, match=r"no video or image below .* Known suffixes: .*\.mp4"):
        scan(tmp_path)
    with pytest.raises(UsageError, match="There is no folder"):
        scan(tmp_path / "missing")


def test_an_unreadable_folder_is_said_and_the_rest_goes_on(tmp_path, monkeypatch):
    touch(tmp_path, "a.mp4", "locked/b.mp4")
    real = os.scandir

    def scandir(folder):
        # As the system answers a user without permission; the superuser may read every folder.
        if str(folder).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(folder))
        return real(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    found = scan(tmp_path)
    assert list(found.files) == ["a.mp4"]
    assert "locked" in found.remarks[0]


def test_twins_that_differ_in_unicode_form_are_refused(tmp_path):
    touch(tmp_path, "\u00e9.mp4", "e\u0301.mp4")
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("this file system keeps one form only")
    with pytest.raises(UsageError, match="have the id"):
        scan(tmp_path)


def test_nfc_strips_and_composes():
    assert nfc(" e\u0301\n") == "\u00e9"
    assert nfc(7) == "7"


def test_names_that_can_be_no_id_are_left_out_with_a_remark(tmp_path):
    touch(tmp_path, "a.mp4", "line\nbreak.mp4", "x/b.mp4")
    try:
        (tmp_path / os.fsdecode(b"\xff.mp4")).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    found = scan(tmp_path)
    assert list(found.files) == ["a.mp4", "x/b.mp4"]
    said = "\n".join(found.remarks)
    assert "not valid UTF-8" in said
    assert "control character" in said
