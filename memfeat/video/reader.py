"""Opening a video or an image by its content, and the one pass over its frames."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from memfeat.errors import EmptyFileError, MissingFileError, UnreadableError, UsageError
from memfeat.video.animation import AnimationSource, frame_durations
from memfeat.video.array import MAGIC, ArraySource
from memfeat.video.container import ContainerSource
from memfeat.video.frame import Frame
from memfeat.video.header import DecodeCounts, VideoHeader
from memfeat.video.image import ImageSource, image_format


class FrameSource(Protocol):
    """What a kind of file gives to `Video`: a header, its frames once, counts."""

    header: VideoHeader

    def frames(self) -> Iterator[Frame]:
        """Yield every frame; called once."""
        ...

    def counts(self) -> DecodeCounts:
        """Return the counts up to now."""
        ...

    def close(self) -> None:
        """Close the file; may be called again."""
        ...


class Video:
    """An open video: its header, one pass over its frames, and the counts of that pass.

    Made by `open_video`. Use it in a ``with`` statement; leaving the loop or the block early closes the file.
    Frames stay valid after that.
    """

    def __init__(self, source: FrameSource) -> None:
        self._source = source
        self._begun = self._finished = self._closed = False

    @property
    def header(self) -> VideoHeader:
        """What the container and the first frame say."""
        return self._source.header

    @property
    def promises_more(self) -> bool:
        """Whether the file's index points behind its end; known before any frame is read.

        False where the format has no such index.
        """
        return isinstance(self._source, ContainerSource) and self._source.promises_more()

    @property
    def counts(self) -> DecodeCounts:
        """What the pass met.

        Raises
        ------
        UsageError
            The pass has not reached the end: the counts would not be the video's.
        """
        if not self._finished:
            raise UsageError(
                f"{self.header.path}: counts are known once all frames are read; finish the loop first"
            )
        return self._source.counts()

    def __iter__(self) -> Iterator[Frame]:
        """Return the frames in order of presentation, decoded as they are asked for.

        Raises
        ------
        UsageError
            The video was iterated before, or is closed.
        """
        if self._begun or self._closed:
            state = "closed" if self._closed else "read already"
            raise UsageError(f"{self.header.path}: this video is {state}; open it again to read it again")
        self._begun = True
        return self._pass()

    def _pass(self) -> Iterator[Frame]:
        try:
            for frame in self._source.frames():
                yield frame
                if self._closed:
                    raise UsageError(
                        f"{self.header.path}: was closed in the middle of its pass; read it inside with"
                    )
            self._finished = True
        finally:
            self.close()

    def close(self) -> None:
        """Close the file; harmless when closed."""
        self._closed = True
        self._source.close()

    def __enter__(self) -> Self:
        """Return the video itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()


def open_video(path: str | Path) -> Video:
    """Open a video, an animation or a still image for one pass over its frames.

    What a file is, its content decides, not its suffix. Still images (JPEG, PNG, WebP, BMP, TIFF) are videos
    of one frame at time 0, upright by their EXIF tag, alpha over white. GIF, animated WebP and animated PNG
    take their times from the frame durations; NumPy files of frames have nominal ones (`ArraySource`).
    Everything else goes to FFmpeg: the largest video stream that is no cover picture, single-threaded, rotation
    applied, times from the stream.

    Parameters
    ----------
    path : str or Path
        A file. It is opened once, and read once.

    Returns
    -------
    Video
        Open, its first frame decoded.

    Raises
    ------
    MissingFileError
        There is no such file.
    EmptyFileError
        It has no bytes.
    UnreadableError
        A folder, a device, no permission, or no format that memfeat opens.
    NoVideoStreamError
        Audio only, for example.
    NoFramesError
        Nothing in it decodes.
    TooLargeError
        More pixels per frame than `memfeat.video.header.MAX_PIXELS`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "red.png"
    ...     Image.new("RGB", (64, 48), "red").save(file)
    ...     with open_video(file) as video:
    ...         frames = [(frame.time, frame.rgb.shape, frame.rgb[0, 0].tolist()) for frame in video]
    >>> frames, video.counts.decoded, video.header.is_image
    ([(0.0, (48, 64, 3), [255, 0, 0])], 1, True)
    """
    path = Path(path)
    head = read_head(path)
    if head.startswith(MAGIC):
        return Video(ArraySource(path))
    name = image_format(head)
    if name is None:
        return Video(ContainerSource(path))
    file = path.open("rb")
    try:
        durations = frame_durations(file, name)
        if len(durations) > 1:
            return Video(AnimationSource(path, file, name, durations))
        return Video(ImageSource(path, file, name))
    except BaseException:
        file.close()
        raise


def read_head(path: Path) -> bytes:
    """Return the first 16 bytes of a file; raises as `open_video` does when there are none to be read."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise UnreadableError(f"{path}: is a folder; give one of the files in it")
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError(f"{path}: is no regular file; copy its content into one")
        if status.st_size == 0:
            raise EmptyFileError(f"{path}: has no bytes; get it again")
        with path.open("rb") as file:
            return file.read(16)
    except (FileNotFoundError, NotADirectoryError) as error:
        link = ", only a link to a file that is not there" if path.is_symlink() else ""
        raise MissingFileError(f"{path}: no such file{link}; check the name and the folder") from error
    except PermissionError as error:
        raise UnreadableError(f"{path}: may not be read ({error.strerror}); check its permissions") from error
    except (OSError, ValueError) as error:
        raise UnreadableError(f"{path}: cannot be read ({error})") from error
