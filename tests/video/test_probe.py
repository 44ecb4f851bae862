"""Headers equal those of a full opening, and files that stop early are told from whole ones."""

from __future__ import annotations

import pytest
from clips import write_clip, write_image

from memfeat.errors import EmptyFileError, MissingFileError, UnreadableError
from memfeat.video import open_video
from memfeat.video.probe import probe

FAST = {"movflags": "faststart"}


def full_header(path):
    with open_video(path) as video:
        return video.header


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm", "a.avi", "a.ts"])
def test_a_whole_clip(tmp_path, name: str) -> None:
    codec = "libvpx" if name.endswith("webm") else "libx264"
    path = write_clip(tmp_path / name, codec=codec, frames=6)
    found = probe(path)
    assert found.header == full_header(path)
    assert not found.cut_short


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.bmp", "a.webp", "a.tif"])
def test_a_whole_image(tmp_path, name: str) -> None:
    path = write_image(tmp_path / name, size=(200, 100))
    found = probe(path)
    assert found.header == full_header(path)
    assert not found.cut_short


def test_an_image_is_as_it_is_shown(tmp_path) -> None:
    path = write_image(tmp_path / "a.jpg", size=(200, 100), orientation=6)
    header = probe(path).header
    assert (header.width, header.height) == (100, 200)
    assert header == full_header(path)


def test_an_animated_image_is_a_video(tmp_path) -> None:
    from PIL import Image

    frames = [Image.new("RGB", (32, 24), colour) for colour in ("red", "blue", "green")]
    path = tmp_path / "a.png"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
    assert probe(path).header.frames == 3 and not probe(path).header.is_image


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mp4", "libx264", FAST),
        ("a.mkv", "libx264", None),
        ("a.webm", "libvpx", None),
        ("a.avi", "libx264", None),
    ],
)
def test_a_clip_that_stops_early(tmp_path, name: str, codec: str, options) -> None:
    path = write_clip(tmp_path / name, codec=codec, frames=40, size=(128, 96), container_options=options)
    assert not probe(path).cut_short
    data = path.read_bytes()
    path.write_bytes(data[: int(0.9 * len(data))])
    assert probe(path).cut_short


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_an_image_that_stops_early(tmp_path, name: str) -> None:
    path = write_image(tmp_path / name, size=(400, 300))
    path.write_bytes(path.read_bytes()[:-5000])
    assert probe(path).cut_short


def test_a_jpeg_that_only_lacks_its_end_mark_is_judged_by_its_pixels(tmp_path) -> None:
    path = write_image(tmp_path / "a.jpg", size=(400, 300))
    path.write_bytes(path.read_bytes() + bytes(5000))  # rubbish behind the mark
    assert not probe(path).cut_short


def test_what_cannot_be_opened_is_said_as_by_a_full_opening(tmp_path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "junk.mp4").write_bytes(b"junk" * 100)
    with pytest.raises(EmptyFileError):
        probe(tmp_path / "empty.mp4")
    with pytest.raises(UnreadableError):
        probe(tmp_path / "junk.mp4")
    with pytest.raises(MissingFileError):
        probe(tmp_path / "none.mp4")
    moved = write_clip(tmp_path / "late.mp4", frames=20)  # its index is at the end, and is lost
    moved.write_bytes(moved.read_bytes()[:-2000])
    with pytest.raises(UnreadableError):
        probe(moved)


@pytest.mark.parametrize("junk", [b"\x1a\x45\xdf\xa3", b"\x1a\x45\xdf\xa3\xff" + bytes(40)])
def test_a_matroska_file_of_a_few_bytes_is_unreadable(tmp_path, junk: bytes) -> None:
    (tmp_path / "a.mkv").write_bytes(junk)
    with pytest.raises(UnreadableError):
        probe(tmp_path / "a.mkv")


def test_real_clips_are_whole(shared_data) -> None:
    for path in sorted((shared_data / "clips").iterdir()):
        found = probe(path)
        assert found.header == full_header(path)
        assert not found.cut_short, path.name
