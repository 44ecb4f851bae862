import pytest

from memfeat.errors import LabelError
from memfeat.store.importing.pairing import pair, resemblance


def test_suffixes_blanks_and_zeros_do_not_matter_and_nothing_is_dropped():
    found = pair(
        ["video3", "x/clip.mp4", "0007", "12", "ghost"], ["video3.webm", "clip.mp4", "7", "12", "left"]
    )
    assert found.video_of == {"video3": "video3.webm", "x/clip.mp4": "clip.mp4", "0007": "7", "12": "12"}
    assert found.rows_without_video == ("ghost",)
    assert found.videos_without_row == ("left",)


def test_two_spellings_of_one_number_are_refused():
    with pytest.raises(LabelError, match="'7' and '007' both belong to '7'"):
        pair(["7", "007"], ["7"])


def test_zeros_that_tell_two_ids_apart_are_kept():
    found = pair(["7", "007", "07"], ["7", "007"])
    assert found.video_of == {"7": "7", "007": "007"}
    assert found.rows_without_video == ("07",)


def test_ambiguous_stems_are_refused():
    with pytest.raises(LabelError, match="fits 2"):
        pair(["c"], ["x/c.mp4", "y/c.mp4"])


def test_resemblance_counts_names():
    assert resemblance(["video3-0", "video3-56"], ["video3.webm"]) == 0
    assert resemblance(["video3", "video3", "03"], ["video3.webm", "3"]) == 3
