from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfeat.video.orientation import Orientation, from_matrix, upright

# All signed permutation matrices: the eight ways a rectangle of pixels can lie.
EIGHT = [
    (a, b, c, d)
    for a, b, c, d in itertools.product((-1, 0, 1), repeat=4)
    if abs(a) + abs(b) == abs(c) + abs(d) == 1 and a * c + b * d == 0
]


def moved(image: np.ndarray, matrix: tuple[int, int, int, int]) -> np.ndarray:
    """Move every pixel by the matrix itself, then shift the result to the origin."""
    a, b, c, d = matrix
    height, width = image.shape[:2]
    target = {
        (a * x + c * y, b * x + d * y): image[y, x] for x, y in itertools.product(range(width), range(height))
    }
    left, top = min(x for x, _ in target), min(y for _, y in target)
    size = (height, width) if a else (width, height)
    out = np.zeros((*size, 3), np.uint8)
    for (x, y), value in target.items():
        out[y - top, x - left] = value
    return out


def test_there_are_eight_ways_to_lie() -> None:
    assert len(EIGHT) == 8
    assert len({from_matrix(*matrix) for matrix in EIGHT}) == 8


@pytest.mark.parametrize("matrix", EIGHT)
def test_pixels_go_where_the_matrix_sends_them(matrix: tuple[int, int, int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    np.testing.assert_array_equal(upright(image, from_matrix(*matrix)), moved(image, matrix))


@given(st.floats(-44, 44), st.sampled_from([0, 90, 180, 270]), st.floats(0.1, 1e5), st.booleans())
def test_other_angles_go_to_the_nearest_quarter_turn(
    off: float, turn: int, scale: float, mirrored: bool
) -> None:
    cos, sin = (scale * f(math.radians(turn + off)) for f in (math.cos, math.sin))
    sign = -1 if mirrored else 1
    assert from_matrix(sign * cos, sign * sin, -sin, cos) == Orientation(turn, mirrored)


def test_upright_pictures_are_not_copied() -> None:
    image = np.zeros((2, 3, 3), np.uint8)
    assert upright(image, Orientation(0, False)) is image
