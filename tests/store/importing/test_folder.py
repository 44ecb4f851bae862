from __future__ import annotations

import numpy as np
import pytest

from memfeat.errors import SetupError, UsageError
from memfeat.store.importing.dense_text import read_dense
from memfeat.store.importing.folder import FolderShipment, list_files, refusal
from memfeat.store.importing.values import FeatureFileError


def fill(folder, *names):
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{number} {number + 0.5}")
    return folder


def ship(folder, ids=()):
    return FolderShipment(folder, (".txt",), read_dense, ids=ids)


def test_names_keep_their_folders_and_lose_the_suffix(tmp_path):
    found = ship(fill(tmp_path, "b.txt", "sub/a.mp4.TXT", ".hidden.txt", ".git/x.txt"))
    assert found.names == ("b", "sub/a.mp4")
    assert found.read("b").array.tolist() == [0, 0.5]
    assert found.files("sub/a.mp4") == (tmp_path / "sub" / "a.mp4.TXT",)


def test_frames_are_in_order_of_their_indices(tmp_path):
    found = ship(fill(tmp_path, "v3-112.txt", "v3-0.txt", "v3-56.txt"), ids=["v3.webm"])
    values = found.read("v3")
    assert (found.names, values.frames) == (("v3",), (0, 56, 112))
    np.testing.assert_array_equal(values.array[:, 0], [1, 2, 0])
    assert [file.name for file in found.files("v3")] == ["v3-0.txt", "v3-56.txt", "v3-112.txt"]


@pytest.mark.parametrize(
    ("ids", "names", "frames"),
    [
        (("clip-1.mp4", "clip-2.mp4"), ("clip-1", "clip-2"), False),
        (("clip.mp4",), ("clip",), True),
        ((), ("clip",), True),
        (("other",), ("clip-1", "clip-2"), False),
    ],
)
def test_the_stores_ids_tell_a_frame_from_a_name(tmp_path, ids, names, frames):
    found = ship(fill(tmp_path, "clip-1.txt", "clip-2.txt"), ids=ids)
    assert (found.names, found.per_frame) == (names, frames)


def test_one_file_per_name_without_ids_is_no_frame(tmp_path):
    assert ship(fill(tmp_path, "a-1.txt", "b-1.txt")).names == ("a-1", "b-1")


def test_a_file_without_its_frame_among_others(tmp_path):
    found = ship(fill(tmp_path, "v3-0.txt", "v3-56.txt", "v4.txt"), ids=["v3", "v4"])
    with pytest.raises(FeatureFileError, match=r"v4\.txt has no frame index"):
        found.read("v4")


def test_other_files_are_said_to_be_passed_over(tmp_path):
    fill(tmp_path, "a.txt", "readme.md")
    assert ship(tmp_path).remarks == ("1 other files are passed over, such as readme.md.",)


def test_twice_the_same_frame(tmp_path):
    with pytest.raises(UsageError, match=r"v-01\.txt and .*v-1\.txt are both"):
        ship(fill(tmp_path, "v-1.txt", "v-01.txt", "v-2.txt"), ids=["v"])


def test_pickles_are_refused_with_the_reason(tmp_path):
    fill(tmp_path, "video3-0.p", "video3-56.p")
    with pytest.raises(UsageError, match="can run any program"):
        ship(tmp_path)
    assert "2 × .md" in refusal([tmp_path / "a.md", tmp_path / "b.md"])
    assert refusal([]) == ""


def test_a_folder_that_may_not_be_read(tmp_path, monkeypatch):
    def walk(folder, onerror):
        onerror(PermissionError(13, "Permission denied", str(folder)))
        return iter(())

    monkeypatch.setattr("os.walk", walk)
    with pytest.raises(SetupError, match="permissions"):
        list_files(tmp_path, (".txt",))
