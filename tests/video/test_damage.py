"""Broken files: what decodes is used, what was lost is counted, and nothing reaches the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from clips import pictures, truncated, write_clip, write_frames, zeroed

from memfeat.errors import NoFramesError, TooLargeError, UnreadableError
from memfeat.video import container, open_video

FAST = {"movflags": "faststart"}


def noisy(path: Path, *, codec: str = "libx264", frames: int = 40) -> Path:
    """A clip with so much detail that its bytes are spread over all frames, index first."""
    rng = np.random.default_rng(0)
    clips = [
        np.clip(frame + rng.normal(0, 12, frame.shape), 0, 255).astype(np.uint8)
        for frame in pictures(frames, (160, 120))
    ]
    # Variable-length codes instead of arithmetic coding: a decoder notices nonsense in them for certain.
    options = {"x264-params": "cabac=0:bframes=0", "threads": "1"} if codec == "libx264" else None
    return write_frames(path, clips, codec=codec, options=options, container_options=FAST)


def plain_decode(path: Path) -> tuple[int, int, int]:
    """Frames, frames flagged corrupt and refused packets of an independent pass."""
    frames = corrupt = refused = 0
    with av.open(str(path)) as opened:
        for packet in opened.demux(video=0):
            try:
                decoded = packet.decode()
            except av.FFmpegError:
                refused += 1
                continue
            frames += len(decoded)
            corrupt += sum(frame.is_corrupt for frame in decoded)
    return frames, corrupt, refused


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_concealed_frames_are_counted(tmp_path: Path, codec: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = noisy(tmp_path / "a.mp4", codec=codec)
    # A short hole in the second half of a large packet: its beginning still decodes.
    with av.open(str(path)) as opened:
        packet = [packet for packet in opened.demux(video=0) if packet.size][20]
        data = bytearray(path.read_bytes())
        begin = packet.pos + packet.size // 2
        data[begin : begin + 40] = bytes(40)
    path.write_bytes(bytes(data))
    with open_video(path) as video:
        frames = list(video)
    frames_there, corrupt, refused = plain_decode(path)
    counts = video.counts
    assert (counts.decoded, counts.corrupt, counts.bad_packets) == (frames_there, corrupt, refused)
    assert len(frames) == counts.decoded == counts.header == 40
    assert counts.corrupt == 1
    assert counts.damaged
    assert capfd.readouterr() == ("", "")


def test_refused_packets_are_counted_and_decoding_goes_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = zeroed(noisy(tmp_path / "a.mp4"), start=0.4, length=0.2)
    with open_video(path) as video:
        times = [frame.time for frame in video]
    counts = video.counts
    assert (counts.decoded, counts.corrupt, counts.bad_packets) == plain_decode(path)
    assert counts.bad_packets > 3 and counts.damaged
    assert 20 < counts.decoded < counts.header == 40
    assert times[-1] == pytest.approx(39 / 25)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("fraction", [0.5, 0.9])
def test_a_truncated_file_gives_what_is_left(tmp_path: Path, fraction: float) -> None:
    path = noisy(tmp_path / "a.mp4")
    with open_video(path) as video:
        whole = [frame.rgb for frame in video]
    assert not video.counts.damaged
    with open_video(truncated(path, fraction=fraction)) as video:
        left = [frame.rgb for frame in video]
    counts = video.counts
    assert counts.header == 40 and counts.decoded == len(left)
    assert abs(len(left) - 40 * fraction) <= 3
    assert counts.bad_packets >= 1 and counts.damaged
    for pixels, expected in zip(left[:-1], whole, strict=False):
        np.testing.assert_array_equal(pixels, expected)


def test_a_file_cut_between_two_packets_is_damaged_too(tmp_path: Path) -> None:
    path = noisy(tmp_path / "a.mp4")
    with av.open(str(path)) as opened:
        packet = [packet for packet in opened.demux(video=0) if packet.size][19]
        end = packet.pos + packet.size
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(path.read_bytes()[:end])
    with open_video(cut) as video:
        list(video)
    assert video.counts.decoded == 20
    assert video.counts.damaged


def test_matroska_that_stops_short_is_damaged_though_nothing_is_refused(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", frames=60)
    with open_video(path) as video:
        list(video)
    assert not video.counts.ended_early and not video.counts.damaged
    with open_video(truncated(path, fraction=0.6)) as video:
        list(video)
    assert 0 < video.counts.decoded < 50
    assert video.counts.ended_early and video.counts.damaged


def test_matroska_whose_sound_lasts_longer_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as target:
        picture = target.add_stream("libx264", rate=25, options={"threads": "1"})
        sound = target.add_stream("aac", rate=16_000, layout="mono")
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        for frame in pictures(10, (64, 48)):
            target.mux(picture.encode(av.VideoFrame.from_ndarray(frame)))
        target.mux(picture.encode(None))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 48_000), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 16_000
        target.mux(sound.encode(silence))
        target.mux(sound.encode(None))
    with open_video(path) as video:
        list(video)
    assert video.counts.decoded == 10
    assert not video.counts.damaged


def test_cut_before_the_first_frame(tmp_path: Path) -> None:
    path = noisy(tmp_path / "a.mp4")
    with av.open(str(path)) as opened:
        first = next(packet for packet in opened.demux(video=0)).pos
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(path.read_bytes()[: first + 10])
    with pytest.raises(NoFramesError, match=r"cut\.mp4: no frame of its h264 stream decodes"):
        open_video(cut)


def test_a_header_without_frames(tmp_path: Path) -> None:
    path = tmp_path / "none.mp4"
    with av.open(str(path), "w", container_options={"movflags": "empty_moov+frag_keyframe"}) as target:
        stream = target.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        target.start_encoding()
    with pytest.raises(NoFramesError, match="no frame"):
        open_video(path)


def test_more_pixels_than_the_limit_are_refused_before_decoding(tmp_path: Path) -> None:
    path = tmp_path / "huge.y4m"
    path.write_bytes(b"YUV4MPEG2 W14000 H14000 F25:1 Ip A1:1 C420jpeg\nFRAME\n" + bytes(1000))
    with pytest.raises(
        TooLargeError, match="14000×14000 is 196,000,000 pixels per frame; at most 178,956,970"
    ):
        open_video(path)


def test_a_stream_that_grows_beyond_the_limit_loses_those_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "MAX_PIXELS", 64 * 48 + 2000)
    parts = [write_clip(tmp_path / f"{w}.h264", size=(w, h), frames=4) for w, h in ((64, 48), (128, 96))]
    path = tmp_path / "both.h264"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    with open_video(path) as video:
        sizes = {frame.rgb.shape for frame in video}
    assert sizes == {(48, 64, 3)}
    assert video.counts.bad_packets > 0


class Flaky:
    """A container whose reading fails once in the middle, as PyAV's does on a damaged index."""

    def __init__(self, real: av.container.InputContainer, *, times: int) -> None:
        self._real = real
        self._left = times

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def demux(self, *streams: av.VideoStream) -> Iterator[av.Packet]:
        for number, packet in enumerate(self._real.demux(*streams)):
            yield packet
            if number == 4 and self._left:
                self._left -= 1
                raise av.InvalidDataError(av.error.InvalidDataError, "made up")


def test_reading_goes_on_after_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = container._open
    monkeypatch.setattr(container, "_open", lambda path: Flaky(real(path), times=1))
    with open_video(write_clip(tmp_path / "a.mp4", frames=12)) as video:
        assert sum(1 for _ in video) == 12
    assert video.counts.bad_packets == 1 and video.counts.damaged


def test_a_disk_that_fails_is_no_damaged_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = container._open
    monkeypatch.setattr(container, "_open", lambda path: Flaky(real(path), times=1))
    video = open_video(write_clip(tmp_path / "a.mp4", frames=12))
    (tmp_path / "a.mp4").unlink()
    with pytest.raises(UnreadableError, match=r"a\.mp4: reading stopped after \d frames .*check the disk"):
        list(video)


def test_reading_that_only_fails_comes_to_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(Flaky):
        def demux(self, *streams: av.VideoStream) -> Iterator[av.Packet]:
            raise av.InvalidDataError(av.error.InvalidDataError, "made up")
            yield

    real = container._open
    monkeypatch.setattr(container, "_open", lambda path: Failing(real(path), times=0))
    with pytest.raises(NoFramesError, match="1000 packets refused"):
        open_video(write_clip(tmp_path / "a.mp4"))
