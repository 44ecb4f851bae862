"""The SUN memorability set in miniature: cells of structs, splits that count from 1, photographs inside a matrix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from memfeat import recipe
from memfeat.datasets import isola, load
from memfeat.datasets.isola import IsolaOptions, load_isola
from memfeat.errors import LabelError, SetupError, UsageError
from memfeat.evaluation.splits import plan

N = 12
NAMES = [f"sun_{chr(97 + k)}_crop.jpg" for k in range(N)]
ANSWERS = [(60 + k, 20, k, 80 - k) for k in range(N)]
EXPERIMENT, IMAGES, SPLITS = "Data/Experiment data", "Data/Image data", "Data/Random splits"


def ship(root: Path, *, names: list[str] = NAMES, change: dict | None = None) -> Path:
    for folder in (EXPERIMENT, IMAGES, SPLITS):
        (root / folder).mkdir(parents=True)
    cells = np.empty((len(names), 1), dtype=object)
    for k, name in enumerate(names):
        hits, misses, alarms, rejections = ANSWERS[k % N]
        cells[k, 0] = {
            "filepath": f"images\\targets/{name}",
            "hits": hits,
            "misses": misses,
            "false_alarms": alarms,
            "correct_rejections": rejections,
        }
    order = [np.random.default_rng(k).permutation(N - 2) + 1 for k in range(3)]
    halves = np.random.default_rng(9).uniform(0.3, 1, (2, 3, N))
    halves[0, 1, 4] = np.nan  # nobody of one half saw the fifth
    variables = {
        f"{EXPERIMENT}/sorted_target_data": cells,
        f"{SPLITS}/image_train_indices": np.array([o[:5] for o in order], dtype=float),
        f"{SPLITS}/image_test_indices": np.array([o[5:] for o in order], dtype=float),
        f"{SPLITS}/subject_hrs1": halves[0],
        f"{SPLITS}/subject_hrs2": halves[1],
        **(change or {}),
    }
    for path, value in variables.items():
        if value is not None:
            savemat(root / f"{path}.mat", {path.rpartition("/")[2]: value})
    return root


def photographs(root: Path, n: int = N) -> np.ndarray:
    pixels = np.random.default_rng(1).integers(0, 256, (6, 5, 3, n), dtype=np.uint8)
    savemat(root / IMAGES / "target_images.mat", {"img": pixels})
    return pixels


def read(root: Path, **options):
    return load_isola("isola", root, IsolaOptions(**options))


def test_a_release_in_miniature(tmp_path: Path) -> None:
    dataset = load(recipe.load("isola"), root=ship(tmp_path))
    table = dataset.labels.table
    assert table.index.tolist() == NAMES
    np.testing.assert_allclose(table["hit_rate"], [(60 + k) / (80 + k) for k in range(N)])
    np.testing.assert_allclose(table["false_alarm_rate"], [k / 80 for k in range(N)])
    assert table["n:hit_rate"].tolist() == [80 + k for k in range(N)]
    assert list(dataset.labels.named_splits) == ["split1", "split2", "split3"]
    assert (len(dataset.files), len(dataset.missing)) == (0, N)


def test_splits_count_from_one_and_leave_some_out(tmp_path: Path) -> None:
    labels = read(ship(tmp_path)).labels
    train = np.random.default_rng(1).permutation(N - 2)[:5]
    assert {NAMES[k] for k in train} == set(labels.table.index[labels.table["split:split2"] == "train"])
    assert labels.table["split:split2"].isna().tolist() == [False] * 10 + [True] * 2
    named = {name: labels.table[column].tolist() for name, column in labels.named_splits.items()}
    made = plan(NAMES, named=named)
    assert made.name == "3 official folds"
    assert "2 rows without a split are neither fitted nor judged (3 of 3 folds)" in made.notes


def test_halves_leave_out_what_one_of_them_did_not_see(tmp_path: Path) -> None:
    halves = read(ship(tmp_path)).halves["hit_rate"]
    assert halves.ids == tuple(name for k, name in enumerate(NAMES) if k != 4)
    assert halves.a.shape == (3, N - 1) and np.isfinite(halves.a).all()


def test_textures_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isola, "_SCENES", N)
    dataset = read(ship(tmp_path, names=[*NAMES, "texture1.jpg", "texture2.jpg"]))
    assert dataset.labels.table.index.tolist() == NAMES
    assert "2 targets after the first 12 are textures" in dataset.remarks[0]


def test_categories_are_texts(tmp_path: Path) -> None:
    root = ship(tmp_path)
    groups = np.empty((1, 2), dtype=[("category", object), ("images", object)])
    urls = [["http://x/a/abbey/sun_a.jpg"], ["http://x/b/beach/sun_b.jpg", "http://x/b/beach/sun_zz.jpg"]]
    for k, (category, images) in enumerate(zip(("abbey", "beach"), urls, strict=True)):
        groups[0, k]["category"] = category
        cell = np.empty((len(images), 1), dtype=object)
        cell[:, 0] = images
        groups[0, k]["images"] = cell
    savemat(root / IMAGES / "SUN_urls.mat", {"SUN": groups})
    assert read(root).texts["categories"] == {NAMES[0]: ("abbey",), NAMES[1]: ("beach",)}


def test_photographs_are_unpacked_when_told_and_once(tmp_path: Path) -> None:
    root = ship(tmp_path)
    pixels = photographs(root, N + 2)
    assert 'unpack = "…"' in " ".join(read(root).remarks)
    dataset = read(root, unpack="photographs")
    assert list(dataset.files) == NAMES
    assert f"{N} photographs of target_images.mat were written" in " ".join(dataset.remarks)
    for k, path in enumerate(dataset.files.values()):
        np.testing.assert_array_equal(np.asarray(Image.open(path)), pixels[..., k])
    dataset.files[NAMES[0]].write_bytes(b"mine")
    assert read(root, unpack="photographs").files[NAMES[0]].read_bytes() == b"mine"


def test_photographs_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    root = ship(tmp_path)
    photographs(root, N - 1)
    with pytest.raises(LabelError, match=r"shape \(6, 5, 3, 11\); height × width × 3 × 12"):
        read(root, unpack="photographs")
    photographs(root)
    (root / "taken").write_text("a file")
    with pytest.raises(SetupError, match="cannot be written to"):
        read(root, unpack="taken")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {f"{SPLITS}/image_train_indices": np.array([[1, 2, 13]])},
            r"row 1, column 3: 13 where a number from 1 to 12",
        ),
        ({f"{SPLITS}/image_train_indices": np.array([[0, 2, 3]])}, r"row 1, column 1: 0 where"),
        ({f"{SPLITS}/image_train_indices": np.array([[1, 2, 3]])}, r"has 1 splits, .* 3"),
        (
            {
                f"{SPLITS}/image_train_indices": np.array([[1, 2]]),
                f"{SPLITS}/image_test_indices": np.array([[2, 3]]),
            },
            r"image_test_indices\.mat, row 1: target 2 stands twice",
        ),
        (
            {f"{SPLITS}/subject_hrs1": np.ones((3, N - 1))},
            r"subject_hrs1\.mat holds .*12 columns were expected",
        ),
        ({f"{EXPERIMENT}/sorted_target_data": np.ones((2, 2))}, r"entry 1: is no struct"),
    ],
)
def test_mistakes_are_located(tmp_path: Path, change: dict, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read(ship(tmp_path, change=change))


def test_a_name_twice_and_no_release(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="entries? 1, .*stands 2 times|entrys 1, 13"):
        read(ship(tmp_path / "twice", names=[*NAMES, NAMES[0]]))
    with pytest.raises(UsageError, match=r"no sorted_target_data\.mat"):
        read(tmp_path / "twice" / SPLITS)
    half = ship(tmp_path / "half", change={f"{SPLITS}/image_test_indices": None})
    dataset = read(half)
    assert dataset.labels.named_splits == {}
    assert "only image_train_indices.mat is there" in " ".join(dataset.remarks)
