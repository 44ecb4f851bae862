from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from clips import truncated, write_audio_only, write_clip, write_empty, write_image, write_text
from PIL import Image

from memfeat import extractors
from memfeat.errors import SetupError, UsageError
from memfeat.evaluation.evaluate import evaluate
from memfeat.evaluation.fit import fit
from memfeat.evaluation.gather import gather
from memfeat.evaluation.predict import predict
from memfeat.evaluation.run import Run
from memfeat.extractor import Extractor
from memfeat.measure import measure_video
from memfeat.store.commit import commit
from memfeat.store.feature_store import FeatureStore
from memfeat.store.labels import Labels
from memfeat.store.source import Source
from memfeat.store.texts import Texts, write_texts
from memfeat.weights.choice import note_of

FEATURES = ["brightness", "contrast", "hog"]
CAPTIONS = {f"clip {k:02}.mp4": (f"a {'dog' if k % 2 else 'cat'} number {k}",) for k in range(12)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve short clips and two images."""
    folder = tmp_path_factory.mktemp("media")
    for k in range(12):
        write_clip(folder / f"clip {k:02}.mp4", frames=3, size=(64 + 4 * k, 64), seed=k)
    (folder / "below").mkdir()
    write_image(folder / "below" / "one.png", seed=20)
    write_image(folder / "below" / "two.jpg", seed=21)
    return folder


def store_of(folder: Path, place: Path, features: list[str], dataset: str = "clips") -> FeatureStore:
    files = sorted(folder.glob("*.mp4"))
    scores = pd.DataFrame(
        {"score": np.linspace(0.5, 0.9, len(files))}, index=pd.Index([f.name for f in files], name="id")
    )
    FeatureStore.create(place, dataset=dataset, labels=Labels(scores, note="scores are made up"))
    for file in files:
        measured = measure_video(file, [extractors.get(name) for name in features])
        commit(place, file.name, source=Source.of(file), video=measured.video(), features=measured.features)
    return FeatureStore(place)


@pytest.fixture(scope="module")
def clip_store(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    return store_of(folder, tmp_path_factory.mktemp("stores") / "clips", FEATURES)


@pytest.fixture(scope="module")
def clip_run(clip_store: FeatureStore, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return fit(clip_store, folds=3, out=tmp_path_factory.mktemp("runs") / "clips", resamples=0)


def test_a_file_is_scored_as_its_stored_features_are(
    clip_run: Run, clip_store: FeatureStore, folder: Path
) -> None:
    files = sorted(folder.glob("*.mp4"))
    found = predict(clip_run.path, files)
    matrix = clip_store.matrix([block.name for block in clip_run.info.columns])
    mean, sd = clip_run.model.predict(matrix.to_numpy(), return_std=True)
    assert found.table["file"].tolist() == [str(file) for file in files]
    np.testing.assert_array_equal(found.table["predicted"], mean)
    np.testing.assert_array_equal(found.table["predicted_sd"], sd)
    assert (found.failures, found.target, found.note) == ((), "score", "scores are made up")


def test_folders_are_searched_and_files_named_twice_predicted_once(clip_run: Run, folder: Path) -> None:
    found = predict(clip_run, [folder / "clip 03.mp4", folder])
    names = [Path(file).name for file in found.table["file"]]
    assert names[0] == "clip 03.mp4"
    assert names[1:3] == ["one.png", "two.jpg"]
    assert len(names) == len(set(names)) == 14


def test_more_workers_give_the_same_numbers(clip_run: Run, folder: Path, tmp_path: Path) -> None:
    files = [*sorted(folder.glob("*.mp4"))[:4], write_empty(tmp_path / "empty.mp4")]
    one, two = (predict(clip_run, files, workers=workers) for workers in (1, 2))
    pd.testing.assert_frame_equal(one.table, two.table, check_exact=False, rtol=1e-12)
    assert one.failures == two.failures


def test_scores_by_features_of_random_weights_are_marked(clip_run: Run, folder: Path, tmp_path: Path) -> None:
    table = predict(clip_run, folder).table
    assert list(table) == ["file", "predicted", "predicted_sd"]
    said = note_of("net-random7")  # a network that could be measured here would need torch
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("memfeat.evaluation.predict.caution", lambda of_store, blocks: said)
        marked = predict(clip_run, folder, out=tmp_path / "p.csv")
    assert set(marked.table["note"]) == set(pd.read_csv(tmp_path / "p.csv")["note"]) == {said}
    assert marked.table.drop(columns="note").equals(table)


def test_bad_files_are_failures_and_the_rest_goes_on(clip_run: Run, folder: Path, tmp_path: Path) -> None:
    good = folder / "clip 00.mp4"
    nothing = tmp_path / "folder without videos"
    nothing.mkdir()
    bad = {
        tmp_path / "missing.mp4": "MissingFile",
        write_empty(tmp_path / "empty.mp4"): "EmptyFile",
        write_text(tmp_path / "text.mp4"): "Unreadable",
        write_audio_only(tmp_path / "tone.mp4"): "NoVideoStream",
        truncated(good, fraction=0.3, to=tmp_path / "cut.mp4"): "Unreadable",
        nothing: "NoVideos",
    }
    calls: list[tuple[int, int]] = []
    found = predict(clip_run, [*bad, good], out=tmp_path / "p.csv", progress=lambda *c: calls.append(c))
    assert {Path(f.file): f.type for f in found.failures} == bad
    assert all(len(f.message) > 10 for f in found.failures)
    assert found.table["file"].tolist() == [str(good)]
    assert pd.read_csv(found.out).columns.tolist() == ["file", "predicted", "predicted_sd"]
    assert calls[0] == (0, 6)
    assert calls[-1] == (6, 6)


def test_nothing_to_predict_is_an_empty_table(clip_run: Run, tmp_path: Path) -> None:
    found = predict(clip_run, [tmp_path / "missing.mp4"], out=tmp_path / "p.csv")
    assert len(found.table) == 0
    assert (tmp_path / "p.csv").read_text() == "file,predicted,predicted_sd\n"


def test_a_feature_that_does_not_apply_is_a_failure(folder: Path, tmp_path: Path) -> None:
    flow = next(name for name in extractors.names() if extractors.get(name).min_frames > 1)
    moving = fit(
        store_of(folder, tmp_path / "s", ["brightness", flow]), folds=3, out=tmp_path / "run", resamples=0
    )
    found = predict(moving, [folder / "below" / "one.png", folder / "clip 01.mp4"])
    assert [(f.type, Path(f.file).name) for f in found.failures] == [("NotApplicable", "one.png")]
    assert "needs 2 frames, the file has 1" in found.failures[0].message
    assert len(found.table) == 1


def test_an_unforeseen_error_is_reported_for_its_file(clip_run: Run, folder: Path, monkeypatch) -> None:
    import memfeat.evaluation.predict as module

    original = module.measure_video

    def fail(path: Path, chosen: list[Extractor]) -> object:
        if path.name == "clip 01.mp4":
            raise RuntimeError("kaput")
        return original(path, chosen)

    monkeypatch.setattr(module, "measure_video", fail)
    found = predict(clip_run, [folder / "clip 01.mp4", folder / "clip 02.mp4"])
    assert [(f.type, f.message) for f in found.failures] == [("Unexpected", "RuntimeError: kaput")]
    assert len(found.table) == 1


def test_a_feature_that_is_now_measured_differently_is_refused(
    clip_run: Run, folder: Path, monkeypatch
) -> None:
    monkeypatch.setattr(type(extractors.get("contrast")), "version", 99)
    with pytest.raises(UsageError, match=r"contrast \(version: the model has \d+, here 99\)"):
        predict(clip_run, [folder])


def test_a_feature_that_memfeat_does_not_measure_is_named(run: Run, folder: Path) -> None:
    with pytest.raises(UsageError, match="uses embedding, grid, light, which this memfeat does not measure"):
        predict(run, [folder])


def test_wrong_calls_are_refused(clip_run: Run) -> None:
    with pytest.raises(UsageError, match="No files were given"):
        predict(clip_run, [])
    with pytest.raises(UsageError, match="workers=0"):
        predict(clip_run, ["x.mp4"], workers=0)


def test_a_table_that_cannot_be_written_is_refused_before_anything_is_measured(
    clip_run: Run, folder: Path, tmp_path: Path
) -> None:
    calls: list[int] = []
    with pytest.raises(SetupError, match="there is no folder"):
        predict(
            clip_run, [folder], out=tmp_path / "no" / "p.csv", progress=lambda done, total: calls.append(done)
        )
    assert not calls


def test_scores_beyond_those_fitted_are_noted(clip_run: Run, folder: Path, tmp_path: Path) -> None:
    # Noise has far more contrast than the smooth clips that the model was fitted on.
    noise = np.random.default_rng(0).integers(0, 2, (64, 64, 3), dtype=np.uint8) * 255
    Image.fromarray(noise).save(tmp_path / "noise.png")
    found = predict(clip_run, [tmp_path / "noise.png"])
    low, high = clip_run.info.target_range
    assert (low, high) == (0.5, 0.9)
    outside = not low <= found.table["predicted"][0] <= high
    assert outside == bool(found.notes)
    assert outside
    assert "1 of 1 predictions lie outside" in found.notes[0]


@pytest.fixture(scope="module")
def told(clip_store: FeatureStore, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run on captions and brightness."""
    write_texts(clip_store.path, Texts({"captions": CAPTIONS}))
    columns = ["captions@tfidf-svd3", "brightness", "hog@pca-m3s"]
    return fit(
        clip_store.path, columns=columns, folds=3, out=tmp_path_factory.mktemp("runs") / "t", resamples=0
    )


def test_texts_are_given_by_file(told: Run, clip_store: FeatureStore, folder: Path) -> None:
    files = sorted(folder.glob("*.mp4"))
    given = {"captions": {**CAPTIONS, str(files[1]): ("a zebra",)}, "other": {}}
    del given["captions"][files[2].name]
    found = predict(told, files, texts=given)
    assert [(f.type, Path(f.file).name, f.message) for f in found.failures] == [
        ("NoText", "clip 02.mp4", "no captions were given for it")
    ]
    expected = told.model.predict(
        gather(clip_store, target="score", columns=[b.name for b in told.info.columns]).X
    )
    scores = dict(
        zip((Path(file).name for file in found.table["file"]), found.table["predicted"], strict=True)
    )
    same = [k for k in range(12) if k not in (1, 2)]
    np.testing.assert_allclose([scores[files[k].name] for k in same], expected[same], rtol=1e-12)
    assert abs(scores["clip 01.mp4"] - expected[1]) > 1e-9  # its caption is another here


def test_a_run_on_texts_asks_for_them(told: Run, folder: Path) -> None:
    with pytest.raises(UsageError, match=r'reads captions, which are texts.*texts=\{"captions"'):
        predict(told, [folder])


def test_texts_alone_need_no_file(clip_store: FeatureStore, told: Run, tmp_path: Path) -> None:
    alone = fit(clip_store.path, columns=["captions@tfidf-svd3"], folds=3, out=tmp_path / "run", resamples=0)
    found = predict(alone, ["nowhere.mp4"], texts={"captions": {"nowhere.mp4": ["a dog"]}})
    assert found.failures == () and len(found.table) == 1


def test_damage_is_told(clip_run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import memfeat.evaluation.predict as module

    monkeypatch.setattr(module, "damage_of", lambda video: "66 frames decoded, 2 corrupt")
    assert list(predict(clip_run, [folder / "clip 01.mp4"]).damaged.values()) == [
        "66 frames decoded, 2 corrupt"
    ]


def test_the_run_survives_a_move_and_its_store_is_not_needed(
    clip_run: Run, folder: Path, tmp_path: Path
) -> None:
    moved = Path(shutil.copytree(clip_run.path, tmp_path / "moved"))
    assert len(predict(moved, [folder / "clip 01.mp4"]).table) == 1
    assert evaluate(moved, resamples=0).rows == 12
