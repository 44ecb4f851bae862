"""torchcodec gives the frames that PyAV gives, where it is installed; where not, it says so."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from clips import write_clip, write_empty, write_gif, write_image, write_text

from memfeat.errors import EmptyFileError, SetupError, UnreadableError
from memfeat.video import open_video
from memfeat.video.torchcodec import opener_on


@pytest.fixture
def opens():
    pytest.importorskip("torchcodec", reason="torchcodec is an option beside all extras")
    try:
        return opener_on("cpu")
    except SetupError as error:
        pytest.skip(str(error))


def frames(video):
    return [(frame.time, frame.rgb) for frame in video]


def test_absent_it_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", None)
    with pytest.raises(SetupError, match="--decoder torchcodec needs the package torchcodec"):
        opener_on("cpu")


def test_without_ffmpeg_it_says_so(monkeypatch):
    class Broken:
        def __getattr__(self, name):
            raise RuntimeError("Could not load libtorchcodec.\nLikely causes: ...")

    monkeypatch.setitem(sys.modules, "torchcodec", Broken())
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", Broken())
    with pytest.raises(
        SetupError, match=r"cannot be loaded \(Could not load libtorchcodec.\). It needs FFmpeg"
    ):
        opener_on("cpu")


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "variable.mp4"])
def test_frames_and_times_are_those_of_pyav(opens, tmp_path, name):
    times = [0, 0.1, 0.15, 0.3, 0.5, 0.9] if name == "variable.mp4" else None
    clip = write_clip(tmp_path / name, frames=6, times=times)
    video = opens(clip)
    ours, theirs = frames(open_video(clip)), frames(video)
    assert [time for time, _ in ours] == pytest.approx([time for time, _ in theirs], abs=1e-9)
    for (_, one), (_, two) in zip(ours, theirs, strict=True):
        assert np.abs(one.astype(int) - two).mean() < 3
    assert video.counts.decoded == video.header.frames == 6


def test_images_and_animations_are_read_as_always(opens, tmp_path):
    for file in (write_image(tmp_path / "a.png"), write_gif(tmp_path / "a.gif")):
        for (_, one), (_, two) in zip(frames(open_video(file)), frames(opens(file)), strict=True):
            np.testing.assert_array_equal(one, two)


def test_what_is_no_video_is_refused_as_always(opens, tmp_path):
    with pytest.raises(EmptyFileError):
        opens(write_empty(tmp_path / "e.mp4"))
    with pytest.raises(UnreadableError):
        opens(write_text(tmp_path / "t.mp4"))


def test_a_turned_video_is_refused(opens, tmp_path):
    with pytest.raises(UnreadableError, match="turned or mirrored"):
        opens(write_clip(tmp_path / "r.mp4", rotation=90))


def test_without_a_gpu_its_decoder_is_refused(opens):
    torch = pytest.importorskip("torch", reason="needs the extra deep")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(SetupError, match="torch sees none"):
        opener_on("cuda")
