from __future__ import annotations

import importlib
import io
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor
from systems import FIT, PREPARATIONS, RIDGE, made, quick, spec_of

from memfeat import models
from memfeat.errors import StoreError, UsageError
from memfeat.evaluation import model_file
from memfeat.evaluation.model_file import TRUSTED, dump, load
from memfeat.evaluation.parameters import check
from memfeat.evaluation.run import Run
from memfeat.evaluation.system import fit_part


class Net(RegressorMixin, BaseEstimator):
    """Stands for an estimator with a network: a linear map kept as float32 arrays."""

    def fit(self, X, y):
        weights = np.linalg.lstsq(X, y, rcond=None)[0]
        self.state_ = {"layer.weight": weights.astype(np.float32), "layer.bias": np.zeros(1, np.float32)}
        return self

    def predict(self, X):
        return X @ self.state_["layer.weight"] + self.state_["layer.bias"]


class Committee(RegressorMixin, BaseEstimator):
    """Several of them in a list."""

    def fit(self, X, y):
        self.members_ = [Net().fit(X[k::2], y[k::2]) for k in range(2)]
        return self

    def predict(self, X):
        return np.mean([member.predict(X) for member in self.members_], axis=0)


@pytest.fixture
def copy(run: Run, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run.path, tmp_path / "copy"))


@pytest.fixture(name="X")
def made_rows() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(20, 3))


@pytest.fixture
def nets(monkeypatch: pytest.MonkeyPatch) -> None:
    own = tuple(f"{kind.__module__}.{kind.__name__}" for kind in (Net, Committee))
    monkeypatch.setattr(model_file, "TRUSTED", (*TRUSTED, *own))


def fitted(X: np.ndarray, model: BaseEstimator) -> Pipeline:
    return Pipeline([("scale", StandardScaler()), ("model", model)]).fit(
        X, X @ [1.0, 2.0, 3.0] + X[:, 0] ** 2
    )


@pytest.mark.usefixtures("nets")
@pytest.mark.parametrize("kind", [Net, Committee])
def test_networks_are_saved_beside_and_come_back(X: np.ndarray, tmp_path: Path, kind: type) -> None:
    model = fitted(X, kind())
    before = model.predict(X)
    dump(model, tmp_path)
    np.testing.assert_array_equal(model.predict(X), before)  # saving leaves the model as it was
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.safetensors", "model.skops"]
    np.testing.assert_array_equal(load(tmp_path).predict(X), before)
    numbers = [n for n in zipfile.ZipFile(tmp_path / "model.skops").namelist() if n.endswith(".npy")]
    assert len(numbers) <= 4  # the scaler's


@pytest.mark.usefixtures("nets")
@pytest.mark.parametrize("damage", ["missing", "cut", "flipped", "of another run"])
def test_weights_that_do_not_belong_are_refused(X: np.ndarray, tmp_path: Path, damage: str) -> None:
    dump(fitted(X, Net()), tmp_path)
    file = tmp_path / "model.safetensors"
    data = file.read_bytes()
    if damage == "missing":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(data[:-3])
    elif damage == "flipped":
        file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    else:
        other = tmp_path / "other"
        other.mkdir()
        dump(fitted(2 * X[::-1], Net()), other)
        file.write_bytes((other / "model.safetensors").read_bytes())
    with pytest.raises(StoreError, match="is missing|cannot be loaded|does not belong"):
        load(tmp_path)


@pytest.mark.usefixtures("nets")
def test_what_is_no_array_is_not_saved(X: np.ndarray, tmp_path: Path) -> None:
    model = fitted(X, Net())
    model.named_steps["model"].state_["layer.bias"] = object()
    with pytest.raises(TypeError, match="'layer.bias' of type object"):
        dump(model, tmp_path)


def same_after_loading(names: list[str], spec: models.ModelSpec, folder: Path, **given: Any) -> None:
    rows = made(names)
    model = fit_part(rows, FIT, spec, parameters=check(spec, {**quick(spec), **given})).pipeline
    dump(model, folder)
    np.testing.assert_array_equal(load(folder).predict(rows.X), model.predict(rows.X))


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", PREPARATIONS)
def test_every_preparation_is_the_same_after_loading(name: str, tmp_path: Path) -> None:
    same_after_loading([name], RIDGE, tmp_path)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", models.names())
def test_every_model_is_the_same_after_loading(name: str, tmp_path: Path) -> None:
    spec = spec_of(name)
    same_after_loading(["pca", "tfidf-svd6"] if spec.takes_sparse else ["pca"], spec, tmp_path)


SETTINGS: dict[str, list[dict[str, Any]]] = {
    "brr": [{"alpha_1": 1.0, "fit_intercept": False}],
    "constant": [{"strategy": "median"}, {"strategy": "quantile", "quantile": 0.3}],
    "ic-mlp": [{"hidden": 8, "activation": "relu"}],
    "kclass": [
        {"edge": "upper-edge", "optimizer": "rmsprop", "activation": "mish", "dropout": 0.2},
        {"branches": [4, -1], "optimizer": "sgd", "scale_maximum": 1.0},
        {"branches": "by-feature", "hidden": [], "n_classes": 8},
    ],
    "knn": [
        {"weights": "distance"},
        {"metric": "cosine"},
        {"metric": "minkowski", "metric_params": {"p": 3}},
    ],
    "knn-search": [{"space": {"metric": ["cosine", "manhattan"]}}],
    "m3s": [
        {"loss": "mse-to-spearman", "epoch": "best-validation"},
        {"loss": "mse-tails-code", "tail_centre": 0.7, "scale_target": True},
        {"loss": "mse-tails", "start_at_mean": True},
        {"loss": "l1", "activation": "tanh", "hidden": [8]},
    ],
    "mlp": [
        {"solver": "sgd", "learning_rate": "adaptive"},
        {"solver": "sgd", "momentum": 0.5, "nesterovs_momentum": False},
        {"solver": "lbfgs", "activation": "tanh"},
        {"early_stopping": True, "hidden_layer_sizes": [8, 4]},
    ],
    "mlp-search": [{"space": {"regressor__solver": ["sgd", "lbfgs"]}}],
    "raw-mlp": [{"epoch": "best-validation"}, {"scale_target": True, "loss": "l1"}],
    "ridge": [{"alpha": 3.0}, {"alphas": [1.0, 10.0], "fit_intercept": False}],
    "svr": [{"C": 10, "epsilon": 0.01, "gamma": 0.1}, {"gamma": "auto", "most_memory": 1e-5}],
    "svr-search": [{"space": {"gamma": [0.1, "scale"]}}],
    "tree": [
        {"criterion": "absolute_error", "max_leaf_nodes": 5},
        {"criterion": "poisson", "splitter": "random", "max_features": "sqrt"},
        {"ccp_alpha": 0.001, "min_samples_leaf": 4, "monotonic_cst": [1, *[0] * 9]},
    ],
    "tree-search": [{"space": {"max_depth": [2, None]}}],
}


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("name", "given"), [(name, given) for name in SETTINGS for given in SETTINGS[name]])
def test_every_setting_is_the_same_after_loading(name: str, given: dict[str, Any], tmp_path: Path) -> None:
    same_after_loading(["pca"], spec_of(name), tmp_path, **given)


@pytest.mark.parametrize(
    ("field", "value"), [("left_child", 0), ("right_child", 10**6), ("feature", 3), ("feature", -9)]
)
def test_a_tree_that_points_anywhere_is_refused(
    X: np.ndarray, tmp_path: Path, field: str, value: int
) -> None:
    model = fitted(X, DecisionTreeRegressor(max_depth=3, random_state=0))
    dump(model, tmp_path)
    before = model.predict(X)
    np.testing.assert_array_equal(load(tmp_path).predict(X), before)
    file = tmp_path / "model.skops"
    contents = {n: zipfile.ZipFile(file).read(n) for n in zipfile.ZipFile(file).namelist()}
    arrays = {n: np.load(io.BytesIO(data)) for n, data in contents.items() if n.endswith(".npy")}
    ((place, nodes),) = [(n, array) for n, array in arrays.items() if array.dtype.names]
    nodes[field][0] = value
    buffer = io.BytesIO()
    np.save(buffer, nodes)
    with zipfile.ZipFile(file, "w") as archive:
        for entry, data in {**contents, place: buffer.getvalue()}.items():
            archive.writestr(entry, data)
    with pytest.raises(StoreError, match="do not hang together"):
        load(tmp_path)


def test_everything_trusted_exists() -> None:
    for entry in TRUSTED:
        module, _, name = entry.rpartition(".")
        assert isinstance(getattr(importlib.import_module(module), name), type)


def test_a_run_holds_no_pickle(run: Run) -> None:
    names = zipfile.ZipFile(run.path / "model.skops").namelist()
    assert {Path(n).suffix for n in names} == {".json", ".npy"}
    schema = zipfile.ZipFile(run.path / "model.skops").read("schema.json").decode()
    assert "pickle" not in schema.lower().replace('"allow_pickle": false', "")


def test_a_model_of_other_types_is_refused_with_their_names(copy: Path) -> None:
    """A schema that names a function of the standard library, as an attacker would write it."""
    evil = copy / "model.skops"
    contents = {n: zipfile.ZipFile(evil).read(n) for n in zipfile.ZipFile(evil).namelist()}
    schema = json.loads(contents["schema.json"])
    call = {
        "__class__": "system",
        "__module__": "os",
        "__loader__": "FunctionNode",
        "content": {"module_path": "os", "function": "system"},
        "__id__": 987654321,
    }
    schema["content"]["content"]["memory"] = call
    with zipfile.ZipFile(evil, "w") as archive:
        for entry, data in {**contents, "schema.json": json.dumps(schema).encode()}.items():
            archive.writestr(entry, data)
    with pytest.raises(StoreError, match=r"types that memfeat does not trust: (os|posix)\.system"):
        _ = Run.load(copy).model


def test_trust_is_a_constant_of_types_of_memfeat() -> None:
    assert isinstance(TRUSTED, tuple)
    assert all(entry.startswith(("memfeat.", "sklearn.")) for entry in TRUSTED)
    assert len(set(TRUSTED)) == len(TRUSTED)


def test_a_model_that_could_not_be_loaded_again_is_not_saved(run: Run, tmp_path: Path) -> None:
    class Foreign:
        pass

    model = run.model
    model.named_steps["model"].strange_ = Foreign()
    try:
        with pytest.raises(UsageError, match="would not load again: .*Foreign"):
            dump(model, tmp_path)
    finally:
        del model.named_steps["model"].strange_


def test_something_else_than_a_pipeline_is_refused(copy: Path) -> None:
    import skops.io
    from sklearn.linear_model import BayesianRidge

    skops.io.dump(BayesianRidge(), copy / "model.skops")
    with pytest.raises(StoreError, match="holds a BayesianRidge; a fitted pipeline was expected"):
        _ = Run.load(copy).model


@pytest.mark.parametrize("damage", ["truncate", "text", "missing"])
def test_a_damaged_model_is_said(copy: Path, damage: str) -> None:
    file = copy / "model.skops"
    data = file.read_bytes()
    file.unlink()
    if damage != "missing":
        file.write_bytes(data[: len(data) // 2] if damage == "truncate" else b"no archive")
    with pytest.raises(StoreError, match="is missing|cannot be loaded"):
        _ = Run.load(copy).model
