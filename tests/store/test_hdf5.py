"""Files made to reach for other files, or to blow up in memory: refused before a value is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest

from memfeat.errors import StoreError
from memfeat.store.hdf5 import UnavailableError, check_dataset, digest, open_file
from memfeat.store.record import read_header, read_marks, read_row, read_source, read_video
from memfeat.store.schema import NewerSchemaError


@pytest.fixture
def file(put: Callable, make) -> Path:
    return put("a.mp4", make.contrast(), make.hog()).path


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that the store file must not be able to show."""
    path = tmp_path / "secret.h5"
    with h5py.File(path, "w") as other:
        other["values"] = np.full(4, 42.0)
        other.create_group("contrast")["values"] = np.full(4, 42.0)
    return path


def replace_values(file: Path, make: Callable[[h5py.Group], None]) -> None:
    with h5py.File(file, "a") as opened:
        attributes = dict(opened["contrast/values"].attrs)
        del opened["contrast/values"]
        make(opened["contrast"])
        if isinstance(opened["contrast"].get("values", getlink=True), h5py.HardLink):
            opened["contrast/values"].attrs.update(attributes)


def soft(group: h5py.Group) -> None:
    group["values"] = h5py.SoftLink("/hog/mean")


def virtual(secret: Path) -> Callable[[h5py.Group], None]:
    def make(group: h5py.Group) -> None:
        layout = h5py.VirtualLayout((4,), "f8")
        layout[:] = h5py.VirtualSource(secret, "values", (4,))
        group.create_virtual_dataset("values", layout)

    return make


ATTACKS: dict[str, tuple[Callable[[Path], Callable[[h5py.Group], None]], str]] = {
    "soft link": (lambda secret: soft, "is a soft link"),
    "external link": (
        lambda secret: lambda group: group.__setitem__("values", h5py.ExternalLink(secret, "/values")),
        "is a link to another file",
    ),
    "external storage": (
        lambda secret: (
            lambda group: group.create_dataset("values", (4,), "f8", external=[(secret, 2048, 32)])
        ),
        "keeps its values in another file",
    ),
    "virtual dataset": (virtual, "is a virtual dataset"),
    "gzip": (
        lambda secret: lambda group: group.create_dataset("values", data=np.zeros(10**6), compression="gzip"),
        "chunked or filtered",
    ),
    "chunks": (
        lambda secret: lambda group: group.create_dataset("values", data=np.zeros(4), chunks=(2,)),
        "chunked or filtered",
    ),
    "unwritten zeros": (
        lambda secret: lambda group: group.create_dataset("values", (10**12,), "f8"),
        "is incomplete",
    ),
    "strings": (
        lambda secret: lambda group: group.create_dataset("values", data=["a", "b"]),
        "has type object",
    ),
    "integers": (
        lambda secret: lambda group: group.create_dataset("values", data=np.arange(4)),
        "has type int64",
    ),
    "big-endian": (
        lambda secret: lambda group: group.create_dataset("values", data=np.zeros(4, ">f8")),
        "has type >f8",
    ),
    "null dataspace": (
        lambda secret: lambda group: group.create_dataset("values", data=h5py.Empty("f8")),
        r"incomplete|has type float64 and shape None",
    ),
    "three dimensions": (
        lambda secret: lambda group: group.create_dataset("values", data=np.zeros((1, 2, 2))),
        "shape",
    ),
    "a group": (lambda secret: lambda group: group.create_group("values"), "is a Group, not a Dataset"),
    "a cycle": (lambda secret: lambda group: group.__setitem__("values", group), "is a Group, not a Dataset"),
    "a type": (lambda secret: lambda group: group.__setitem__("values", np.dtype("f8")), "is a Datatype"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_what_reaches_outside_or_blows_up_is_refused(file: Path, secret: Path, name: str) -> None:
    attack, why = ATTACKS[name]
    replace_values(file, attack(secret))
    for read in (read_video, lambda path: read_row(path, "contrast", "mean")):
        with pytest.raises(StoreError, match=why):
            read(file)
    assert read_video(file, only=["hog"])["hog"].mean.shape == (6,)


@pytest.mark.parametrize("link", [h5py.SoftLink("/hog"), h5py.ExternalLink("secret.h5", "/contrast")])
def test_linked_groups_are_refused_for_the_whole_file(file: Path, secret: Path, link: object) -> None:
    with h5py.File(file, "a") as opened:
        opened["other"] = link
    for read in (read_video, read_header, read_marks, lambda path: read_row(path, "other", "mean")):
        with pytest.raises(StoreError, match="link"):
            read(file)


def test_a_dataset_at_the_root_is_refused(file: Path) -> None:
    with h5py.File(file, "a") as opened:
        opened["stray"] = np.zeros(3)
    with pytest.raises(StoreError, match="is a Dataset, not a Group"):
        read_marks(file)


def test_a_virtual_dataset_is_refused_without_opening_its_source(file: Path, secret: Path) -> None:
    replace_values(file, virtual(secret))
    secret.unlink()
    with h5py.File(file) as opened, pytest.raises(StoreError, match="virtual"):
        check_dataset(opened["contrast/values"])


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "start", "zeroed"])
def test_damaged_files_are_store_errors_that_say_what_to_do(file: Path, damage: str) -> None:
    data = file.read_bytes()
    changed = {
        "empty": b"",
        "text": b"these are not the bytes you are looking for",
        "cut": data[: len(data) // 2],
        "start": data[:100],
        "zeroed": data[:96] + bytes(len(data) - 96),
    }[damage]
    file.write_bytes(changed)
    for read in (read_video, read_marks):
        with pytest.raises(StoreError, match="Run the extraction again"):
            read(file)
    assert read_source(file) is None and read_marks(file, ignore_damage=True) == {}


def test_no_flipped_byte_ends_the_process_or_gets_out_as_anything_but_a_store_error(file: Path) -> None:
    # Damage in the heap that strings of variable length need would end this very process.
    data = file.read_bytes()
    refused = 0
    for place in range(0, len(data), 17):
        flipped = bytearray(data)
        flipped[place] ^= 0xFF
        file.write_bytes(flipped)
        try:
            read_video(file)
        except StoreError:
            refused += 1
    assert refused > 50


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no file"):
        read_video(tmp_path / "none.h5")
    assert read_marks(tmp_path / "none.h5") == {} and read_source(tmp_path / "none.h5") is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda f: f.attrs.__setitem__("schema", 99), "schema version 99"),
        (lambda f: f.attrs.__delitem__("schema"), "lacks the integer attribute 'schema'"),
        (lambda f: f.attrs.__setitem__("schema", "1"), "lacks the integer attribute 'schema'"),
        (lambda f: f.attrs.__setitem__("schema", [1, 1]), "lacks the integer attribute 'schema'"),
        (lambda f: f.attrs.__setitem__("id", "of variable length"), "lacks the text attribute 'id'"),
        (lambda f: f.attrs.__setitem__("id", f["hog"].ref), "lacks the text attribute 'id'"),
        (lambda f: f.attrs.__setitem__("id", np.bytes_(b"\xff")), "damaged or no store file"),
        (lambda f: f.attrs.__delitem__("id"), "lacks the text attribute 'id'"),
        (lambda f: f.attrs.__setitem__("id", 3), "lacks the text attribute 'id'"),
        (lambda f: f.attrs.__setitem__("video", np.bytes_("{")), "not valid JSON"),
        (lambda f: f.attrs.__setitem__("video", np.bytes_("[]")), "no JSON object"),
        (lambda f: f.attrs.__setitem__("source", np.bytes_('{"size": 1}')), "A source needs"),
        (lambda f: f["hog"].attrs.__delitem__("feature_key"), "lacks the text attribute 'feature_key'"),
        (lambda f: f["hog"].attrs.__setitem__("feature_key", np.bytes_("\0")), "needs a key"),
        (lambda f: f["hog"].attrs.__setitem__("status", np.bytes_("fine")), "has the status 'fine'"),
        (lambda f: f["hog"].attrs.__setitem__("provenance", np.bytes_("no")), "not valid JSON"),
        (lambda f: f.move("hog", "a b"), "A feature's name"),
    ],
)
def test_every_attribute_is_checked(file: Path, change: Callable[[h5py.File], None], why: str) -> None:
    with h5py.File(file, "a") as opened:
        change(opened)
    with pytest.raises(StoreError, match=why):
        read_video(file)


def test_newer_files_are_a_kind_of_their_own(file: Path) -> None:
    with h5py.File(file, "a") as opened:
        opened.attrs["schema"] = 2
    for ignore in (False, True):
        with pytest.raises(NewerSchemaError):
            read_marks(file, ignore_damage=ignore)


def test_the_digest_depends_on_every_bit_and_not_on_memory_layout() -> None:
    array = np.arange(6.0).reshape(2, 3)
    assert digest(array) == digest(np.asfortranarray(array)) != digest(np.nextafter(array, 9))


def test_a_file_that_is_open_in_a_notebook_can_be_read(file: Path) -> None:
    with h5py.File(file):
        assert list(read_video(file)) == ["contrast", "hog"]
    with read_in_another_way(file), pytest.raises(UnavailableError, match="Close it first"):
        read_video(file)


@contextmanager
def read_in_another_way(file: Path) -> Iterator[None]:
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_file_locking(True, False)
    identifier = h5py.h5f.open(str(file).encode(), h5py.h5f.ACC_RDONLY, access)
    yield
    identifier.close()


def test_errors_of_the_caller_stay_what_they_are(file: Path) -> None:
    with pytest.raises(ZeroDivisionError), open_file(file):
        raise ZeroDivisionError
