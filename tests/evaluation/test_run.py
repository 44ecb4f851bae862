from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from stores import draw, make, name, put

from memfeat.errors import SetupError, StoreError, UsageError
from memfeat.evaluation import run as run_module
from memfeat.evaluation.fit import fit
from memfeat.evaluation.preparation import Blocks
from memfeat.evaluation.run import TRUSTED, Run, VersionWarning, check_free, find_runs
from memfeat.store.feature_store import FeatureStore


@pytest.fixture
def copy(run: Run, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run.path, tmp_path / "copy"))


def edit(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_a_loaded_run_is_the_saved_one(run: Run) -> None:
    again = Run.load(run.path)
    assert again.info == run.info
    assert again.results == run.results
    assert again.warnings == ()
    assert sorted(p.name for p in run.path.iterdir()) == sorted(run_module._FILES)


def test_the_model_predicts_after_saving_as_before(store: FeatureStore, tmp_path: Path, monkeypatch) -> None:
    kept: list[object] = []
    original = run_module._dump_model
    monkeypatch.setattr(
        run_module, "_dump_model", lambda model, path: (kept.append(model), original(model, path))
    )
    saved = fit(store, out=tmp_path / "run", resamples=0)
    drawn = draw(30, seed=9)
    X = Blocks([drawn["embedding"], drawn["grid"], drawn["light"][:, None]])
    for before, after in zip(
        kept[0].predict(X, return_std=True),
        Run.load(saved.path).model.predict(X, return_std=True),
        strict=True,
    ):
        np.testing.assert_array_equal(before, after)


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
    assert all(entry.startswith("memfeat.") for entry in TRUSTED)


def test_a_model_that_could_not_be_loaded_again_is_not_saved(run: Run, tmp_path: Path) -> None:
    class Foreign:
        pass

    model = run.model
    model.named_steps["model"].strange_ = Foreign()
    try:
        with pytest.raises(TypeError, match="Foreign"):
            run_module._dump_model(model, tmp_path / "model.skops")
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


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("run.json", "{", "cannot be read"),
        ("run.json", "[]", "no JSON object"),
        ("run.json", "{}", "schema None"),
        ("run.json", '{"schema": 1}', "lacks columns, dataset"),
        ("metrics.json", "{}", "holds no results"),
        ("metrics.json", '{"results": [{}]}', "described wrongly"),
    ],
)
def test_a_damaged_run_is_said(copy: Path, file: str, text: str, message: str) -> None:
    (copy / file).write_text(text)
    with pytest.raises(StoreError, match=message):
        Run.load(copy)


def test_a_newer_schema_is_refused_and_unknown_fields_are_not(copy: Path) -> None:
    edit(copy / "run.json", later="something")
    assert Run.load(copy).info.dataset == "made"
    edit(copy / "run.json", schema=2)
    with pytest.raises(StoreError, match="schema 2, this memfeat reads up to 1. Update memfeat"):
        Run.load(copy)


def test_another_version_of_scikit_learn_is_a_warning(copy: Path) -> None:
    edit(copy / "run.json", libraries={"scikit-learn": "0.99.1"})
    loaded = Run.load(copy)
    assert "saved with scikit-learn 0.99.1" in loaded.warnings[0]
    with pytest.warns(VersionWarning, match="saved with scikit-learn 0.99.1"):
        _ = loaded.model


def test_no_run_lists_those_there_are(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the checkout has runs of its own once `make demo` was there
    with pytest.raises(UsageError, match="is no run folder.*base"):
        Run.load(run.path.parent / "bass")
    with pytest.raises(UsageError, match="Fit one with"):
        Run.load(tmp_path / "nothing" / "here")
    assert find_runs(run.path.parent) == [run.path]


def test_ids_that_look_like_numbers_or_blanks_survive(tmp_path: Path) -> None:
    ids = ["007", "1e5", "NA", "null", 'a "b", c', "é", "True", " lead"]
    store = FeatureStore.create(tmp_path / "s", dataset="odd names", labels=None)
    from memfeat.store.labels import Labels, write_labels

    write_labels(store.path, Labels(pd.DataFrame({"score": np.arange(8.0)}, index=pd.Index(ids, name="id"))))
    for k, i in enumerate(ids):
        put(store, i, {"light": float(k % 3)})
    saved = fit(store.path, folds=2, out=tmp_path / "run", resamples=0)
    assert sorted(Run.load(saved.path).predictions["id"]) == sorted(ids)
    assert sorted(Run.load(saved.path).splits["id"]) == sorted(ids)


def test_numbers_are_read_back_bit_for_bit(run: Run) -> None:
    np.testing.assert_array_equal(Run.load(run.path).predictions["target"], draw(60)["score"])


def test_a_damaged_table_is_said(copy: Path) -> None:
    (copy / "predictions.csv").write_text("id,split\na,b\n")
    with pytest.raises(StoreError, match="predictions.csv cannot be read"):
        _ = Run.load(copy).predictions


def test_a_run_is_never_half_written(
    store: FeatureStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_module, "_dump_model", full)
    with pytest.raises(SetupError, match="No space left"):
        fit(store, columns=["light"], out=tmp_path / "run", resamples=0)
    assert not list(tmp_path.iterdir())


def test_the_old_run_stays_when_its_replacement_fails(copy: Path, store: FeatureStore, monkeypatch) -> None:
    before = (copy / "run.json").read_bytes()
    original = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if self.suffix == ".part":
            raise OSError(5, "Input/output error")
        return original(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(SetupError, match="Input/output error"):
        fit(store, columns=["light"], out=copy, resamples=0, replace=True)
    assert (copy / "run.json").read_bytes() == before
    assert [p.name for p in copy.parent.iterdir()] == ["copy"]


def test_a_run_is_replaced_when_asked(copy: Path, store: FeatureStore) -> None:
    with pytest.raises(UsageError, match="exists"):
        fit(store, columns=["light"], out=copy, resamples=0)
    replaced = fit(store, columns=["light"], out=copy, resamples=0, replace=True)
    assert [block.name for block in Run.load(copy).info.columns] == ["light:mean"]
    assert replaced.path == copy
    assert [p.name for p in copy.parent.iterdir()] == ["copy"]


@pytest.mark.parametrize("kind", ["file", "folder", "run with more"])
def test_what_is_no_run_is_left_alone(copy: Path, kind: str) -> None:
    place = copy.parent / "mine"
    if kind == "file":
        place.write_text("precious")
    elif kind == "folder":
        place.mkdir()
    else:
        place = copy
        (place / "thesis.tex").write_text("precious")
    with pytest.raises(UsageError, match="is left alone"):
        check_free(place, replace=True)


def test_a_place_that_cannot_be_written_is_a_setup_error(store: FeatureStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(SetupError, match="Check space and permissions"):
        fit(store, columns=["light"], out=tmp_path / "file" / "run", resamples=0)


def test_the_caution_is_saved(tmp_path: Path) -> None:
    made = make(tmp_path / "s", 12, features=["light"], note="scores are made up")
    saved = fit(made, folds=3, out=tmp_path / "run", resamples=0)
    assert Run.load(saved.path).info.note == "scores are made up"
    assert name(0) in Run.load(saved.path).predictions["id"].tolist()
