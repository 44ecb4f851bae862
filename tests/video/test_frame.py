from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter
from clips import texture, write_clip

from memfeat.errors import UnreadableError
from memfeat.video import Frame, open_video
from memfeat.video.orientation import Orientation


class CountingReformatter:
    """Counts conversions; PyAV's own class cannot be patched."""

    def __init__(self) -> None:
        self.calls = 0
        self._inner = VideoReformatter()

    def reformat(self, *args: object, **kwargs: object) -> av.VideoFrame:
        self.calls += 1
        return self._inner.reformat(*args, **kwargs)


def test_canvas_gray_and_hsv_are_opencvs_of_the_pixels() -> None:
    rgb = texture((321, 123), seed=3)
    frame = Frame(0, 0.0, rgb=rgb)
    canvas = cv2.resize(rgb, (256, 256), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(frame.rgb, rgb)
    np.testing.assert_array_equal(frame.canvas, canvas)
    np.testing.assert_array_equal(frame.gray, cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY))
    np.testing.assert_array_equal(frame.hsv, cv2.cvtColor(canvas, cv2.COLOR_RGB2HSV_FULL))
    for pixels, shape in (
        (frame.canvas, (256, 256, 3)),
        (frame.gray, (256, 256)),
        (frame.hsv, (256, 256, 3)),
    ):
        assert pixels.dtype == np.uint8 and pixels.shape == shape and pixels.flags.c_contiguous


def test_area_averaging_of_whole_blocks_is_their_mean() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (512, 768, 3), dtype=np.uint8)
    blocks = rgb.reshape(256, 2, 256, 3, 3).mean(axis=(1, 3))
    assert np.abs(Frame(0, 0.0, rgb=rgb).canvas - blocks).max() <= 0.5 + 1e-4


def test_every_form_is_computed_once_and_only_when_asked_for() -> None:
    picture = av.VideoFrame.from_ndarray(texture((64, 48)), format="rgb24").reformat(format="yuv420p")
    reformatter = CountingReformatter()
    frame = Frame(0, 0.0, picture=picture, reformatter=reformatter)
    assert frame.picture is picture
    assert reformatter.calls == 0
    assert frame.hsv is frame.hsv
    assert frame.gray is frame.gray
    assert frame.canvas is frame.canvas
    assert frame.rgb is frame.rgb
    assert reformatter.calls == 1


def test_only_the_frames_that_are_looked_at_are_converted(tmp_path: Path) -> None:
    reformatter = CountingReformatter()
    with open_video(write_clip(tmp_path / "a.mp4", frames=9)) as video:
        video._source._reformatter = reformatter
        frames = list(video)
    chosen = [frames[index].canvas for index in (0, 4, 8)]
    assert len(frames) == 9
    assert reformatter.calls == 3
    assert not np.array_equal(chosen[0], chosen[2])


def test_rgb_is_turned_and_the_picture_is_not() -> None:
    picture = av.VideoFrame.from_ndarray(texture((64, 48)), format="rgb24")
    frame = Frame(0, 0.0, picture=picture, orientation=Orientation(90, True))
    assert frame.rotation == 90 and frame.mirrored
    assert frame.rgb.shape == (64, 48, 3) and frame.rgb.flags.c_contiguous
    np.testing.assert_array_equal(frame.rgb, np.rot90(texture((64, 48))[:, ::-1], -1))
    np.testing.assert_array_equal(frame.picture.to_ndarray(), texture((64, 48)))


def test_pixels_give_a_picture_with_their_time() -> None:
    rgb = texture((33, 21))
    frame = Frame(2, 1.25, rgb=rgb)
    assert frame.picture is frame.picture
    assert frame.picture.format.name == "rgb24"
    assert frame.picture.time == 1.25
    np.testing.assert_array_equal(frame.picture.to_ndarray(), rgb)


@pytest.mark.parametrize(
    "rgb", [np.zeros((4, 4, 3)), np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8)]
)
def test_pixels_of_another_shape_or_type_are_refused(rgb: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"rgb must be uint8 \(H, W, 3\)"):
        Frame(0, 0.0, rgb=rgb)


def test_a_frame_without_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="give rgb or picture"):
        Frame(0, 0.0)


def test_a_pixel_format_without_a_way_to_rgb_is_an_error_of_the_video() -> None:
    # FFmpeg names three floats per pixel, and has no conversion from them.
    frame = Frame(7, 0.0, picture=av.VideoFrame(64, 48, "rgb96le"))
    with pytest.raises(UnreadableError, match="frame 7 has pixel format rgb96le"):
        _ = frame.rgb


def test_value_is_the_third_plane_of_hsv():
    pixels = np.random.default_rng(3).integers(0, 256, (90, 70, 3), dtype=np.uint8)
    frame = Frame(0, 0.0, rgb=pixels)
    np.testing.assert_array_equal(frame.value, frame.hsv[..., 2])
    np.testing.assert_array_equal(frame.value, frame.canvas.max(axis=2))
