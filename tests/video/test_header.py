from __future__ import annotations

import pytest

from memfeat.video.header import IMAGE_SUFFIXES, VIDEO_SUFFIXES, DecodeCounts


def test_suffixes_are_lower_case_and_of_one_kind() -> None:
    for suffix in VIDEO_SUFFIXES | IMAGE_SUFFIXES:
        assert suffix.startswith(".") and suffix == suffix.lower()
    assert not VIDEO_SUFFIXES & IMAGE_SUFFIXES
    assert {".mp4", ".mkv", ".webm", ".gif"} <= VIDEO_SUFFIXES
    assert {".jpg", ".jpeg", ".png", ".webp"} <= IMAGE_SUFFIXES


@pytest.mark.parametrize(
    ("counts", "damaged"),
    [
        (DecodeCounts(10, 10, 0, 0, 0, 99), False),
        (DecodeCounts(9, 10, 0, 0, 0, 99), False),  # an edit list hides a frame
        (DecodeCounts(10, None, 0, 0, 10, 99), False),  # no times in the stream
        (DecodeCounts(10, 10, 1, 0, 0, 99), True),
        (DecodeCounts(9, 10, 0, 1, 0, 99), True),
        (DecodeCounts(9, None, 0, 0, 0, 99, ended_early=True), True),
    ],
)
def test_damage_is_what_was_lost_or_concealed(counts: DecodeCounts, damaged: bool) -> None:
    assert counts.damaged is damaged
