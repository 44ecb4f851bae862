from __future__ import annotations

import pytest

from memfeat.errors import UsageError
from memfeat.evaluation.comparison.systems import System, check_names, choose_baseline, grid


def test_a_grid_is_every_model_on_every_set_of_columns() -> None:
    made = grid(["brr", "svr"], [["hog"], ["hog@pca50", "flow"]], {"svr": {"C": 3.0}})
    assert [(s.model, s.features, dict(s.parameters)) for s in made] == [
        ("brr", ("hog",), {}),
        ("brr", ("hog@pca50", "flow"), {}),
        ("svr", ("hog",), {"C": 3.0}),
        ("svr", ("hog@pca50", "flow"), {"C": 3.0}),
    ]
    assert len({s.name for s in made}) == 4


def test_names_stay_short_and_differ() -> None:
    long = [f"feature-of-some-length-{k}" for k in range(5)]
    names = [s.name for s in grid(["brr"], [long, [*long, "x"], long[:2], None])]
    assert names[0] == "brr feature-of-some-length-0+4 more"
    assert names[3] == "brr all"
    assert len(set(names)) == 4
    same_names = [s.name for s in grid(["brr"], [long, [long[0], *(f"y{k}" * 20 for k in range(4))]])]
    assert [name[-3:] for name in same_names] == ["(1)", "(2)"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: grid([], [["hog"]]), "at least one model"),
        (lambda: grid(["brr"], [["hog@pcaa"]]), "Did you mean 'pca'"),
        (lambda: grid(["svr"], [["hog"]], {"srv": {}}), "Did you mean 'svr'"),
        (lambda: System(name=" "), "needs a name"),
        (lambda: System.fused("f", ["a"]), "two or more different"),
        (lambda: System.fused("f", ["a", "a"]), "two or more different"),
        (lambda: System.fused("f", ["a", "b"], method="rank-averge"), "Did you mean 'rank-average'"),
        (lambda: System.fused("f", ["a", "b"], weights="even"), "equal, inner-folds"),
        (lambda: System(name="f", fuse=("a", "b"), features=("hog",)), "of its own"),
        (lambda: check_names([]), "no system"),
        (lambda: check_names([System(name="a"), System(name="b", model="rigde")]), "Did you mean 'ridge'"),
        (lambda: check_names([System(name="a"), System(name="a")]), "Two systems are called 'a'"),
        (
            lambda: check_names([System(name="first"), System.fused("f", ["first", "frist"])]),
            "Did you mean 'first'",
        ),
        (
            lambda: check_names(
                [
                    System(name="a"),
                    System(name="b"),
                    System.fused("f", ["a", "b"]),
                    System.fused("g", ["a", "f"]),
                ]
            ),
            "is itself a fusion",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(call, words) -> None:
    with pytest.raises(UsageError, match=words):
        call()


def test_a_baseline_is_a_system_or_the_first_of_a_model() -> None:
    made = grid(["brr", "svr"], [["hog"], ["flow"]])
    assert choose_baseline(made, "svr flow") == "svr flow"
    assert choose_baseline(made, "svr") == "svr hog"
    assert choose_baseline(made, None) == "brr hog"
    with pytest.raises(UsageError, match="Did you mean 'svr hog'"):
        choose_baseline(made, "svr hg")
