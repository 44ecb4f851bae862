"""One frame and the forms in which descriptors need it, each computed once, when first asked for."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter

from memfeat.errors import UnreadableError
from memfeat.video.orientation import UPRIGHT, Orientation, upright

Pixels = npt.NDArray[np.uint8]

CANVAS_SIZE = (256, 256)

_MICROSECOND = Fraction(1, 1_000_000)


class Frame:
    """A decoded frame with its time.

    Made by `memfeat.video.open_video`, or from pixels by hand. The arrays are shared by all descriptors that
    see the frame: do not write into them.

    Parameters
    ----------
    index : int
        Position among the decoded frames, from 0.
    time : float
        Seconds, on the stream's own clock.
    rgb : ndarray, uint8 (H, W, 3), optional
        Upright pixels. Give these or `picture`.
    picture : av.VideoFrame, optional
        The picture as decoded.
    orientation : Orientation
        How `picture` has to be mirrored and turned to be upright.
    reformatter : VideoReformatter, optional
        Converter to RGB, shared by the frames of one video: a new one costs as much as decoding.

    Examples
    --------
    >>> import numpy as np
    >>> frame = Frame(0, 0.0, rgb=np.full((48, 64, 3), 200, np.uint8))
    >>> frame.canvas.shape, int(frame.gray[0, 0]), frame.hsv[0, 0].tolist()
    ((256, 256, 3), 200, [0, 0, 200])
    """

    __slots__ = (
        "__weakref__",
        "_canvas",
        "_gray",
        "_hsv",
        "_orientation",
        "_picture",
        "_reformatter",
        "_rgb",
        "_value",
        "index",
        "time",
    )

    def __init__(
        self,
        index: int,
        time: float,
        *,
        rgb: Pixels | None = None,
        picture: av.VideoFrame | None = None,
        orientation: Orientation = UPRIGHT,
        reformatter: VideoReformatter | None = None,
    ) -> None:
        if rgb is None and picture is None:
            raise ValueError("a frame needs pixels: give rgb or picture")
        if rgb is not None and (rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3):
            raise ValueError(f"rgb must be uint8 (H, W, 3), not {rgb.dtype} {rgb.shape}")
        self.index = index
        self.time = time
        self._rgb = rgb
        self._picture = picture
        self._orientation = orientation
        self._reformatter = reformatter
        self._canvas: Pixels | None = None
        self._gray: Pixels | None = None
        self._hsv: Pixels | None = None
        self._value: Pixels | None = None

    @property
    def rotation(self) -> int:
        """Degrees clockwise that turn `picture` upright: 0, 90, 180 or 270; `rgb` is upright."""
        return self._orientation.rotation

    @property
    def mirrored(self) -> bool:
        """Whether `picture` has to be mirrored left to right before it is turned; `rgb` is upright."""
        return self._orientation.mirrored

    @property
    def rgb(self) -> Pixels:
        """Upright pixels at native size: uint8 (H, W, 3), C-contiguous, 0 to 255.

        Colours as PyAV converts them by default, which heeds the stream's colour space and range; the alpha
        channel of a video is dropped, the pixel aspect ratio ignored.

        Raises
        ------
        UnreadableError
            The stream's pixel format cannot be converted.
        """
        if self._rgb is None:
            self._rgb = np.ascontiguousarray(upright(self._converted(), self._orientation))
        return self._rgb

    @property
    def canvas(self) -> Pixels:
        """`rgb` resized to 256×256 by area averaging, aspect ignored: uint8 (256, 256, 3)."""
        if self._canvas is None:
            from memfeat.kernels.area import resize_area

            self._canvas = resize_area(self.rgb, CANVAS_SIZE)
        return self._canvas

    @property
    def gray(self) -> Pixels:
        """Luma of the canvas: uint8 (256, 256), OpenCV's rounding of 0.299 R + 0.587 G + 0.114 B."""
        if self._gray is None:
            self._gray = np.asarray(cv2.cvtColor(self.canvas, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
        return self._gray

    @property
    def hsv(self) -> Pixels:
        """Hue, saturation and value of the canvas: uint8 (256, 256, 3), the hue circle mapped to 0–255."""
        if self._hsv is None:
            self._hsv = np.asarray(cv2.cvtColor(self.canvas, cv2.COLOR_RGB2HSV_FULL), dtype=np.uint8)
        return self._hsv

    @property
    def value(self) -> Pixels:
        """Value of the canvas, max(R, G, B): uint8 (256, 256); equals ``hsv[..., 2]`` at half of its cost."""
        if self._value is None:
            red, green, blue = cv2.split(self.canvas)
            self._value = np.asarray(cv2.max(cv2.max(red, green), blue), dtype=np.uint8)
        return self._value

    @property
    def picture(self) -> av.VideoFrame:
        """The picture as decoded, in the stream's pixel format, not turned; images give rgb24."""
        if self._picture is None:
            self._picture = av.VideoFrame.from_ndarray(self.rgb, format="rgb24")
            self._picture.time_base = _MICROSECOND
            self._picture.pts = round(self.time / _MICROSECOND)
        return self._picture

    def _converted(self) -> Pixels:
        reformatter = self._reformatter or VideoReformatter()
        try:
            converted = reformatter.reformat(self.picture, format="rgb24", threads=1).to_ndarray()
        except (av.FFmpegError, ValueError) as error:
            name = self.picture.format.name
            raise UnreadableError(
                f"frame {self.index} has pixel format {name}, which cannot be converted to RGB ({error}); "
                "convert the video to a common format such as yuv420p"
            ) from error
        return np.asarray(converted, dtype=np.uint8)
