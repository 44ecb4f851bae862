"""A split saved by id repeats exactly, whatever the order of its lines; a table that cannot be one is refused."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memfeat.errors import LabelError, UsageError
from memfeat.evaluation.split_file import load, to_table
from memfeat.evaluation.splits import Plan, plan

IDS = [f"v{k:02}.mp4" for k in range(30)]
OWN = ["train"] * 12 + ["dev"] * 8 + ["test"] * 10
NAMED = {f"fold{k}": ["test" if (j + k) % 5 == 0 else "train" for j in range(30)] for k in range(1, 6)}
PLANS = {
    "k-fold": plan(IDS, folds=4, seed=3),
    "grouped": plan(IDS, group=[f"g{k % 9}" for k in range(30)], folds=3),
    "repeated": plan(IDS, folds=3, repeats=3),
    "twelve": plan(IDS + [f"w{k}" for k in range(30)], folds=12),
    "official": plan(IDS, split=OWN),
    "dev": plan(IDS, split=["train"] * 20 + ["dev"] * 10),
    "partly": plan(IDS, split=["train"] * 12 + [None] * 8 + ["test"] * 10),
    "named": plan(IDS, named=NAMED, mode="fold2"),
    "all-folds": plan(IDS, named=NAMED),
}


def same(one: Plan, other: Plan) -> bool:
    return one.kind == other.kind and all(
        (a.name, a.of) == (b.name, b.of)
        and np.array_equal(a.fit, b.fit)
        and np.array_equal(a.judged, b.judged)
        for a, b in itertools.zip_longest(one.parts, other.parts)
    )


@pytest.mark.parametrize("name", PLANS)
@settings(deadline=None, max_examples=15)
@given(generator=st.randoms(use_true_random=False))
def test_what_was_written_is_read(tmp_path_factory, name: str, generator) -> None:
    made = PLANS[name]
    ids = IDS if name != "twelve" else IDS + [f"w{k}" for k in range(30)]
    file = tmp_path_factory.mktemp("split") / "splits.csv"
    table = to_table(ids, made)
    order = list(range(len(table)))
    generator.shuffle(order)
    table.iloc[order].to_csv(file, index=False)
    found = load(file, ids)
    assert same(found, made)
    assert found.rule.startswith("as splits.csv says (sha256 ")


def test_ids_in_another_order_get_the_same_parts(tmp_path: Path) -> None:
    file = tmp_path / "splits.csv"
    to_table(IDS, PLANS["repeated"]).to_csv(file, index=False)
    back = IDS[::-1]
    for part, twin in zip(load(file, back).parts, PLANS["repeated"].parts, strict=True):
        assert {back[k] for k in part.judged} == {IDS[k] for k in twin.judged}
        assert {back[k] for k in part.fit} == {IDS[k] for k in twin.fit}


def write(tmp_path: Path, text: str | bytes) -> Path:
    file = tmp_path / "mine.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def lines(*values: str, ids: list[str] = IDS, heading: str = "id,split") -> str:
    return "\n".join([heading, *(f"{i},{v}" for i, v in zip(ids, itertools.cycle(values), strict=False))])


def test_a_table_made_by_hand(tmp_path: Path) -> None:
    text = b"\xef\xbb\xbf split , id ,note\r\n" + b"".join(
        f" {'Training' if k % 3 else 'TEST'} , v{k:02} ,x\r\n".encode() for k in range(30)
    )
    made = load(write(tmp_path, text), IDS)
    assert (made.kind, made.name) == ("official", "TEST")
    assert made.parts[0].judged.tolist() == list(range(0, 30, 3))


def test_any_names_may_stand_for_folds(tmp_path: Path) -> None:
    made = load(write(tmp_path, lines("b", "a10", "a2")), IDS)
    assert ([part.name for part in made.parts], made.name) == (["a2", "a10", "b"], "3-fold")


def test_a_column_is_picked_by_name(tmp_path: Path) -> None:
    file = write(tmp_path, to_table(IDS, PLANS["all-folds"]).to_csv(index=False))
    assert same(load(file, IDS, mode="fold2"), PLANS["named"])
    with pytest.raises(UsageError, match="no column 'split:k-fold'.*one of its own: fold1, fold2"):
        load(file, IDS, mode="k-fold")


def test_ids_without_partner_are_counted(tmp_path: Path) -> None:
    made = load(write(tmp_path, lines("1", "2", ids=[*IDS[:25], "ghost.mp4", "other/v29.mp4"])), IDS)
    first, second = made.notes
    assert "2 ids of mine.csv are not among the rows that can be used: ghost.mp4, other/v29.mp4" in first
    assert "5 ids are not in mine.csv and are neither fitted nor judged: v25.mp4" in second
    assert made.used.tolist() == list(range(25))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "columns are none"),
        ("name,split\na,1\n", "columns are name, split; id and split"),
        ("id,fold\na,1\n", "columns are id, fold"),
        ("id,split,split\na,1,2\n", "several columns named 'split'"),
        ("id,split\nv00.mp4\n", "line 2: 1 cells, the heading has 2"),
        ("id,split\nv00.mp4,1\n\nv00.mp4,2\n", "lines 2 and 4: 'v00.mp4' stands twice"),
        ("id,split\n,1\n", "line 2: the column 'id' is empty"),
        ("id,split\nx.mp4,1\n", r"No id of .*mine.csv is among the 30 rows .*'x.mp4' against 'v00.mp4'"),
        ("id,split\nv00,1\nv00.mp4.mp4,2\nv00.avi,1\n", "mine.csv: .*both belong"),
        (lines(*["1"] * 28, "2", "2"), "'1' has 28 rows to be judged and 2 to be fitted"),
        (lines("fit"), "names no rows to be judged"),
        (lines("test"), "no split can be made of it.*0 train, 0 val, 30 test"),
        (b"id,split\n\xff\xfe,1\n", "cannot be read as a table of splits"),
    ],
)
def test_tables_that_are_none_are_refused(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        load(write(tmp_path, text), IDS)


def test_one_split_among_several_must_be_picked(tmp_path: Path) -> None:
    file = write(
        tmp_path, lines("test,train", "train,test", "test,test", "train,train", heading="id,split,split:x")
    )
    with pytest.raises(UsageError, match="several splits"):
        load(file, IDS)
    assert load(file, IDS, mode="x").name == "x test"
    with pytest.raises(UsageError, match="no split file"):
        load(tmp_path / "none.csv", IDS)
