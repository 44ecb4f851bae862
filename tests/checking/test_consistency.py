"""Answers behind scores, and halves of the participants."""

from __future__ import annotations

import numpy as np
import pytest

from memfeat.checking.consistency import answers, check_annotations, check_halves
from memfeat.dataset import Dataset, SplitHalves
from memfeat.reliability import from_counts

N = 12
IDS = tuple(f"v{number:02}.mp4" for number in range(N))
SCORES = np.linspace(0.4, 0.9, N)


def halves(a, b=None, ids=IDS) -> dict[str, SplitHalves]:
    a = np.atleast_2d(np.asarray(a, dtype=float))
    return {"score": SplitHalves(ids, a, a if b is None else np.atleast_2d(np.asarray(b, dtype=float)))}


def test_numbers_of_answers(sound) -> None:
    counts = [*range(20, 31), np.nan]
    (row,) = answers(sound({"n:score": counts}))
    assert (row.target, row.split, row.n, row.low, row.median, row.high) == ("score", None, 11, 20, 25, 30)
    assert row.reliability == from_counts(SCORES, counts)


def test_each_split_has_its_own(sound) -> None:
    rows = answers(sound({"split": ["a"] * 6 + ["b"] * 6, "n:score": [10] * 6 + [40] * 6}))
    assert [(row.split, row.low, row.high) for row in rows] == [(None, 10, 40), ("a", 10, 10), ("b", 40, 40)]


def test_slopes_and_other_scales_have_no_reliability_by_counts(sound) -> None:
    (row,) = answers(sound({"decay": -SCORES / 100, "n:decay": [20] * N}, targets=["score", "decay"]))
    assert row.target == "decay" and row.reliability is None
    assert answers(sound({"score": 100 * SCORES, "n:score": [20] * N}))[0].reliability is None


def test_without_counts_there_is_nothing(sound) -> None:
    assert answers(sound()) == () and list(check_annotations(sound())) == []
    assert answers(sound({"n:score": [np.nan] * N})) == ()
    assert answers(Dataset("bare", {})) == () and list(check_annotations(Dataset("bare", {}))) == []


def test_scores_on_hardly_any_answers(sound) -> None:
    found = list(check_annotations(sound({"n:score": [2, np.nan, *[30] * 10]})))
    assert [(f.code, f.severity, f.ids) for f in found] == [
        ("few-answers", "warning", IDS[:1]),
        ("no-count", "note", IDS[1:2]),
    ]


def test_a_row_without_a_score_needs_no_answers(sound) -> None:
    assert list(check_annotations(sound({"score": [np.nan, *SCORES[1:]], "n:score": [0, *[30] * 11]}))) == []


def test_halves_that_belong_to_the_scores(sound) -> None:
    noise = np.linspace(-0.02, 0.02, N)[::-1]
    found, findings = check_halves(sound(halves=halves([SCORES + noise], [SCORES - noise])))
    assert findings == [] and found["score"].split_half == pytest.approx(1)


def test_halves_in_another_order(sound) -> None:
    found, (finding,) = check_halves(sound(halves=halves(np.roll(SCORES, 5))))
    assert found["score"].split_half == pytest.approx(1)
    assert (finding.code, finding.severity) == ("halves-apart", "error")


def test_halves_name_their_own_ids(sound) -> None:
    order = np.roll(np.arange(N), 5)
    _, findings = check_halves(sound(halves=halves(SCORES[order], ids=tuple(IDS[k] for k in order))))
    assert findings == []


def test_items_that_neither_half_has_seen(sound) -> None:
    seen = SCORES.copy()
    seen[0] = np.nan
    _, findings = check_halves(sound(halves=halves(seen)))
    assert findings == []


def test_halves_of_another_shape(sound) -> None:
    found, (finding,) = check_halves(sound(halves=halves(SCORES[:5])))
    assert found == {} and (finding.code, finding.severity) == ("halves-shape", "error")


def test_halves_without_a_correlation(sound) -> None:
    found, (finding,) = check_halves(sound(halves=halves([0.5] * N)))
    assert found == {} and finding.code == "halves-undefined"


def test_halves_of_a_target_that_has_no_scores_here() -> None:
    found, findings = check_halves(Dataset("bare", {}, halves=halves(SCORES)))
    assert findings == [] and found["score"].items == N
