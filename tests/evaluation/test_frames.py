"""Models of images on videos: fitted on frames, judged, saved, compared and used on the mean over frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from clips import write_clip
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import BayesianRidge
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler
from stores import make
from systems import quick, spec_of

from memfeat import extractors, models
from memfeat.errors import UsageError
from memfeat.estimators.search import OptunaSearch
from memfeat.evaluation.compare import compare
from memfeat.evaluation.comparison.systems import System, grid
from memfeat.evaluation.evaluate import evaluate
from memfeat.evaluation.fit import fit
from memfeat.evaluation.frames import FramesSideBySide, check_counts, columns_of, counts, padded, trimmed
from memfeat.evaluation.gather import gather
from memfeat.evaluation.model_file import dump, load
from memfeat.evaluation.predict import predict
from memfeat.evaluation.preparation import Blocks
from memfeat.evaluation.run import Run
from memfeat.evaluation.system import fit_part
from memfeat.measure import measure_video
from memfeat.metrics import spearman
from memfeat.store.commit import commit
from memfeat.store.feature_store import FeatureStore
from memfeat.store.labels import Labels
from memfeat.store.record import FeatureRecord
from memfeat.store.source import Source
from memfeat.store.texts import Texts, write_texts

MEAN = "mean-of-frames"
N, WIDTH, FPS = 40, 3, 4


def length(k: int) -> int:
    """Frames of a video: between one and five seconds at `FPS`."""
    return FPS + (7 * k) % (4 * FPS + 1)


def drawn(seed: int) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    generator = np.random.default_rng(seed)
    of = generator.normal(size=(N, WIDTH))
    clip = [(of[k] + 0.5 * generator.normal(size=(length(k), WIDTH))).astype(np.float32) for k in range(N)]
    light = [100 + 20 * of[k, 0] + 5 * generator.normal(size=length(k)) for k in range(N)]
    return clip, light, 0.7 + 0.05 * of[:, 1] + 0.03 * of[:, 0] + 0.02 * generator.normal(size=N)


def make_store(path: Path, *, seed: int = 0, dataset: str = "frames", uneven: bool = False) -> FeatureStore:
    clip, light, score = drawn(seed)
    names = [f"v{k:02}" for k in range(N)]
    FeatureStore.create(
        path, dataset=dataset, labels=Labels(pd.DataFrame({"score": score}, index=pd.Index(names, name="id")))
    )
    for k, id in enumerate(names):
        times = 0.5 + np.arange(length(k)) / FPS
        three = {"values": clip[k][:3], "times": times[:3]}
        records = [
            FeatureRecord("clip", "c1", {"values": clip[k], "times": times}, {"recipe": {"version": 1}}),
            FeatureRecord("light", "l1", {"values": light[k], "times": times}, {"preparation": "zscore"}),
            FeatureRecord("clip-fml", "f1", three),
            FeatureRecord("untimed", "u1", {"values": clip[k]}),
            FeatureRecord("grid", "g1", {"mean": clip[k][0], "first": clip[k][0]}),
        ]
        source = Source(1, 0, f"{k:064}")
        commit(path, id, source=source, video={"counts": {"damaged": False}}, features=records)
    write_texts(path, Texts({"captions": {id: ["a dog"] for id in names}}))
    return FeatureStore(path)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    return make_store(tmp_path_factory.mktemp("stores") / "frames")


@pytest.fixture(scope="module")
def frames_run(frames: FeatureStore, tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("runs") / "frames"
    return fit(frames, columns=["clip@zscore", "light"], aggregate=MEAN, out=out, resamples=100)


def per_second(values: np.ndarray) -> np.ndarray:
    return values[::FPS]


def by_hand(
    train: np.ndarray, test: np.ndarray, *, seed: int = 0, test_seed: int | None = None
) -> np.ndarray:
    """BayesianRidge on frames of z-scored features, averaged: a loop over videos, and no padding."""

    def rows(seed: int, k: int) -> np.ndarray:
        clip, light, _ = drawn(seed)
        return np.hstack([per_second(clip[k]).astype(float), per_second(light[k])[:, None]])

    X = [rows(seed, k) for k in train]
    y = drawn(seed)[2][train]
    scaler = StandardScaler().fit(np.vstack(X))
    model = BayesianRidge().fit(scaler.transform(np.vstack(X)), np.repeat(y, [len(x) for x in X]))
    other = seed if test_seed is None else test_seed
    return np.array([model.predict(scaler.transform(rows(other, k))).mean() for k in test])


def test_held_out_predictions_are_those_of_a_plain_loop(frames_run: Run) -> None:
    y = drawn(0)[2]
    expected = np.empty(N)
    folds = []
    for train, test in KFold(5, shuffle=True, random_state=0).split(y):
        expected[test] = by_hand(train, test)
        folds.append(spearman(y[test], expected[test]))
    found = frames_run.predictions
    np.testing.assert_allclose(found["predicted"], expected, rtol=1e-7)
    assert found["predicted_sd"].isna().all()
    assert frames_run.results[0].figures["spearman"].value == pytest.approx(np.mean(folds), abs=1e-9)
    assert folds and np.mean(folds) > 0.5


def test_the_run_says_what_it_is(frames_run: Run) -> None:
    assert [(block.name, block.width) for block in frames_run.info.columns] == [
        ("clip:per-second@zscore", WIDTH),
        ("light:per-second", 1),
    ]
    total = sum(len(per_second(each)) for each in drawn(0)[0])
    assert any(
        f"scored one by one and averaged over each video; the saved model saw {total} frames" in note
        for note in frames_run.info.notes
    )


def test_a_saved_run_judges_another_store_with_other_lengths(frames_run: Run, tmp_path: Path) -> None:
    other = make_store(tmp_path / "other", seed=5, dataset="other")
    some = other.filter(ids=[id for k, id in enumerate(other.ids) if length(k) < 3 * FPS])
    found = evaluate(Run.load(frames_run.path), store=some, resamples=0)
    chosen = np.array([int(id[1:]) for id in some.ids])
    np.testing.assert_allclose(
        found.predictions["predicted"], by_hand(np.arange(N), chosen, test_seed=5), rtol=1e-7
    )


def test_every_frame_counts_with_frames(frames: FeatureStore) -> None:
    run_rows = gather(frames, target="score", columns=["clip:frames"])
    fitted = fit_part(run_rows, np.arange(N), models.get("ridge"), parameters={"alpha": 1.0}).pipeline
    assert fitted.named_steps["model"].n_frames_ == sum(map(length, range(N)))
    assert run_rows.X.shape == (N, max(map(length, range(N))) * WIDTH)
    few = gather(frames.filter(ids=["v00", "v01"]), target="score", columns=["clip:frames"])
    assert few.X.shape == (2, max(length(0), length(1)) * WIDTH)  # no longer than needed


def test_components_are_those_of_frames(frames: FeatureStore, tmp_path: Path) -> None:
    run = fit(frames, columns=["clip:frames@pca2"], aggregate=MEAN, resamples=0, out=tmp_path / "run")
    ((_, _, components),) = run.model.named_steps["model"].regressor_.named_steps["features"].parts_
    every = np.vstack(drawn(0)[0]).astype(float)
    np.testing.assert_allclose(components.mean_, every.mean(axis=0), rtol=1e-5, atol=1e-6)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", models.names())
def test_every_model_can_score_frames_and_is_the_same_after_loading(
    frames: FeatureStore, name: str, tmp_path: Path
) -> None:
    spec = spec_of(name)
    rows = gather(frames, target="score", columns=["clip:per-second", "light:per-second"])
    model = fit_part(rows, np.arange(30), spec, parameters=quick(spec)).pipeline
    found = model.predict(rows.X)
    assert found.shape == (N,) and np.isfinite(found).all()
    dump(model, tmp_path)
    np.testing.assert_array_equal(load(tmp_path).predict(rows.X), found)
    for keywords in spec.readings.values():
        assert model.predict(rows.X, **keywords).shape == (N,)


def test_frames_of_one_video_stay_in_one_inner_fold(frames: FeatureStore, monkeypatch) -> None:
    seen = []
    real = OptunaSearch._parts

    def parts(self, n, groups):
        seen.append((groups, made := real(self, n, groups)))
        return made

    monkeypatch.setattr(OptunaSearch, "_parts", parts)
    rows = gather(frames, target="score", columns=["clip:frames"])
    fit_part(rows, np.arange(20), models.get("knn-search"), parameters={"n_trials": 1})
    ((groups, made),) = seen
    assert np.bincount(groups).tolist() == [length(k) for k in range(20)]
    for inside, outside in made:
        assert not set(groups[inside]) & set(groups[outside])


def test_groups_of_rows_stay_together_in_inner_folds(tmp_path: Path, monkeypatch) -> None:
    group = [f"film {k // 4}" if k < 40 else None for k in range(60)]
    store = make(tmp_path / "grouped", labels={"group": group})
    seen = []
    real = OptunaSearch._parts
    monkeypatch.setattr(OptunaSearch, "_parts", lambda self, n, g: seen.append(g) or real(self, n, g))
    rows = gather(store, target="score", columns=["light"])
    fit_part(rows, np.arange(10, 60), models.get("knn-search"), parameters={"n_trials": 1})
    assert len(set(seen[0])) == 8 + 20  # a row without a group is one by itself
    fit_part(rows, np.arange(50), models.get("brr"))


def test_a_comparison_has_both_and_the_same_figures_as_a_run(frames: FeatureStore, frames_run: Run) -> None:
    systems = [
        System(name="frames", features=("clip@zscore", "light"), aggregate=MEAN),
        System(name="means", features=("clip@zscore", "light")),
        System(name="three", features=("clip-fml",), aggregate=MEAN),  # of another number of frames
        System(name="wrong", features=("clip:frames",)),
        System(name="uneven", features=("clip:frames", "clip-fml:frames"), aggregate=MEAN),
    ]
    found = compare(frames, systems, resamples=100, cache=None)
    lines = {line.name: line for line in found.lines}
    assert lines["frames"].figures == frames_run.results[0].figures
    assert lines["means"].figures != lines["frames"].figures and not lines["three"].failure
    assert "--aggregate" in lines["wrong"].failure
    assert "differently many frames" in lines["uneven"].failure


def test_a_grid_averages_frames_except_where_means_are_named() -> None:
    found = grid(["brr"], [["clip"], ["clip:mean", "hog:first"], ["clip:frames"]], aggregate=MEAN)
    assert [system.aggregate for system in found] == [MEAN, None, MEAN]


@pytest.mark.parametrize(
    ("columns", "aggregate", "words"),
    [
        (["clip:frames"], None, "holds the frames of a video.*--aggregate mean-of-frames.*'clip:mean'"),
        (["clip"], "mean-of-frame", "Did you mean 'mean-of-frames'"),
        (None, MEAN, "Name them"),
        (["clip", "light:mean"], MEAN, "'light:mean' has one row for each video"),
        (["captions"], MEAN, "'captions' are texts, of a video as a whole"),
        (["grid"], MEAN, "'grid' has no reduction 'per-second'; it has mean, first"),
        (["untimed"], MEAN, "'untimed' has no reduction 'per-second'; .*frames"),
        (["clip@pca-m3s"], MEAN, "has no form for frames"),
        (["clip@class-prototypes-captions"], MEAN, "has no form for frames"),
        (
            ["clip:frames", "clip-fml:frames"],
            MEAN,
            r"clip:frames and clip-fml:frames have differently many frames of 40 videos: 'v00' \(4 and 3\).* 35 more",
        ),
    ],
)
def test_what_cannot_be_averaged_is_refused(
    frames: FeatureStore, tmp_path: Path, columns: list[str] | None, aggregate: str | None, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        fit(frames, columns=columns, aggregate=aggregate, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_frames_and_videos_do_not_mix_in_one_model(frames: FeatureStore) -> None:
    rows = gather(frames, target="score", columns=["clip:frames", "light:mean"])
    with pytest.raises(UsageError, match="clip:frames has a row for each frame and light:mean one for each"):
        fit_part(rows, np.arange(N), models.get("brr"))


def test_new_files_are_scored_frame_by_frame(tmp_path: Path) -> None:
    files = [write_clip(tmp_path / f"{k:02}.mp4", frames=4 + 3 * k, fps=4, seed=k) for k in range(12)]
    names = ["brightness", "contrast"]
    scores = pd.DataFrame(
        {"score": np.linspace(0.5, 0.9, 12)}, index=pd.Index([file.name for file in files], name="id")
    )
    store = FeatureStore.create(tmp_path / "store", dataset="clips", labels=Labels(scores))
    for file in files:
        measured = measure_video(file, [extractors.get(name) for name in names])
        commit(
            store.path, file.name, source=Source.of(file), video=measured.video(), features=measured.features
        )
    run = fit(store, columns=names, aggregate=MEAN, folds=3, out=tmp_path / "run", resamples=0)
    rows = gather(store, target="score", columns=[block.name for block in run.info.columns])
    assert len(set(counts(rows.X.arrays[0], 1))) > 3
    for workers in (1, 2):
        found = predict(run.path, files[3:], workers=workers)
        np.testing.assert_allclose(
            found.table["predicted"], run.model.predict(rows.X[np.arange(3, 12)]), rtol=1e-12
        )
        assert found.table["predicted_sd"].isna().all() and found.failures == ()


rows_of = st.lists(st.integers(1, 6), min_size=1, max_size=5)


@given(rows_of, st.integers(1, 4), st.integers(0, 9))
def test_padding_keeps_every_frame(lengths: list[int], width: int, seed: int) -> None:
    each = [np.random.default_rng(seed).normal(size=(n, width)) for n in lengths]
    array = padded(each)
    assert counts(array, width).tolist() == lengths
    for row, frames_of in zip(array, each, strict=True):
        np.testing.assert_array_equal(row[: frames_of.size].reshape(-1, width), frames_of)
    wider = np.pad(array, ((0, 0), (0, 2 * width)), constant_values=np.nan)
    np.testing.assert_array_equal(trimmed(wider, width), array)


@given(rows_of, st.integers(1, 3), st.integers(1, 3), st.integers(0, 9))
def test_columns_of_a_frame_stand_side_by_side(lengths: list[int], a: int, b: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    one, other = ([generator.normal(size=(n, width)) for n in lengths] for width in (a, b))
    longer = np.pad(padded(other), ((0, 0), (0, b)), constant_values=np.nan)
    X = Blocks([padded(one), longer])
    check_counts(["one", "other"], [a, b], X, [str(k) for k in range(len(lengths))])
    found = FramesSideBySide([("one", a), ("other", b)]).fit_transform(X)
    assert counts(found, a + b).tolist() == lengths
    for row, first, second in zip(found, one, other, strict=True):
        expected = np.hstack([first, second])
        np.testing.assert_array_equal(row[: expected.size].reshape(-1, a + b), expected)


def test_types_are_kept_and_wrong_widths_refused() -> None:
    single = np.ones((2, 4), np.float32)
    assert FramesSideBySide([("a", 2)]).transform(Blocks([single])).dtype == np.float32
    for wrong in ([("a", 3)], [("a", 2), ("b", 1)]):
        with pytest.raises(ValueError, match="frames of"):
            FramesSideBySide(wrong).fit(Blocks([single]))


def test_a_bare_name_is_one_per_second() -> None:
    assert columns_of(["a", "b@pca5", "c:frames"], MEAN) == ["a:per-second", "b:per-second@pca5", "c:frames"]
    assert columns_of(None, None) is None
