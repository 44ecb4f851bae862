"""Counts, and every way in which tables and files can name different items."""

from __future__ import annotations

import numpy as np

from memfeat.checking.counting import check_ids, check_splits, count
from memfeat.dataset import Dataset, SplitHalves

N = 12
IDS = [f"v{number:02}.mp4" for number in range(N)]
HALF = ["train"] * 6 + ["test"] * 6


def codes(findings) -> list[str]:
    return [finding.code for finding in findings]


def one(findings, code: str):
    (found,) = [finding for finding in findings if finding.code == code]
    return found


def test_counts(sound) -> None:
    dataset = sound(
        {"split": HALF, "group": ["x", "y", "z", None] * 3}, texts={"captions": {"v00.mp4": ["a dog"]}}
    )
    found = count(dataset)
    assert (found.rows, found.files, found.videos, found.images, found.both) == (N, N, N, 0, N)
    assert found.texts == {"captions": 1}
    assert found.splits == {"split": {"test": 6, "train": 6}}
    assert found.groups == 3


def test_images_are_counted_apart(sound) -> None:
    found = count(sound(files={"a.jpg": b"1", "v00.mp4": b"2"}))
    assert (found.videos, found.images, found.files, found.both) == (1, 1, 2, 1)


def test_a_sound_dataset_has_no_findings(sound) -> None:
    dataset = sound({"split": HALF})
    assert [*check_ids(dataset), *check_splits(dataset)] == []


def test_missing_files(sound) -> None:
    dataset = sound(files=dict.fromkeys(IDS[2:], b"x"), missing=("v00.mp4",))
    found = one(check_ids(dataset), "missing-files")
    assert found.severity == "error" and found.ids == ("v00.mp4", "v01.mp4")
    assert "2 of 12" in found.message


def test_extra_files(sound) -> None:
    dataset = sound(files={**dict.fromkeys(IDS, b"x"), "new/other.mp4": b"y"}, extra=("loose.mp4",))
    found = one(check_ids(dataset), "extra-files")
    assert found.severity == "warning" and found.ids == ("loose.mp4", "new/other.mp4")


def test_scores_alone_are_no_error(sound) -> None:
    found = list(check_ids(sound(files={})))
    assert codes(found) == ["no-media"] and found[0].severity == "note"


def test_files_alone_are_no_error(sound) -> None:
    dataset = sound()
    found = list(check_ids(Dataset("bare", dataset.files)))
    assert codes(found) == ["no-labels"] and found[0].severity == "note"


def test_nothing_at_all_is_an_error() -> None:
    assert [(f.code, f.severity) for f in check_ids(Dataset("none", {}))] == [("empty", "error")]


def test_texts_of_strangers_and_rows_without_texts(sound) -> None:
    texts = {"captions": {id: ["a"] for id in [*IDS[1:], "ghost.mp4"]}}
    found = list(check_ids(sound(texts=texts)))
    assert one(found, "unmatched-texts").ids == ("ghost.mp4",)
    assert one(found, "no-texts").ids == ("v00.mp4",)


def test_halves_of_strangers(sound) -> None:
    halves = SplitHalves((*IDS, "ghost.mp4"), np.ones((1, N + 1)), np.ones((1, N + 1)))
    assert one(check_ids(sound(halves={"score": halves})), "unmatched-halves").ids == ("ghost.mp4",)


def test_ids_that_some_systems_take_for_one(sound) -> None:
    dataset = sound(files={**dict.fromkeys(IDS, b"x"), "V00.mp4": b"a", "v01.webm": b"b"})
    found = list(check_ids(dataset))
    assert one(found, "same-but-case").groups == (("V00.mp4", "v00.mp4"),)
    assert one(found, "same-but-suffix").groups == (("v01.mp4", "v01.webm"),)


def test_a_number_behind_a_dot_is_no_suffix(sound) -> None:
    dataset = sound(files={**dict.fromkeys(IDS, b"x"), "a.1": b"a", "a.2": b"b"})
    assert "same-but-suffix" not in codes(check_ids(dataset))


def test_rows_without_a_split(sound) -> None:
    found = one(check_splits(sound({"split": [None, *HALF[1:]]})), "no-split")
    assert found.severity == "warning" and found.ids == ("v00.mp4",)


def test_a_further_split_is_named(sound) -> None:
    found = one(check_splits(sound({"split:fold2": [None, *HALF[1:]]})), "no-split")
    assert "in 'fold2'" in found.message


def test_rows_outside_several_further_splits_are_told_at_once(sound) -> None:
    folds = {"split:a": [None, *HALF[1:]], "split:b": [None, None, *HALF[2:]], "split:c": HALF}
    found = one(check_splits(sound(folds)), "no-split")
    assert found.message.startswith("Up to 2 of 12 rows belong to no split in 'a', 'b'")
    assert found.ids == ("v00.mp4", "v01.mp4")


def test_a_single_split(sound) -> None:
    assert (
        "All rows are of split 'train'"
        in one(check_splits(sound({"split": ["train"] * N})), "one-split").message
    )


def test_an_unlabelled_test_set(sound) -> None:
    dataset = sound({"split": HALF, "score": [*np.linspace(0, 1, 6), *[np.nan] * 6]})
    found = list(check_splits(dataset))
    assert codes(found) == ["unlabelled-split"] and found[0].severity == "note"
    assert "Split 'test' has 6 rows and no score for 'score'" in found[0].message


def test_targets_that_lack_the_same_split_are_told_at_once(sound) -> None:
    scores = [*np.linspace(0, 1, 6), *[np.nan] * 6]
    (found,) = check_splits(sound({"split": HALF, "score": scores, "late": scores}))
    assert "no score for 'score', 'late'" in found.message


def test_rows_that_lack_a_score_in_a_labelled_split(sound) -> None:
    dataset = sound({"split": HALF, "score": [np.nan, *np.linspace(0, 1, 11)]})
    found = one(check_splits(dataset), "unlabelled-rows")
    assert found.severity == "warning" and found.ids == ("v00.mp4",)


def test_mostly_unlabelled_rows_are_fillers(sound) -> None:
    dataset = sound({"score": [0.5, 0.6, 0.7, *[np.nan] * 9]})
    assert one(check_splits(dataset), "unlabelled-rows").severity == "note"


def test_a_target_without_any_score(sound) -> None:
    found = list(check_splits(sound({"split": HALF, "late": [np.nan] * N})))
    assert [(f.code, f.severity) for f in found] == [("no-scores", "error")]


def test_without_labels_there_is_nothing_to_say_of_splits() -> None:
    assert list(check_splits(Dataset("bare", {}))) == []
