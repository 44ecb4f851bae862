"""The whole check: on sound and on spoilt datasets, on folders, on many rows, and on real scores."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from clips import write_clip, write_image

from memfeat import datasets
from memfeat.checking.check import check
from memfeat.checking.report import SEVERITIES
from memfeat.dataset import Dataset, Published, SplitHalves
from memfeat.recipe import DatasetTable, Recipe
from memfeat.store.labels import Labels
from memfeat.store.texts import Texts


def folder(root, **options) -> Dataset:
    return datasets.load(Recipe(name="pilot", dataset=DatasetTable(adapter="folder", **options)), root=root)


@pytest.fixture
def media(tmp_path):
    """Four clips and their scores."""
    (tmp_path / "clips").mkdir()
    for number in range(4):
        write_clip(tmp_path / "clips" / f"{number}.mp4", seed=number, frames=3 + number)
    rows = ["video,score,split", *(f"{n}.mp4,0.{5 + n},{'test' if n == 3 else 'train'}" for n in range(4))]
    (tmp_path / "scores.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_a_sound_folder_has_no_findings(media) -> None:
    report = check(folder(media, videos="clips"))
    assert report.findings == () and report.ok and report.exit_code == 0
    assert report.media.read == 4 and report.counts.both == 4
    assert [row.split for row in report.statistics] == [None, "test", "train"]


def test_a_folder_with_every_kind_of_defect(media) -> None:
    clips = media / "clips"
    (clips / "3.mp4").write_bytes((clips / "0.mp4").read_bytes())
    (clips / "1.mp4").write_bytes(b"junk" * 50)
    (clips / "2.mp4").write_bytes(b"")
    write_clip(clips / "new.mp4", seed=9)
    report = check(folder(media, videos="clips"))
    assert {f.code: f.severity for f in report.findings} == {
        "unreadable-files": "error",
        "empty-files": "error",
        "leak-content": "error",
        "same-content": "warning",
        "extra-files": "warning",
    }
    assert report["leak-content"][0].groups == (("0.mp4", "3.mp4"),)
    order = [SEVERITIES.index(f.severity) for f in report.findings]
    assert order == sorted(order)
    assert not report.ok and report.exit_code == 3


def test_files_need_not_be_opened_or_read(media, monkeypatch) -> None:
    from memfeat.checking import files

    def never(*_, **__):
        raise AssertionError("a file was opened")

    dataset = folder(media, videos="clips")
    (media / "clips" / "3.mp4").write_bytes((media / "clips" / "0.mp4").read_bytes())
    monkeypatch.setattr(files, "look_at", never)
    monkeypatch.setattr(files, "_digest", never)
    report = check(dataset, headers=False, hash_files=False)
    assert report.media is None and report["same-content"] == ()


def test_decoding_everything(media) -> None:
    assert check(folder(media, videos="clips"), deep=True).media.frames == (3, 4, 6)


def test_images_alone(tmp_path) -> None:
    for number in range(3):
        write_image(tmp_path / f"{number}.png", seed=number)
    report = check(folder(tmp_path))
    assert [f.code for f in report.findings] == ["no-labels"] and report.ok
    assert report.media.durations is None and report.statistics == ()


def test_findings_do_not_depend_on_the_number_of_threads(media) -> None:
    for name in ("0", "1"):
        (media / "clips" / f"{name}.mp4").write_bytes(b"junk" * 50)
    dataset = folder(media, videos="clips")
    assert check(dataset, threads=1) == check(dataset, threads=4)


KEYS = {
    *("schema", "name", "ok", "found", "counts", "statistics", "published", "annotations", "halves", "media"),
    *("findings", "remarks", "note"),
}


def test_json_has_everything_and_no_nan(media) -> None:
    dataset = folder(media, videos="clips")
    assert dataset.labels is not None
    ids = tuple(dataset.files)
    full = Dataset(
        "full",
        dataset.files,
        Labels(dataset.labels.table.assign(**{"n:score": [20.0, np.nan, 30, 40]})),
        remarks=("read so",),
        texts=Texts({"captions": {ids[0]: ["a"], ids[1]: ["a"]}}),
        halves={"score": SplitHalves(ids, np.eye(4)[:2], np.eye(4)[2:])},
    )
    report = check(full, published=[Published("score", 5), Published("late", 5)])
    read = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert set(read) == KEYS
    assert read["counts"]["splits"] == {"split": {"test": 1, "train": 3}}
    assert read["published"][0]["differs"] == ["n"]
    assert read["annotations"][0]["low"] == 20
    assert read["halves"]["score"]["halvings"] == 2
    assert read["remarks"] == ["read so"]
    assert set(read["findings"][0]) == {"severity", "code", "message", "ids", "groups"}
    assert read["found"]["error"] == len(report.of("error")) > 0


def test_the_table_for_notebooks(media) -> None:
    table = check(folder(media, videos="clips"), headers=False).table()
    assert table.loc[table["split"] == "all", "mean"].item() == pytest.approx(0.65)


def test_ten_thousand_rows_with_files_and_texts(tmp_path) -> None:
    n = 10_000
    rng = np.random.default_rng(0)
    ids = [f"v{number}.mp4" for number in range(n)]
    (tmp_path / "one.mp4").write_bytes(b"x")
    table = {
        "score": rng.beta(8, 2, n),
        "decay": rng.normal(-0.002, 0.001, n),
        "n:score": rng.integers(30, 100, n),
        "split": rng.choice(["train", "val", "test"], n),
        "group": [f"g{number // 3}" for number in range(n)],
    }
    dataset = Dataset(
        "many",
        dict.fromkeys(ids, tmp_path / "one.mp4"),
        Labels(pd.DataFrame(table, index=ids)),
        texts=Texts({"captions": {id: [f"caption {number // 2}"] for number, id in enumerate(ids)}}),
    )
    report = check(dataset, headers=False)
    assert report.counts.both == n
    assert len(report["same-content"][0].ids) == n
    assert len(report["same-captions"][0].groups) == n // 2
    assert len(report["leak-group"]) == 3


def release(adapter: str, root) -> tuple[Dataset, tuple[Published, ...]]:
    recipe = Recipe(name=adapter, dataset=DatasetTable(adapter=adapter))
    return datasets.load(recipe, root=root), datasets.get(adapter).published


def test_real_scores_of_memento10k(shared_data) -> None:
    dataset, published = release("memento10k", shared_data / "memento10k_mediaeval2021")
    report = check(dataset, published=published)
    assert report.ok and [row.differs for row in report.comparisons] == [()] * 3
    described = {row.target: row for row in report.statistics}
    assert described["scores_normalized_short_term"].mean == pytest.approx(0.800992, abs=5e-7)
    assert "(5.5%)" in report["rising-slopes"][0].message
    counted = {row.target: row for row in report.annotations}["scores_raw_short_term"]
    assert counted.reliability.reliability == pytest.approx(0.849, abs=5e-4)
    assert (counted.low, counted.high) == (77, 103)


def test_a_cut_table_of_memento10k_is_noticed(shared_data, tmp_path) -> None:
    whole = (shared_data / "memento10k_mediaeval2021" / "train_scores.csv").read_text().splitlines(True)
    (tmp_path / "train_scores.csv").write_text("".join(whole[:6501]))
    dataset, published = release("memento10k", tmp_path)
    report = check(dataset, published=published)
    assert report.exit_code == 3
    assert any("6,500 scores instead of 7,000" in found.message for found in report["not-as-published"])


def test_real_scores_of_trecvid(shared_data) -> None:
    dataset, published = release("trecvid", shared_data / "trecvid_mediaeval2021")
    report = check(dataset, published=published)
    assert report.ok and len(report.comparisons) == 8
    assert report.counts.splits == {"split": {"dev": 1116, "train": 588}}
    assert report.counts.texts == {"captions": 1704}
    reliable = {(row.target, row.split): row.reliability.reliability for row in report.annotations}
    assert reliable["scores_raw_short_term", "train"] == pytest.approx(0.27, abs=0.005)
    assert reliable["scores_raw_long_term", "dev"] == pytest.approx(0.25, abs=0.005)


def test_a_quarter_of_the_scenes_with_their_halves(shared_data) -> None:
    dataset, published = release("lnsim", shared_data / "scenes")
    report = check(dataset, published=published)
    assert [found.code for found in report.findings] == ["not-as-published"]
    assert "632 scores instead of 2,632" in report.findings[0].message
    assert report.counts.both == report.media.read == 632
    assert report.halves["memorability"].split_half == pytest.approx(0.787, abs=0.0005)
    assert report.halves["memorability"].ceiling == pytest.approx(0.938, abs=0.0005)
