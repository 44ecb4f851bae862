"""A folder and a table as somebody wrote it: guesses are shown, mistakes are located, no row is lost in silence."""

from __future__ import annotations

import math

import pytest

from memfeat.datasets.folder import FolderOptions, load_folder
from memfeat.errors import LabelError, UsageError


def make(tmp_path, table, *names, file="scores.csv"):
    for name in names or ("a.mp4", "b.mp4", "c.mp4"):
        path = tmp_path / "videos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    if table is not None:
        (tmp_path / file).write_bytes(table if isinstance(table, bytes) else table.encode())
    return tmp_path


def load(root, **options):
    return load_folder("mine", root, FolderOptions(videos="videos", **options))


def test_columns_are_guessed_and_the_guess_is_shown(tmp_path):
    root = make(tmp_path, "video,memorability,nb_annotations\na,0.5,10\nb,0.75,11\nc,1,12\n")
    dataset = load(root)
    assert dataset.labels.targets == ("memorability",)
    assert dataset.labels.table["memorability"].to_dict() == {"a.mp4": 0.5, "b.mp4": 0.75, "c.mp4": 1.0}
    said = " ".join(dataset.remarks)
    assert "'video' is read as the video's name" in said
    assert "Read as scores: memorability" in said


@pytest.mark.parametrize(
    "table",
    [
        b"\xef\xbb\xbfvideo,score\r\na,0.5\r\nb,0.75\r\nc,1\r\n",
        b"video;score\na;0.5\nb;0.75\nc;1\n",
        b"video\tscore\na\t0.5\nb\t0.75\nc\t1",
        b" video , score \n a ,0.5\n\nb, 0.75\n  c,1\n\n",
        b'"video","score"\n"a","0.5"\n"b",".75"\n"c","1e0"\n',
    ],
    ids=["bom-crlf", "semicolon", "tab", "blanks", "quoted"],
)
def test_ways_to_write_one_table(tmp_path, table):
    labels = load(make(tmp_path, table)).labels
    assert labels.table["score"].tolist() == [0.5, 0.75, 1.0]
    assert labels.table.index.tolist() == ["a.mp4", "b.mp4", "c.mp4"]


def test_all_roles(tmp_path):
    root = make(
        tmp_path, "n,st,lt,part,shoot,k\na,0.5,0.1,train,s1,30\nb,0.6,,test,s1,31\nc,0.7,0.3,train,s2,32\n"
    )
    labels = load(
        root,
        id="n",
        targets=["st", "lt"],
        split="part",
        group="shoot",
        annotations={"st": "k"},
        synthetic=True,
    ).labels
    assert labels.targets == ("st", "lt")
    assert labels.table["split"].tolist() == ["train", "test", "train"]
    assert labels.table["group"].tolist() == ["s1", "s1", "s2"]
    assert labels.table["n:st"].tolist() == [30, 31, 32]
    assert math.isnan(labels.table["lt"].iloc[1])
    assert labels.synthetic


def test_rows_and_videos_without_partner_are_listed(tmp_path):
    dataset = load(make(tmp_path, "video,score\na,0.5\nghost,0.1\nb,\n"))
    said = " ".join(dataset.remarks)
    assert "1 rows of scores.csv name no video: ghost." in said
    assert "1 videos have no row in scores.csv: c.mp4." in said
    assert "1 of 2 rows have no 'score'" in said
    assert list(dataset.files) == ["a.mp4", "b.mp4", "c.mp4"]
    assert (dataset.missing, dataset.extra) == (("ghost",), ("c.mp4",))


def test_scores_alone_are_a_dataset_when_their_columns_are_named(tmp_path):
    root = make(tmp_path, "video,score\nb,0.75\na,0.5\n")
    for path in (root / "videos").iterdir():
        path.unlink()
    dataset = load(root, labels="scores.csv", id="video")
    assert dataset.files == {}
    assert dataset.labels.table["score"].to_dict() == {"a": 0.5, "b": 0.75}
    assert dataset.missing == ("a", "b")
    assert "features cannot be measured" in " ".join(dataset.remarks)
    with pytest.raises(UsageError, match="There is no video or image below"):
        load(root)


@pytest.mark.parametrize(
    ("table", "options", "words"),
    [
        ("video,score\na,0.5\na,0.6\nb,1\n", {"id": "video"}, "more than once, e.g. 'a' in lines 2, 3"),
        ("video,score\na,0.5\nb,high\nc,0.4\n", {}, "line 3, column 'score': 'high' is no finite number"),
        ("video,score\na,0.5\nb,inf\nc,0.4\n", {}, "line 3, column 'score': 'inf'"),
        ("video,score\na,0.5\nb,0.1,9\n", {}, "cannot be read as a table"),
        ("video,score\na,0.5\n,0.6\nb,1\n", {"id": "video"}, "line 3: the column 'video' is empty"),
        ("video,score,score\na,1,2\n", {}, "several columns named score"),
        ("video,score\na,0.5\n", {"targets": ["scroe"]}, "no column 'scroe'. Did you mean 'score'"),
        ("video,score\nx,0.5\ny,0.6\n", {}, "No column of .* names the videos"),
        ("video,score\nx,0.5\ny,0.6\n", {"id": "video"}, "No row of .* names a video"),
        ("video,remark\na,good\nb,bad\nc,so-so\n", {}, "No column of .* holds scores"),
        ("video,score\n", {}, "has no rows"),
        ("", {}, "cannot be read as a table"),
        (b"\xff\xfe\x00\x01\x80", {}, "cannot be read as a table"),
        ("video,score\na.mp4,0.5\na.webm,0.5\n", {"id": "video"}, "both belong to the video 'a.mp4'"),
    ],
)  # fmt: skip
def test_mistakes_are_located(tmp_path, table, options, words):
    with pytest.raises(LabelError, match=words):
        load(make(tmp_path, table), **options)


def test_two_files_of_one_name_need_the_folder(tmp_path):
    root = make(tmp_path, "video,score\na,0.5\n", "x/a.mp4", "y/a.mp4")
    with pytest.raises(LabelError, match="fits 2 videos"):
        load(root, id="video")
    labels = load(make(tmp_path, "video,score\nx/a.mp4,0.5\ny/a,0.6\n")).labels
    assert labels.table.index.tolist()[-2:] == ["x/a.mp4", "y/a.mp4"]


def test_without_a_table_and_with_two(tmp_path):
    root = make(tmp_path, None)
    dataset = load(root)
    assert dataset.labels is None
    assert "without labels" in dataset.remarks[0]
    (root / "a.csv").write_text("video,score\na,1\n")
    (root / "b.csv").write_text("video,score\na,1\n")
    assert "a.csv, b.csv all look like tables" in load(root).remarks[0]
    with pytest.raises(UsageError, match=r"no table of scores .*nix\.csv"):
        load(root, labels="nix.csv")


def test_parquet_and_integer_names(tmp_path):
    import pandas as pd

    root = make(tmp_path, None, "1.mp4", "2.mp4", "10.mp4")
    pd.DataFrame({"video_id": [1, 2, 10], "score": [0.1, 0.2, None]}).to_parquet(root / "scores.parquet")
    table = load(root).labels.table
    assert table.index.tolist() == ["1.mp4", "10.mp4", "2.mp4"]
    assert table["score"].tolist()[::2] == [0.1, 0.2]
    assert math.isnan(table["score"].iloc[1])
