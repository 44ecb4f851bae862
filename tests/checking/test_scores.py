"""Statistics against pandas; impossible values; published figures up to their rounding."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from memfeat.checking.scores import check_scores, compare, kind_of, statistics
from memfeat.dataset import Dataset, Published

N = 12
HALF = ["train"] * 8 + ["test"] * 4
SCORES = np.linspace(0.4, 0.9, N)


def found(dataset) -> dict[str, object]:
    return {finding.code: finding for finding in check_scores(dataset)}


def test_statistics_of_all_rows_and_of_each_split(sound) -> None:
    scores = [np.nan, *SCORES[1:]]
    rows = statistics(sound({"score": scores, "split": HALF}))
    assert [(row.split, row.rows, row.n) for row in rows] == [(None, 12, 11), ("test", 4, 4), ("train", 8, 7)]
    described = pd.Series(scores[:8]).describe()
    train = rows[2]
    assert train.mean == pytest.approx(described["mean"]) and train.sd == pytest.approx(described["std"])
    assert (train.low, train.high, train.distinct) == (described["min"], described["max"], 7)


def test_one_split_alone_is_not_described_twice(sound) -> None:
    assert [row.split for row in statistics(sound({"split": ["train"] * N}))] == [None]


def test_a_target_without_scores_has_no_statistics(sound) -> None:
    row = statistics(sound({"score": [np.nan] * N}))[0]
    assert (row.n, row.mean, row.sd, row.low, row.distinct) == (0, None, None, None, 0)


def test_sound_scores_have_no_findings(sound) -> None:
    assert found(sound()) == {}
    assert found(Dataset("bare", {})) == {}


def test_constant_scores(sound) -> None:
    constant = found(sound({"score": [0.5] * N}))["constant"]
    assert constant.severity == "error" and "All 12 scores of 'score' are 0.5" in constant.message


@pytest.mark.parametrize("code", [-1.0, -999.0, 85.0])
def test_codes_for_missing_scores(sound, code: float) -> None:
    finding = found(sound({"score": [code, *SCORES[1:]]}))["impossible-scores"]
    assert finding.severity == "error" and finding.ids == ("v00.mp4",)


@pytest.mark.parametrize("value", [-0.1, 1.02])
def test_corrected_scores_beyond_the_scale(sound, value: float) -> None:
    finding = found(sound({"score": [value, *SCORES[1:]]}))["scores-outside"]
    assert finding.severity == "warning" and finding.ids == ("v00.mp4",)


def test_another_scale(sound) -> None:
    assert set(found(sound({"score": 100 * SCORES}))) == {"other-scale"}
    assert set(found(sound({"d_prime": SCORES}))) == {"other-scale"}


def test_slopes(sound) -> None:
    decay = np.linspace(-0.01, 0.001, N)
    finding = found(sound({"decay": decay}))["rising-slopes"]
    assert finding.severity == "note" and "1 of 12 slopes of 'decay' (8.3%)" in finding.message
    assert found(sound({"decay": decay - 0.01})) == {}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("decay_alpha", "slope"),
        ("alpha", "slope"),
        ("zscore", "other"),
        ("mem_z", "other"),
        ("size", "share"),
    ],
)
def test_kinds_by_name(name: str, kind: str) -> None:
    assert kind_of(name, [0.5, 0.6]) == kind


def differs(dataset, **published) -> tuple[str, ...]:
    (row,), findings = compare(dataset, [Published("score", **published)])
    assert bool(findings) == bool(row.differs)
    return row.differs


def test_figures_that_agree_up_to_their_rounding(sound) -> None:
    dataset = sound()
    assert differs(dataset, n=12, mean=0.65, sd=0.164) == ()
    assert differs(dataset, n=12, mean=round(SCORES.mean(), 6), sd=round(float(SCORES.std(ddof=1)), 6)) == ()
    assert differs(dataset, n=12, sd=round(float(SCORES.std(ddof=0)), 6)) == ()  # authors divide by n, too


def test_figures_that_differ(sound) -> None:
    dataset = sound()
    assert differs(dataset, n=13) == ("n",)
    assert differs(dataset, n=12, mean=0.652) == ("mean",)
    assert differs(dataset, n=12, mean=0.65, sd=0.2001) == ("sd",)
    _, (finding,) = compare(dataset, [Published("score", 13, 0.7123, source="the paper")])
    assert (finding.code, finding.severity) == ("not-as-published", "error")
    assert finding.message == "'score': 12 scores instead of 13, mean 0.65 instead of 0.7123 (the paper)"


def test_a_split_is_compared_with_its_own_figures(sound) -> None:
    dataset = sound({"split": HALF})
    assert differs(dataset, n=8, split="train", mean=round(SCORES[:8].mean(), 4)) == ()
    only = sound({"split": ["train"] * N})
    assert differs(only, n=12, split="train") == ()


def test_what_is_not_here_is_not_compared(sound) -> None:
    dataset = sound({"split": HALF, "score": [*SCORES[:8], *[np.nan] * 4]})
    published = [Published("score", 8, split=split) for split in ("train", "test", "val")]
    (row,), (finding,) = compare(dataset, [*published, Published("other edition", 9)])
    assert (row.target, row.split, row.differs) == ("score", "train", ())
    assert (finding.code, finding.severity) == ("not-compared", "note")
    assert finding.message.endswith("for 'score' in split 'test', split 'val'")


def test_scores_that_the_release_withholds(sound) -> None:
    withheld = sound({"split": HALF, "score": [*SCORES[:8], *[np.nan] * 4]})
    assert differs(withheld, n=0, split="test") == ()
    assert differs(sound({"split": HALF}), n=0, split="test") == ("n",)


def test_targets_without_published_figures(sound) -> None:
    rows, (finding,) = compare(sound(), [Published("late", 9), Published("late", 8, split="x")])
    assert rows == () and finding.message == "No target here has published figures; late has"
    assert compare(Dataset("bare", {}), [Published("late", 9)]) == ((), [])
    assert compare(sound(), []) == ((), [])
