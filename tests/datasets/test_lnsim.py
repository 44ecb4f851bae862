"""LNSIM: its MATLAB files in miniature, and 632 of its photographs with real split halves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from scipy.stats import spearmanr

from memfeat import recipe
from memfeat.datasets import load
from memfeat.datasets.lnsim import LnsimOptions, load_lnsim
from memfeat.errors import LabelError, UsageError

GENERATOR = np.random.default_rng(0)
ONE, TWO = GENERATOR.uniform(0.2, 0.9, (2, 25, 12))
HRS = (ONE + TWO).mean(axis=0) / 2


def ship(root: Path, *, hrs: bool = True, images: list[str] | None = None, **arrays: np.ndarray) -> Path:
    (root / "Random_splits").mkdir(parents=True)
    if hrs:
        savemat(root / "hrs.mat", {"hrs": arrays.get("scores", HRS[:, None])})
    savemat(root / "Random_splits/subject_hrs1.mat", {"subject_hrs1": arrays.get("one", ONE)})
    savemat(root / "Random_splits/subject_hrs2.mat", {"subject_hrs2": arrays.get("two", TWO)})
    (root / "Image_data").mkdir()
    for name in images or []:
        (root / "Image_data" / name).write_bytes(name.encode())
    return root


def read(root: Path, **options):
    return load_lnsim("lnsim", root, LnsimOptions(**options))


def test_a_release_in_miniature(tmp_path: Path) -> None:
    names = [f"{k:04}.jpg" for k in range(1, 13)]
    dataset = load(recipe.load("lnsim"), root=ship(tmp_path, images=names))
    assert list(dataset.files) == [f"Image_data/{name}" for name in names]
    np.testing.assert_array_equal(dataset.labels.table["memorability"], HRS)
    halves = dataset.halves["memorability"]
    assert halves.ids == tuple(dataset.files)
    np.testing.assert_array_equal(halves.a, ONE)
    np.testing.assert_array_equal(halves.b, TWO)
    assert "1 is Image_data/0001.jpg, 12 is Image_data/0012.jpg" in " ".join(dataset.remarks)


def test_without_hrs_and_images_the_halves_are_scores_by_number(tmp_path: Path) -> None:
    dataset = read(ship(tmp_path, hrs=False))
    assert dataset.files == {}
    assert dataset.labels.table.index.tolist() == [f"{k:04}" for k in range(1, 13)]
    np.testing.assert_allclose(dataset.labels.table["memorability"], HRS, rtol=1e-12)
    assert "no hrs.mat" in dataset.remarks[0]


def test_an_order_that_is_not_certain_must_be_named(tmp_path: Path) -> None:
    names = [f"{k}.jpg" for k in range(1, 13)]  # 10 comes before 2 by name
    root = ship(tmp_path, images=names)
    with pytest.raises(
        UsageError, match=r"Hit rate 2 belongs to 'Image_data/10.jpg' in order of names, .*2.jpg"
    ):
        read(root)
    by_number = read(root, order="number").labels.table["memorability"]
    by_name = read(root, order="name").labels.table["memorability"]
    assert by_number["Image_data/2.jpg"] == HRS[1]
    assert by_name["Image_data/10.jpg"] == HRS[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"images": ["a.jpg", "b.jpg"]}, "2 images for 12 hit rates"),
        ({"two": TWO[:, :11]}, r"subject_hrs2\.mat holds a matrix of 25 × 11; 25 × 12 was expected"),
        ({"one": ONE[:, :11]}, r"subject_hrs1\.mat holds a matrix of 25 × 11; any × 12"),
        (
            {"scores": np.where(np.arange(12) == 4, np.nan, HRS)},
            r"hrs\.mat, row 1, column 5: nan where a number from 0 to 1",
        ),
        ({"two": 100 * TWO}, r"subject_hrs2\.mat, row 1, column 1: .* where a number from 0 to 1"),
    ],
)
def test_mistakes_are_located(tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read(ship(tmp_path, **options))


def tabled(root: Path, scores: str, **arrays: np.ndarray) -> Path:
    (root / "scores.csv").write_text(scores)
    if arrays:
        np.savez(root / "split_half_hit_rates.npz", **arrays)
    return root


def test_the_form_with_a_table(tmp_path: Path) -> None:
    halves = np.full((3, 2), 0.5, np.float32)
    root = tabled(
        tmp_path, "image,memorability\nb.jpg,0.5\na.jpg,0.25\n", group_a=halves, group_b=halves + 0.25
    )
    dataset = read(root)
    assert dataset.labels.table["memorability"].to_dict() == {"a.jpg": 0.25, "b.jpg": 0.5}
    assert dataset.halves["memorability"].ids == ("b.jpg", "a.jpg")
    assert dataset.halves["memorability"].b.dtype == np.float64


@pytest.mark.parametrize(
    ("scores", "arrays", "message"),
    [
        ("image,memorability\na,2\n", {}, r"scores\.csv, line 2, column 'memorability': 2 is above 1"),
        ("image,memorability\na,0.5\na,0.5\n", {}, "lines 2, 3, column 'image': 'a' stands 2 times"),
        (
            "image,memorability\na,0.5\n",
            {"group_a": np.ones((2, 1))},
            "cannot be read as the arrays group_a and group_b",
        ),
        (
            "image,memorability\na,0.5\n",
            {"group_a": np.ones((2, 2)), "group_b": np.ones((2, 2))},
            "a matrix of 2 × 2; any × 1 was expected",
        ),
        (
            "image,memorability\na,0.5\n",
            {"group_a": np.array([[None]], dtype=object), "group_b": np.ones((1, 1))},
            "cannot be read as the arrays",  # objects would be unpickled
        ),
    ],
)
def test_mistakes_in_the_form_with_a_table(tmp_path: Path, scores: str, arrays: dict, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read(tabled(tmp_path, scores, **arrays))


def test_without_halves_it_is_said_and_without_anything_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no hrs\.mat, no pair subject_hrs1\.mat"):
        read(tmp_path)
    dataset = read(tabled(tmp_path, "image,memorability\na,0.5\nb,\n"))
    assert dataset.halves == {}
    assert "no split_half_hit_rates.npz" in " ".join(dataset.remarks)


def test_real_scenes(shared_data: Path) -> None:
    dataset = load(recipe.load("lnsim"), root=shared_data / "scenes")
    assert len(dataset.files) == len(dataset.labels.table) == 632
    assert dataset.missing == dataset.extra == ()
    halves = dataset.halves["memorability"]
    assert halves.a.shape == (25, 632)
    agreement = np.mean([spearmanr(a, b).statistic for a, b in zip(halves.a, halves.b, strict=True)])
    assert agreement == pytest.approx(0.787, abs=0.001)
    # Scores are the mean of the halves: the two files belong together.
    scores = dataset.labels.table.loc[list(halves.ids), "memorability"]
    np.testing.assert_allclose(scores, (halves.a + halves.b).mean(axis=0) / 2, atol=1e-6)
