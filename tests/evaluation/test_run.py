from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from stores import draw, make, name, put

from memfeat.errors import SetupError, StoreError, UsageError
from memfeat.evaluation import run as run_module
from memfeat.evaluation.fit import fit
from memfeat.evaluation.preparation import Blocks
from memfeat.evaluation.run import Run, VersionWarning, check_free, find_runs
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
    assert sorted(p.name for p in run.path.iterdir()) == sorted({*run_module._FILES} - {"model.safetensors"})


def test_the_model_predicts_after_saving_as_before(store: FeatureStore, tmp_path: Path, monkeypatch) -> None:
    kept: list[object] = []
    original = run_module.model_file.dump
    monkeypatch.setattr(
        run_module.model_file, "dump", lambda model, folder: (kept.append(model), original(model, folder))
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


def test_another_version_of_torch_is_a_warning_where_the_run_needs_it(copy: Path) -> None:
    versions = json.loads((copy / "run.json").read_text())["libraries"]
    edit(copy / "run.json", libraries={**versions, "torch": "1.0.0"})
    (warning,) = Run.load(copy).warnings
    assert "saved with torch 1.0.0 and is read with" in warning and "scikit-learn" not in warning


def test_a_run_with_a_network_is_saved_with_its_version_and_says_when_torch_is_missing(
    store: FeatureStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    from importlib.metadata import version

    from memfeat.evaluation import parameters

    few = {"epochs": 2}
    saved = fit(store, model="raw-mlp", columns=["light"], parameters=few, out=tmp_path / "run", resamples=0)
    again = Run.load(saved.path)
    assert again.info.libraries["torch"] == version("torch")
    assert (saved.path / "model.safetensors").is_file() and again.model is not None
    monkeypatch.setattr(parameters, "find_spec", lambda name: None)
    with pytest.raises(SetupError, match=r"'raw-mlp' needs torch. .*memfeat\[deep\]"):
        _ = Run.load(saved.path).model


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

    monkeypatch.setattr(run_module.model_file, "dump", full)
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


def test_that_is_found_out_before_anything_is_fitted(store: FeatureStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    begun: list[int] = []
    with pytest.raises(SetupError, match="The run .* cannot be written"):
        fit(store, columns=["light"], out=tmp_path / "file" / "run", progress=lambda *_: begun.append(1))
    assert begun == [] and [item.name for item in tmp_path.iterdir()] == ["file"]


def test_the_caution_is_saved(tmp_path: Path) -> None:
    made = make(tmp_path / "s", 12, features=["light"], note="scores are made up")
    saved = fit(made, folds=3, out=tmp_path / "run", resamples=0)
    assert Run.load(saved.path).info.note == "scores are made up"
    assert json.loads((saved.path / "metrics.json").read_text())["note"] == "scores are made up"
    assert name(0) in Run.load(saved.path).predictions["id"].tolist()
