import json

import numpy as np
import pandas as pd
import pytest
from clips import write_clip, write_empty


@pytest.fixture
def filled(memfeat, tmp_path):
    folder = tmp_path / "clips"
    folder.mkdir()
    for number in range(3):
        write_clip(folder / f"v{number}.mp4", frames=3, seed=number)
    write_empty(folder / "bad.mp4")
    (folder / "scores.csv").write_text("video,score\nv0,0.5\nv1,0.6\nv2,0.9\n")
    memfeat("extract", "--videos", folder, "--features", "contrast,brightness", "--workers", 0)
    return tmp_path / "features" / "clips"


def test_info_of_the_only_store(memfeat, filled):
    ran = memfeat("store", "info")
    assert ran.code == 0
    for word in ("contrast", "brightness", "score", "0.6667", "EmptyFile"):
        assert word in ran.out
    assert json.loads(memfeat("store", "info", "clips", "--json").out)["videos"] == 3


def test_info_of_a_single_label_has_no_deviation(memfeat, tmp_path):
    folder = tmp_path / "one"
    folder.mkdir()
    write_clip(folder / "v.mp4", frames=3)
    (folder / "scores.csv").write_text("video,score\nv,0.5\n")
    memfeat("extract", "--videos", folder, "--labels-only")
    ran = memfeat("store", "info")
    assert "0.5000" in ran.out
    assert "–" in ran.out
    assert "nan" not in ran.out


def test_failures_are_listed(memfeat, filled):
    ran = memfeat("store", "failures", "clips")
    assert "bad.mp4" in ran.out
    assert "EmptyFile" in ran.out


def test_verify_says_what_is_wrong_and_where(memfeat, filled):
    assert memfeat("store", "verify", filled).code == 0
    victim = next(filled.glob("videos/*/v1*.h5"))
    victim.write_bytes(victim.read_bytes()[:-200])
    ran = memfeat("store", "verify", filled)
    assert ran.code == 3
    assert victim.name in ran.out
    assert json.loads(memfeat("store", "verify", filled, "--json").out)["problems"] != []


def test_export_keeps_ids_beside_rows(memfeat, filled, tmp_path):
    ran = memfeat("store", "export", "contrast,brightness:std", "--to", "t.csv", "--labels")
    assert ran.code == 0, ran.err
    table = pd.read_csv(tmp_path / "t.csv", index_col="id")
    assert list(table.index) == ["v0.mp4", "v1.mp4", "v2.mp4"]
    assert {"contrast:mean", "brightness:std", "score"} <= set(table.columns)
    assert table["score"].tolist() == [0.5, 0.6, 0.9]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("info", "nowhere"), "nowhere"),
        (("export", "contrst", "--to", "t.csv"), "contrst"),
        (("export", "contrast", "--to", "t.xlsx"), "xlsx"),
    ],
)
def test_wrong_calls(memfeat, filled, tmp_path, arguments, words):
    ran = memfeat("store", *arguments)
    assert ran.code in (2, 3)
    assert words in ran.err
    assert not (tmp_path / "t.csv").exists()
    assert not (tmp_path / "t.xlsx").exists()


def test_brackets_in_a_path_are_no_markup(memfeat, filled, tmp_path):
    filled.rename(tmp_path / "my [red]store")
    assert "my [red]store" in memfeat("store", "info", tmp_path / "my [red]store").out


def test_verify_says_what_to_do_about_changed_files(memfeat, filled):
    victim = next(filled.glob("videos/*/v1*.h5"))
    victim.write_bytes(b"junk")
    assert "Delete the files" in memfeat("store", "verify", filled).out


def test_a_place_that_cannot_be_looked_into_is_the_machines_fault(memfeat):
    ran = memfeat("store", "info", "x" * 5000)
    assert ran.code == 4
    assert "cannot be looked into: File name too long" in ran.err


def test_texts_are_counted(memfeat, filled):
    from memfeat.store.texts import Texts, write_texts

    write_texts(filled, Texts({"captions": {"v0.mp4": ["a", "b"], "v1.mp4": ["c"]}}))
    assert "texts: captions: 3 of 2 videos" in memfeat("store", "info", "clips").out
    assert json.loads(memfeat("store", "info", "clips", "--json").out)["texts"] == {
        "captions": {"videos": 2, "texts": 3}
    }


def test_export_of_one_file_per_video(memfeat, filled, tmp_path):
    ran = memfeat("store", "export", "contrast,brightness:first", "--to", "out", "--per-video")
    assert ran.code == 0, ran.err
    assert "3 files" in ran.err
    assert np.load(tmp_path / "out" / "contrast" / "v1.mp4.npy").shape == (3,)
    assert np.load(tmp_path / "out" / "brightness-first" / "v1.mp4.npy").shape == (1,)
    ran = memfeat("store", "export", "contrast", "--to", "out", "--per-video", "--labels")
    assert ran.code == 2
    assert "--labels goes with a table" in ran.err


@pytest.fixture
def shipped(tmp_path):
    folder = tmp_path / "shipped"
    folder.mkdir()
    for number in range(3):
        (folder / f"v{number}.txt").write_text(f"{number} 1 2")
    return folder


def test_features_of_others_are_imported_beside_own(memfeat, filled, shipped):
    call = ("store", "import", "clips", "--from", shipped, "--feature", "organisers", "--origin", "MediaEval")
    ran = memfeat(*call)
    assert ran.code == 0, ran.err
    assert "3 imported" in ran.err
    assert "1 videos of the store are not in the shipment: bad.mp4" in ran.err
    assert "organisers" in memfeat("store", "info", "clips").out
    assert "0 imported, 3 already there" in memfeat(*call).err
    (shipped / "v1.txt").write_text("1 2")
    (shipped / "ghost.txt").write_text("1 2 3")
    ran = memfeat(*call, "--width", 3, "--json")
    assert ran.code == 3
    done = json.loads(ran.out)
    assert done["failed"].keys() == {"v1.mp4"}
    assert done["unmatched"] == ["ghost"]
    assert memfeat("store", "verify", "clips").code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--feature", "hog"), "mediaeval-hog"),
        (("--feature", "x", "--preparation", "zscores"), "Did you mean 'zscore'"),
        (("--feature", "x", "--frames", "0,0"), "0,56,112"),
        (("--feature", "x", "--bins", "7"), "FIRST-LAST"),
        (("--feature", "x", "--format", "hmpp"), "Did you mean 'hmp'"),
        (("--feature", "x y"), "A feature's name"),
    ],
)
def test_wrong_imports(memfeat, filled, shipped, arguments, words):
    ran = memfeat("store", "import", "clips", "--from", shipped, *arguments)
    assert ran.code == 2
    assert words in ran.err.replace("\n", " ")
