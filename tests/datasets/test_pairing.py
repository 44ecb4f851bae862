"""A file goes to the id it was meant for, in whatever spelling; where two could be meant, nothing is guessed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfeat.datasets._pairing import folded, media, numbered, pair, stem
from memfeat.errors import LabelError, UsageError


def files(*names):
    return {name: Path(name) for name in names}


def one(alias, *names, **options):
    found = pair({"id": [alias] if isinstance(alias, str) else alias}, files(*names), **options)
    return found.files["id"].as_posix() if found.files else None


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("a.mp4", "a.mp4"),
        ("a.mp4", "videos/a.mp4"),
        ("a.mp4", "videos/a.webm"),
        ("a", "videos/a.webm"),
        ("a.webm", "a.mp4"),
        ("x/a.mp4", "videos/a.mp4"),
        ("adult+male_b.mp4", "adult-male_b.mp4"),
        ("adult-male_b.mp4", "adult+male_b.webm"),
        ("adult male_b", "adult%20male_b.mp4"),
        ("caf\u00e9.mp4", "cafe\u0301.mp4"),
        (" a.mp4 ", "a.mp4"),
        ("\ufeffa.mp4", "a.webm"),
        ("http://x.org/d/a.1.2.mp4", "Videos/a.1.2.webm"),
    ],
)
def test_spellings_of_one_name(alias, name):
    assert one(alias, name, "other.mp4") == name


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("a", "b.mp4"),
        ("a.1", "a.mp4"),
        ("A", "a.mp4"),
        ("8", "08.mp4"),
        ("a_1", "a-1.mp4"),
        ("8-5", "85.mp4"),
    ],
)
def test_other_names_stay_apart(alias, name):
    assert one(alias, name) is None


@pytest.mark.parametrize("name", ["00008.mp4", "8.webm", "video8.webm", "video0008.mp4", "vid_idx0008.mp4"])
def test_numbers_by_value_where_ids_are_numbers(name):
    assert one("8", name, "video80.webm", "x8.mp4", "8-5.mp4", integers=True) == name


def test_the_strictest_spelling_wins():
    assert one("a.webm", "a.webm", "a.mp4") == "a.webm"
    assert one("a+b.mp4", "a-b.mp4", "a+b.mp4") == "a+b.mp4"
    assert one("8", "8.mp4", "008.mp4", integers=True) == "8.mp4"
    both = pair({"1": ["a+b.mp4"], "2": ["a-b.mp4"]}, files("a-b.mp4", "a+b.mp4"))
    assert {id: path.name for id, path in both.files.items()} == {"1": "a+b.mp4", "2": "a-b.mp4"}


def test_any_of_several_names():
    assert one(["8", "jumping_x_1.mp4"], "jumping_x_1.webm", integers=True) == "jumping_x_1.webm"


def test_an_id_that_fits_two_files_is_refused():
    with pytest.raises(LabelError, match=r"'id' fits 2 files: 'x/a\.mp4', 'y/a\.mp4'\. Keep one .*videos ="):
        one("a.mp4", "x/a.mp4", "y/a.mp4")
    with pytest.raises(LabelError, match="fits 2 files"):
        one("a", "a.webm", "a.mp4")
    with pytest.raises(LabelError, match="fits 2 files"):
        one("8", "08.mp4", "008.mp4", integers=True)


def test_a_file_that_fits_two_ids_is_refused():
    with pytest.raises(LabelError, match=r"'a\.mp4' fits two ids of the release: 'x' and 'y'"):
        pair({"x": ["a.mp4"], "y": ["a.mp4"]}, files("a.mp4"))


def test_what_is_left_over_is_listed():
    found = pair({"a": ["a"], "b": ["b"], "c": ["c"]}, files("b.mp4", "z/y.mp4"))
    assert (found.missing, found.extra) == (("a", "c"), ("z/y.mp4",))


words = st.text("abcdefghij", min_size=1, max_size=5)


@given(
    names=st.lists(st.lists(words, min_size=1, max_size=3), min_size=1, max_size=8, unique_by=tuple),
    data=st.data(),
)
def test_every_id_gets_its_own_file_however_each_is_spelt(names, data):
    spelt = {}
    for parts in names:
        joint = data.draw(st.sampled_from(["+", "-"]))
        folder = data.draw(st.sampled_from(["", "videos/", "x/y/"]))
        spelt["+".join(parts)] = folder + joint.join(parts) + data.draw(st.sampled_from([".mp4", ".webm"]))
    found = pair({id: [id + ".mp4"] for id in spelt}, files(*spelt.values()))
    assert {id: path.as_posix() for id, path in found.files.items()} == spelt
    assert found.missing == found.extra == ()


@given(text=words, number=st.integers(0, 10**6))
def test_keys_are_stable(text, number):
    assert stem(stem(text)) == stem(text)
    assert folded(folded(text + "+" + text)) == folded(text + "-" + text)
    assert numbered(f"video{number}.webm") == numbered(f"{number:07d}") == str(number)


def test_media_are_found_and_none_is_no_error(tmp_path):
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames/0001.jpg").write_bytes(b"x")
    assert media(tmp_path).files == {}
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos/a.mp4").write_bytes(b"x")
    (tmp_path / ".hidden").mkdir()
    assert list(media(tmp_path).files) == ["videos/a.mp4"]
    assert list(media(tmp_path, "videos").files) == ["a.mp4"]
    assert media(tmp_path, "frames").files == {}
    with pytest.raises(UsageError, match=r"no folder .*Check videos = 'video'"):
        media(tmp_path, "video")


def test_media_in_hidden_folders_alone_are_none(tmp_path):
    (tmp_path / ".trash").mkdir()
    (tmp_path / ".trash/a.mp4").write_bytes(b"x")
    (tmp_path / "._a.mp4").write_bytes(b"x")
    assert media(tmp_path).files == {}
