"""Decoding: against an independent pass of PyAV, whose own conversion is the reference for every pixel."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import pytest
from clips import TURNS, pictures, set_matrix, write_clip, write_frames, write_streams

from memfeat.video import open_video

ENCODINGS = [
    ("libx264", "yuv420p", "mp4", (64, 48)),
    ("libx264", "yuv420p", "mkv", (62, 46)),
    ("libx264", "yuv444p", "mp4", (65, 49)),
    ("libx264", "gray", "mp4", (64, 48)),
    ("libx264", "yuv420p10le", "mp4", (64, 48)),
    ("libx264", "yuvj420p", "mp4", (64, 48)),
    ("mpeg4", "yuv420p", "avi", (63, 47)),
    ("mpeg2video", "yuv420p", "mpg", (64, 48)),
    ("libvpx-vp9", "yuv420p", "webm", (63, 47)),
    ("ffv1", "gray16le", "mkv", (33, 17)),
    ("png", "rgba", "mov", (33, 17)),
    ("qtrle", "argb", "mov", (33, 17)),
    ("rawvideo", "rgb24", "avi", (33, 17)),
]


def reference(path: Path, stream: int = 0) -> tuple[list[np.ndarray], list[float]]:
    """All frames of a stream and their times, by PyAV's plainest means."""
    with av.open(str(path)) as container:
        frames = list(container.decode(container.streams[stream]))
        base = container.streams[stream].time_base
    return [frame.to_ndarray(format="rgb24") for frame in frames], [
        float(frame.pts * base) for frame in frames
    ]


@pytest.mark.parametrize(("codec", "pix_fmt", "suffix", "size"), ENCODINGS)
def test_frames_are_bit_for_bit_pyavs(
    tmp_path: Path, codec: str, pix_fmt: str, suffix: str, size: tuple[int, int]
) -> None:
    path = write_clip(tmp_path / f"clip.{suffix}", codec=codec, pix_fmt=pix_fmt, size=size, frames=7)
    expected, times = reference(path)
    with open_video(path) as video:
        frames = list(video)
    assert len(frames) == len(expected) == video.counts.decoded == 7
    for frame, pixels in zip(frames, expected, strict=True):
        assert frame.rgb.dtype == np.uint8 and frame.rgb.flags.c_contiguous
        np.testing.assert_array_equal(frame.rgb, pixels)
    assert [frame.time for frame in frames] == pytest.approx(times, abs=1e-9)
    assert [frame.index for frame in frames] == list(range(7))
    assert (video.header.width, video.header.height) == size
    assert video.header.rate == 25
    assert not video.header.is_image
    assert not video.counts.damaged


def test_the_colour_space_that_the_stream_names_is_heeded(tmp_path: Path) -> None:
    frames = pictures(2, (64, 48), seed=5)
    named = {}
    for space in ("bt709", "smpte170m"):
        options = {"crf": "10", "x264-params": f"colormatrix={space}", "threads": "1"}
        path = write_frames(tmp_path / f"{space}.mp4", frames, options=options)
        with open_video(path) as video:
            named[space] = next(iter(video)).rgb
        np.testing.assert_array_equal(named[space], reference(path)[0][0])
    assert not np.array_equal(named["bt709"], named["smpte170m"])


def test_the_header_tells_the_stream(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", fps=Fraction(30000, 1001), frames=12, audio=True)
    with open_video(path) as video:
        header = video.header
        assert header.path == path
        assert (header.codec, header.pixel_format, header.stream) == ("h264", "yuv420p", 0)
        assert "mp4" in header.container
        assert header.rate == pytest.approx(30000 / 1001)
        assert header.duration == pytest.approx(12 * 1001 / 30000, abs=1e-3)
        assert header.frames == 12
        assert header.time_base is not None and header.time_base < 1
        list(video)
    assert video.counts.header == 12


def test_bytes_are_those_of_the_chosen_streams_packets(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", frames=20, audio=True)
    with av.open(str(path)) as container:
        expected = sum(packet.size for packet in container.demux(container.streams.video[0]))
    with open_video(path) as video:
        list(video)
    assert video.counts.stream_bytes == expected > 0


def test_a_count_that_the_header_lacks_is_none(tmp_path: Path) -> None:
    with open_video(write_clip(tmp_path / "a.mkv", frames=6)) as video:
        list(video)
    assert video.header.frames is None and video.counts.header is None
    assert video.counts.decoded == 6


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_times_of_a_variable_rate_come_from_the_stream(tmp_path: Path, suffix: str) -> None:
    times = [0.0, 0.04, 0.1, 0.11, 0.3, 0.31, 0.5, 0.7, 0.8, 1.0]
    with open_video(write_clip(tmp_path / f"v.{suffix}", times=times)) as video:
        read = [frame.time for frame in video]
    assert read == pytest.approx(times, abs=1e-3 if suffix == "mkv" else 2e-5)
    assert video.counts.repaired_times == 0
    # What index over rate would have said is off by far more than a frame.
    assert max(abs(index / 25 - time) for index, time in enumerate(read)) > 0.3


def test_missing_times_are_repaired_and_counted(tmp_path: Path) -> None:
    with open_video(write_clip(tmp_path / "raw.h264", frames=8)) as video:
        times = [frame.time for frame in video]
    assert times == pytest.approx([index / 25 for index in range(8)])
    assert video.counts.repaired_times == video.counts.decoded == 8
    assert not video.counts.damaged


def test_repeated_times_are_repaired_and_counted(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", frames=8, options={"bf": "0", "threads": "1"})
    odd = tmp_path / "odd.mkv"
    with av.open(str(path)) as source, av.open(str(odd), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if packet.size:
                packet.stream = stream
                packet.dts -= 1000
                packet.pts = 120 if number == 4 else packet.pts
                target.mux(packet)
    with open_video(odd) as video:
        times = [frame.time for frame in video]
    first = times[0]
    assert [round(time - first, 3) for time in times] == [0.0, 0.04, 0.08, 0.12, 0.16, 0.2, 0.24, 0.28]
    assert video.counts.repaired_times == 1


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_rotation_is_applied_exactly(tmp_path: Path, rotation: int) -> None:
    path = write_clip(tmp_path / "a.mp4", rotation=rotation, size=(64, 48))
    with open_video(path) as video:
        frames = list(video)
    for frame, stored in zip(frames, reference(path)[0], strict=True):
        np.testing.assert_array_equal(frame.rgb, np.rot90(stored, -rotation // 90))
        assert frame.rotation == rotation and not frame.mirrored
        assert (frame.picture.width, frame.picture.height) == (64, 48)
    assert (video.header.width, video.header.height) == ((64, 48) if rotation % 180 == 0 else (48, 64))
    assert video.header.rotation == rotation


def test_a_mirrored_picture_is_mirrored_and_not_turned(tmp_path: Path) -> None:
    path = set_matrix(write_clip(tmp_path / "a.mp4"), (-1, 0, 0, 1))
    with open_video(path) as video:
        frames = list(video)
    assert video.header.rotation == 0 and frames[0].mirrored
    for frame, stored in zip(frames, reference(path)[0], strict=True):
        np.testing.assert_array_equal(frame.rgb, stored[:, ::-1])


def test_a_slight_tilt_is_no_turn(tmp_path: Path) -> None:
    path = set_matrix(write_clip(tmp_path / "a.mp4"), (0.98, 0.17, -0.17, 0.98))
    with open_video(path) as video:
        assert video.header.rotation == 0


def test_every_quarter_turn_of_the_helper_is_a_matrix() -> None:
    assert sorted(TURNS) == [0, 90, 180, 270]


def test_the_largest_stream_is_read_and_named(tmp_path: Path) -> None:
    path = write_streams(tmp_path / "three.mkv", [(64, 48), (128, 96), (96, 64)])
    expected, _ = reference(path, stream=1)
    with open_video(path) as video:
        frames = list(video)
    assert video.header.stream == 1
    assert (video.header.width, video.header.height) == (128, 96)
    for frame, pixels in zip(frames, expected, strict=True):
        np.testing.assert_array_equal(frame.rgb, pixels)


def test_a_cover_picture_is_not_the_video_however_large(tmp_path: Path) -> None:
    path = tmp_path / "covered.mp4"
    with av.open(str(path), "w") as container:
        small = container.add_stream("libx264", rate=25, options={"threads": "1"})
        cover = container.add_stream("mjpeg", rate=25)
        small.width, small.height, small.pix_fmt = 64, 48, "yuv420p"
        cover.width, cover.height, cover.pix_fmt = 320, 240, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        large = av.VideoFrame.from_ndarray(pictures(1, (320, 240))[0]).reformat(format="yuvj420p")
        container.mux(cover.encode(large))
        container.mux(cover.encode(None))
        for picture in pictures(4, (64, 48)):
            container.mux(small.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(small.encode(None))
    with open_video(path) as video:
        assert sum(1 for _ in video) == 4
    assert (video.header.width, video.header.height) == (64, 48)


def test_a_stream_may_change_its_size(tmp_path: Path) -> None:
    parts = [write_clip(tmp_path / f"{w}.h264", size=(w, h), frames=4) for w, h in ((64, 48), (96, 64))]
    path = tmp_path / "both.h264"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    with open_video(path) as video:
        shapes = [frame.rgb.shape[:2] for frame in video]
    assert shapes == [(48, 64)] * 4 + [(64, 96)] * 4
    assert (video.header.width, video.header.height) == (64, 48)


def test_latin_letters_in_the_metadata_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "cafE"
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(pictures(1, (64, 48))[0])))
        container.mux(stream.encode(None))
    path.write_bytes(path.read_bytes().replace(b"cafE", b"caf\xe9"))
    with pytest.raises(UnicodeDecodeError):
        av.open(str(path))
    with open_video(path) as video:
        assert sum(1 for _ in video) == 1


def test_a_file_is_opened_once_and_may_name_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_clip(tmp_path / "a.mp4")
    opened = []
    real = av.open

    def counting(*args: Any, **kwargs: Any) -> Any:
        opened.append(kwargs["options"])
        return real(*args, **kwargs)

    monkeypatch.setattr(av, "open", counting)
    with open_video(path) as video:
        for frame in video:
            _ = frame.gray, frame.hsv, frame.picture
        _ = video.counts
    (options,) = opened
    assert options["protocol_whitelist"] == "file"
    assert not {"concat", "hls", "dash", "image2", "sdp", "lavfi"} & set(
        options["format_whitelist"].split(",")
    )


def test_no_thread_is_started(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", frames=20, size=(640, 480), options={"x264-params": "slices=4"})
    process = psutil.Process()
    before = process.num_threads()
    with open_video(path) as video:
        for frame in video:
            _ = frame.rgb
            assert process.num_threads() <= before
