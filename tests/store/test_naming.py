from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfeat.errors import UsageError
from memfeat.store.naming import check_id, dataset_id, file_stem, slug, unique_ids, video_path

SAFE = re.compile(r"[a-z0-9_-][a-z0-9_.-]*")
UGLY = [
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    " ",
    ".hidden",
    "a b.mp4",
    "日本/動画.mp4",
    "CON",
    "a" * 3000,
    "-rf",
    "a\\b",
    "C:\\x",
]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_every_id_is_refused_or_gets_a_safe_name_inside_the_store(text: str) -> None:
    try:
        id = check_id(text)
    except UsageError:
        return
    stem = file_stem(id)
    assert SAFE.fullmatch(stem) and len(stem) <= 71 and not stem.startswith(".")
    path = video_path("/store", id)
    assert os.path.normpath(path) == str(path)
    assert path.parent.parent == Path("/store/videos") and re.fullmatch("[0-9a-f]{2}", path.parent.name)
    assert path.stem.split("-")[-1].startswith(path.parent.name)


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8),
        min_size=2,
        max_size=2,
        unique=True,
    )
)
def test_distinct_ids_get_names_that_differ_even_on_case_folding_disks(pair: list[str]) -> None:
    one, two = (unicodedata.normalize("NFC", text) for text in pair)
    if one != two:
        assert file_stem(one).casefold() != file_stem(two).casefold()


@pytest.mark.parametrize("id", UGLY)
def test_ugly_names_stay_in_the_store(id: str, tmp_path: Path) -> None:
    path = video_path(tmp_path, id)
    assert path.resolve().is_relative_to(tmp_path.resolve())
    assert SAFE.fullmatch(path.stem)


def test_case_and_folder_keep_files_apart() -> None:
    ids = ["Clip.mp4", "clip.mp4", "a/clip.mp4", "b/clip.mp4", "clip.MP4", "a-clip.mp4", "clip.mp4 "]
    assert len({file_stem(id) for id in ids}) == len(ids)


def test_composed_and_decomposed_accents_are_one_id() -> None:
    assert check_id("cafe\u0301.mp4") == check_id("caf\u00e9.mp4") == "caf\u00e9.mp4"
    assert dataset_id("v/cafe\u0301.mp4", "v") == "caf\u00e9.mp4"


@pytest.mark.parametrize(
    ("id", "why"),
    [
        ("", "visible character"),
        ("  \u00a0", "visible character"),
        ("a\0b.mp4", "control character"),
        ("a\nb.mp4", "control character"),
        ("a\tb.mp4", "control character"),
        ("a\u2028b", "line separator"),
        ("a\udcff.mp4", "not valid UTF-8"),
        ("é" * 2049, "4098 bytes"),
    ],
)
def test_unusable_ids_are_refused_with_the_reason(id: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        check_id(id)


def test_an_id_that_is_no_text_is_refused() -> None:
    with pytest.raises(UsageError, match="type int"):
        check_id(7)


def test_id_is_the_relative_posix_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "videos" / "day 1").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for path in ("videos/day 1/x.mp4", tmp_path / "videos/day 1/x.mp4", "videos/./day 1/../day 1/x.mp4"):
        for root in ("videos", tmp_path / "videos", "./videos/"):
            assert dataset_id(path, root) == "day 1/x.mp4"


def test_a_linked_folder_is_found_through_its_target(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "videos").symlink_to(tmp_path / "disk")
    assert dataset_id(tmp_path / "disk" / "x.mp4", tmp_path / "videos") == "x.mp4"
    assert dataset_id(tmp_path / "videos" / "x.mp4", tmp_path / "videos") == "x.mp4"


@pytest.mark.parametrize("path", ["/elsewhere/x.mp4", "videos/../x.mp4", "videos2/x.mp4"])
def test_files_outside_the_folder_are_refused(path: str) -> None:
    with pytest.raises(UsageError, match="outside the video folder"):
        dataset_id(path, "videos")


def test_the_folder_itself_is_no_video() -> None:
    with pytest.raises(UsageError, match="itself"):
        dataset_id("videos", "videos")


def test_a_listing_keeps_its_order_and_refuses_accent_twins(tmp_path: Path) -> None:
    paths = [tmp_path / "b.mp4", tmp_path / "a.mp4", tmp_path / "sub" / "a.mp4"]
    assert list(unique_ids(paths, tmp_path).items()) == list(
        zip(["b.mp4", "a.mp4", "sub/a.mp4"], paths, strict=True)
    )
    twins = [tmp_path / "cafe\u0301.mp4", tmp_path / "caf\u00e9.mp4"]
    with pytest.raises(UsageError, match="Two files have the id"):
        unique_ids(twins, tmp_path)


def test_long_slugs_keep_the_telling_end() -> None:
    assert slug("very/long/" + "x" * 80 + "/clip-0042.mp4").endswith("clip-0042.mp4")
    assert len(slug("y" * 500)) == 60
