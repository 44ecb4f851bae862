"""The CSV files of MediaEval: splits by file or folder name, one row per id, nothing contradictory taken in."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from memfeat.datasets._mediaeval import Target, read_release, split_of
from memfeat.errors import LabelError

EDITIONS = {"new": (Target("raw", "n_raw"), Target("decay", bounded=False)), "old": (Target("part"),)}


def read(root, **files):
    for name, text in files.items():
        file = root / (name.replace("__", "/") + ".csv")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return read_release(root, EDITIONS, aliases=lambda url: [url], what="a test")


def test_rows_of_every_table_are_there(tmp_path):
    found = read(
        tmp_path,
        training_set__train_scores="video_id,video_url,n_raw,raw,decay\n8, http://a/8.mp4 ,20,0.5,-0.01\n",
        developemnt_set__dev_scores="\ufeffvideo_id,video_url,n_raw,raw,decay\n009,http://a/9.mp4,21,0.6,0.02\n",
        test_set__test_urls="video_id,video_url\n10,http://a/10.mp4\n",
        test_set__test_text_descriptions="video_id,video_url,description\n11,http://a/11.mp4,a\n11,http://a/11.mp4,b\n",
        training_set__train_text_descriptions="video_id,description_0,description_1\n8, x ,y\n",
    )
    assert found.table["split"].to_dict() == {"8": "train", "9": "dev", "10": "test", "11": "test"}
    assert found.table.loc["9"].to_dict() == {"raw": 0.6, "decay": 0.02, "n:raw": 21.0, "split": "dev"}
    assert math.isnan(found.table.loc["10", "raw"])
    assert found.texts["captions"] == {"8": ["x", "y"], "11": ["a", "b"]}
    assert found.aliases["8"] == ["8", "http://a/8.mp4"]
    assert "1 URLs of train_scores.csv begin or end with a blank; it is not part of them." in found.remarks
    assert found.text_sources["captions"] == "test_text_descriptions.csv, train_text_descriptions.csv"


def test_test_scores_may_be_blank_and_others_may_not(tmp_path):
    found = read(tmp_path, test_scores="video_id,n_raw,raw,decay\n8,,,\n9,5,0.5,0\n")
    assert found.table["raw"].isna().tolist() == [True, False]
    with pytest.raises(LabelError, match=r"dev_scores\.csv, line 3, column 'raw': is empty where a score"):
        read(tmp_path, dev_scores="video_id,n_raw,raw,decay\n18,5,0.5,0\n19,5,,0\n")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("8,5,0.5,x", "line 2, column 'decay': 'x' is no finite"),
        ("8,5,1.5,0", "line 2, column 'raw': 1.5 is above 1"),
        ("8,5,NaN,0", "line 2, column 'raw': 'NaN' where a score"),
        ("8,-1,0.5,0", "line 2, column 'n_raw': -1 is below 0"),
        ("x,5,0.5,0", "line 2, column 'video_id': 'x' is none"),
        (",5,0.5,0", "line 2, column 'video_id': is empty"),
        ("8,5,0.5", r"line 2: 3 cells where there are 4"),
        ("8,5,0.5,0\n8,5,0.5,0", "lines 2, 3, column 'video_id': '8' stands 2 times"),
    ],
)
def test_bad_rows_are_located(tmp_path, line, words):
    with pytest.raises(LabelError, match=r"train_scores\.csv, " + words):
        read(tmp_path, train_scores=f"video_id,n_raw,raw,decay\n{line}\n")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {"train_scores": "video_id,score\n8,1\n"},
            r"none of the score columns of a test \(new: raw, decay; old",
        ),
        ({"train_scores": "video_id,raw,dceay\n8,1,0\n"}, "no column 'decay'. Did you mean 'dceay'"),
        ({"train_scores": "id,raw,decay\n8,1,0\n"}, "no column 'video_id'"),
        (
            {"train_scores": "video_id,raw,decay\n8,1,0\n", "dev_scores": "video_id,part\n9,1\n"},
            r"dev_scores\.csv has no column 'raw'",
        ),
        (
            {"train_scores": "video_id,raw,decay\n8,1,0\n", "dev_scores": "video_id,raw,decay\n08,1,0\n"},
            r"line 2, column 'video_id': 8 is of split \w+ here and of \w+ in .*_scores\.csv",
        ),
        (
            {
                "train_scores": "video_id,video_url,raw,decay\n8,http://a/8.mp4,1,0\n",
                "train_urls": "video_id,video_url\n8,http://b/8.mp4\n",
            },
            "'http://b/8.mp4' is another URL of 8",
        ),
        ({"train_text_descriptions": "video_id,text\n8,x\n"}, "no column 'description'"),
    ],
)
def test_tables_that_do_not_fit_are_refused(tmp_path, files, words):
    with pytest.raises(LabelError, match=words):
        read(tmp_path, **files)


def test_editions_by_their_columns_and_other_scores_passed_over(tmp_path):
    found = read(tmp_path, scores_v2="video_id,part\n8,0.5\n", best_scores="name,rank\na,1\n")
    assert found.targets == ["part"]
    assert found.table["split"].tolist() == ["train"]


def test_descriptions_alone_are_a_release_without_scores(tmp_path):
    found = read(tmp_path, dev_text_descriptions="video_id,description\n8,x\n")
    assert found.table["raw"].isna().all()
    assert any("No table of scores" in remark for remark in found.remarks)
    assert read(tmp_path / "nothing") is None


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("train_scores.csv", "train"),
        ("TRECVid Data/training_set/scores.csv", "train"),
        ("developemnt_set/scores.csv", "dev"),
        ("val/scores.csv", "dev"),
        ("testset/urls.csv", "test"),
        ("train_set/test_urls.csv", "test"),
        ("attest/latest/scores_v2.csv", None),
    ],
)
def test_the_split_is_in_the_name_or_the_folder(path, split):
    assert split_of(Path("root/test", path), Path("root/test")) == split
