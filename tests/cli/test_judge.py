"""From a store to a run, a second opinion and predictions, by the command line alone."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from clips import write_empty, write_image
from PIL import Image


@pytest.fixture
def photos(tmp_path):
    """24 flat pictures with a little noise, whose score follows their brightness."""
    folder = tmp_path / "photos"
    folder.mkdir()
    generator = np.random.default_rng(0)
    rows = []
    for number in range(24):
        level = 20 + 9 * number
        pixels = np.clip(level + generator.normal(0, 5, (40, 40, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"p{number:02}.png")
        rows.append((f"p{number:02}", 0.5 + level / 1000 + generator.normal(0, 0.01), generator.normal()))
    pd.DataFrame(rows, columns=["image", "score", "other"]).to_csv(folder / "scores.csv", index=False)
    return folder


@pytest.fixture
def store(memfeat, photos):
    ran = memfeat("extract", "--videos", photos, "--features", "brightness,contrast", "--workers", 0)
    assert ran.code == 0, ran.err


def test_fit_evaluate_predict(memfeat, store, photos, tmp_path):
    fitted = memfeat("fit", "--target", "score", "--features", "brightness", "--out", "runs/one")
    assert fitted.code == 0, fitted.err
    assert "5-fold, fold mean" in fitted.out
    assert "runs/one" in fitted.out
    table = pd.read_csv(tmp_path / "runs" / "one" / "results.csv")
    assert table["spearman"].iloc[0] > 0.9
    assert {"spearman_low", "pearson", "mse_high", "n", "judged_on"} <= set(table.columns)

    again = memfeat("evaluate", "runs/one", "--out", "again.csv")
    assert again.code == 0, again.err
    assert f"{table['spearman'].iloc[0]:.3f}" in again.out
    assert len(pd.read_csv(tmp_path / "again.csv")) == 24

    predicted = memfeat("predict", "runs/one", photos / "p00.png", photos / "p23.png")
    assert predicted.code == 0, predicted.err
    scores = pd.read_csv(io.StringIO(predicted.out))
    assert scores["predicted"].iloc[1] > scores["predicted"].iloc[0]
    assert (scores["predicted_sd"] > 0).all()


def test_columns_are_prepared_and_parameters_set_by_name(memfeat, store, photos, tmp_path):
    fitted = memfeat(
        "fit", "--target", "score", "--features", "brightness@none,contrast:mean@zscore", "--set", "alpha_1=1e-3",
        "--set", "fit_intercept=true", "--out", "runs/one",
    )  # fmt: skip
    assert fitted.code == 0, fitted.err
    assert "features: brightness@none, contrast@zscore" in fitted.out
    assert "parameters: alpha_1=0.001, fit_intercept=true" in fitted.out
    assert memfeat("predict", "runs/one", photos / "p00.png").code == 0
    for option, words in (
        (("--set", "alpha=1"), "no parameter 'alpha'"),
        (("--set", "alpha_1"), "set as name=value"),
        (("--set", "alpha_1=x"), "alpha_1=x"),
        (("--features", "contrast@zcsore"), "Did you mean 'zscore'"),
    ):
        refused = memfeat("fit", "--target", "score", *option)
        assert refused.code == 2 and words in refused.err, refused.err


def test_frames_are_scored_one_by_one_where_that_is_asked_for(memfeat, store, photos, tmp_path):
    refused = memfeat("fit", "--target", "score", "--features", "brightness:frames")
    assert refused.code == 2 and "--aggregate mean-of-frames" in refused.err
    common = ("--target", "score", "--aggregate", "mean-of-frames")
    fitted = memfeat("fit", *common, "--features", "brightness", "--out", "runs/one")
    assert fitted.code == 0, fitted.err
    assert "features: brightness:per-second (zscore)" in fitted.out
    assert "the saved model saw 24 frames" in fitted.out
    predicted = memfeat("predict", "runs/one", photos / "p00.png")
    assert predicted.code == 0 and pd.read_csv(io.StringIO(predicted.out))["predicted_sd"].isna().all()
    compared = memfeat(
        "compare", *common, "--models", "brr", "--features", "brightness", "--features", "brightness:mean",
        "--resamples", 100, "--workers", 1,
    )  # fmt: skip
    assert compared.code == 0, compared.err  # photos have one frame: no difference
    figures = [line.split()[2:4] for line in compared.out.splitlines() if line.startswith("brr brightness")]
    assert figures[0] == figures[1] and "brr brightness:mean" in compared.out
    ablated = memfeat(
        "ablate", *common, "--features", "brightness,contrast", "--resamples", 100, "--workers", 1
    )
    assert ablated.code == 0 and "only contrast" in ablated.out, ablated.err


def test_captions_are_fitted_and_given_for_new_files(memfeat, store, photos, tmp_path):
    from memfeat.store.texts import Texts, write_texts

    words = ["dark", "grey", "bright"]
    captions = {f"p{k:02}.png": (f"a {words[k // 8]} wall",) for k in range(24)}
    (place,) = (tmp_path / "features").iterdir()
    write_texts(place, Texts({"captions": captions}))
    fitted = memfeat("fit", "--target", "score", "--features", "captions@tfidf-svd3", "--out", "runs/told")
    assert fitted.code == 0, fitted.err
    assert "features: captions@tfidf-svd3" in fitted.out
    refused = memfeat("predict", "runs/told", photos / "p00.png")
    assert refused.code == 2 and "--texts" in refused.err
    (tmp_path / "new.csv").write_text(
        "id,field,text\nx.png,captions,a dark wall\ny.png,captions,a bright wall\n"
    )
    predicted = memfeat("predict", "runs/told", "x.png", "y.png", "--texts", "new.csv")
    assert predicted.code == 0, predicted.err
    scores = pd.read_csv(io.StringIO(predicted.out))["predicted"]
    assert scores[1] > scores[0] + 0.05


def test_prediction_goes_on_past_a_bad_file(memfeat, store, photos, tmp_path):
    memfeat("fit", "--target", "score", "--features", "brightness", "--out", "runs/one")
    new = tmp_path / "new"
    new.mkdir()
    write_image(new / "fine.png")
    write_empty(new / "bad.mp4")
    ran = memfeat("predict", "runs/one", new, "--out", "p.csv")
    assert ran.code == 3
    assert "bad.mp4: EmptyFile" in ran.err
    assert len(pd.read_csv(tmp_path / "p.csv")) == 1


def test_the_recipe_of_the_dataset_gives_the_defaults(memfeat, store, tmp_path):
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "photos.toml").write_text(
        '[fit]\ntarget = "score"\nfeatures = ["contrast"]\nfolds = 3\nseed = 4\n'
    )
    ran = memfeat("fit", "--out", "runs/one")
    assert ran.code == 0, ran.err
    assert "3-fold" in ran.out
    assert "features: contrast" in ran.out
    assert "seed 4" in ran.out


def test_repeats_are_saved_by_id_and_repeated_from_the_table(memfeat, store, tmp_path):
    base = ("fit", "--target", "score", "--features", "brightness", "--resamples", 100)
    ran = memfeat(*base, "--split", "k-fold", "--folds", 4, "--repeats", 2, "--out", "runs/one")
    assert ran.code == 0, ran.err
    assert "4-fold, 2 times, fold mean" in ran.out
    assert "pooled" not in ran.out
    again = memfeat(*base, "--split-file", "runs/one/splits.csv", "--out", "runs/two")
    assert again.code == 0, again.err
    one, two = (pd.read_csv(tmp_path / "runs" / run / "predictions.csv") for run in ("one", "two"))
    pd.testing.assert_frame_equal(one, two)
    alone = memfeat(
        *base, "--split-file", "runs/one/splits.csv", "--split", "repeat 2", "--out", "runs/three"
    )
    assert alone.code == 0, alone.err
    assert len(pd.read_csv(tmp_path / "runs" / "three" / "predictions.csv")) == 24


def test_the_recipe_of_the_dataset_says_how_to_split(memfeat, store, tmp_path):
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "photos.toml").write_text(
        '[fit]\ntarget = "score"\nfeatures = ["contrast"]\nsplit = "k-fold"\nrepeats = 3\ngroup_by = "none"\n'
    )
    ran = memfeat("fit", "--out", "runs/one")
    assert ran.code == 0, ran.err
    assert "5-fold, 3 times" in ran.out
    ran = memfeat("fit", "--repeats", 1, "--group-by", "titles", "--out", "runs/two")
    assert ran.code == 2
    assert "'titles' to group rows by (--group-by)" in ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("fit",), 2, ["other", "score"]),
        (("fit", "--target", "scroe"), 2, ["scroe"]),
        (("fit", "--target", "score", "--features", "hog"), 2, ["hog"]),
        (("fit", "--target", "score", "--model", "bbr"), 2, ["bbr", "brr"]),
        (("fit", "--target", "score", "--split", "random"), 2, ["--split", "official"]),
        (("fit", "--target", "score", "--split", "official"), 2, ["split"]),
        (("fit", "--target", "score", "--split", "all-folds"), 2, ["no folds of its own", "k-fold"]),
        (("fit", "--target", "score", "--split-file", "none.csv"), 2, ["no split file 'none.csv'"]),
        (("fit", "--dataset", "nowhere"), 2, ["nowhere"]),
        (("evaluate", "runs/none"), 2, ["runs/none"]),
        (("predict", "runs/none", "x.png"), 2, ["runs/none"]),
    ],
)
def test_wrong_calls(memfeat, store, tmp_path, arguments, code, words):
    ran = memfeat(*arguments)
    assert ran.code == code, ran.err
    for word in words:
        assert word in ran.err
    assert not (tmp_path / "runs").exists()


def test_a_run_is_not_overwritten_unless_told(memfeat, store):
    arguments = ("fit", "--target", "score", "--features", "brightness", "--out", "runs/one")
    assert memfeat(*arguments).code == 0
    refused = memfeat(*arguments)
    assert refused.code == 2
    assert "--replace" in refused.err
    assert memfeat(*arguments, "--replace").code == 0
