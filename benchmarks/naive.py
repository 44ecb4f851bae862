"""The descriptors as a lab's scripts have them: one readable function each, and each opens the clip again.

Library calls at their defaults, no trick and no handicap. The only settings are those that memfeat is held to as
well: one decoder thread, and one encoder thread because more change the size.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import av
import av.filter
import cv2
import h5py
import numpy as np
import skimage.feature

Image = np.ndarray[Any, np.dtype[np.uint8]]
Array = np.ndarray[Any, Any]

DESCRIPTORS = ("contrast", "brightness", "sharpness-fft", "blur-lps", "hog", "h264-size")
"""What `measure` computes besides flow."""


def frames(path: Path) -> Iterator[Image]:
    """Decode a clip to RGB, frame by frame."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.thread_count = "NONE", 1
        for frame in container.decode(stream):
            yield frame.to_ndarray(format="rgb24")


def canvases(path: Path) -> Iterator[Image]:
    """Decode a clip and resize its frames to 256×256."""
    for frame in frames(path):
        yield to_canvas(frame)


def to_canvas(frame: Image) -> Image:
    return np.asarray(cv2.resize(frame, (256, 256), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def contrast(canvas: Image) -> float:
    gray = cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY)
    return float(np.std(gray))


def brightness(canvas: Image) -> float:
    hsv = cv2.cvtColor(canvas, cv2.COLOR_RGB2HSV_FULL)
    return float(np.mean(hsv[..., 2]))


def sharpness(canvas: Image, width: int = 500, low: int = 60) -> float:
    """The "blurriness" of Dumont, Hevia and Fosco, CVPR 2023."""
    height = int(canvas.shape[0] * (width / canvas.shape[1]))
    gray = cv2.cvtColor(cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    spectrum = np.fft.fftshift(np.fft.fft2(gray))
    y, x = height // 2, width // 2
    spectrum[y - low : y + low, x - low : x + low] = 0
    rest = np.fft.ifft2(np.fft.ifftshift(spectrum))
    return float(np.mean(20 * np.log(np.abs(rest))))


def blur(canvas: Image, lowest: float = 1 / 64, rings: int = 6) -> float:
    """The slope of log power over log frequency after Liu, Li and Jia, CVPR 2008, over six rings of half an octave."""
    gray = cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY).astype(float)
    height, width = gray.shape
    window = np.outer(np.hanning(height + 1)[:-1], np.hanning(width + 1)[:-1])
    power = np.abs(np.fft.fft2((gray - gray.mean()) * window)) ** 2 / (window**2).sum()
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :])
    edges = lowest * 2 ** (np.arange(rings + 1) / 2)
    inside = (frequency >= edges[0]) & (frequency <= edges[-1])
    ring = np.clip(np.digitize(frequency[inside], edges) - 1, 0, rings - 1)
    x = [np.log(frequency[inside][ring == k]).mean() for k in range(rings)]
    y = [np.log(power[inside][ring == k].mean()) for k in range(rings)]
    return float(-np.polyfit(x, y, 1)[0])


def hog(canvas: Image) -> Array:
    return skimage.feature.hog(
        canvas,
        orientations=9,
        pixels_per_cell=(8, 8),
        cells_per_block=(2, 2),
        block_norm="L2-Hys",
        channel_axis=-1,
    )


def flow(first: Image, second: Image) -> Array:
    return cv2.optflow.DualTVL1OpticalFlow_create().calc(first, second, None)


def magnitude(field: Array) -> float:
    return float(np.linalg.norm(field, axis=-1).mean(dtype=float))


def h264_size(path: Path) -> int:
    """Re-encode a clip at 256×256 into a raw H.264 stream and count its bytes."""
    target = io.BytesIO()
    with av.open(str(path)) as source, av.open(target, "w", format="h264") as container:
        stream = source.streams.video[0]
        stream.thread_type, stream.thread_count = "NONE", 1
        encoder = container.add_stream(
            "libx264", rate=stream.average_rate, options={"preset": "medium", "crf": "23"}
        )
        encoder.width = encoder.height = 256
        encoder.pix_fmt = "yuv420p"
        encoder.codec_context.time_base = stream.time_base
        encoder.codec_context.thread_count = 1
        graph = av.filter.Graph()
        nodes = [
            graph.add_buffer(template=stream),
            graph.add("scale", "256:256"),
            graph.add("format", "yuv420p"),
        ]
        graph.link_nodes(*nodes, graph.add("buffersink")).configure()
        for frame in source.decode(stream):
            graph.push(frame)
            small = graph.pull()
            small.pict_type = 0  # else x264 repeats the types of the clip's own frames
            small.pts, small.time_base = frame.pts, stream.time_base
            container.mux(encoder.encode(small))
        container.mux(encoder.encode(None))
    return len(target.getvalue())


def measure(path: Path, *, with_flow: bool) -> dict[str, Array]:
    """Compute every descriptor of a clip, one after the other."""
    hogs = [hog(canvas) for canvas in canvases(path)]
    values = {
        "contrast": np.array([contrast(canvas) for canvas in canvases(path)]),
        "brightness": np.array([brightness(canvas) for canvas in canvases(path)]),
        "sharpness-fft": np.array([sharpness(canvas) for canvas in canvases(path)]),
        "blur-lps": np.array([blur(canvas) for canvas in canvases(path)]),
        "hog": np.mean(hogs, axis=0),
        "h264-size": np.array(h264_size(path)),
    }
    if with_flow:
        grays = [cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY) for canvas in canvases(path)]
        pairs = itertools.pairwise(grays)
        values["flow"] = np.array([magnitude(flow(first, second)) for first, second in pairs])
    return values


def read_matrix(files: Iterable[Path], feature: str) -> Array:
    """Read one feature of every video from one HDF5 file each."""
    rows = []
    for path in files:
        with h5py.File(path, "r") as file:
            rows.append(file[feature]["mean"][...])
    return np.stack(rows)
