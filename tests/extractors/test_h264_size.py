"""The byte count is that of PyAV's own single-threaded x264, written through a container."""

from __future__ import annotations

from fractions import Fraction

import av
import av.filter
import numpy as np
import pytest
from clips import write_clip, write_gif, write_image

from memfeat import extractors
from memfeat.measure import measure_video


def size(path):
    return float(measure_video(path, [extractors.get("h264-size")]).features["h264-size"].arrays["values"])


def through_a_container(path, target):
    """Encode every decoded frame into a raw .h264 file with an own filter graph, and add up its packets."""
    with av.open(str(path)) as source, av.open(str(target), "w", format="h264") as out:
        stream = source.streams.video[0]
        stream.thread_type = "NONE"
        encoder = out.add_stream(
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
        total = 0
        for frame in source.decode(stream):
            graph.push(frame)
            small = graph.pull()
            small.pict_type = 0
            small.pts = frame.pts
            small.time_base = stream.time_base
            for packet in encoder.encode(small):
                total += packet.size
                out.mux(packet)
        for packet in encoder.encode(None):
            total += packet.size
            out.mux(packet)
    assert target.stat().st_size == total
    return total


@pytest.mark.parametrize(
    "options",
    [
        {"frames": 20, "size": (64, 48)},
        {"frames": 9, "size": (321, 243), "pix_fmt": "yuv444p"},
        {"frames": 12, "size": (256, 256), "fps": 12},
        {"frames": 8, "times": [0.0, 0.04, 0.2, 0.24, 0.5, 0.52, 0.9, 1.0]},
        {"frames": 30, "fps": 60, "audio": True},
    ],
    ids=["small", "odd 4:4:4", "same size", "variable rate", "60 fps"],
)
def test_equals_the_encoder_through_a_container(tmp_path, options):
    clip = write_clip(tmp_path / "clip.mp4", **options)
    assert size(clip) == through_a_container(clip, tmp_path / "out.h264")


def test_real_clips(shared_data, tmp_path):
    for name in ("park.mp4", "carphone_distorted.mp4"):
        clip = shared_data / "clips" / name
        assert size(clip) == through_a_container(clip, tmp_path / "out.h264"), name


def test_motion_costs_bytes(tmp_path):
    still = write_clip(tmp_path / "still.mp4", frames=20, moving=False)
    moving = write_clip(tmp_path / "moving.mp4", frames=20, moving=True)
    assert size(moving) > 1.5 * size(still)


def test_repeatable(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", frames=20)
    assert size(clip) == size(clip)


def test_images_and_animations_count_as_25_frames_per_second(tmp_path):
    assert size(write_image(tmp_path / "still.png")) > 500
    assert size(write_gif(tmp_path / "moving.gif", frames=6)) > 500


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_rotation_tag_is_applied(tmp_path, degrees):
    """A lossless clip with a tag costs what the same clip costs whose frames were turned before encoding."""
    from clips import pictures, write_frames

    frames = pictures(8, (96, 64))
    options = {"options": {"qp": "0", "preset": "ultrafast"}, "pix_fmt": "yuv444p"}
    tagged = write_frames(tmp_path / "tagged.mp4", frames, rotation=degrees, **options)
    turned = [np.ascontiguousarray(np.rot90(frame, -degrees // 90)) for frame in frames]
    plain = write_frames(tmp_path / "turned.mp4", turned, **options)
    wrong = write_frames(
        tmp_path / "wrong.mp4", [np.ascontiguousarray(np.rot90(f, 2)) for f in turned], **options
    )
    assert abs(size(tagged) - size(plain)) <= 0.01 * size(plain)
    assert abs(size(tagged) - size(plain)) < abs(size(wrong) - size(plain)) or size(wrong) == size(plain)


def test_the_average_rate_is_that_of_the_stream(tmp_path):
    slow = write_clip(tmp_path / "slow.mp4", frames=20, fps=Fraction(5))
    fast = write_clip(tmp_path / "fast.mp4", frames=20, fps=Fraction(60))
    assert size(slow) != size(fast)
