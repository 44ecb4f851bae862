"""What is there twice, and splits that tear it apart."""

from __future__ import annotations

import numpy as np
import pytest

from memfeat.checking.duplicates import Kind, by_group, by_text, check_duplicates, gather
from memfeat.dataset import Dataset

N = 12
IDS = [f"v{number:02}.mp4" for number in range(N)]
HALF = ["train"] * 8 + ["test"] * 4
TWINS = (("v00.mp4", "v11.mp4"),)


def content(*groups: tuple[str, ...]) -> Kind:
    return Kind("content", "have the same bytes as another", groups)


def check(dataset, *kinds: Kind) -> dict[str, object]:
    return {finding.code: finding for finding in check_duplicates(dataset, kinds)}


def titles(**of: str) -> dict[str, dict[str, list[str]]]:
    return {"titles": {f"{id}.mp4": [title] for id, title in of.items()}}


def test_nothing_twice_is_no_finding(sound) -> None:
    assert check(sound(), content()) == {}


def test_same_bytes(sound) -> None:
    found = check(sound(), content(*TWINS))
    assert set(found) == {"same-content"}
    assert found["same-content"].severity == "warning" and found["same-content"].groups == TWINS
    assert (
        "2 of 12 items have the same bytes as another (1 group, the largest of 2)"
        in found["same-content"].message
    )


def test_a_split_that_has_the_same_bytes_on_both_sides(sound) -> None:
    found = check(sound({"split": HALF}), content(*TWINS))["leak-content"]
    assert found.severity == "error" and found.groups == TWINS
    assert found.message == "1 of 4 items of split 'test' have the same bytes as one of split 'train'"


def test_twins_on_one_side_are_no_leak(sound) -> None:
    assert "leak-content" not in check(sound({"split": HALF}), content(("v00.mp4", "v01.mp4")))


def test_items_without_a_split_are_no_leak(sound) -> None:
    assert "leak-content" not in check(sound({"split": [*HALF[:11], None]}), content(*TWINS))


def test_further_splits_are_looked_at_and_told_in_one(sound) -> None:
    folds = {"split:1": HALF, "split:2": ["train"] * N, "split:3": ["test", *HALF[1:11], "train"]}
    dataset = sound(folds)
    (found,) = [f for f in check_duplicates(dataset, [content(*TWINS)]) if f.code == "leak-content"]
    assert found.message == (
        "1 of 4 (1), 1 of 4 (3) items of split 'test' have the same bytes as one of split 'train'"
    )
    assert found.groups == TWINS and found.ids == TWINS[0]


def test_groups_that_a_split_tears_apart(sound) -> None:
    dataset = sound({"split": HALF, "group": ["a", "b", *"cdefghij", "a", "a"]})
    found = check(dataset, by_group(dataset))
    assert found["same-group"].severity == "note"
    assert found["leak-group"].severity == "warning"
    assert (
        "2 of 4 items of split 'test' share their group with one of split 'train'"
        in found["leak-group"].message
    )


def test_groups_that_a_split_keeps(sound) -> None:
    dataset = sound({"split": HALF, "group": ["a", "a", *"cdefghijkl"]})
    assert set(check(dataset, by_group(dataset))) == {"same-group"}
    assert by_group(sound()) is None and by_group(Dataset("bare", {})) is None


def test_same_titles_without_a_group(sound) -> None:
    dataset = sound(texts=titles(v00="A dog, runs", v01="a dog runs!", v02="a cat"))
    (kind,) = by_text(dataset)
    found = check(dataset, kind)["same-titles"]
    assert found.severity == "warning" and found.groups == (("v00.mp4", "v01.mp4"),)


def test_same_titles_that_a_group_keeps_together(sound) -> None:
    dataset = sound({"group": ["dog", "dog", *[None] * 10]}, texts=titles(v00="dog", v01="dog"))
    assert check(dataset, *by_text(dataset))["same-titles"].severity == "note"
    other = sound({"group": ["dog", *[None] * 11]}, texts=titles(v00="dog", v01="dog"))
    assert check(other, *by_text(other))["same-titles"].severity == "warning"


def test_captions_are_the_same_when_all_are(sound) -> None:
    texts = {"captions": {"v00.mp4": ["a", "b"], "v01.mp4": ["b", "A."], "v02.mp4": ["a", "c"]}}
    (kind,) = by_text(sound(texts=texts))
    assert kind.groups == (("v00.mp4", "v01.mp4"),)


def test_actions_are_shared_by_nature(sound) -> None:
    assert list(by_text(sound(texts={"actions": {"v00.mp4": ["run"], "v01.mp4": ["run"]}}))) == []


def test_texts_of_punctuation_alone_are_no_twins(sound) -> None:
    (kind,) = by_text(sound(texts=titles(v00="?", v01="!")))
    assert kind.groups == ()


def test_how_alike_the_scores_of_twins_are(tmp_path) -> None:
    import pandas as pd

    from memfeat.store.labels import Labels

    ids = [f"{n}{side}" for n in range(30) for side in "ab"]
    scores = np.repeat(np.random.default_rng(0).random(30), 2)
    dataset = Dataset("twins", {}, Labels(pd.DataFrame({"score": scores}, index=ids)))
    kind = content(*((f"{n}a", f"{n}b") for n in range(30)))
    assert "within them, scores of 'score' correlate 1.00" in check(dataset, kind)["same-content"].message
    few = content(*((f"{n}a", f"{n}b") for n in range(5)))
    assert "correlate" not in check(dataset, few)["same-content"].message


@pytest.mark.parametrize("keys", [[], [("a", 1)], [("a", 1), ("b", 2)]])
def test_no_groups_of_one(keys) -> None:
    assert gather(keys) == ()
