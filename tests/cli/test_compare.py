"""Comparisons and ablations by the command line alone."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from PIL import Image


@pytest.fixture
def store(memfeat, tmp_path):
    """Pictures whose score follows their brightness, measured."""
    folder = tmp_path / "photos"
    folder.mkdir()
    generator = np.random.default_rng(0)
    rows = []
    for number in range(20):
        level, spread = 20 + 9 * number, generator.uniform(2, 30)
        pixels = np.clip(level + generator.normal(0, spread, (32, 32, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"p{number:02}.png")
        rows.append((f"p{number:02}", 0.5 + level / 1000 + generator.normal(0, 0.01)))
    pd.DataFrame(rows, columns=["image", "score"]).to_csv(folder / "scores.csv", index=False)
    ran = memfeat("extract", "--videos", folder, "--features", "brightness,contrast", "--workers", 0)
    assert ran.code == 0, ran.err


SETS = ("--features", "brightness", "--features", "brightness,contrast")


def test_models_by_features_in_one_table(memfeat, store, tmp_path):
    call = ("compare", "--models", "brr,knn", *SETS, "--set", "knn.n_neighbors=3", "--workers", 1, "--raw",
            "--baseline", "knn", "--fuse", "score-average", "--out", "compare/one")  # fmt: skip
    ran = memfeat(*call)
    assert ran.code == 0, ran.err
    assert "photos: score, 5-fold, fold mean, n = 20" in ran.out
    assert "compare/one (comparison.csv, comparison.html" in ran.out
    table = pd.read_csv(tmp_path / "compare" / "one" / "comparison.csv").set_index("system")
    assert list(table.index) == [
        "brr brightness", "brr brightness+contrast", "knn brightness", "knn brightness+contrast", "fusion",
    ]  # fmt: skip
    assert table.loc["brr brightness", "spearman"] > 0.9
    assert table.loc["knn brightness", "parameters"] == "n_neighbors=3"
    assert (table["baseline"] == "knn brightness").all()
    assert table.loc["brr brightness", "raw_spearman"] > 0.9
    assert "20 fits made, 0 kept" in ran.err
    again = memfeat(*call[:-2])
    assert "0 fits made, 20 kept" in again.err
    refused = memfeat(*call)
    assert refused.code == 2 and "--replace" in refused.err


def test_a_folder_that_cannot_be_written_is_found_out_before_fitting(memfeat, store, tmp_path):
    (tmp_path / "file").write_text("no folder")
    ran = memfeat("compare", "--models", "brr", *SETS, "--out", "file/one")
    assert ran.code == 4 and "The comparison file/one cannot be written" in ran.err
    assert "Fitting" not in ran.err and not (tmp_path / "runs").exists()


def test_an_empty_option_is_no_wish_for_all_features(memfeat, store):
    for call in (
        ("fit",),
        ("compare",),
        ("compare", "--models", "brr"),
        ("ablate",),
        ("extract", "--videos", "photos"),
    ):
        ran = memfeat(*call, "--features", "")
        assert ran.code == 2 and "--features is empty" in ran.err, call
    assert "--models is empty" in memfeat("compare", "--models", "").err
    assert "--seeds is empty" in memfeat("compare", "--models", "brr", "--seeds", "").err


def test_a_failing_system_is_told_and_the_others_are_shown(memfeat, store):
    ran = memfeat("compare", "--models", "brr", "--features", "brightness", "--features", "hog", "--no-cache")
    assert ran.code == 3
    assert "brr hog failed: No video" in " ".join(ran.out.split())
    assert "failed: brr hog" in ran.err


def test_a_recipe_of_systems_by_name_and_by_path(memfeat, store, tmp_path):
    (tmp_path / "mine.toml").write_text(
        '[compare]\nraw = true\nfolds = 4\n[[systems]]\nname = "x"\nfeatures = ["contrast"]\n'
        '[[systems]]\nname = "y"\nfeatures = ["contrast", "brightness"]\nnote = "published: .5"\n'
    )
    ran = memfeat("compare", "mine.toml")
    assert ran.code == 0, ran.err
    assert "4-fold" in ran.out and "raw rho" in ran.out and "published: .5" in ran.out
    lacking = memfeat("compare", "m3s")
    assert lacking.code == 2
    assert (
        "lacks hog, sharpness-fft, h264-size, flow, hrnetv2-w48-ade20k, csn-ip-152-ig65m-kinetics"
        in lacking.err
    )
    assert "memfeat extract photos --features hog,sharpness-fft" in lacking.err
    listed = memfeat("list", "systems")
    assert "m3s-raw" in listed.out and "dreams-clip-brr" in listed.out


def test_what_each_feature_is_worth(memfeat, store):
    ran = memfeat("ablate", "--model", "ridge", "--one-at-a-time", "--workers", 1)
    assert ran.code == 0, ran.err
    assert ran.out.index("only brightness") < ran.out.index("only contrast") < ran.out.index("all ")
    assert "raw rho" in ran.out
    both = memfeat(
        "ablate", "--features", "brightness,contrast,brightness:std", "--seeds", "0", "--workers", 1
    )
    assert "without brightness:std" in both.out and "only contrast" in both.out


def test_a_fusion_is_fitted_saved_and_predicts(memfeat, store, tmp_path):
    members = '[{model = "ridge", features = ["brightness"]}, {model = "knn", features = ["contrast"]}]'
    ran = memfeat(
        "fit", "--model", "late-fusion", "--set", f"members={members}", "--set", "method=rank-average",
        "--set", "inner_folds=3", "--out", "runs/both",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    predicted = memfeat("predict", "runs/both", tmp_path / "photos" / "p00.png")
    assert predicted.code == 0 and "p00.png" in predicted.out, predicted.err
    assert memfeat("evaluate", "runs/both").code == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("compare", "m3s", "--models", "brr"), "A recipe names its own"),
        (("compare", "m3ss"), "Did you mean 'm3s'"),
        (("compare", "--models", "brr,knn", "--set", "n_neighbors=3"), "--set brr.n_neighbors=3"),
        (("compare", "--models", "brr,knn", "--set", "kn.n_neighbors=3"), "Did you mean 'knn'"),
        (("compare", "--seeds", "0,x"), "--seeds 0,x"),
        (("compare", "--no-cache", "--cache", "x"), "Give one"),
        (("compare", "--models", "brr,knn", "--fuse", "mean"), "score-average, rank-average"),
        (("ablate", "--by", "modules"), "feature or module"),
        (("ablate", "--by", "module"), "has no modules"),
    ],
)
def test_wrong_calls_say_what_is_right(memfeat, store, options, words):
    ran = memfeat(*options)
    assert ran.code == 2 and words in ran.err, ran.err


def test_ctrl_c_keeps_what_is_finished(store, tmp_path):
    # Enough repeats that it cannot be over before the signal.
    command = [
        sys.executable, "-m", "memfeat", "compare", "--models", "mlp", "--set", "max_iter=2000", "--split", "k-fold",
        "--repeats", "200", "--features", "brightness,contrast", "--workers", "2",
    ]  # fmt: skip
    # Where the tests run in a shell's background, Ctrl-C is ignored, and children would inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        running = subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        end = time.monotonic() + 60
        while not list((tmp_path / "runs").rglob("*.json")) and time.monotonic() < end:
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 130, said
    assert "Interrupted" in said and "Traceback" not in said
    assert list((tmp_path / "runs" / "cache").rglob("*.json"))
    assert not list((tmp_path / "runs" / "cache").rglob("*.tmp"))
