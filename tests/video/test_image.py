"""Stills: against Pillow's own pixels, or against arithmetic where Pillow has a choice."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from clips import texture, truncated, write_image
from PIL import Image

from memfeat.errors import NoFramesError, TooLargeError, UnreadableError
from memfeat.video import open_video
from memfeat.video.header import MAX_PIXELS

SIZE = (64, 48)


def pixels(path: Path) -> np.ndarray:
    with open_video(path) as video:
        (frame,) = video
    assert (frame.index, frame.time, frame.rotation, frame.mirrored) == (0, 0.0, 0, False)
    assert frame.rgb.dtype == np.uint8 and frame.rgb.flags.c_contiguous and frame.rgb.flags.writeable
    return frame.rgb


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "tiff", "webp"])
def test_lossless_formats_give_the_pixels_back(tmp_path: Path, suffix: str) -> None:
    save = {"lossless": True} if suffix == "webp" else {}
    np.testing.assert_array_equal(pixels(write_image(tmp_path / f"a.{suffix}", **save)), texture(SIZE))


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "webp"])
def test_lossy_formats_are_as_pillow_decodes_them(tmp_path: Path, suffix: str) -> None:
    path = write_image(tmp_path / f"a.{suffix}", quality=80)
    with Image.open(path) as image:
        np.testing.assert_array_equal(pixels(path), np.asarray(image.convert("RGB")))


def test_header_and_counts_of_an_image(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.png", size=(31, 17))
    with open_video(path) as video:
        list(video)
    header, counts = video.header, video.counts
    assert header.is_image and header.path == path
    assert (header.width, header.height, header.rotation) == (31, 17, 0)
    assert header.rate is None and header.duration is None and header.time_base is None
    assert (header.frames, header.stream) == (1, 0)
    assert (header.container, header.codec, header.pixel_format) == ("png", "png", "RGB")
    assert (counts.decoded, counts.header, counts.stream_bytes) == (1, 1, path.stat().st_size)
    assert not counts.damaged


# The EXIF specification's names of the tag's values, as operations on an array.
ORIENTATIONS = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_orientation_tags_are_applied(tmp_path: Path, suffix: str, orientation: int) -> None:
    save = {"lossless": True} if suffix == "webp" else {}
    upright = pixels(write_image(tmp_path / f"plain.{suffix}", **save))
    path = write_image(tmp_path / f"turned.{suffix}", orientation=orientation, **save)
    expected = ORIENTATIONS[orientation](upright)
    with open_video(path) as video:
        np.testing.assert_array_equal(next(iter(video)).rgb, expected)
        assert (video.header.height, video.header.width) == expected.shape[:2]


def test_a_damaged_exif_block_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(texture(SIZE)).save(path, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(pixels(path), texture(SIZE))


@pytest.mark.parametrize(
    ("mode", "suffix"), [("RGBA", "png"), ("RGBA", "webp"), ("RGBA", "tif"), ("LA", "png")]
)
def test_alpha_lies_over_white(tmp_path: Path, mode: str, suffix: str) -> None:
    save = {"lossless": True, "exact": True} if suffix == "webp" else {}
    path = write_image(tmp_path / f"a.{suffix}", mode=mode, **save)
    with Image.open(path) as image:
        stored = np.asarray(image.convert("RGBA")).astype(float)
    alpha = stored[:, :, 3:] / 255
    expected = stored[:, :, :3] * alpha + 255 * (1 - alpha)
    result = pixels(path)
    assert np.abs(result - expected).max() <= 1
    assert (result[:, 0] == 255).all()
    np.testing.assert_array_equal(result[:, -1], stored[:, -1, :3].astype(np.uint8))


def test_a_transparent_palette_entry_is_white(tmp_path: Path) -> None:
    image = Image.new("P", (4, 2), 0)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((3, 1), 1)
    for name in ("a.png", "a.gif"):
        image.save(tmp_path / name, transparency=0)
        result = pixels(tmp_path / name)
        assert result[1, 3].tolist() == [200, 100, 50]
        assert result[0, 0].tolist() == [255, 255, 255]


def test_a_transparent_colour_is_white(tmp_path: Path) -> None:
    image = Image.new("RGB", (3, 1), (1, 2, 3))
    image.putpixel((0, 0), (9, 9, 9))
    image.save(tmp_path / "a.png", transparency=(1, 2, 3))
    assert pixels(tmp_path / "a.png").tolist() == [[[9, 9, 9], [255, 255, 255], [255, 255, 255]]]


@pytest.mark.parametrize(
    ("mode", "suffix"), [("P", "png"), ("P", "bmp"), ("1", "png"), ("1", "tif"), ("L", "jpg")]
)
def test_palettes_and_grey_become_colour(tmp_path: Path, mode: str, suffix: str) -> None:
    path = write_image(tmp_path / f"a.{suffix}", mode=mode)
    with Image.open(path) as image:
        assert image.mode == mode
        np.testing.assert_array_equal(pixels(path), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk(tmp_path: Path, suffix: str) -> None:
    image = Image.new("CMYK", SIZE, (0, 255, 255, 0))
    image.save(tmp_path / f"a.{suffix}")
    result = pixels(tmp_path / f"a.{suffix}")
    # No cyan, all magenta, all yellow, no black: red.
    assert np.abs(result.astype(int) - [255, 0, 0]).max() <= 3


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_are_scaled_and_rounded(tmp_path: Path, suffix: str) -> None:
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(ramp).save(path)
    expected = np.floor(ramp.astype(float) * 255 / 65535 + 0.5).astype(np.uint8)
    result = pixels(path)
    for channel in range(3):
        np.testing.assert_array_equal(result[:, :, channel], expected)


def test_big_endian_sixteen_bits(tmp_path: Path) -> None:
    ramp = np.arange(0, 65536, 64, dtype=">u2").reshape(32, 32)
    entries = [(256, 3, 32), (257, 3, 32), (258, 3, 16), (259, 3, 1), (262, 3, 1), (273, 4, 110)]
    entries += [(277, 3, 1), (279, 4, 2048)]
    directory = b"".join(
        struct.pack(">HHI", tag, kind, 1)
        + (struct.pack(">HH", value, 0) if kind == 3 else struct.pack(">I", value))
        for tag, kind, value in entries
    )
    head = b"MM\0*" + struct.pack(">IH", 8, len(entries)) + directory + struct.pack(">I", 0)
    (tmp_path / "a.tif").write_bytes(head.ljust(110, b"\0") + ramp.tobytes())
    expected = np.floor(ramp.astype(float) * 255 / 65535 + 0.5)
    np.testing.assert_array_equal(pixels(tmp_path / "a.tif")[:, :, 0], expected)


@pytest.mark.parametrize(("dtype", "kind"), [(np.float32, "floating-point"), (np.int32, "32-bit")])
def test_pixels_without_a_range_are_refused(tmp_path: Path, dtype: type, kind: str) -> None:
    Image.fromarray(np.zeros((4, 4), dtype)).save(tmp_path / "a.tif")
    with pytest.raises(UnreadableError, match=f"{kind} pixels have no agreed black and white; save"):
        open_video(tmp_path / "a.tif")


def test_only_the_first_page_of_a_document_is_taken(tmp_path: Path) -> None:
    pages = [Image.fromarray(texture(SIZE, seed)) for seed in (1, 2)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    np.testing.assert_array_equal(pixels(tmp_path / "a.tif"), texture(SIZE, 1))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp", "tif"])
@pytest.mark.parametrize("fraction", [0.3, 0.7])
def test_truncated_images_have_no_frame(tmp_path: Path, suffix: str, fraction: float) -> None:
    path = truncated(write_image(tmp_path / f"a.{suffix}", size=(200, 150)), fraction=fraction)
    with pytest.raises((NoFramesError, UnreadableError), match=rf"truncated-a\.{suffix}: "):
        open_video(path)


def png(width: int, height: int) -> bytes:
    """A PNG whose header promises rows that are not there."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(13378, 13377), (20000, 20000), (60000, 60000)])
def test_bombs_are_refused_before_they_go_off(tmp_path: Path, size: tuple[int, int]) -> None:
    assert size[0] * size[1] > MAX_PIXELS
    (tmp_path / "bomb.png").write_bytes(png(*size))
    with pytest.raises(TooLargeError, match=r"bomb\.png: .*at most 178,956,970"):
        open_video(tmp_path / "bomb.png")


def test_large_images_below_the_limit_are_no_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_image(tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 64 * 48 - 1)
    with pytest.warns(Image.DecompressionBombWarning):
        Image.open(path).close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(pixels(path), texture(SIZE))


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (700, 1)])
def test_thin_images(tmp_path: Path, size: tuple[int, int]) -> None:
    path = write_image(tmp_path / "a.png", size=size)
    with open_video(path) as video:
        (frame,) = video
    assert frame.rgb.shape == (size[1], size[0], 3)
    assert frame.canvas.shape == (256, 256, 3)


def test_the_picture_of_an_image_is_its_pixels(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.jpg", orientation=6)
    with open_video(path) as video:
        (frame,) = video
    assert (frame.picture.width, frame.picture.height) == (48, 64)
    np.testing.assert_array_equal(frame.picture.to_ndarray(format="rgb24"), frame.rgb)
