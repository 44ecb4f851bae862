"""FIGRIM in miniature, with the fields of its release as MATLAB nests them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from memfeat import recipe
from memfeat.datasets import load
from memfeat.datasets.figrim import FigrimOptions, load_figrim
from memfeat.errors import LabelError, UsageError

ROWS = (
    ("airport_terminal", "sun_awmodvmqonpeudqi.jpg", (73, 17, 6, 94)),
    ("highway", "sun_bnjxztsvnercygxn.jpg", (200, 56, 0, 90)),
    ("highway", "sun_bdwttbytrbnqyqsk.jpg", (30, 10, 5, 45)),
)


def counts(hits: int, misses: int, alarms: int, rejections: int) -> np.ndarray:
    names = {"hits": hits, "false_alarms": alarms, "misses": misses, "correct_rejections": rejections}
    inner = np.empty((1, 1), dtype=[(name, object) for name in names])
    for name, value in names.items():
        inner[0, 0][name] = np.array([[value]], dtype=np.uint8)
    return inner


def ship(
    root: Path, *, file: str = "allImages_release.mat", rows: tuple = ROWS, fields: tuple = ("AMT_comb",)
) -> Path:
    dtype = [(name, object) for name in ("filename", "category", "impath", "userdata", *fields)]
    array = np.empty((1, len(rows)), dtype=dtype)
    for k, (category, name, answers) in enumerate(rows):
        element = array[0, k]
        element["filename"], element["category"] = name, category
        element["impath"] = f"Targets/{category}/{name}"
        element["userdata"] = np.zeros((1, 0))
        for field in fields:
            element[field] = counts(*answers) if answers else np.zeros((1, 0))
    root.mkdir(exist_ok=True)
    savemat(root / file, {file.removesuffix("_release.mat").removesuffix(".mat"): array}, do_compression=True)
    return root


def read(root: Path):
    return load_figrim("figrim", root, FigrimOptions())


def test_a_release_in_miniature(tmp_path: Path) -> None:
    root = ship(tmp_path)
    for folder, name in (("Targets/highway", ROWS[1][1]), ("Fillers/highway", "sun_filler.jpg")):
        (root / folder).mkdir(parents=True)
        (root / folder / name).write_bytes(name.encode())
    dataset = load(recipe.load("figrim"), root=root)
    table = dataset.labels.table
    assert dataset.labels.targets == ("hit_rate", "false_alarm_rate")
    first = table.loc["airport_terminal/sun_awmodvmqonpeudqi.jpg"]
    assert (first["hit_rate"], first["n:hit_rate"]) == (73 / 90, 90)
    assert (first["false_alarm_rate"], first["n:false_alarm_rate"]) == (0.06, 100)
    # Bytes would overflow: 200 + 56 is 256.
    assert table.loc["highway/sun_bnjxztsvnercygxn.jpg", ["hit_rate", "n:hit_rate"]].tolist() == [
        200 / 256,
        256,
    ]
    assert list(dataset.files) == ["highway/sun_bnjxztsvnercygxn.jpg"]
    assert len(dataset.missing) == 2
    assert dataset.extra == ("Fillers/highway/sun_filler.jpg",)
    assert dataset.texts["categories"]["airport_terminal/sun_awmodvmqonpeudqi.jpg"] == ("airport terminal",)


def test_images_that_the_authors_call_duplicates_are_one_group(tmp_path: Path) -> None:
    group = read(ship(tmp_path)).labels.table["group"]
    assert group["highway/sun_bnjxztsvnercygxn.jpg"] == group["highway/sun_bdwttbytrbnqyqsk.jpg"]
    assert group["airport_terminal/sun_awmodvmqonpeudqi.jpg"] is None
    assert not read(ship(tmp_path / "one", rows=ROWS[:1])).labels.has_group


def test_experiments_that_are_kept_apart_are_targets_of_their_own(tmp_path: Path) -> None:
    labels = read(ship(tmp_path, file="image_data_targets.mat", fields=("amt1", "amt2"))).labels
    assert labels.targets == (
        "hit_rate_amt1",
        "false_alarm_rate_amt1",
        "hit_rate_amt2",
        "false_alarm_rate_amt2",
    )
    both = read(ship(tmp_path / "both", fields=("AMT_1", "AMT_comb"))).labels.targets
    assert both == ("hit_rate", "false_alarm_rate", "hit_rate_amt_1", "false_alarm_rate_amt_1")


def test_an_image_that_nobody_saw_again_has_no_score(tmp_path: Path) -> None:
    rows = (*ROWS, ("sky", "sun_x.jpg", (0, 0, 0, 9)))
    dataset = read(ship(tmp_path, rows=rows))
    assert np.isnan(dataset.labels.table.loc["sky/sun_x.jpg", "hit_rate"])
    assert "1 of 4 rows of no split have no hit_rate" in " ".join(dataset.remarks)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rows": (*ROWS, ROWS[0])}, r"entry 4, column 'filename': 'airport_.*' stands in entry 1 too"),
        ({"rows": (*ROWS, ("sky", "x.jpg", None))}, r"entry 4, column 'AMT_comb': has no counts"),
        ({"rows": (*ROWS, ("", "x.jpg", (1, 1, 1, 1)))}, r"entry 4, column 'category': is empty"),
        ({"fields": ()}, "no counts of hits: none of filename, category, impath, userdata"),
    ],
)
def test_mistakes_are_located(tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read(ship(tmp_path, **options))


def test_counts_that_are_none_are_located(tmp_path: Path) -> None:
    root = ship(tmp_path)
    import scipy.io

    array = scipy.io.loadmat(root / "allImages_release.mat")["allImages"]
    array[0, 1]["AMT_comb"][0, 0]["hits"] = np.array([[1.5]])
    savemat(root / "allImages_release.mat", {"allImages": array})
    with pytest.raises(LabelError, match=r"entry 2, AMT_comb, column 'hits': 1.5 is no whole number"):
        read(root)
    (root / "allImages_release.mat").unlink()
    with pytest.raises(UsageError, match=r"no allImages_release\.mat or image_data_targets\.mat"):
        read(root)
