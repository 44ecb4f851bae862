"""What all videos of one shipment have in common: how wide a vector is and which frames there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from memfeat.errors import UsageError
from memfeat.store.importing.values import Array, FeatureFileError, Frames, Values

ANY: Literal["any"] = "any"
THREE: Frames = ("first", "middle", "last")
_SHOWN = 3


class Shape(NamedTuple):
    """What one video has: `rows` and `width` are None for one vector and one number."""

    rows: int | None
    width: int | None
    frames: Frames | None

    @classmethod
    def of(cls, values: Values) -> Shape:
        """Return the shape of a video's numbers."""
        array = values.array
        rows = len(array) if array.ndim == 2 else None
        return cls(rows, array.shape[-1] if array.ndim else None, values.frames)


@dataclass(frozen=True, slots=True)
class Layout:
    """What every video of a shipment must have.

    Parameters
    ----------
    width
        Numbers per vector; None: one number per video.
    frames
        Their indices or names; ``"any"``: any number of frames; None: one vector per video.
    """

    width: int | None
    frames: Frames | Literal["any"] | None = None

    def recipe(self) -> dict[str, Any]:
        """Return the layout as JSON, part of the feature key."""
        return {
            "width": self.width,
            "frames": list(self.frames) if isinstance(self.frames, tuple) else self.frames,
        }

    def arrays(self, values: Values, name: str) -> dict[str, Array]:
        """Return the arrays to store; FeatureFileError when the numbers do not fit.

        >>> import numpy as np
        >>> Layout(2, ("first", "middle", "last")).arrays(Values(np.zeros((3, 2))), "a").keys()
        dict_keys(['values'])
        >>> Layout(2).arrays(Values(np.zeros(2)), "a").keys()
        dict_keys(['mean'])
        """
        shape = Shape.of(values)
        if shape.width != self.width:
            raise FeatureFileError(f"{name!r} has {_width(shape.width)}; {_width(self.width)} are expected.")
        if self.frames is None:
            if shape.rows not in (None, 1) or shape.frames is not None:
                raise FeatureFileError(f"{name!r} has {_rows(shape)}; one vector is expected.")
            return {"values": values.array} if self.width is None else {"mean": values.array.reshape(-1)}
        if shape.rows is None or (self.frames != ANY and not _same(shape, self.frames)):
            expected = "frames" if self.frames == ANY else _frames(self.frames)
            raise FeatureFileError(f"{name!r} has {_rows(shape)}; {expected} are expected.")
        return {"values": values.array}


def survey(
    names: Iterable[str],
    read: Callable[[str], Values],
    *,
    width: int | None = None,
    frames: Frames | Literal["any"] | None = None,
    on_item: Callable[[], None] | None = None,
) -> tuple[Layout, tuple[str, ...]]:
    """Look at every video of a shipment and return the layout they share, and what was assumed.

    Parameters
    ----------
    names
        Names in the shipment.
    read
        Gives the numbers of one; a FeatureFileError is passed over here.
    width, frames
        What is known of the layout; videos that differ do not count then.
    on_item
        Called once per video.

    Raises
    ------
    UsageError
        Videos differ and nothing says which are right, or not one can be read.
    """
    shapes: dict[Shape, list[str]] = {}
    error: FeatureFileError | None = None
    for name in names:
        if on_item is not None:
            on_item()
        try:
            shapes.setdefault(Shape.of(read(name)), []).append(name)
        except FeatureFileError as problem:
            error = error or problem
    if not shapes:
        raise UsageError(f"Not one video's features can be read. The first: {error}")
    if width is None:
        if len({shape.width for shape in shapes}) > 1:
            _differ(shapes, lambda shape: _width(shape.width), "--width N")
        width = next(iter(shapes)).width
    if frames is not None:
        return Layout(width, frames), ()
    fitting = {shape: of for shape, of in shapes.items() if shape.width == width} or shapes
    if all(shape.frames is None and shape.rows in (None, 1) for shape in fitting):
        return Layout(width), ()
    if len({(shape.rows, shape.frames) for shape in fitting}) > 1:
        _differ(
            fitting, _rows, "--frames, such as 0,56,112; or --frames any, where videos differ in their frames"
        )
    shape = next(iter(fitting))
    if shape.frames is not None:
        return Layout(width, shape.frames), ()
    if shape.rows == len(THREE):
        said = (
            "The three vectors per video are taken to be of its first, middle and last frame, as MediaEval ships "
            "them; where they are not, say which with --frames."
        )
        return Layout(width, THREE), (said,)
    return Layout(width, ANY), ()


def parse_frames(text: str) -> Frames | Literal["any"]:
    """Return the frames that a list between commas names, or ``"any"``.

    >>> parse_frames("0, 56,112"), parse_frames("first,middle,last"), parse_frames("any")
    ((0, 56, 112), ('first', 'middle', 'last'), 'any')

    Raises
    ------
    UsageError
        It names none, or one twice, or indices that do not increase.
    """
    if text.strip().lower() == ANY:
        return ANY
    parts = [part.strip() for part in text.split(",")]
    frames: Frames = tuple(int(part) if part.isdecimal() else part for part in parts)
    indices = [frame for frame in frames if isinstance(frame, int)]
    if not all(parts) or len(set(frames)) != len(frames) or indices != sorted(indices):
        raise UsageError(
            f"Frames are indices or names such as 0,56,112 or first,middle,last, or 'any'; got {text!r}."
        )
    return frames


def _differ(shapes: Mapping[Shape, list[str]], words: Callable[[Shape], str], option: str) -> None:
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for shape, names in shapes.items():
        counts[words(shape)] += len(names)
        examples.setdefault(words(shape), names[0])
    listed = "; ".join(
        f"{n} have {text} (such as {examples[text]!r})" for text, n in counts.most_common(_SHOWN)
    )
    more = f"; and {len(counts) - _SHOWN} other kinds" if len(counts) > _SHOWN else ""
    raise UsageError(
        f"The videos differ: {listed}{more}. Nothing was imported. Say which are right with {option}."
    )


def _same(shape: Shape, frames: Frames) -> bool:
    return shape.rows == len(frames) if shape.frames is None else shape.frames == frames


def _width(width: int | None) -> str:
    return "one number" if width is None else f"{width} numbers"


def _rows(shape: Shape) -> str:
    if shape.rows is None:
        return "no frames"
    return f"{shape.rows} frames" if shape.frames is None else _frames(shape.frames)


def _frames(frames: Frames) -> str:
    listed = ", ".join(map(str, frames[:6])) + (", …" if len(frames) > 6 else "")
    return f"the frames {listed}"
