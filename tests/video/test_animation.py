"""Animations: times against Pillow's own durations and against FFmpeg, pixels against Pillow."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest
from clips import pictures, truncated, write_gif, write_image
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from memfeat.errors import NoFramesError, TooLargeError, UnreadableError
from memfeat.video import animation, image, open_video
from memfeat.video.animation import frame_durations

KINDS = {"gif": "GIF", "webp": "WEBP", "png": "PNG"}
DURATIONS = [40, 100, 250, 70, 500]


@pytest.fixture(params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def encode(kind: str, durations: list[int]) -> bytes:
    file = io.BytesIO()
    images = [Image.fromarray(picture) for picture in pictures(len(durations), (16, 12))]
    if kind == "gif":
        images = [image.quantize(32, Image.Quantize.FASTOCTREE) for image in images]
    images[0].save(file, KINDS[kind], save_all=True, append_images=images[1:], duration=durations)
    return file.getvalue()


def test_times_are_sums_of_durations(tmp_path: Path, kind: str) -> None:
    with open_video(write_gif(tmp_path / f"a.{kind}", durations=DURATIONS)) as video:
        frames = list(video)
    assert [frame.time for frame in frames] == pytest.approx([0, 0.04, 0.14, 0.39, 0.46])
    assert [frame.index for frame in frames] == list(range(5))
    header, counts = video.header, video.counts
    assert not header.is_image
    assert header.duration == pytest.approx(0.96)
    assert header.rate == pytest.approx(5 / 0.96)
    assert (header.width, header.height, header.frames) == (64, 48, 5)
    assert (header.container, header.rotation, header.stream) == (KINDS[kind].lower(), 0, 0)
    assert (counts.decoded, counts.header) == (5, 5) and not counts.damaged


def test_frames_are_pillows(tmp_path: Path, kind: str) -> None:
    path = write_gif(tmp_path / f"a.{kind}")
    with open_video(path) as video, Image.open(path) as opened:
        for frame, expected in zip(video, ImageSequence.Iterator(opened), strict=True):
            np.testing.assert_array_equal(frame.rgb, np.asarray(expected.convert("RGB")))


@given(st.sampled_from(sorted(KINDS)), st.lists(st.integers(2, 400), min_size=2, max_size=6))
@settings(max_examples=40, deadline=None)
def test_durations_are_those_that_pillow_reads(kind: str, tens: list[int]) -> None:
    stated = [10 * ten for ten in tens]
    data = encode(kind, stated)
    with Image.open(io.BytesIO(data)) as opened:
        read = []
        for frame in ImageSequence.Iterator(opened):
            frame.load()
            read.append(frame.info["duration"])
    assert read == pytest.approx(stated)
    assert frame_durations(io.BytesIO(data), KINDS[kind]) == pytest.approx(read)


@given(st.sampled_from(sorted(KINDS)), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_a_cut_file_gives_the_durations_that_are_left(kind: str, fraction: float) -> None:
    data = encode(kind, DURATIONS)
    left = frame_durations(io.BytesIO(data[: int(fraction * len(data))]), KINDS[kind])
    assert left == pytest.approx(DURATIONS[: len(left)])


def test_times_are_ffmpegs(tmp_path: Path) -> None:
    path = write_gif(tmp_path / "a.gif", durations=[0, 20, 30, 40, 50])
    with open_video(path) as video:
        times = [frame.time for frame in video]
    with av.open(str(path)) as container:
        assert times == pytest.approx([float(frame.time) for frame in container.decode(video=0)])
    assert times == pytest.approx([0, 0.1, 0.12, 0.15, 0.19])


def test_too_short_durations_are_shown_for_a_tenth(tmp_path: Path, kind: str) -> None:
    with open_video(write_gif(tmp_path / f"a.{kind}", durations=[10, 0, 20, 30, 40])) as video:
        times = [frame.time for frame in video]
    assert times == pytest.approx([0, 0.1, 0.2, 0.22, 0.25])


def test_transparent_frames_lie_over_white(tmp_path: Path) -> None:
    images = [Image.new("RGBA", (8, 8), (0, 0, 0, 0)) for _ in range(3)]
    for index, each in enumerate(images):
        each.putpixel((index, 0), (255, 0, 0, 255))
    for suffix in ("webp", "png"):
        path = tmp_path / f"a.{suffix}"
        save = {"lossless": True} if suffix == "webp" else {"disposal": 1}
        images[0].save(path, save_all=True, append_images=images[1:], duration=50, **save)
        with open_video(path) as video:
            frames = [frame.rgb for frame in video]
        for index, rgb in enumerate(frames):
            assert rgb[0, index].tolist() == [255, 0, 0]
            assert rgb[7, 7].tolist() == [255, 255, 255]


def test_an_animation_of_one_frame_is_an_image(tmp_path: Path, kind: str) -> None:
    with open_video(write_gif(tmp_path / f"a.{kind}", frames=1)) as video:
        assert sum(1 for _ in video) == 1
    assert video.header.is_image and video.header.rate is None


def test_a_still_gif_is_an_image(tmp_path: Path) -> None:
    with open_video(write_image(tmp_path / "a.gif", mode="P")) as video:
        assert [frame.time for frame in video] == [0.0]
    assert video.header.is_image


def test_the_picture_for_programs_without_animation_is_no_frame(tmp_path: Path) -> None:
    shown = [Image.fromarray(picture) for picture in pictures(3, (32, 24), seed=1)]
    path = tmp_path / "a.png"
    Image.new("RGB", (32, 24), "red").save(
        path, save_all=True, append_images=shown, duration=80, default_image=True
    )
    with open_video(path) as video:
        frames = [(frame.time, frame.rgb) for frame in video]
    assert [time for time, _ in frames] == pytest.approx([0, 0.08, 0.16])
    for (_, rgb), expected in zip(frames, shown, strict=True):
        np.testing.assert_array_equal(rgb, np.asarray(expected))


def test_a_truncated_animation_gives_what_is_left(tmp_path: Path, kind: str) -> None:
    path = write_gif(tmp_path / f"a.{kind}", frames=20, size=(80, 60))
    with open_video(path) as video:
        whole = [frame.rgb for frame in video]
    cut = truncated(path, fraction=0.5)
    if kind == "webp":
        # The library behind Pillow reads a WebP as a whole or not at all.
        with pytest.raises(UnreadableError, match="its header is damaged"):
            open_video(cut)
        return
    with open_video(cut) as video:
        left = [frame.rgb for frame in video]
    assert 5 <= len(left) == video.counts.decoded <= 12
    if kind == "png":
        assert video.counts.header == 20
    assert video.counts.damaged and video.counts.ended_early
    for rgb, expected in zip(left, whole, strict=False):
        np.testing.assert_array_equal(rgb, expected)


def test_cut_in_the_first_frame(tmp_path: Path) -> None:
    path = write_gif(tmp_path / "a.gif", frames=2, size=(200, 150))
    with pytest.raises(NoFramesError, match=r"truncated-a\.gif: "):
        open_video(truncated(path, fraction=0.3))


def test_one_limit_of_pixels_for_all(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "MAX_PIXELS", 1000)
    with pytest.raises(TooLargeError, match="64×48 is 3,072 pixels; at most 1,000"):
        open_video(write_gif(tmp_path / f"a.{kind}"))


def test_other_formats_have_no_durations() -> None:
    assert animation.frame_durations(io.BytesIO(b"BM"), "BMP") == []
