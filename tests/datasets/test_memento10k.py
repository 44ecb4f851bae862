"""Memento10k in both shipped forms: the authors' JSON files in miniature, MediaEval's CSV files for real."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfeat import recipe
from memfeat.datasets import get, load
from memfeat.datasets.memento10k import (
    ADAPTER,
    Memento10kOptions,
    action,
    file_name,
    load_memento10k,
    source_clip,
)
from memfeat.errors import LabelError, UsageError

BASE = "https://data.csail.mit.edu/soundnet/actions3/"
TRAIN = [
    ("adult+male+singing/peeks-www_k_to_keek_2Qwueab_25.mp4", 0.9, -0.0004, ["adult+male+singing", "speaking"]),
    ("jumping/flickr-8-0-3-1_4.mp4", 0.6, -0.003, ["jumping"]),
    ("running/flickr-8-0-3-1_7.mp4", 0.7, 0.0012, ["running", "playing+sports"]),
]  # fmt: skip
VAL = [("frying/8-5-9-6565939859.mp4", 0.8, -0.001, ["frying"])]
TEST = [("shrugging/LAzTT2fEj-g_33.mp4", None, None, ["shrugging"])]


def entry(path, score, alpha, labels, *, actions="action_labels", suffix=".mp4"):
    made = {
        "filename": file_name(BASE + path).removesuffix(".mp4") + suffix,
        "url": BASE + path,
        actions: labels,
        "captions": [f"caption {k} of {path}" for k in range(5)],
    }
    return made | ({} if score is None else {"mem_score": score, "alpha": alpha})


def ship(root, *, below="", videos=True, **changes):
    folder = root / below
    folder.mkdir(parents=True, exist_ok=True)
    for split, rows in (("train", TRAIN), ("val", VAL), ("test", TEST)):
        entries = [entry(*row, **changes) for row in rows]
        (folder / f"memento_{split}_data.json").write_text(json.dumps(entries))
        if videos:
            (folder / "videos").mkdir(exist_ok=True)
            for made in entries:
                (folder / "videos" / made["filename"]).write_bytes(b"x")
    return root


def read(root, **options):
    return load_memento10k("m", root, Memento10kOptions(**options))


def rewrite(root, split, change):
    file = root / f"memento_{split}_data.json"
    entries = json.loads(file.read_text())
    change(entries)
    file.write_text(json.dumps(entries))


@pytest.mark.parametrize("below", ["", "release_v1"])
@pytest.mark.parametrize("actions", ["action_labels", "actions"])
@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_the_authors_release(tmp_path, below, actions, suffix):
    dataset = read(ship(tmp_path, below=below, actions=actions, suffix=suffix))
    table = dataset.labels.table
    assert len(table) == len(dataset.files) == 5
    assert dataset.labels.targets == ("mem_score", "alpha")
    name = "adult-male-singing_peeks-www_k_to_keek_2Qwueab_25" + suffix
    assert table.loc[name, ["mem_score", "alpha", "split", "group"]].tolist() == [
        0.9, -0.0004, "train", "peeks-www_k_to_keek_2Qwueab",
    ]  # fmt: skip
    assert dataset.files[name].name == name
    assert table["split"].value_counts().to_dict() == {"train": 3, "val": 1, "test": 1}
    assert table.loc["shrugging_LAzTT2fEj-g_33" + suffix, ["mem_score", "alpha"]].isna().all()
    assert dataset.texts["actions"][name] == ("adult male singing", "speaking")
    assert len(dataset.texts["captions"][name]) == 5
    assert dataset.missing == dataset.extra == ()
    assert "1 of 1 rows of test have no mem_score, alpha; they are kept without a label." in dataset.remarks


def test_clips_of_one_source_are_one_group_though_their_actions_differ(tmp_path):
    groups = read(ship(tmp_path)).labels.table["group"]
    assert (
        groups["jumping_flickr-8-0-3-1_4.mp4"] == groups["running_flickr-8-0-3-1_7.mp4"] == "flickr-8-0-3-1"
    )
    assert groups["frying_8-5-9-6565939859.mp4"] == "8-5-9-6565939859"


def test_files_named_by_another_rule_are_found(tmp_path):
    ship(tmp_path, videos=False)
    (tmp_path / "videos").mkdir()
    for name in (
        "adult+male+singing_peeks-www_k_to_keek_2Qwueab_25.webm",
        "jumping_flickr-8-0-3-1_4.webm",
        "new.mp4",
    ):
        (tmp_path / "videos" / name).write_bytes(b"x")
    dataset = read(tmp_path)
    assert dataset.files["adult-male-singing_peeks-www_k_to_keek_2Qwueab_25.mp4"].suffix == ".webm"
    assert len(dataset.files) == 2
    assert len(dataset.missing) == 3
    assert dataset.extra == ("videos/new.mp4",)


def test_two_files_for_one_clip_are_refused(tmp_path):
    ship(tmp_path, below="release_v1")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/jumping_flickr-8-0-3-1_4.mp4").write_bytes(b"y")
    with pytest.raises(LabelError, match="'jumping_flickr-8-0-3-1_4.mp4' fits 2 files"):
        read(tmp_path)
    assert len(read(tmp_path, videos="release_v1/videos").files) == 5


def test_copies_of_frames_are_spoken_of(tmp_path):
    ship(tmp_path, videos=False)
    (tmp_path / "videos_npy").mkdir()
    np.save(tmp_path / "videos_npy/jumping_flickr-8-0-3-1_4.npy", np.zeros((2, 4, 4, 3), np.uint8))
    said = [remark for remark in read(tmp_path).remarks if ".npy" in remark]
    assert len(said) == 1
    assert "1 clips are there as .npy copies" in said[0]
    assert "1 of them not as a video: jumping_flickr-8-0-3-1_4.mp4" in said[0]


def test_copies_of_frames_are_read_when_asked_for(tmp_path):
    ship(tmp_path, videos=False)
    (tmp_path / "videos_npy").mkdir()
    np.save(tmp_path / "videos_npy/jumping_flickr-8-0-3-1_4.npy", np.zeros((2, 48, 64, 3), np.uint8))
    found = read(tmp_path, frames="copies")
    assert [path.suffix for path in found.files.values()] == [".npy"]
    assert list(found.files) == ["jumping_flickr-8-0-3-1_4.mp4"]
    assert any("flow:mean-per-frame" in remark for remark in found.remarks)


@pytest.mark.parametrize("filler", [0, -1, None, "", float("nan")])
def test_a_test_set_filled_with_one_value_has_no_scores(tmp_path, filler):
    ship(tmp_path)

    def fill(entries):
        entries.append(entry("waving/other_1.mp4", None, None, ["waving"]))
        for made in entries:
            made["mem_score"] = made["alpha"] = filler

    rewrite(tmp_path, "test", fill)
    dataset = read(tmp_path)
    table = dataset.labels.table
    assert table.loc[table["split"] == "test", ["mem_score", "alpha"]].isna().all(axis=None)
    said = [remark for remark in dataset.remarks if "has the same" in remark]
    assert len(said) == (2 if filler in (0, -1) else 0)


def test_a_release_without_decay_is_read(tmp_path):
    ship(tmp_path)
    for split in ("train", "val"):
        rewrite(tmp_path, split, lambda entries: [made.pop("alpha") for made in entries])
    dataset = read(tmp_path)
    assert dataset.labels.table["alpha"].isna().all()
    assert "memento_train_data.json has no alpha." in dataset.remarks


def test_a_test_set_with_scores_keeps_them(tmp_path):
    ship(tmp_path)
    rewrite(tmp_path, "test", lambda entries: entries[0].update(mem_score=0.5, alpha=-0.001))
    assert read(tmp_path).labels.table.loc["shrugging_LAzTT2fEj-g_33.mp4", "mem_score"] == 0.5


def test_without_urls_the_source_is_read_from_the_file_name(tmp_path):
    ship(tmp_path)
    for split in ("train", "val", "test"):
        rewrite(tmp_path, split, lambda entries: [made.pop("url") for made in entries])
    table = read(tmp_path).labels.table
    assert table.loc["jumping_flickr-8-0-3-1_4.mp4", "group"] == "flickr-8-0-3-1"
    rewrite(tmp_path, "val", lambda entries: entries[0].update(filename="video_00001.webm"))
    dataset = read(tmp_path)
    assert dataset.labels.table.loc["video_00001.webm", "group"] is None
    assert "The source clip of 1 clips is not known; each is a group of its own." in dataset.remarks


@pytest.mark.parametrize(
    ("split", "change", "words"),
    [
        ("train", lambda e: e[1].update(mem_score=float("nan")), "entry 2, column 'mem_score': nan where a score"),
        ("train", lambda e: e[1].update(mem_score=float("inf")), "entry 2, column 'mem_score': inf is no finite"),
        ("train", lambda e: e[1].update(mem_score=60.0), "entry 2, column 'mem_score': 60 is above 1"),
        ("train", lambda e: e[2].update(mem_score="good"), "entry 3, column 'mem_score': 'good' is no finite"),
        ("train", lambda e: e[2].pop("alpha"), "entry 3, column 'alpha': is empty"),
        ("val", lambda e: e[0].pop("mem_score"), "no column 'mem_score'"),
        ("val", lambda e: e[0].update(filename=""), "entry 1, column 'filename': is empty"),
        ("train", lambda e: e.append(e[0]), "entries 1, 4, column 'filename': .* stands 2 times"),
        ("val", lambda e: e.append(entry(*TRAIN[0])), "entry 2, column 'filename': .*memento_train_data.json too"),
        ("train", lambda e: e.clear(), "an empty list"),
    ],
)  # fmt: skip
def test_bad_entries_are_located(tmp_path, split, change, words):
    rewrite(ship(tmp_path), split, change)
    with pytest.raises(LabelError, match=words) as caught:
        read(tmp_path)
    assert f"memento_{split}_data.json" in str(caught.value)


def test_truncated_json_is_located(tmp_path):
    file = ship(tmp_path) / "memento_train_data.json"
    file.write_text(file.read_text()[:200])
    with pytest.raises(
        LabelError, match=r"memento_train_data\.json, line 1, column \d+: is no complete JSON"
    ):
        read(tmp_path)


def test_a_part_of_the_release_and_none_of_it(tmp_path):
    with pytest.raises(UsageError, match=r"no release of Memento10k .*memento_train_data\.json.*--root"):
        read(tmp_path)
    ship(tmp_path)
    (tmp_path / "memento_val_data.json").unlink()
    assert "There is no memento_val_data.json." in read(tmp_path).remarks
    with pytest.raises(UsageError, match="no release"):
        read(tmp_path, release="mediaeval")


def mediaeval(root):
    """The files of MediaEval with two clips, and the clips as that release names them."""
    rows = [("00017", TRAIN[0]), ("3628", TRAIN[1])]
    head = "video_id,video_url,annotations_short_term,scores_raw_short_term,scores_normalized_short_term,decay_alpha\n"
    lines = [f"{id},{BASE}{row[0]},91,{row[1]},{row[1] + 0.01},{row[2]}" for id, row in rows]
    (root / "training_set/Videos").mkdir(parents=True)
    (root / "training_set/train_scores.csv").write_text(head + "\n".join(lines) + "\n")
    (root / "training_set/Videos/00017.mp4").write_bytes(b"x")
    (root / "training_set/Videos/jumping_flickr-8-0-3-1_4.mp4").write_bytes(b"x")
    (root / "test_set").mkdir()
    (root / "test_set/test_text_descriptions.csv").write_text(
        "video_id,description_0,description_1,description_2,description_3,description_4\n"
        '1306,"a woman, outside",A woman talks.,,"She\nsings.",Deck.\n'
    )
    return root


def test_the_mediaeval_release_with_clips(tmp_path):
    dataset = read(mediaeval(tmp_path))
    assert {id: path.name for id, path in dataset.files.items()} == {
        "17": "00017.mp4",
        "3628": "jumping_flickr-8-0-3-1_4.mp4",
    }
    table = dataset.labels.table
    assert table.loc["17", "scores_normalized_short_term"] == pytest.approx(0.91)
    assert table.loc["3628", "n:scores_raw_short_term"] == 91
    assert table["split"].to_dict() == {"1306": "test", "17": "train", "3628": "train"}
    assert table["group"].to_dict() == {
        "1306": None,
        "17": "peeks-www_k_to_keek_2Qwueab",
        "3628": "flickr-8-0-3-1",
    }
    assert dataset.texts["captions"]["1306"] == ("a woman, outside", "A woman talks.", "She sings.", "Deck.")
    assert dataset.texts["actions"]["17"] == ("adult male singing",)
    assert dataset.missing == ("1306",)


def test_both_releases_in_one_folder_need_no_guess(tmp_path):
    mediaeval(ship(tmp_path, videos=False))
    assert read(tmp_path).labels.targets == ("mem_score", "alpha")
    assert "decay_alpha" in read(tmp_path, release="mediaeval").labels.targets
    assert load(recipe.load("memento10k-mediaeval"), root=tmp_path).labels.table.index[0] == "1306"
    assert load(recipe.load("memento10k"), root=tmp_path).name == "memento10k"


def test_the_real_training_set(shared_data):
    dataset = load(recipe.load("memento10k-mediaeval"), root=shared_data / "memento10k_mediaeval2021")
    table = dataset.labels.table
    assert len(table) == len(dataset.missing) == 7000
    assert dataset.files == {}
    figures = dataset.labels.statistics()
    assert figures["n"].tolist() == [7000] * 3
    assert figures.loc["scores_normalized_short_term", "mean"] == pytest.approx(0.800992, abs=5e-7)
    assert figures.loc["scores_normalized_short_term", ["min", "max"]].tolist() == pytest.approx(
        [0.414, 1], abs=5e-4
    )
    assert (table["decay_alpha"] > 0).mean() == pytest.approx(0.055, abs=5e-4)
    assert table[["scores_normalized_short_term", "decay_alpha"]].corr("spearman").iloc[
        0, 1
    ] == pytest.approx(0.534, abs=5e-4)
    assert table["n:scores_raw_short_term"].agg(["min", "max"]).tolist() == [77, 103]
    assert table["group"].nunique() == 6915
    assert all(len(captions) == 5 for captions in dataset.texts["captions"].values())
    assert len({label for labels in dataset.texts["actions"].values() for label in labels}) == 296
    for published in ADAPTER.published:
        if published.target in figures.index and published.split == "train":
            row = figures.loc[published.target]
            assert (row["n"], row["mean"]) == (published.n, pytest.approx(published.mean, abs=5e-5))
            assert row["std"] == pytest.approx(published.sd, abs=5e-5)
    line = (shared_data / "memento10k_mediaeval2021/train_scores.csv").read_text().splitlines()[1].split(",")
    assert table.loc[line[0], "scores_normalized_short_term"] == float(line[4])
    assert table.loc[line[0], "decay_alpha"] == float(line[5])


words = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=6)
sources = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,9}(_[a-z]{1,4})?", fullmatch=True)


@given(
    action_words=st.lists(words, min_size=1, max_size=3),
    source=sources,
    part=st.integers(0, 99),
    blank=st.sampled_from(["", " ", "\t"]),
    suffix=st.sampled_from([".mp4", ".webm"]),
)
def test_url_and_file_name_say_the_same(action_words, source, part, blank, suffix):
    url = f"{BASE}{'+'.join(action_words)}/{source}_{part}{suffix}"
    name = file_name(blank + url)
    assert name == f"{'-'.join(action_words)}_{source}_{part}{suffix}"
    assert re.fullmatch(r"[^/+ ]+", name)
    assert file_name(url.replace("+", "%2B").replace("https", "http")) == name
    assert action(url) == " ".join(action_words)
    assert source_clip(url) == source_clip(name) == source


def test_urls_without_a_folder_or_a_file():
    assert file_name("https://x.org/a.mp4") == "a.mp4"
    assert action("https://x.org/a.mp4") == ""
    with pytest.raises(LabelError, match="names no file"):
        file_name("https://x.org/")


@pytest.mark.parametrize("name", ["a_1.mp4", "video_00001.webm", "a.mp4", "1_2_3.mp4"])
def test_names_that_tell_no_source(name):
    assert source_clip(name) is None


def test_it_is_registered():
    assert get("memento10k") is ADAPTER
    assert math.isclose(ADAPTER.published[0].mean, 0.80099205, abs_tol=1e-6)
