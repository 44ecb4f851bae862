"""Rows meet videos by full id, base name, stem; nothing is guessed and nothing is lost."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfeat.errors import LabelError
from memfeat.matching import match

names = st.text(st.characters(categories=["L", "N"], exclude_characters="/\\"), min_size=1, max_size=8).map(
    lambda text: unicodedata.normalize("NFC", text)
)


@given(st.lists(names, unique=True, min_size=1), st.randoms(use_true_random=False))
def test_full_ids_match_in_any_order(stems, random):
    ids = [f"{stem}.mp4" for stem in stems]
    rows = list(ids)
    random.shuffle(rows)
    matches = match(rows, ids)
    assert matches.video_of == {row: row for row in rows}
    assert matches.rows_without_video == matches.videos_without_row == ()


@given(st.lists(names, unique=True, min_size=1), st.lists(names, unique=True))
def test_every_row_and_video_is_accounted_for(rows, others):
    ids = sorted({f"{name}.webm" for name in [*rows[::2], *others]})
    matches = match(rows, ids)
    assert set(matches.video_of) | set(matches.rows_without_video) == set(rows)
    assert set(matches.video_of.values()) | set(matches.videos_without_row) == set(ids)
    assert len(set(matches.video_of.values())) == len(matches.video_of)


def test_full_id_wins_over_base_name():
    ids = ["a.mp4", "x/a.mp4"]
    assert match(["a.mp4", "x/a.mp4"], ids).video_of == {"a.mp4": "a.mp4", "x/a.mp4": "x/a.mp4"}


@pytest.mark.parametrize(
    "row",
    [
        "video10.webm",
        "video10",
        " video10.mp4 ",
        "\ufeffvideo10.mp4",
        "./video10.mp4",
        "old/folder/video10.webm",
    ],
)
def test_tolerated_spellings(row):
    assert match([row], ["video10.mp4", "video1.mp4"]).video_of == {row: "video10.mp4"}


def test_decomposed_accents_match_composed_ones():
    assert match(["e\u0301te\u0301.mp4"], ["été.mp4"]).video_of == {"e\u0301te\u0301.mp4": "été.mp4"}


def test_a_dot_in_the_name_is_no_suffix():
    assert match(["clip.1"], ["clip.1.mp4", "clip.2.mp4"]).video_of == {"clip.1": "clip.1.mp4"}
    assert match(["clip"], ["clip.1.mp4"]).video_of == {}


def test_base_name_in_two_folders_is_refused():
    with pytest.raises(LabelError, match=r"'a\.mp4' fits 2 videos: 'x/a\.mp4', 'y/a\.mp4'"):
        match(["a.mp4"], ["x/a.mp4", "y/a.mp4"])


def test_two_rows_for_one_video_are_refused():
    with pytest.raises(LabelError, match=r"'a\.webm' and 'a' both belong to the video 'a\.mp4'"):
        match(["a.webm", "a"], ["a.mp4"])


def test_a_folder_in_the_row_decides_without_a_suffix():
    ids = ["x/a.mp4", "y/a.mp4", "y/a.b.mp4"]
    assert match(["y/a", "x\\a.webm", "y/a.b"], ids).video_of == {
        "y/a": "y/a.mp4",
        "x\\a.webm": "x/a.mp4",
        "y/a.b": "y/a.b.mp4",
    }
    with pytest.raises(LabelError, match="'z/a' fits 2 videos"):
        match(["z/a"], ids[:2])


def test_a_bare_name_stays_ambiguous_beside_a_file_at_the_top():
    with pytest.raises(LabelError, match="'a' fits 2 videos"):
        match(["a"], ["a.mp4", "x/a.mp4"])
