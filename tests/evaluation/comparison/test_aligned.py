from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stores import make, name, put

from memfeat.errors import UsageError
from memfeat.evaluation.comparison.aligned import align
from memfeat.evaluation.comparison.systems import System, grid
from memfeat.evaluation.gather import gather
from memfeat.store.feature_store import FeatureStore


def test_each_system_has_its_own_columns_of_the_same_rows(store: FeatureStore) -> None:
    aligned = align(store, grid(["brr"], [["light"], ["embedding", "light"], None]), target="score")
    light, both, every = aligned.members.values()
    assert light.rows.ids == both.rows.ids == every.rows.ids == aligned.rows.ids
    assert [b.name for b in both.rows.blocks] == ["embedding:mean", "light:mean"]
    assert [b.name for b in every.rows.blocks] == ["embedding:mean", "grid:mean", "light:mean"]
    alone = gather(store, target="score", columns=["embedding", "light"])
    for one, other in zip(both.rows.X.arrays, alone.X.arrays, strict=True):
        np.testing.assert_array_equal(one, other)
    # What two systems share is in memory once.
    assert light.rows.X.arrays[0] is both.rows.X.arrays[1]
    assert any(note.startswith("brr all: no features were named") for note in aligned.notes)


def test_rows_are_those_that_all_systems_can_use(tmp_path: Path) -> None:
    store = make(tmp_path / "s", 30, skip={"light": range(4), "embedding": range(3, 10)})
    aligned = align(store, grid(["brr"], [["light"], ["embedding"], ["grid"]]), target="score")
    assert aligned.rows.ids == tuple(name(k) for k in range(10, 30))
    assert {member.rows.y.size for member in aligned.members.values()} == {20}
    (said,) = [note for note in aligned.notes if "shared" in note]
    assert "20 rows are shared" in said
    assert "brr light 26" in said and "brr embedding 23" in said and "brr grid 30" in said


def test_a_system_that_cannot_be_had_does_not_lose_the_others(tmp_path: Path) -> None:
    store = make(tmp_path / "s", 20)
    for k in range(20):
        put(store, name(k), {"nowhere": None})
    asked = [
        System(name="fine", features=("light",)),
        System(name="nothing", features=("nowhere",)),
        System(name="less", features=("nowhere", "light")),
        System(name="lacking", features=("lihgt",)),
        System(name="no such model", model="brrr", features=("light",)),
        System(name="wrong parameter", features=("light",), parameters={"alpa_1": 1}),
    ]
    aligned = align(FeatureStore(store.path), asked, target="score")
    assert list(aligned.members) == ["fine", "less"]
    assert [block.name for block in aligned.members["less"].rows.blocks] == ["light:mean"]
    assert any("nowhere:mean is left out" in note for note in aligned.notes)
    assert len(aligned.rows.ids) == 20
    assert "nowhere" in aligned.failed["nothing"]
    assert "Did you mean 'light'" in aligned.failed["lacking"]
    assert "Did you mean 'brr'" in aligned.failed["no such model"]
    assert "no parameter 'alpa_1'" in aligned.failed["wrong parameter"]


def test_rows_to_which_a_feature_does_not_apply_are_left_out_for_all(tmp_path: Path) -> None:
    store = make(tmp_path / "s", 20)
    for k in range(20):
        put(store, name(k), {"motion": None if k % 2 else 0.5})
    aligned = align(store, grid(["brr"], [["light"], ["light", "motion"]]), target="score")
    assert aligned.rows.ids == tuple(name(k) for k in range(0, 20, 2))
    assert list(aligned.rows.left_out) == ["motion is not applicable: needs 2 frames, the file has 1"]
    assert "alone could use: brr light 20" in aligned.notes[0]


def test_all_that_is_lacking_is_listed_with_how_to_get_it(store: FeatureStore) -> None:
    asked = [
        System(name="a", features=("hog@pca20", "clip-vit-b-32-quickgelu-openai-fml:stack")),
        System(name="b", features=("mine", "light")),
    ]
    with pytest.raises(UsageError) as caught:
        align(store, asked, target="score")
    said = str(caught.value)
    assert "lacks hog, clip-vit-b-32-quickgelu-openai-fml, mine." in said
    assert "memfeat extract made --features hog,clip-vit-b-32-quickgelu-openai-fml." in said
    assert "mine: nothing here measures it" in said


def test_systems_without_a_common_row_are_not_compared(tmp_path: Path) -> None:
    store = make(tmp_path / "s", 20, skip={"light": range(10), "embedding": range(10, 20)})
    with pytest.raises(UsageError, match=r"no rows in common .*brr light 10; brr embedding 10"):
        align(store, grid(["brr"], [["light"], ["embedding"]]), target="score")
