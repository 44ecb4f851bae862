"""The clips that are measured: generated ones, or those of a folder."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from memfeat.dataset import scan
from memfeat.demo import make_demo
from memfeat.errors import NoFramesError
from memfeat.video import VideoHeader, open_video
from memfeat.video.header import VIDEO_SUFFIXES

from .naive import Image


@dataclass(frozen=True)
class Clip:
    """A clip and the copy of its beginning on which whole-file stages run."""

    name: str
    whole: Path
    path: Path
    header: VideoHeader
    frames: int


def generated(folder: Path, count: int, *, say: Callable[[str], None]) -> list[Path]:
    """Make clips from photographs that ship with scikit-image."""
    made = iter(range(1, count + 1))
    make_demo(folder, clips=count, on_clip=lambda: say(f"generated {next(made)} of {count}"))
    return sorted((folder / "clips").glob("*.mp4"))


def given(folder: Path) -> list[Path]:
    """Find the videos of a folder whose frames are stored upright: the plain code does not turn them."""
    found = []
    for path in scan(folder, suffixes=VIDEO_SUFFIXES).files.values():
        with open_video(path) as video:
            if video.header.rotation == 0:
                found.append(path)
    return found


def prepare(paths: list[Path], folder: Path, *, frames: int | None = None) -> list[Clip]:
    """Copy clips, or their first frames alone, without encoding them again."""
    folder.mkdir(parents=True, exist_ok=True)
    clips = []
    for number, path in enumerate(paths):
        name = f"clip {number + 1:02}"
        short = shorten(path, folder / f"{number + 1:02}{path.suffix}", frames=frames)
        with open_video(short) as video:
            count = sum(1 for _ in video)
            clips.append(Clip(name, path, short, video.header, count))
    return clips


def shorten(path: Path, target: Path, *, frames: int | None) -> Path:
    """Copy the first packets of a clip's first video stream.

    Packets come in the order of decoding, so the last of these frames may lie a little further apart. Where a stream
    begins with frames that are not to be shown, it takes more packets to get any.
    """
    copied = copy_packets(path, target, most=frames)
    while copied == frames and not has_frames(target):
        frames *= 2
        copied = copy_packets(path, target, most=frames)
    return target


def has_frames(path: Path) -> bool:
    try:
        open_video(path).close()
    except NoFramesError:
        return False
    return True


def copy_packets(path: Path, target: Path, *, most: int | None) -> int:
    """Copy up to `most` packets and return how many."""
    copied = 0
    with av.open(str(path)) as source, av.open(str(target), "w") as container:
        stream = source.streams.video[0]
        copy = container.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if copied == most or packet.dts is None:
                break
            packet.stream = copy
            container.mux(packet)
            copied += 1
    return copied


def at_canvas_size(clips: list[Clip], folder: Path) -> list[Clip]:
    """Encode clips again at 256×256, by x264 at its defaults, one frame after the other at 30 per second."""
    folder.mkdir(parents=True, exist_ok=True)
    targets = []
    for clip in clips:
        targets.append(folder / f"{clip.path.stem}.mp4")
        with av.open(str(clip.path)) as source, av.open(str(targets[-1]), "w") as container:
            stream = container.add_stream("libx264", rate=30)
            stream.width = stream.height = 256
            stream.pix_fmt = "yuv420p"
            for number, picture in enumerate(source.decode(video=0)):
                small = picture.reformat(256, 256, "yuv420p")
                small.pict_type, small.pts, small.time_base = 0, number, Fraction(1, 30)
                container.mux(stream.encode(small))
            container.mux(stream.encode(None))
    return prepare(targets, folder / "whole")


def canvases(path: Path) -> list[Image]:
    """Decode a clip to 256×256 RGB frames, by memfeat."""
    with open_video(path) as video:
        return [frame.canvas for frame in video]


@dataclass(frozen=True)
class Pair:
    """Two grey images and where they come from."""

    clip: str
    kind: str
    """ "moving", "still" or "cut"; "moving" until a flow says otherwise."""
    first: Image
    second: Image


CUT = 25.0
"""Mean absolute change in grey levels from which two consecutive frames count as a scene cut."""


def pairs(
    clips: list[Clip], *, per_clip: int, cuts: int, stills: int, say: Callable[[str], None]
) -> list[Pair]:
    """Pick consecutive frames evenly from each clip, then scene cuts and frozen frames.

    Cuts inside clips come first; where they do not suffice, the last frame of one clip and the first of the next.
    """
    ordinary: list[Pair] = []
    inside: list[Pair] = []
    between: list[Pair] = []
    frozen: list[Pair] = []
    last: Image | None = None
    for clip in clips:
        say(f"decoding {clip.name}")
        with open_video(clip.whole) as video:
            grays = [frame.gray for frame in video]
        changes = np.array([cv2.absdiff(*two).mean() for two in itertools.pairwise(grays)])
        for at in np.flatnonzero(changes >= CUT):
            inside.append(Pair(clip.name, "cut", grays[at], grays[at + 1]))
        calm = np.flatnonzero(changes < CUT)
        chosen = calm[np.linspace(0, len(calm) - 1, min(per_clip, len(calm))).round().astype(int)]
        ordinary += [Pair(clip.name, "moving", grays[at], grays[at + 1]) for at in chosen]
        if last is not None:
            between.append(Pair(clip.name, "cut", last, grays[0]))
        frozen.append(Pair(clip.name, "still", grays[0], grays[0]))
        last = grays[-1]
    return ordinary + (inside + between)[:cuts] + frozen[:stills]
