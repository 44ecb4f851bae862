"""BOLD Moments in miniature, as shipped: one object keyed by number, nested annotations, a placeholder for nothing."""

from __future__ import annotations

import json

import pytest

from memfeat import recipe
from memfeat.datasets import get, load
from memfeat.datasets.bold_moments import ADAPTER, BoldMomentsOptions, load_bold_moments
from memfeat.errors import LabelError, UsageError


def clip(key, part, score, decay, source):
    return {
        "bmd_matrixfilename": f"vid_idx{key}",
        "MiT_url": f"https://data.csail.mit.edu/soundnet/{source}",
        "MiT_filename": source,
        "set": part,
        "objects": [["duck", "bird", "--"], ["duck", "--", "--"]],
        "scenes": ["pond", "lake/natural"],
        "actions": ["swimming"],
        "text_descriptions": ["A duck is swimming.", "A  mallard\nfloats."],
        "spoken_transcription": "",
        "memorability_score": score,
        "memorability_decay": decay,
        "THINGS_uniqueID": [["duck", "bird"]],
    }


CLIPS = {
    "0001": clip("0001", "train", 0.8147719988084737, -0.000405, "wetting/flickr-0-0-1_12.mp4"),
    "0002": clip("0002", "train", 0.7, 0.0002, "swimming/flickr-0-0-1_3.mp4"),
    "1001": clip("1001", "test", 0.62, -0.0018, "dancing/yt-LAzTT2fEj.mp4"),
}


def ship(root, content=CLIPS):
    folder = root / "derivatives/stimuli_metadata"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "annotations.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return root


def read(root, **options):
    return load_bold_moments("b", root, BoldMomentsOptions(**options))


@pytest.mark.parametrize(
    "names",
    [
        ["0001.mp4", "0002.mp4", "1001.mp4"],
        ["vid_idx0001.mp4", "vid_idx0002.mp4", "vid_idx1001.mp4"],
        ["flickr-0-0-1_12.mp4", "flickr-0-0-1_3.mp4", "yt-LAzTT2fEj.mp4"],
    ],
)
def test_the_release_in_miniature(tmp_path, names):
    (ship(tmp_path) / "mp4_h264").mkdir()
    for name in names:
        (tmp_path / "mp4_h264" / name).write_bytes(b"x")
    dataset = load(recipe.load("bold-moments"), root=tmp_path)
    assert {id: path.name for id, path in dataset.files.items()} == dict(zip(CLIPS, names, strict=True))
    table = dataset.labels.table
    assert table.loc["0001"].tolist() == [0.8147719988084737, -0.000405, "train", "flickr-0-0-1"]
    assert table["split"].tolist() == ["train", "train", "test"]
    assert table["group"].tolist() == ["flickr-0-0-1", "flickr-0-0-1", "yt-LAzTT2fEj"]
    assert dataset.texts["captions"]["0001"] == ("A duck is swimming.", "A mallard floats.")
    assert dataset.texts["objects"]["1001"] == ("duck", "bird", "duck")
    assert dataset.texts["scenes"]["0002"] == ("pond", "lake/natural")
    assert "speech" not in dataset.texts
    assert dataset.missing == dataset.extra == ()


def test_annotations_alone(tmp_path):
    (tmp_path / "annotations.json").write_text(json.dumps(CLIPS))
    dataset = read(tmp_path)
    assert (len(dataset.files), len(dataset.missing)) == (0, 3)
    assert len(dataset.labels.table) == 3


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("memorability_score", None, "entry 0002, column 'memorability_score': is empty"),
        ("memorability_score", 1.1, "entry 0002, column 'memorability_score': 1.1 is above 1"),
        ("memorability_decay", "fast", "entry 0002, column 'memorability_decay': 'fast' is no finite"),
        ("set", "validation", "entry 0002, column 'set': 'validation' is none; train or test"),
    ],
)
def test_bad_entries_are_located(tmp_path, field, value, words):
    ship(tmp_path, {**CLIPS, "0002": {**CLIPS["0002"], field: value}})
    with pytest.raises(LabelError, match=r"annotations\.json, " + words):
        read(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (json.dumps(CLIPS)[:-40], r"annotations\.json, line 1, column \d+: is no complete JSON"),
        (list(CLIPS.values()), "one object with the clips .*it holds list"),
        ({"0001": {"set": "train"}}, "no column 'memorability_score'"),
        ({}, "an empty list|holds"),
        ('{"0001": {}, "0001": {}}', "'0001' stands twice"),
    ],
)
def test_files_of_another_shape(tmp_path, content, words):
    with pytest.raises(LabelError, match=words):
        read(ship(tmp_path, content))


def test_two_files_for_one_clip_and_none_for_another_folder(tmp_path):
    for name in ("a/0001.mp4", "b/0001.mp4"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UsageError, match=r"no annotations\.json .*ds005165"):
        read(tmp_path)
    with pytest.raises(LabelError, match="'0001' fits 2 files"):
        read(ship(tmp_path))


def test_it_is_registered_with_its_hyphen():
    assert get("bold-moments") is ADAPTER
    with pytest.raises(UsageError, match="Did you mean 'bold-moments'"):
        get("bold_moments")
