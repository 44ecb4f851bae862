from __future__ import annotations

import h5py
import numpy as np
import pytest

from memfeat.errors import UsageError
from memfeat.store.importing import h5
from memfeat.store.importing.h5 import read_h5

ROWS = np.arange(600, dtype="f4").reshape(200, 3)
NAMES = [f"video{number}.webm" for number in range(200)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.h5"


@pytest.mark.parametrize(
    "options", [{}, {"compression": "gzip", "shuffle": True}, {"compression": "lzf"}, {"chunks": (7, 2)}]
)
@pytest.mark.parametrize("names", [NAMES, np.array(NAMES, "S20")])
def test_names_and_a_matrix(path, names, options):
    with h5py.File(path, "w") as file:
        file["ids"] = names
        file.create_dataset("x", data=ROWS, **options)
    found = read_h5(path)
    assert found.names == tuple(NAMES)
    np.testing.assert_array_equal(found.read("video7.webm").array, ROWS[7])


def test_one_dataset_per_video(path):
    with h5py.File(path, "w") as file:
        for name, row in zip(NAMES[:5], ROWS[:5], strict=True):
            file.create_dataset(name, data=row)
    found = read_h5(path)
    assert set(found.names) == set(NAMES[:5])
    np.testing.assert_array_equal(found.read("video3.webm").array, ROWS[3])


def test_nothing_outside_the_file_is_read(path, tmp_path):
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["x"] = ROWS
    raw = tmp_path / "raw.bin"
    raw.write_bytes(ROWS.tobytes())
    layout = h5py.VirtualLayout(ROWS.shape, "f4")
    layout[:] = h5py.VirtualSource(str(secret), "x", ROWS.shape)

    def soft(file):
        file["y"] = ROWS
        file["x"] = h5py.SoftLink("/y")

    attacks = {
        "a link to another file": lambda file: file.__setitem__("x", h5py.ExternalLink(str(secret), "/x")),
        "a soft link": soft,
        "another file": lambda file: file.create_dataset(
            "x", ROWS.shape, "f4", external=[(str(raw), 0, ROWS.nbytes)]
        ),
        "a virtual dataset": lambda file: file.create_virtual_dataset("x", layout),
        "a Group, not a Dataset": lambda file: file.create_group("x"),
    }
    for words, attack in attacks.items():
        with h5py.File(path, "w") as file:
            file["ids"] = NAMES
            attack(file)
        with pytest.raises(UsageError, match=f"is refused.*{words}"):
            read_h5(path)


@pytest.mark.parametrize("options", [{}, {"chunks": (50, 3)}])
def test_values_that_were_never_written_are_no_zeros(path, options):
    with h5py.File(path, "w") as file:
        file["ids"] = NAMES
        file.create_dataset("x", ROWS.shape, "f4", **options)
    with pytest.raises(UsageError, match="not written to its end"):
        read_h5(path)


def test_sizes_that_no_feature_has(path, monkeypatch):
    with h5py.File(path, "w") as file:
        file["ids"], file["x"] = NAMES, ROWS
    monkeypatch.setattr(h5, "MAX_BYTES", 100)
    with pytest.raises(UsageError, match=r"has the shape \(200"):
        read_h5(path)
    monkeypatch.setattr(h5, "MAX_BYTES", 1 << 30)
    monkeypatch.setattr(h5, "MAX_NUMBERS", 2)
    with pytest.raises(UsageError, match="at most 2 numbers per video"):
        read_h5(path)


def test_damage_is_an_error_with_the_files_name(path):
    with h5py.File(path, "w") as file:
        file["ids"], file["x"] = np.array(NAMES, "S20"), ROWS
    whole = path.read_bytes()
    for content in (b"", whole[:300], whole[:-500], b"x" * 999):
        path.write_bytes(content)
        with pytest.raises(UsageError, match=r"m\.h5"):
            read_h5(path)
    path.unlink()
    with pytest.raises(UsageError, match="no file"):
        read_h5(path)
