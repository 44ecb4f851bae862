"""VideoMem in miniature, as shipped: a byte-order mark, hyphenated captions, a list of test videos, equal titles."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfeat import recipe
from memfeat.datasets import load
from memfeat.datasets.videomem import ADAPTER, VideoMemOptions, load_videomem, video_id
from memfeat.errors import LabelError, UsageError

HEAD = (
    "video,short-term_memorability,nb_short-term_annotations,long-term_memorability,nb_long-term_annotations"
)
ROWS = ["video3.webm,0.924,34,0.846,13", "video10.webm,0.950,34,0.900,10", "video8.webm,0.900,33,1.000,9"]
CAPTIONS = {
    "video3.webm": "blonde-woman-is-massaged-tilt-down",
    "video10.webm": "roulette-table-spinning-with-ball",
    "video8.webm": "Roulette-table-spinning-with-ball",
}  # fmt: skip


def ship(root, *, head=HEAD, rows=ROWS, bom="\ufeff", sources=True, test=True):
    files = {
        "dev-set/ground-truth/ground-truth_dev-set.csv": bom + "\n".join([head, *rows]) + "\n",
        "dev-set/dev-set_video-captions.txt": "".join(f"{name}\t{text}\n" for name, text in CAPTIONS.items()),
    }
    if test:
        files["test-set_list.txt"] = "video7.txt\nvideo11.txt\n"
        files["test-set/test-set_videos-captions.txt"] = (
            "video7.webm\tshark-in-the-sea\r\nvideo11.webm\ta-b\r\n"
        )
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8", newline="")
    if sources:
        (root / "dev-set/sources").mkdir(exist_ok=True)
        for name in CAPTIONS:
            (root / "dev-set/sources" / name).write_bytes(b"x")
    return root


def read(root, **options):
    return load_videomem("v", root, VideoMemOptions(**options))


def test_the_release_in_miniature(tmp_path):
    (ship(tmp_path) / "dev-set/features/C3D").mkdir(parents=True)
    (tmp_path / "dev-set/features/C3D/video3.txt").write_text("0.1 0.2\n")
    dataset = load(recipe.load("videomem"), root=tmp_path)
    table = dataset.labels.table
    assert dataset.labels.targets == ("short-term_memorability", "long-term_memorability")
    assert table.loc["video10.webm"].tolist()[:3] == [0.95, 0.9, "dev"]
    assert table.loc["video10.webm", ["n:short-term_memorability", "n:long-term_memorability"]].tolist() == [
        34,
        10,
    ]
    assert table["split"].value_counts().to_dict() == {"dev": 3, "test": 2}
    assert table.loc["video7.webm", "short-term_memorability":"long-term_memorability"].isna().all()
    assert dataset.texts["captions"]["video3.webm"] == ("blonde woman is massaged tilt down",)
    assert dataset.texts["captions"]["video7.webm"] == ("shark in the sea",)
    assert list(dataset.files) == ["video10.webm", "video3.webm", "video8.webm"]
    assert dataset.missing == ("video11.webm", "video7.webm")


def test_equal_titles_are_one_group(tmp_path):
    group = read(ship(tmp_path)).labels.table["group"]
    assert group["video8.webm"] == group["video10.webm"] != group["video3.webm"]


def test_the_most_annotated_of_the_development_set_are_no_test500(tmp_path):
    rows = [f"video{k}.webm,0.9,{30 + k % 70},0.8,{9 + k % 20}" for k in range(600)]
    dataset = read(ship(tmp_path, rows=rows, sources=False, test=False))
    assert set(dataset.labels.table["split"].dropna()) == {"dev"}
    assert "test500" in recipe.load("videomem").note
    assert not any("test500" in published.source for published in ADAPTER.published)


@pytest.mark.parametrize("name", ["dev-set_ground-truth.csv", "ground-truth_dev-set.csv", "Ground-Truth.csv"])
def test_other_places_and_names_of_the_ground_truth(tmp_path, name):
    (tmp_path / name).write_text(HEAD.replace("-term_", "_term_") + "\n" + ROWS[0] + "\n")
    dataset = read(tmp_path)
    assert dataset.labels.table.loc["video3.webm", "short-term_memorability"] == 0.924
    assert dataset.texts is None
    assert any("cannot be told among them" in remark for remark in dataset.remarks)


def test_resized_copies_and_numbers_are_matched(tmp_path):
    ship(tmp_path, sources=False)
    (tmp_path / "resized_mp4").mkdir()
    for name in ("video3.mp4", "010.mp4", "video80.mp4"):
        (tmp_path / "resized_mp4" / name).write_bytes(b"x")
    dataset = read(tmp_path, videos="resized_mp4")
    assert {id: path.name for id, path in dataset.files.items()} == {
        "video3.webm": "video3.mp4",
        "video10.webm": "010.mp4",
    }
    assert dataset.extra == ("video80.mp4",)


def test_beside_the_originals_resized_copies_are_extra(tmp_path):
    (ship(tmp_path) / "resized_mp4").mkdir()
    (tmp_path / "resized_mp4/video3.mp4").write_bytes(b"x")
    dataset = read(tmp_path)
    assert dataset.files["video3.webm"].suffix == ".webm"
    assert dataset.extra == ("resized_mp4/video3.mp4",)


def test_a_split_of_the_development_set(tmp_path):
    ship(tmp_path)
    pair = (["video3.webm", "video10.webm"], ["video8.webm", "video999.webm"])
    (tmp_path / "train_test_split_videomem.pkl").write_bytes(pickle.dumps(pair))
    dataset = read(tmp_path)
    assert dataset.labels.table["split"].to_dict() == {
        "video10.webm": "train",
        "video11.webm": "test",
        "video3.webm": "train",
        "video7.webm": "test",
        "video8.webm": "val",
    }
    said = " ".join(dataset.remarks)
    assert "1 names of train_test_split_videomem.pkl are in no table: video999.webm." in said
    assert "divided as train_test_split_videomem.pkl says" in said
    (tmp_path / "mine.csv").write_text("video,split\nvideo3,train\nvideo8,val\n")
    dataset = read(tmp_path, split="mine.csv")
    assert dataset.labels.table.loc["video10.webm", "split"] is None
    assert "1 videos of dev are not in mine.csv and have no split: video10.webm." in dataset.remarks
    with pytest.raises(UsageError, match=r"no file of splits .*nix\.csv"):
        read(tmp_path, split="nix.csv")


def test_captions_of_unknown_videos_and_names_without_words(tmp_path):
    file = ship(tmp_path) / "dev-set/dev-set_video-captions.txt"
    file.write_text(
        "\ufeffvideo caption\nvideo3.webm a-b\nvideo8.webm\n\nvideo77.webm\tc-d\n", encoding="utf-8"
    )
    dataset = read(tmp_path)
    assert dataset.texts["captions"]["video3.webm"] == ("a b",)
    assert "video8.webm" not in dataset.texts["captions"]
    assert dataset.labels.table.loc["video77.webm", "split"] is None
    said = " ".join(dataset.remarks)
    assert "1 names of dev-set_video-captions.txt have no words: video8.webm." in said
    assert "1 names of dev-set_video-captions.txt are in no ground truth: video77.webm." in said


def test_the_test_set_is_told_by_a_word_of_the_file_name(tmp_path):
    ship(tmp_path, test=False)
    (tmp_path / "test-set-1_video-captions.txt").write_text("video21.webm\ta-b\n")
    (tmp_path / "latest_captions.txt").write_text("video22.webm\ta-b\n")
    split = read(tmp_path).labels.table["split"]
    assert split["video21.webm"] == "test"
    assert split["video22.webm"] is None


def test_two_caption_files_add_up(tmp_path):
    (ship(tmp_path) / "dev-set/dev-set_video-captions2.txt").write_text("video3.webm\tanother-one\n")
    assert read(tmp_path).texts["captions"]["video3.webm"] == (
        "blonde woman is massaged tilt down",
        "another one",
    )


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("video3.webm,1.2,34,0.8,13", "line 2, column 'short-term_memorability': 1.2 is above 1"),
        ("video3.webm,0.9,34,,13", "line 2, column 'long-term_memorability': is empty"),
        ("video3.webm,nan,34,0.8,13", "line 2, column 'short-term_memorability': 'nan' where"),
        ("video3.webm,0.9,many,0.8,13", "line 2, column 'nb_short-term_annotations': 'many' is no finite"),
        ("clip3.webm,0.9,34,0.8,13", "line 2, column 'video': 'clip3.webm' is none; a name like video10.webm"),
        ("video3.webm,0.9,34", "line 2: 3 cells where there are 5 columns"),
        ("video3.webm,0.9,34,0.8,13\nvideo3.mp4,0.9,34,0.8,13", "lines 2, 3, column 'video': 'video3.webm' stands 2"),
        ("video7.webm,0.9,34,0.8,13", r"line 1, column 'video': video7\.webm is in the ground truth"),
    ],
)  # fmt: skip
def test_bad_rows_are_located(tmp_path, row, words):
    with pytest.raises(LabelError, match=words):
        read(ship(tmp_path, rows=[row]))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("video3.webm\ta-b\nclip4\tc-d\n", "line 2, column 'video': 'clip4' is none"),
        ("video3.webm\ta-b\nvideo3\tc-d\n", r"lines 1, 2, column 'video': video3\.webm stands twice"),
    ],
)
def test_bad_captions_are_located(tmp_path, text, words):
    (ship(tmp_path) / "dev-set/dev-set_video-captions.txt").write_text(text)
    with pytest.raises(LabelError, match=words):
        read(tmp_path)


def test_wrong_columns_and_other_folders(tmp_path):
    with pytest.raises(UsageError, match="no VideoMem release"):
        read(tmp_path)
    with pytest.raises(
        LabelError, match="no column 'short-term_memorability'. Did you mean 'short_memorability'"
    ):
        read(ship(tmp_path, head=HEAD.replace("short-term_mem", "short_mem")))


def test_a_second_ground_truth_with_other_scores_is_refused(tmp_path):
    (ship(tmp_path) / "ground-truth_dev-set.csv").write_text(f"{HEAD}\nvideo3.webm,0.5,34,0.8,13\n")
    with pytest.raises(LabelError, match=r"line 2, column 'video': video3\.webm has a score in another"):
        read(tmp_path)


@given(
    number=st.integers(0, 10**5),
    zeros=st.sampled_from(["", "0", "00"]),
    prefix=st.sampled_from(["video", "Video", ""]),
    suffix=st.sampled_from(["", ".webm", ".mp4", ".txt", ".WEBM"]),
    blank=st.sampled_from(["", " ", "\t"]),
)
def test_an_id_survives_every_spelling(number, zeros, prefix, suffix, blank):
    assert video_id(f"{blank}{prefix}{zeros}{number}{suffix}{blank}") == f"video{number}.webm"


@pytest.mark.parametrize("name", ["", "video", "video1-0.txt", "video1.p", "clip1.webm", "video1.5"])
def test_what_is_no_id(name):
    assert video_id(name) == ""
