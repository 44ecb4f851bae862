"""Small test media, written with PyAV, Pillow and numpy: ``from clips import write_clip``.

Every function takes the path to write and returns it, so that calls nest. Pictures depend on the seed alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

FINE = Fraction(1, 90_000)
"""Time base of clips with chosen times: 11 microseconds a tick."""


def texture(size: tuple[int, int], seed: int = 0) -> np.ndarray:
    """A smooth coloured pattern, uint8 (height, width, 3), with detail at several scales."""
    rng = np.random.default_rng(seed)
    width, height = size
    total = np.zeros((height, width, 3))
    for cells, weight in ((4, 0.5), (10, 0.3), (25, 0.2)):
        grid = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        total += weight * np.asarray(grid.resize(size, Image.Resampling.BICUBIC), dtype=float)
    return np.clip(total, 0, 255).astype(np.uint8)


def pictures(count: int, size: tuple[int, int], seed: int = 0, moving: bool = True) -> list[np.ndarray]:
    """`count` frames of `texture`; when moving, shifted two pixels right and one down per frame."""
    first = texture(size, seed)
    return [np.roll(first, (index, 2 * index), axis=(0, 1)) if moving else first for index in range(count)]


def _video_frame(picture: np.ndarray, pix_fmt: str) -> av.VideoFrame:
    if any(part in pix_fmt for part in ("yuva", "rgba", "argb", "bgra", "gbra", "ya8", "ya16")):
        # Transparent at the left edge, opaque at the right.
        ramp = np.linspace(0, 255, picture.shape[1]).astype(np.uint8)
        alpha = np.broadcast_to(ramp[None, :, None], (*picture.shape[:2], 1))
        source = av.VideoFrame.from_ndarray(np.concatenate([picture, alpha], axis=2), format="rgba")
    else:
        source = av.VideoFrame.from_ndarray(picture, format="rgb24")
    return source.reformat(format=pix_fmt)


TURNS = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}
"""Display matrices (a, b, c, d) by degrees clockwise."""


def set_matrix(path: str | Path, matrix: tuple[float, float, float, float]) -> Path:
    """Overwrite the display matrix of an mp4's first track: (x, y) is shown at (a·x + c·y, b·x + d·y)."""
    path = Path(path)
    # It sits 44 bytes after the name of the 'tkhd' box (version 0), in 16.16 fixed point.
    a, b, c, d = (round(value * 0x10000) for value in matrix)
    stored = np.array([a, b, 0, c, d, 0, 0, 0, 0x40000000], dtype=">i4").tobytes()
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44
    data[at : at + 36] = stored
    path.write_bytes(bytes(data))
    return path


def _add_tone(container: Any, stream: Any, seconds: float) -> None:
    length = max(int(16_000 * seconds), 1024)
    tone = (0.1 * np.sin(2 * np.pi * 440 * np.arange(length) / 16_000)).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = 16_000, 0, Fraction(1, 16_000)
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _tone_stream(container: Any) -> Any:
    return container.add_stream("aac", rate=16_000, layout="mono")


def write_frames(
    path: str | Path,
    frames: Sequence[np.ndarray],
    *,
    fps: float | Fraction = 25,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    options: Mapping[str, str] | None = None,
    container_options: Mapping[str, str] | None = None,
    container_format: str | None = None,
    audio: bool = False,
    times: Sequence[float] | None = None,
    rotation: int | None = None,
) -> Path:
    """Encode uint8 RGB frames; see `write_clip` for the options."""
    path = Path(path)
    rate = Fraction(fps).limit_denominator(100_000)
    height, width = frames[0].shape[:2]
    if options is None:
        options = {"crf": "18", "preset": "veryfast", "threads": "1"} if codec == "libx264" else {}
    with av.open(
        str(path), "w", format=container_format, container_options=dict(container_options or {})
    ) as container:
        stream = container.add_stream(codec, rate=rate, options=dict(options))
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        base = 1 / rate if times is None else FINE
        if times is not None:
            stream.codec_context.time_base = base
        # Before the first packet: a muxer that has written its header ends the process on a late stream.
        tone = _tone_stream(container) if audio else None
        for index, picture in enumerate(frames):
            frame = _video_frame(picture, pix_fmt)
            frame.time_base = base
            frame.pts = index if times is None else round(times[index] / base)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if tone is not None:
            _add_tone(container, tone, len(frames) / float(rate))
    if rotation is not None:
        set_matrix(path, TURNS[rotation % 360])
    return path


def write_clip(
    path: str | Path,
    *,
    frames: int = 10,
    size: tuple[int, int] = (64, 48),
    fps: float | Fraction = 25,
    codec: str = "libx264",
    seed: int = 0,
    moving: bool = True,
    pix_fmt: str = "yuv420p",
    options: Mapping[str, str] | None = None,
    container_options: Mapping[str, str] | None = None,
    container_format: str | None = None,
    audio: bool = False,
    times: Sequence[float] | None = None,
    rotation: int | None = None,
) -> Path:
    """Write a clip of `pictures`; the container follows the suffix unless `container_format` names it.

    `size` is (width, height). `times` gives one time in seconds per frame, for variable rates. `rotation`
    writes a display matrix into an mp4 or mov: degrees clockwise that a player turns the picture. `options`
    go to the encoder, `container_options` to the muxer: ``{"movflags": "faststart"}`` puts an mp4's index
    first, so that its beginning can be decoded after `truncated`.
    """
    return write_frames(
        path,
        pictures(frames, size, seed, moving),
        fps=fps,
        codec=codec,
        pix_fmt=pix_fmt,
        options=options,
        container_options=container_options,
        container_format=container_format,
        audio=audio,
        times=times,
        rotation=rotation,
    )


def write_streams(path: str | Path, sizes: Sequence[tuple[int, int]], *, frames: int = 5) -> Path:
    """Write one video stream of each (width, height), in this order, with other pictures in each."""
    path = Path(path)
    with av.open(str(path), "w") as container:
        streams = []
        for size in sizes:
            stream = container.add_stream("libx264", rate=25, options={"preset": "veryfast", "threads": "1"})
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            streams.append(stream)
        for index, stream in enumerate(streams):
            for picture in pictures(frames, sizes[index], seed=index):
                container.mux(stream.encode(_video_frame(picture, "yuv420p")))
            container.mux(stream.encode(None))
    return path


def write_audio_only(path: str | Path, *, seconds: float = 0.5) -> Path:
    """Write a container that holds a tone and no picture."""
    path = Path(path)
    with av.open(str(path), "w") as container:
        _add_tone(container, _tone_stream(container), seconds)
    return path


def write_image(
    path: str | Path,
    *,
    size: tuple[int, int] = (64, 48),
    mode: str = "RGB",
    seed: int = 0,
    orientation: int | None = None,
    file_format: str | None = None,
    **save: Any,
) -> Path:
    """Write one `texture` in a Pillow mode: 1, L, LA, P, RGB, RGBA, CMYK, I;16 and others.

    RGBA and LA are transparent at the left edge and opaque at the right. `orientation` is the EXIF tag (1 to
    8). `file_format` overrides the suffix.
    """
    path = Path(path)
    picture = texture(size, seed)
    if mode in ("RGBA", "LA"):
        alpha = np.broadcast_to(np.linspace(0, 255, size[0]).astype(np.uint8), picture.shape[:2])
        image = Image.fromarray(np.dstack([picture, alpha])).convert(mode)
    elif mode == "I;16":
        image = Image.fromarray(picture[:, :, 0].astype(np.uint16) * 257)
    else:
        image = Image.fromarray(picture).convert(mode)
    if orientation is not None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        save["exif"] = exif
    image.save(path, format=file_format, **save)
    return path


def write_gif(
    path: str | Path,
    *,
    frames: int = 5,
    size: tuple[int, int] = (64, 48),
    durations: int | Sequence[int] = 100,
    seed: int = 0,
    **save: Any,
) -> Path:
    """Write an animation, GIF, WebP or PNG by suffix; `durations` are milliseconds, one or one per frame."""
    path = Path(path)
    images = [Image.fromarray(picture) for picture in pictures(frames, size, seed)]
    if path.suffix.lower() == ".gif":
        # Pillow's own choice of colours takes most of a second per frame.
        images = [image.quantize(128, Image.Quantize.FASTOCTREE) for image in images]
    duration = durations if isinstance(durations, int) else list(durations)
    images[0].save(path, save_all=True, append_images=images[1:], duration=duration, loop=0, **save)
    return path


def truncated(path: str | Path, *, fraction: float = 0.5, to: str | Path | None = None) -> Path:
    """Write the first `fraction` of a file's bytes, to `to` or beside it as ``truncated-<name>``."""
    path = Path(path)
    target = Path(to) if to is not None else path.with_name(f"truncated-{path.name}")
    data = path.read_bytes()
    target.write_bytes(data[: int(len(data) * fraction)])
    return target


def zeroed(
    path: str | Path, *, start: float = 0.4, length: float = 0.1, to: str | Path | None = None
) -> Path:
    """Write a copy whose bytes from `start` on, for `length` (both shares of the file), are zero.

    The copy lies at `to` or beside the file as ``zeroed-<name>``. Keep clear of an mp4's index, which lies at
    the end unless the clip was written with ``{"movflags": "faststart"}``.
    """
    path = Path(path)
    target = Path(to) if to is not None else path.with_name(f"zeroed-{path.name}")
    data = bytearray(path.read_bytes())
    first = int(len(data) * start)
    last = min(first + max(int(len(data) * length), 1), len(data))
    data[first:last] = bytes(last - first)
    target.write_bytes(bytes(data))
    return target


def write_text(path: str | Path, text: str = "This is a note, not a video.\n") -> Path:
    """Write a text file, whatever the suffix says."""
    path = Path(path)
    path.write_text(text, encoding="utf-8")
    return path


def write_empty(path: str | Path) -> Path:
    """Write a file of zero bytes."""
    path = Path(path)
    path.write_bytes(b"")
    return path
