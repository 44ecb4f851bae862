"""Clips from public video libraries: odd streams, edit lists and rates that nobody would invent."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from memfeat.video import open_video
from memfeat.video.header import IMAGE_SUFFIXES, VIDEO_SUFFIXES


@pytest.fixture(scope="module")
def clips(shared_data: Path) -> list[Path]:
    found = sorted(path for path in (shared_data / "clips").iterdir() if path.suffix in VIDEO_SUFFIXES)
    assert found, f"no clips in {shared_data / 'clips'}"
    return found


def test_frames_times_and_bytes_are_pyavs(clips: list[Path]) -> None:
    for path in clips:
        with open_video(path) as video, av.open(str(path)) as container:
            stream = container.streams[video.header.stream]
            decoded = container.decode(stream)
            for index, frame in enumerate(video):
                expected = next(decoded)
                assert frame.index == index
                assert frame.time == pytest.approx(float(expected.pts * stream.time_base), abs=1e-9)
                # Converting every frame twice would take the rest of the minute.
                if index % 8 == 0:
                    np.testing.assert_array_equal(frame.rgb, expected.to_ndarray(format="rgb24"))
            assert next(decoded, None) is None, f"{path.name}: frames are missing"
        with av.open(str(path)) as container:
            packets = container.demux(container.streams[video.header.stream])
            assert video.counts.stream_bytes == sum(packet.size for packet in packets)
        assert not video.counts.damaged and video.counts.repaired_times == 0, path.name


def test_the_larger_of_two_streams(clips: list[Path]) -> None:
    (path,) = (path for path in clips if path.name == "nasa_13013.mp4")
    with open_video(path) as video:
        assert (video.header.stream, video.header.width, video.header.height) == (3, 480, 270)
        assert sum(1 for _ in video) == 390


def test_frames_hidden_by_an_edit_list_are_no_damage(clips: list[Path]) -> None:
    (path,) = (path for path in clips if path.name == "vid1.mp4")
    with open_video(path) as video:
        list(video)
    assert video.counts.decoded < (video.counts.header or 0)
    assert not video.counts.damaged


def test_photographs(shared_data: Path) -> None:
    photographs = sorted(
        path for path in (shared_data / "scenes").rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES
    )
    for path in photographs[::40]:
        with open_video(path) as video, Image.open(path) as image:
            (frame,) = video
            np.testing.assert_array_equal(frame.rgb, np.asarray(image.convert("RGB")))
        assert video.header.is_image and (video.header.width, video.header.height) == image.size
