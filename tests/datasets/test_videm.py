"""VIDEM in miniature, as shipped: YouTube's columns, descriptions over several lines, transcripts, frames."""

from __future__ import annotations

import csv

import pytest

from memfeat import recipe
from memfeat.datasets import load
from memfeat.datasets.videm import VidemOptions, load_videm
from memfeat.errors import LabelError, UsageError

# fmt: off
COLUMNS = [
    "id", "url", "channelName", "channelUrl", "categoryId", "categoryName", "title", "description", "thumbnailUrl",
    "tags", "durationString", "durationSeconds", "viewsCount", "likesCount", "dislikesCount", "favouritesCount",
    "commentsCount", "engagementsCount", "engagementRate", "video_id",
]
# fmt: on
SCORES = ["nb_annotations", "memorability_score", "brand_memorability"]


def row(id, number, **more):
    return {
        **dict.fromkeys(COLUMNS, "1"),
        "id": id,
        "video_id": str(number),
        "channelName": "Goldman Sachs",
        "categoryName": "News & Politics",
        "title": f"Title of {id}",
        "description": 'First line,\n\n"quoted" second line\n#tag',
        "tags": "bank,money market,",
        **more,
    }


DEV = [
    row("-bfCUSPN7KI", 1, nb_annotations=17, memorability_score=0.5, brand_memorability=0.25),
    row("CbfCUSPN7K_", 2, nb_annotations=12, memorability_score=1, brand_memorability=0, channelName="UBS",
        tags="['money', \"it's\"]"),
]  # fmt: skip
TEST = [row("abcdefgh_12", 3, channelName=" "), row("00000000008", 4, tags="")]


def ship(root, dev=DEV, test=TEST, test_name="testset_videolist_.csv"):
    for name, rows, columns in (
        ("devset_videolist_GT.csv", dev, COLUMNS + SCORES),
        (test_name, test, COLUMNS),
    ):
        with (root / name).open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)
    return root


def read(root, **options):
    return load_videm("v", root, VidemOptions(**options))


@pytest.mark.parametrize("test_name", ["testset_videolist.csv", "testset_videolist_.csv"])
def test_the_release_in_miniature(tmp_path, test_name):
    ship(tmp_path, test_name=test_name)
    (tmp_path / "devset-stt").mkdir()
    (tmp_path / "devset-stt/-bfCUSPN7KI.txt").write_text("we help\nclients\n")
    (tmp_path / "devset-stt/CbfCUSPN7K_.txt").write_text("\n")
    (tmp_path / "devset-stt/unknown.txt").write_text("x")
    (tmp_path / "frames/-bfCUSPN7KI").mkdir(parents=True)
    (tmp_path / "frames/-bfCUSPN7KI/0001.jpg").write_bytes(b"x")
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos/CbfCUSPN7K_.webm").write_bytes(b"x")
    dataset = load(recipe.load("videm2025"), root=tmp_path)
    table = dataset.labels.table
    assert dataset.labels.targets == ("memorability_score", "brand_memorability")
    assert table.loc["-bfCUSPN7KI"].tolist() == [0.5, 0.25, "dev", "Goldman Sachs", 17, 17]
    assert table["split"].value_counts().to_dict() == {"dev": 2, "test": 2}
    assert table.loc[["abcdefgh_12", "00000000008"], "memorability_score"].isna().all()
    assert table["group"].to_dict()["abcdefgh_12"] is None
    assert list(dataset.files) == ["CbfCUSPN7K_"]
    texts = dataset.texts
    assert texts["descriptions"]["-bfCUSPN7KI"] == ('First line, "quoted" second line #tag',)
    assert texts["tags"]["-bfCUSPN7KI"] == ("bank", "money market")
    assert texts["tags"]["CbfCUSPN7K_"] == ("money", "it's")
    assert "00000000008" not in texts["tags"]
    assert texts["titles"]["abcdefgh_12"] == ("Title of abcdefgh_12",)
    assert texts["categories"]["abcdefgh_12"] == ("News & Politics",)
    assert texts["speech"] == {"-bfCUSPN7KI": ("we help clients",)}
    said = " ".join(dataset.remarks)
    assert "1 transcripts are empty: CbfCUSPN7K_." in said
    assert "1 transcripts belong to no video of the lists: unknown.txt." in said


def test_files_are_matched_by_the_whole_id_only(tmp_path):
    ship(tmp_path)
    for name in ("8.mp4", "bfCUSPN7KI.mp4", "cbfCUSPN7K_.mp4"):
        (tmp_path / name).write_bytes(b"x")
    dataset = read(tmp_path)
    assert dataset.files == {}
    assert len(dataset.extra) == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"memorability_score": "1.5"}, "column 'memorability_score': 1.5 is above 1"),
        ({"brand_memorability": ""}, "column 'brand_memorability': is empty"),
        ({"id": ""}, "column 'id': is empty"),
    ],
)
def test_bad_cells_are_located_though_rows_span_lines(tmp_path, change, words):
    ship(tmp_path, dev=[DEV[0], {**DEV[1], **change}])
    # The first row takes the lines 2 to 5, for its description has three line breaks.
    with pytest.raises(LabelError, match=r"devset_videolist_GT\.csv, line 6, " + words):
        read(tmp_path)


def test_a_video_in_both_lists_is_refused(tmp_path):
    ship(tmp_path, test=[row("-bfCUSPN7KI", 1)])
    with pytest.raises(LabelError, match="'-bfCUSPN7KI' is in another list of videos too"):
        read(tmp_path)


def test_a_list_that_breaks_off_is_located(tmp_path):
    file = ship(tmp_path) / "devset_videolist_GT.csv"
    file.write_text(file.read_text()[:-60])
    with pytest.raises(
        LabelError, match=r"devset_videolist_GT\.csv, line 6: .*cut off|Its end may be missing"
    ):
        read(tmp_path)


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"no VIDEM release .*devset_videolist_GT\.csv"):
        read(tmp_path)
