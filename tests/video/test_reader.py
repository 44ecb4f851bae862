"""Opening: by content, with an error of its own for everything that cannot be; and the one pass."""

from __future__ import annotations

import gc
import os
import weakref
from pathlib import Path

import av
import psutil
import pytest
from clips import (
    truncated,
    write_audio_only,
    write_clip,
    write_empty,
    write_gif,
    write_image,
    write_streams,
    write_text,
)

from memfeat.errors import (
    EmptyFileError,
    MissingFileError,
    NoFramesError,
    NoVideoStreamError,
    UnreadableError,
    UsageError,
    VideoError,
)
from memfeat.video import Frame, open_video


def count(path: Path) -> int:
    with open_video(path) as video:
        return sum(1 for _ in video)


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"nothing\.mp4: no such file; check"):
        open_video(tmp_path / "nothing.mp4")
    with pytest.raises(MissingFileError, match="no such file"):
        open_video(write_text(tmp_path / "a.txt") / "inside.mp4")


def test_a_link_to_nothing_says_so(tmp_path: Path) -> None:
    (tmp_path / "link.mp4").symlink_to(tmp_path / "gone.mp4")
    with pytest.raises(MissingFileError, match="only a link to a file that is not there"):
        open_video(tmp_path / "link.mp4")


def test_a_link_to_a_video_is_one(tmp_path: Path) -> None:
    (tmp_path / "link.mp4").symlink_to(write_clip(tmp_path / "a.mp4", frames=3))
    assert count(tmp_path / "link.mp4") == 3


def test_empty(tmp_path: Path) -> None:
    with pytest.raises(EmptyFileError, match=r"e\.mp4: has no bytes"):
        open_video(write_empty(tmp_path / "e.mp4"))


def test_folder(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="is a folder"):
        open_video(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(UnreadableError, match="no regular file"):
        open_video(tmp_path / "pipe.mp4")


@pytest.mark.parametrize("name", ["a\0b.mp4", "x" * 5000])
def test_impossible_names(name: str) -> None:
    with pytest.raises(UnreadableError, match="cannot be read"):
        open_video(name)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4")
    path.chmod(0)
    with pytest.raises(UnreadableError, match="may not be read"):
        open_video(path)


def test_no_permission_as_the_system_reports_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_clip(tmp_path / "a.mp4")

    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(
        UnreadableError, match=r"a\.mp4: may not be read \(Permission denied\); check its perm"
    ):
        open_video(path)


@pytest.mark.parametrize("name", ["t.mp4", "t.mkv", "t.avi", "t.jpg", "t.gif", "t.txt", "t"])
def test_text(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableError, match="not an image, and not a video"):
        open_video(write_text(tmp_path / name))


def test_text_that_begins_like_an_image(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="looks like BMP, and its header is damaged"):
        open_video(write_text(tmp_path / "t.mp4", "BMW and other makes of car"))


@pytest.mark.parametrize("name", ["a.mp4", "a.m4a", "a.mkv"])
def test_audio_only(tmp_path: Path, name: str) -> None:
    with pytest.raises(NoVideoStreamError, match="holds no moving picture, only audio"):
        open_video(write_audio_only(tmp_path / name))


def test_an_index_that_is_cut_off(tmp_path: Path) -> None:
    # The index of a plain mp4 lies at its end.
    with pytest.raises(UnreadableError, match="not a video in a container that memfeat opens"):
        open_video(truncated(write_clip(tmp_path / "a.mp4"), fraction=0.6))


NAMES = [
    "a:b.mp4",
    "100%d.mp4",
    "%03d.mp4",
    "-dash.mp4",
    ".hidden.mp4",
    "..two.mp4",
    "pipe:0.mp4",
    "file:x.mp4",
    "concat:a|b.mp4",
    "http:x.mp4",
    "a?b#c&d.mp4",
    "one, two.mp4",
    "ünï 日本 😀.mp4",
    "tab\tname.mp4",
    "new\nline.mp4",
    "back\\slash.mp4",
    "no suffix",
]


@pytest.mark.skipif(os.name == "nt", reason="Windows forbids most of these names")
@pytest.mark.parametrize("name", NAMES)
def test_names_mean_nothing(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / name).write_bytes(write_clip(tmp_path / "source.mp4", frames=3).read_bytes())
    assert count(tmp_path / name) == 3
    monkeypatch.chdir(tmp_path)
    with open_video(name) as video:
        assert sum(1 for _ in video) == 3


@pytest.mark.skipif(os.name == "nt", reason="Windows names are text")
def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4"))
    try:
        path.write_bytes(write_clip(tmp_path / "source.mp4", frames=3).read_bytes())
    except OSError:
        pytest.skip("this file system takes text only")
    assert count(path) == 3


PLAYLISTS = {
    "concat": "ffconcat version 1.0\nfile 'secret.mp4'\n",
    "hls": "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:10.0,\nsecret.ts\n#EXT-X-ENDLIST\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"></MPD>',
}


@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("suffix", ["mp4", "m3u8", "ffconcat", "sdp", "mpd"])
def test_a_text_file_cannot_make_another_file_be_read(tmp_path: Path, kind: str, suffix: str) -> None:
    write_clip(tmp_path / "secret.mp4")
    write_clip(tmp_path / "secret.ts", codec="mpeg2video")
    with pytest.raises(UnreadableError, match="not a video in a container that memfeat opens"):
        open_video(write_text(tmp_path / f"list.{suffix}", PLAYLISTS[kind]))


def test_those_playlists_do_work_where_nothing_forbids_them(tmp_path: Path) -> None:
    # Otherwise the test above would pass for a typing error in a playlist.
    write_clip(tmp_path / "secret.mp4", frames=3)
    write_clip(tmp_path / "secret.ts", codec="mpeg2video", frames=3)
    for kind, suffix in (("concat", "mp4"), ("hls", "m3u8")):
        with av.open(str(write_text(tmp_path / f"list.{suffix}", PLAYLISTS[kind]))) as container:
            assert sum(1 for _ in container.decode(video=0)) == 3


def test_image_sequences_are_not_opened(tmp_path: Path) -> None:
    for number in range(3):
        write_image(tmp_path / f"frame{number}.png")
    with pytest.raises(MissingFileError):
        open_video(tmp_path / "frame%d.png")


def test_content_decides_and_the_suffix_does_not(tmp_path: Path) -> None:
    write_image(tmp_path / "png.jpg", file_format="PNG")
    write_image(tmp_path / "jpeg.mp4", file_format="JPEG")
    (tmp_path / "video.jpg").write_bytes(write_clip(tmp_path / "v.mp4", frames=4).read_bytes())
    (tmp_path / "gif.mp4").write_bytes(write_gif(tmp_path / "g.gif", frames=3).read_bytes())
    for name, frames, container in (
        ("png.jpg", 1, "png"),
        ("jpeg.mp4", 1, "jpeg"),
        ("video.jpg", 4, "mov,mp4,m4a,3gp,3g2,mj2"),
        ("gif.mp4", 3, "gif"),
    ):
        with open_video(tmp_path / name) as video:
            assert sum(1 for _ in video) == frames
        assert video.header.container == container
        assert video.header.is_image == (frames == 1)


def test_a_video_of_one_frame_is_no_image(tmp_path: Path) -> None:
    with open_video(write_clip(tmp_path / "a.mp4", frames=1)) as video:
        frames = list(video)
    assert len(frames) == 1 and not video.header.is_image


def test_every_data_error_is_a_video_error(tmp_path: Path) -> None:
    bad = [
        tmp_path / "gone.mp4",
        tmp_path,
        write_empty(tmp_path / "e.mp4"),
        write_text(tmp_path / "t.mp4"),
        write_audio_only(tmp_path / "a.mp4"),
        truncated(write_image(tmp_path / "i.png")),
    ]
    for path in bad:
        with pytest.raises(VideoError):
            open_video(path)


MEDIA = {
    "mp4": write_clip,
    "gif": write_gif,
    "png": write_image,
}


@pytest.fixture(params=sorted(MEDIA))
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return MEDIA[request.param](tmp_path / f"a.{request.param}")


def test_frames_are_read_once(path: Path) -> None:
    with open_video(path) as video:
        list(video)
        with pytest.raises(UsageError, match="is closed; open it again"):
            iter(video)


def test_two_loops_at_once_are_refused(tmp_path: Path) -> None:
    with open_video(write_clip(tmp_path / "a.mp4")) as video:
        for _ in video:
            with pytest.raises(UsageError, match="is read already; open it again"):
                iter(video)


def test_counts_are_known_at_the_end_and_not_before(path: Path) -> None:
    with open_video(path) as video:
        for _ in video:
            with pytest.raises(UsageError, match="counts are known once all frames are read"):
                _ = video.counts
        assert video.counts.decoded >= 1
    assert video.counts.decoded >= 1


def test_leaving_early_closes_the_file(path: Path) -> None:
    process = psutil.Process()
    before = len(process.open_files())
    with open_video(path) as video:
        frame = next(iter(video))
    assert len(process.open_files()) == before
    # What was handed out can still be looked at.
    assert frame.canvas.shape == (256, 256, 3)
    if video.header.is_image:
        return
    with pytest.raises(UsageError, match="counts are known"):
        _ = video.counts


def test_closing_without_reading(path: Path) -> None:
    video = open_video(path)
    video.close()
    video.close()
    with pytest.raises(UsageError, match="is closed"):
        iter(video)


def test_a_loop_over_a_closed_video_does_not_end_as_if_it_were_complete(path: Path) -> None:
    video = open_video(path)
    frames = iter(video)
    next(frames)
    video.close()
    with pytest.raises(UsageError, match="was closed in the middle of its pass"):
        next(frames)
    with pytest.raises(UsageError, match="counts are known"):
        _ = video.counts


def test_files_are_closed_when_opening_fails(tmp_path: Path) -> None:
    process = psutil.Process()
    before = len(process.open_files())
    broken = [
        truncated(write_image(tmp_path / "i.png")),
        truncated(write_gif(tmp_path / "g.gif"), fraction=0.02),
    ]
    for bad in [*broken, write_audio_only(tmp_path / "a.mp4")]:
        with pytest.raises(VideoError):
            open_video(bad)
    assert len(process.open_files()) == before


def test_frames_stay_valid_after_the_pass(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", frames=6)
    with open_video(path) as video:
        kept = list(video)
    with open_video(path) as video:
        for late, early in zip(kept, video, strict=True):
            assert (late.rgb == early.rgb).all()


@pytest.mark.parametrize("kind", ["mp4", "gif"])
def test_a_long_video_is_never_held(tmp_path: Path, kind: str) -> None:
    frames, size = 150, (320, 240)
    if kind == "mp4":
        path = write_clip(tmp_path / "long.mp4", frames=frames, size=size, rotation=90)
    else:
        path = write_gif(tmp_path / "long.gif", frames=frames, size=size)
    alive: weakref.WeakSet[Frame] = weakref.WeakSet()
    process = psutil.Process()
    with open_video(path) as video:
        for frame in video:
            alive.add(frame)
            _ = frame.rgb, frame.hsv
            assert len(alive) <= 2
            if frame.index == 20:
                settled = process.memory_info().rss
    assert video.counts.decoded == frames
    # All frames together are 35 MB of RGB, and as much of canvas.
    assert process.memory_info().rss - settled < 15e6


def test_memory_does_not_grow_from_video_to_video(tmp_path: Path) -> None:
    path = write_streams(tmp_path / "two.mkv", [(640, 480), (320, 240)], frames=3)
    process = psutil.Process()
    # Pictures must go when their last user does: the collector knows nothing of their size, and comes late.
    gc.disable()
    try:
        for turn in range(60):
            assert count(path) == 3
            if turn == 10:
                settled = process.memory_info().rss
    finally:
        gc.enable()
    assert process.memory_info().rss - settled < 10e6


def test_a_broken_file_names_itself(tmp_path: Path) -> None:
    path = truncated(write_image(tmp_path / "photo.jpg"))
    with pytest.raises(NoFramesError, match=r"truncated-photo\.jpg"):
        open_video(path)
