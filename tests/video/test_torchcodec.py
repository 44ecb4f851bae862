"""torchcodec gives the frames that PyAV gives, or refuses the file; where it is not installed, it says so."""

from __future__ import annotations

import sys
import types
from importlib.util import find_spec

import av
import numpy as np
import psutil
import pytest
from clips import (
    set_matrix,
    truncated,
    write_audio_only,
    write_clip,
    write_empty,
    write_gif,
    write_image,
    write_streams,
    write_text,
    zeroed,
)

from memfeat.errors import EmptyFileError, NoVideoStreamError, SetupError, UnreadableError, UsageError
from memfeat.video import open_video
from memfeat.video.header import VIDEO_SUFFIXES
from memfeat.video.reader import Video
from memfeat.video.torchcodec import TorchcodecSource, opener_on


@pytest.fixture
def opens():
    if find_spec("torchcodec") is None:
        pytest.skip("torchcodec is an option beside all extras")
    try:  # it may be there and not load, which importorskip takes for a failure
        return opener_on("cpu")
    except SetupError as error:
        pytest.skip(str(error))


def frames(video):
    return [(frame.time, frame.rgb) for frame in video]


def assert_same(opens, path, *, apart=0.0, every=1):
    """Same number of frames, same times, and pixels (of some frames) at most `apart` levels apart on average."""
    ours, video = open_video(path), opens(path)
    for one, two in zip(ours, video, strict=True):
        assert (two.index, two.rgb.dtype) == (one.index, np.uint8)
        assert two.time == pytest.approx(one.time, abs=1e-9)
        if one.index % every == 0:
            assert np.abs(one.rgb.astype(int) - two.rgb).mean() <= apart, f"{path.name}, frame {one.index}"
    assert (video.counts.decoded, video.counts.header) == (ours.counts.decoded, ours.counts.header)
    assert video.counts.repaired_times == ours.counts.repaired_times
    return video


# Installed or not


def test_absent_it_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", None)
    with pytest.raises(SetupError, match="--decoder torchcodec needs the package torchcodec"):
        opener_on("cpu")


def pretend(monkeypatch, **attributes):
    """Put an empty torchcodec in place of whatever is installed."""
    package, decoders = types.ModuleType("torchcodec"), types.ModuleType("torchcodec.decoders")
    for name, value in attributes.items():
        setattr(package, name, value)
    decoders.VideoDecoder = None
    monkeypatch.setitem(sys.modules, "torchcodec", package)
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", decoders)


def test_what_does_not_load_says_so(monkeypatch):
    class Broken:
        def __getattr__(self, name):
            raise RuntimeError("Could not load libtorchcodec. Likely causes:\n1. FFmpeg ...")

    pretend(monkeypatch)
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", Broken())
    with pytest.raises(
        SetupError, match=r"cannot be loaded \(Could not load libtorchcodec\). It needs FFmpeg"
    ):
        opener_on("cpu")


def test_without_ffmpeg_it_says_so_before_the_first_video(monkeypatch):
    pretend(monkeypatch, __version__="0.17.0", ffmpeg_major_version=None)
    with pytest.raises(SetupError, match="finds no FFmpeg that it can use"):
        opener_on("cpu")


def test_an_old_version_is_refused(monkeypatch):
    pretend(monkeypatch, __version__="0.8.1+cu128", ffmpeg_major_version=7)
    with pytest.raises(SetupError, match=r"0\.8\.1\+cu128 is older than 0\.12"):
        opener_on("cpu")


def test_without_a_gpu_its_decoder_is_refused(opens):
    torch = pytest.importorskip("torch", reason="needs the extra deep")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(SetupError, match="torch sees none"):
        opener_on("cuda")


# Whole files


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a:b.mp4", "50% off?.mp4"])
def test_frames_and_times_are_those_of_pyav(opens, tmp_path, name):
    video = assert_same(opens, write_clip(tmp_path / name, frames=6))
    assert video.counts.decoded == video.header.frames == 6


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_variable_rate(opens, tmp_path, name):
    assert_same(opens, write_clip(tmp_path / name, frames=6, times=[0, 0.1, 0.15, 0.3, 0.5, 0.9]))


def test_frames_stored_out_of_order(opens, tmp_path):
    options = {"bf": "3", "g": "12", "threads": "1"}
    assert_same(opens, write_clip(tmp_path / "b.mp4", frames=40, options=options))


@pytest.mark.parametrize("codec", ["libvpx-vp9", "libvpx"])
def test_webm(opens, tmp_path, codec):
    assert_same(opens, write_clip(tmp_path / "a.webm", codec=codec))


@pytest.mark.parametrize(
    ("size", "pix_fmt"), [((66, 50), "yuv420p"), ((65, 49), "yuv444p"), ((64, 48), "yuv422p")]
)
def test_sizes_and_formats(opens, tmp_path, size, pix_fmt):
    assert_same(opens, write_clip(tmp_path / "a.mp4", size=size, pix_fmt=pix_fmt, frames=3))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("deep.mp4", {"pix_fmt": "yuv420p10le"}),
        ("odd.webm", {"codec": "libvpx-vp9", "size": (65, 49)}),
        ("odd.mp4", {"codec": "mpeg4", "size": (33, 17)}),
    ],
)
def test_where_colours_are_converted_by_another_filter(opens, tmp_path, name, options):
    assert_same(opens, write_clip(tmp_path / name, frames=3, **options), apart=4)


def test_the_larger_of_two_streams(opens, tmp_path):
    video = assert_same(opens, write_streams(tmp_path / "two.mp4", [(64, 48), (128, 96)]))
    assert (video.header.stream, video.header.width) == (1, 128)


def test_one_frame(opens, tmp_path):
    assert_same(opens, write_clip(tmp_path / "one.mp4", frames=1))


def test_clips_from_public_libraries(opens, shared_data):
    clips = [path for path in sorted((shared_data / "clips").iterdir()) if path.suffix in VIDEO_SUFFIXES]
    refused = []
    for path in clips:
        try:
            assert_same(opens, path, every=8)
        except UnreadableError as error:
            refused.append(str(error))
    # Up to 0.14, torchcodec begins a clip behind its first frame where an edit list hides the key frame.
    assert len(refused) <= 1 and all("first frame" in text for text in refused), refused


def test_images_animations_and_arrays_are_read_as_always(opens, tmp_path):
    np.save(tmp_path / "a.npy", np.arange(3 * 48 * 64 * 3, dtype=np.uint8).reshape(3, 48, 64, 3))
    for file in (write_image(tmp_path / "a.png"), write_gif(tmp_path / "a.gif"), tmp_path / "a.npy"):
        for (_, one), (_, two) in zip(frames(open_video(file)), frames(opens(file)), strict=True):
            np.testing.assert_array_equal(one, two)


# Refused


def test_what_is_no_video_is_refused_as_always(opens, tmp_path):
    with pytest.raises(EmptyFileError):
        opens(write_empty(tmp_path / "e.mp4"))
    with pytest.raises(NoVideoStreamError):
        opens(write_audio_only(tmp_path / "a.mp4"))
    for text in ("A note.\n", f"ffconcat version 1.0\nfile {write_clip(tmp_path / 'v.mp4')}\n"):
        with pytest.raises(UnreadableError, match="not a video in a container that memfeat opens"):
            opens(write_text(tmp_path / "t.mp4", text))


def test_a_turned_or_mirrored_video_is_refused(opens, tmp_path):
    turned = [write_clip(tmp_path / f"{turn}.mp4", rotation=turn) for turn in (90, 180, 270)]
    mirrored = set_matrix(write_clip(tmp_path / "m.mp4"), (-1, 0, 0, 1))
    for path in (*turned, mirrored):
        with pytest.raises(UnreadableError, match="turned or mirrored"):
            opens(path)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.ts", {"options": {"bf": "3", "g": "12", "threads": "1"}}),
        ("one-key-frame.ts", {}),
        ("b.avi", {"options": {"bf": "3", "g": "12", "threads": "1"}}),
        ("a.mpg", {"codec": "mpeg2video"}),
        ("a.h264", {}),
    ],
)
def test_containers_without_exact_seeking_give_all_frames_or_none(opens, tmp_path, name, options):
    path = write_clip(tmp_path / name, frames=40, **options)
    try:
        assert_same(opens, path)
    except UnreadableError as error:
        assert "use --decoder pyav" in str(error)


# Damage


def test_refused_packets_are_passed_over_and_counted(opens, tmp_path):
    clip = write_clip(
        tmp_path / "a.mp4", frames=60, size=(320, 240), container_options={"movflags": "faststart"}
    )
    path = zeroed(clip, start=0.8)
    ours = open_video(path)
    expected, video = len(frames(ours)), opens(path)
    assert len(frames(video)) == expected < 60
    assert (video.counts.bad_packets, video.counts.damaged) == (ours.counts.bad_packets, True)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_truncated_file_ends_early(opens, tmp_path, name):
    options = {"movflags": "faststart"} if name == "a.mp4" else {}
    path = truncated(write_clip(tmp_path / name, frames=60, container_options=options), fraction=0.7)
    video = assert_same(opens, path)
    assert video.counts.decoded < 60
    assert video.counts.ended_early and video.counts.damaged


# Resources


def test_the_file_is_closed_wherever_the_pass_ends(opens, tmp_path):
    clip, process = write_clip(tmp_path / "a.mp4", frames=20), psutil.Process()
    before = len(process.open_files())
    with opens(clip) as video:
        for frame in video:
            if frame.index == 3:
                break
    kept = frame.rgb.copy()
    assert len(process.open_files()) == before
    np.testing.assert_array_equal(frame.rgb, kept)
    frames(opens(clip))
    opens(clip).close()
    with pytest.raises(UnreadableError):
        opens(write_clip(tmp_path / "r.mp4", rotation=90))
    assert len(process.open_files()) == before
    video = opens(clip)
    with pytest.raises(UsageError, match="closed in the middle"):
        for _ in video:
            video.close()


def test_memory_does_not_grow_with_the_length(opens, tmp_path):
    clip, process = write_clip(tmp_path / "long.mp4", frames=600, size=(256, 256)), psutil.Process()
    settled = 0
    with opens(clip) as video:
        for frame in video:
            assert frame.rgb.nbytes == 256 * 256 * 3
            if frame.index == 100:
                settled = process.memory_info().rss
    assert process.memory_info().rss - settled < 15e6  # of 100 MB of pixels


# What torchcodec may do, without it


class Pretended:
    """A `VideoDecoder` whose frames are PyAV's, with mishaps by index; None where the stream ends."""

    def __init__(self, path, *, mishaps=(), promises=None, fallback=""):
        with av.open(str(path)) as container:
            self._all = list(container.decode(video=0))
        self._mishaps = dict(mishaps)
        self._promises = promises or len(self._all)
        self._next = 0
        self.cpu_fallback = fallback

    def __call__(self, source, **options):
        assert source.startswith("file:") and options["dimension_order"] == "NHWC"
        return self

    def __len__(self):
        return self._promises

    def get_frame_at(self, index):
        mishap = self._mishaps.pop(self._next, None)
        if mishap is not None:
            self._next += 1
            raise mishap
        if self._next >= len(self._all):
            raise RuntimeError("Requested next frame while there are no more frames left to decode.")
        picture = self._all[self._next]
        self._next += 1
        return types.SimpleNamespace(
            data=Tensor(picture.to_ndarray(format="rgb24")), pts_seconds=float(picture.time)
        )


class Tensor(np.ndarray):
    """An array with the two methods of a tensor that are used."""

    def __new__(cls, array):
        return array.view(cls)

    def cpu(self):
        return self

    def numpy(self):
        return self.view(np.ndarray)


REFUSED = RuntimeError("/src/SingleStreamDecoder.cpp:1493, Could not push packet to decoder: Invalid data")


@pytest.fixture
def clip(tmp_path):
    return write_clip(tmp_path / "a.mp4", frames=6)


def opened(clip, *, device="cpu", **options):
    return Video(TorchcodecSource(clip, Pretended(clip, **options), device))


def test_a_refused_packet_is_a_lost_frame(clip):
    video = opened(clip, mishaps={2: REFUSED, 3: REFUSED})
    got, expected = frames(video), frames(open_video(clip))
    assert [time for time, _ in got] == [expected[index][0] for index in (0, 1, 4, 5)]
    assert (video.counts.decoded, video.counts.bad_packets, video.counts.damaged) == (4, 2, True)


def test_frames_that_are_lost_without_an_error_refuse_the_file(clip):
    with pytest.raises(UnreadableError, match=r"torchcodec gives 6 of its 8 frames; use --decoder pyav"):
        frames(opened(clip, promises=8))
    with pytest.raises(UnreadableError, match="5 of its 7"):
        frames(opened(clip, promises=7, mishaps={2: REFUSED}))


def test_another_first_frame_refuses_the_file(clip, tmp_path):
    late = write_clip(tmp_path / "late.mp4", frames=6, times=[n / 25 for n in range(3, 9)])
    large = write_clip(tmp_path / "large.mp4", frames=6, size=(128, 96))
    for other in (late, large):
        with pytest.raises(UnreadableError, match="does not begin with its first frame"):
            TorchcodecSource(clip, Pretended(other), "cpu")


@pytest.mark.parametrize("at", [0, 3])
def test_other_errors_refuse_the_file_and_say_why(clip, at):
    with pytest.raises(
        UnreadableError, match=r"a.mp4: torchcodec cannot decode it \(No such filter\); use --decoder pyav"
    ):
        frames(opened(clip, mishaps={at: RuntimeError("/src/a.cpp:12, No such filter.\nException ...")}))


def test_a_first_packet_that_is_refused_refuses_the_file(clip):
    with pytest.raises(UnreadableError, match=r"\(Could not push packet to decoder: Invalid data\)"):
        opened(clip, mishaps={0: REFUSED})


def test_a_full_gpu_is_no_fault_of_the_file(clip):
    with pytest.raises(MemoryError, match="CUDA out of memory"):
        frames(opened(clip, mishaps={3: RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")}))


def test_a_gpu_decoder_never_hands_over_to_the_cpu(clip):
    assert len(frames(opened(clip, device="cuda"))) == 6
    with pytest.raises(UnreadableError, match=r"the GPU's decoder does not take it \(Video not supported\)"):
        opened(clip, device="cuda", fallback="Video not supported")
    with pytest.raises(SetupError, match="libnvcuvid, is missing"):
        opened(clip, device="cuda", fallback="NVcuvid unavailable")


def test_what_the_header_says_is_in_the_counts(clip):
    video = opened(clip, promises=5)
    assert video.header.frames == 5
    frames(video)
    assert (video.counts.decoded, video.counts.header) == (5, 6)
    assert video.counts.stream_bytes == clip.stat().st_size
