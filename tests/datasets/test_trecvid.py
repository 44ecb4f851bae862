"""TRECVid at MediaEval: the real files of 2021, and those of 2020 in miniature."""

from __future__ import annotations

import pytest

from memfeat import recipe
from memfeat.datasets import load
from memfeat.datasets.trecvid import ADAPTER, TrecvidOptions, load_trecvid
from memfeat.errors import LabelError, UsageError

VINE = "https://mtc.cdn.vine.co/r/videos_h264high/"


def read(root, **options):
    return load_trecvid("t", root, TrecvidOptions(**options))


def ship_2020(root):
    """The four files of 2020: a byte-order mark and CRLF in some of them, as shipped."""
    files = {
        "training_set/scores_v2.csv": "\ufeffvideo_id,video_url,ann_1,ann_2,part_1_scores,part_2_scores\r\n"
        f"8,{VINE}9EB0_4fb95.4.1.825.mp4,20,7,0.75,0.57\r\n26,{VINE}A8B3_1c7c.4.7.mp4,23,7,0.87,1.00\r\n",
        "dev_set/dev_scores.csv": "video_id,video_url,ann_1,ann_2,part_1_scores,part_2_scores\r\n"
        f"34,{VINE}ABE6_SW_WEBM_144.mp4,13,7,0.92,0.00\r\n",
        "test_set/test_urls.csv": f"\ufeffvideo_id,video_url\r\n4,{VINE}9D3F.mp4\r\n",
        "training_set/text_descriptions.csv": "\ufeffvideo_id,video_url,description\r\n"
        f'8,{VINE}9EB0_4fb95.4.1.825.mp4,"in the daytime, a cat walks"\r\n8,{VINE}9EB0_4fb95.4.1.825.mp4,a cat\r\n',
    }
    for name, text in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8", newline="")
    return root


def test_2020_in_miniature(tmp_path):
    root = ship_2020(tmp_path)
    (root / "training_set/Videos").mkdir()
    for name in ("00008.mp4", "A8B3_1c7c.4.7.mp4", "00099.mp4"):
        (root / "training_set/Videos" / name).write_bytes(b"x")
    dataset = load(recipe.load("trecvid2020"), root=root)
    table = dataset.labels.table
    assert dataset.labels.targets == ("part_1_scores", "part_2_scores")
    assert table["split"].to_dict() == {"4": "test", "8": "train", "26": "train", "34": "dev"}
    assert table.loc["26"].tolist() == [0.87, 1.0, "train", 23, 7]
    assert table.loc["4", ["part_1_scores", "part_2_scores"]].isna().all()
    assert dataset.texts["captions"] == {"8": ("in the daytime, a cat walks", "a cat")}
    assert {id: path.name for id, path in dataset.files.items()} == {
        "8": "00008.mp4",
        "26": "A8B3_1c7c.4.7.mp4",
    }
    assert dataset.missing == ("34", "4")
    assert dataset.extra == ("training_set/Videos/00099.mp4",)


def test_the_wrong_edition_is_refused(tmp_path):
    ship_2020(tmp_path)
    assert read(tmp_path).labels.targets == read(tmp_path, edition="2020").labels.targets
    with pytest.raises(
        LabelError, match=r"dev_scores\.csv has none of the score columns .*2021: scores_raw_short"
    ):
        read(tmp_path, edition="2021")


def test_scores_out_of_range_are_located(tmp_path):
    file = ship_2020(tmp_path) / "dev_set/dev_scores.csv"
    file.write_text(file.read_text().replace("0.92", "92"))
    with pytest.raises(LabelError, match=r"dev_scores\.csv, line 2, column 'part_1_scores': 92 is above 1"):
        read(tmp_path)


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"no TRECVid release .*train_scores\.csv.*--root"):
        read(tmp_path)


def test_the_real_files_of_2021(shared_data):
    dataset = load(recipe.load("trecvid2021"), root=shared_data / "trecvid_mediaeval2021")
    table = dataset.labels.table
    assert table["split"].value_counts().to_dict() == {"dev": 1116, "train": 588}
    assert dataset.missing == tuple(sorted(table.index))
    assert "706 URLs of dev_scores.csv begin or end with a blank; it is not part of them." in dataset.remarks
    captions = dataset.texts["captions"]
    assert (len(captions), sum(map(len, captions.values()))) == (1704, 2184 + 4058)
    assert captions["8"][0] == "2 men on a stage hug and walk away"
    assert min(map(len, captions.values())) >= 2
    assert not dataset.labels.has_group
    assert table["n:scores_raw_short_term"].agg(["min", "max"]).tolist() == [7, 35]
    assert table["n:scores_raw_long_term"].agg(["min", "max"]).tolist() == [3, 27]
    for published in ADAPTER.published:
        if published.target in table:
            rows = table.loc[table["split"] == published.split, published.target]
            assert rows.count() == published.n
            tolerance = 5e-6 if published.target == "decay_alpha" else 5e-5
            assert rows.mean() == pytest.approx(published.mean, abs=tolerance)
            assert rows.std() == pytest.approx(published.sd, abs=tolerance)
