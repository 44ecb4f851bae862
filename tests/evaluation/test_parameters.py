from __future__ import annotations

from typing import Any

import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import Ridge
from sklearn.svm import SVR

from memfeat import models
from memfeat.errors import SetupError, UsageError
from memfeat.evaluation import parameters as module
from memfeat.evaluation.parameters import as_text, check, parse
from memfeat.models import ModelSpec


def spec(build: Any, **options: Any) -> ModelSpec:
    return ModelSpec(name="made", summary="None.", build=build, **options)


SVM = spec(lambda seed, **given: SVR(**given))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10", 10),
        ("1e-3", 0.001),
        ("true", True),
        ("rbf", "rbf"),
        ("'10'", "10"),
        ("[4096, -1]", [4096, -1]),
        ("a = 1", "a = 1"),
        ("1\nother = 2", "1\nother = 2"),
        ("by-feature", "by-feature"),
        ("x=y", "x=y"),
        ("False", False),
        ("None", None),
    ],
)
def test_values_are_toml_or_else_text(text: str, value: object) -> None:
    assert parse([f"name={text}"]) == {"name": value}


@pytest.mark.parametrize("setting", ["C", "=1", "C=", " = "])
def test_a_setting_needs_a_name_and_a_value(setting: str) -> None:
    with pytest.raises(UsageError, match="set as name=value"):
        parse([setting])


def test_a_parameter_is_set_once() -> None:
    with pytest.raises(UsageError, match="'C' is set twice"):
        parse(["C=1", "C=2"])


def test_parameters_are_checked_against_the_constructor() -> None:
    assert check(SVM, {"C": 10, "kernel": "linear"}) == {"C": 10, "kernel": "linear"}
    assert check(SVM, None) == {}
    with pytest.raises(UsageError, match=r"'made' has no parameter 'kernal'; it has .*Did you mean 'kernel'"):
        check(SVM, {"kernal": "rbf"})


def test_the_parameters_of_a_wrapper_are_those_of_what_it_wraps() -> None:
    wrapped = spec(lambda seed, **given: TransformedTargetRegressor(Ridge(random_state=seed, **given)))
    assert check(wrapped, {"alpha": 2}) == {"alpha": 2}
    with pytest.raises(UsageError, match="no parameter 'check_inverse'; it has alpha"):
        check(wrapped, {"check_inverse": False})


def test_the_seed_is_no_parameter() -> None:
    with pytest.raises(UsageError, match="give seed="):
        check(spec(lambda seed, **given: Ridge(random_state=seed, **given)), {"random_state": 3})


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}])
def test_a_run_must_be_able_to_keep_them(value: object) -> None:
    with pytest.raises(UsageError, match="so that a run can keep them"):
        check(SVM, {"C": value})


def test_tuples_become_lists_as_in_a_saved_run() -> None:
    assert check(spec(lambda seed, **given: Ridge(**given)), {"alpha": (1, 2)}) == {"alpha": [1, 2]}


def test_what_the_constructor_refuses_is_a_usage_error() -> None:
    def build(seed: int, *, size: int = 3) -> Any:
        if size < 1:
            raise ValueError("size must be positive")
        return type("Odd", (Ridge,), {"get_params": lambda self, deep=True: {"size": size}})()

    with pytest.raises(UsageError, match="cannot be built with size=0: size must be positive"):
        check(spec(build), {"size": 0})


def test_a_model_that_needs_torch_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(
        SetupError, match=r"'made' needs torch. Install it with: pip install 'memfeat\[deep\]'"
    ):
        check(spec(lambda seed: None, needs_deep=True), None)
    check(SVM, None)


@pytest.mark.parametrize("name", models.names())
def test_every_model_can_be_built_with_parameters_it_has_as_they_are(name: str) -> None:
    model = models.get(name)
    if model.needs_deep:
        pytest.importorskip("torch")
    built = model.build(0)
    inner = getattr(built, "regressor", None) or built
    simple = (int, float, str, bool)
    given = {
        k: v for k, v in inner.get_params(deep=False).items() if isinstance(v, simple) and k != "random_state"
    }
    assert check(model, given) == given


def test_parameters_in_words() -> None:
    assert (
        as_text({"hidden": [4, 2], "loss": "mse", "p": 0.5, "none": None})
        == "hidden=[4, 2], loss=mse, p=0.5, none=None"
    )
