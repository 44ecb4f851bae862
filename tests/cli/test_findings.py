"""The report as text: what stands where, and that narrow terminals lose nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from memfeat.checking.check import check
from memfeat.checking.report import Media
from memfeat.cli.findings import show
from memfeat.dataset import Dataset, Published, SplitHalves
from memfeat.store.labels import Labels
from memfeat.store.texts import Texts

IDS = [f"[clip {number}].mp4" for number in range(8)]
SCORES = np.linspace(0.5, 0.9, 8)


def dataset() -> Dataset:
    table = {
        "score": SCORES,
        "decay": -SCORES / 1000,
        "n:score": [40] * 8,
        "n:decay": [40] * 8,
        "split": ["train"] * 6 + ["test"] * 2,
        "group": [*"aabbccdd"],
    }
    return Dataset(
        "pilot",
        {},
        Labels(pd.DataFrame(table, index=IDS), note="read with care"),
        remarks=("Two rows were left out.",),
        texts=Texts({"captions": {id: [id] for id in IDS[1:]}}),
        halves={"score": SplitHalves(tuple(IDS), SCORES[None], SCORES[None])},
    )


@pytest.fixture
def shown(capsys):
    def print_report(*, ids: int = 5, **options) -> str:
        show(check(dataset(), **options), Path("here"), ids)
        return capsys.readouterr().out

    return print_report


def test_a_report_says_all_it_knows(shown) -> None:
    out = shown(published=[Published("score", 8, 0.7), Published("decay", 9)])
    lines = out.splitlines()
    assert lines[0] == "pilot in here"
    assert lines[1] == "8 rows, 0 files, 4 groups"
    assert lines[2] == "texts: captions of 7"
    assert lines[3] == "split: test 2, train 6"
    assert lines[4] == "note: read with care"
    assert lines[5] == "as read: Two rows were left out."
    scores = [line.split() for line in lines]
    assert ["score", "all", "8", "0.7000", "0.1400", "0.5000", "0.9000", "same"] in scores
    assert ["test", "2", "0.8714", "0.0404", "0.8429", "0.9000"] in scores
    assert ["decay", "all", "8", "-0.000700", "0.000140", "-0.000900", "-0.000500", "differs"] in scores
    noise = float(np.mean(SCORES * (1 - SCORES)) / 39)
    true = float(np.var(SCORES, ddof=1)) - noise
    shares = [true / (true + noise), true / (true + 2 * noise), (true / (true + noise)) ** 0.5]
    figures = [*(f"{value:.3f}" for value in shares), f"{noise:.5f}"]
    assert ["score", "all", "40–40", "40", *figures] in scores
    assert ["decay", "all", "40–40", "40"] in scores
    assert "halves of the participants correlate 1.000 (Spearman, 1 halving," in out
    assert lines[-1] == "1 error, no warnings, 3 notes."


def test_names_in_brackets_are_no_markup(shown) -> None:
    assert "[clip 0].mp4" in shown()


def test_ids_can_be_left_out(shown) -> None:
    assert "[clip 0].mp4" not in shown(ids=0)


def test_without_published_figures_there_is_no_column_for_them(shown) -> None:
    assert "published" not in shown()


def test_media_in_one_line(capsys) -> None:
    media = Media(
        read=9,
        sizes={"64×48": 4, "48×64": 3, "32×32": 1, "16×16": 1},
        portrait=3,
        rates={"25": 9},
        durations=(0.4, 3.0, 12.25),
        frames=(10, 75, 1306),
        codecs={"h264": 9},
        bytes=1_234_567,
        decoded=True,
    )
    report = check(Dataset("bare", {}))
    object.__setattr__(report, "media", media)
    show(report, Path("here"), 5)
    assert (
        "decoded: 64×48 (4), 48×64 (3), 32×32 (1) and 1 other pixels; 3 in portrait; 25 frames/s; "
        "0.40 to 12.25 s (median 3.00); 10 to 1,306 frames (median 75); h264; 1.2 MB"
    ) in capsys.readouterr().out


def test_a_single_split_is_named_with_its_published_figures(capsys) -> None:
    table = pd.DataFrame({"score": SCORES, "split": ["train"] * 8}, index=IDS)
    report = check(Dataset("pilot", {}, Labels(table)), published=[Published("score", 8, 0.7, split="train")])
    show(report, Path("here"), 5)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["score", "train", "8", "0.7000", "0.1400", "0.5000", "0.9000", "same"] in lines


def test_further_splits_of_equal_sizes_are_told_once(capsys) -> None:
    halves = ["train"] * 6 + ["test"] * 2
    columns = {f"split:{name}": halves for name in "abcdefgh"} | {"split:z": [*halves[:5], *["test"] * 3]}
    table = pd.DataFrame({"score": SCORES, **columns}, index=IDS)
    show(check(Dataset("pilot", {}, Labels(table))), Path("here"), 5)
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:4] == ["split a, b, c, d, e, f and 2 more: test 2, train 6", "split z: test 3, train 5"]
