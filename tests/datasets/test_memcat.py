"""MemCat in miniature: its table with an unnamed first column, and its folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from memfeat import recipe
from memfeat.datasets import load
from memfeat.datasets.memcat import MemcatOptions, load_memcat
from memfeat.errors import LabelError, UsageError

HEADING = (
    ",image_file,category,subcategory,width,height,source,source_id,hits,misses,false_alarms,n,"
    "memorability_w_fa_correction,memorability_wo_fa_correction\n"
)
ROWS = (
    "1,n02132136_1.jpg,animal,bear,500,375,imagenet,7,80,19,3,99,0.78,0.81\n"
    "2,COCO_train2014_000000000009.jpg,food,apple_pie,640,480,coco,9,90,9,20,99,0.7071,0.9091\n"
    "3,n02132136_1.jpg,vehicle,boat,640,480,coco,9,3,90,20,99,-0.1717,0.0303\n"
)


def ship(root: Path, text: str = HEADING + ROWS) -> Path:
    (root / "MemCat_data").mkdir()
    (root / "MemCat_data" / "memcat_image_data.csv").write_text(text, newline="")
    for folder in ("animal/bear", "food/apple_pie", "vehicle/boat"):
        (root / "MemCat_images/MemCat" / folder).mkdir(parents=True)
    for name in ("animal/bear/n02132136_1.jpg", "vehicle/boat/n02132136_1.jpg", "vehicle/boat/other.jpg"):
        (root / "MemCat_images/MemCat" / name).write_bytes(name.encode())
    return root


def test_a_release_in_miniature(tmp_path: Path) -> None:
    root = ship(tmp_path)
    dataset = load(recipe.load("memcat"), root=root)
    assert dataset.labels.targets == ("memorability_w_fa_correction", "memorability_wo_fa_correction")
    assert dataset.labels.table.loc["vehicle/boat/n02132136_1.jpg"].tolist() == [-0.1717, 0.0303]
    # Two images of one name are told apart by their folders.
    assert dataset.files == {
        id: root / "MemCat_images/MemCat" / id
        for id in ("animal/bear/n02132136_1.jpg", "vehicle/boat/n02132136_1.jpg")
    }
    assert dataset.missing == ("food/apple_pie/COCO_train2014_000000000009.jpg",)
    assert dataset.extra == ("MemCat_images/MemCat/vehicle/boat/other.jpg",)
    assert dataset.texts["subcategories"][dataset.missing[0]] == ("apple pie",)
    assert not dataset.labels.has_group


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            HEADING + ROWS.replace(",0.81", ",1.81"),
            r"line 2, column 'memorability_wo_fa_correction': 1.81 is above 1",
        ),
        (
            HEADING + ROWS.replace("0.7071", "NaN"),
            r"line 3, column 'memorability_w_fa_correction': 'NaN' where",
        ),
        (HEADING + ROWS.replace("apple_pie", ""), r"line 3, column 'subcategory': is empty"),
        (
            HEADING + ROWS + ROWS.splitlines()[0],
            r"lines 2, 5, column 'id': 'animal/bear/n02132136_1.jpg' stands 2",
        ),
        (HEADING.replace("image_file", "image") + ROWS, r"no column 'image_file'.* Did you mean 'image'"),
        (HEADING + ROWS[:-20], r"line 4: 11 cells where there are 14 columns"),
    ],
)
def test_mistakes_are_located(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        load_memcat("memcat", ship(tmp_path, text), MemcatOptions())


def test_scores_alone_are_a_dataset(tmp_path: Path) -> None:
    (tmp_path / "memcat_image_data.csv").write_text(HEADING + ROWS)
    dataset = load_memcat("memcat", tmp_path, MemcatOptions())
    assert (dataset.files, len(dataset.missing)) == ({}, 3)
    (tmp_path / "none").mkdir()
    with pytest.raises(UsageError, match=r"no memcat_image_data\.csv"):
        load_memcat("memcat", tmp_path / "none", MemcatOptions())
