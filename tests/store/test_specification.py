"""A second reader, written from ``features/README.md`` alone, agrees with the first."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from memfeat.store.canonical import KINDS, MAX_TEXT_BYTES
from memfeat.store.failures import Failure, write_failure
from memfeat.store.labels import RESERVED_SPLITS, Labels, write_labels
from memfeat.store.manifest import read_manifest
from memfeat.store.naming import MAX_ID_BYTES, video_path
from memfeat.store.reductions import REDUCTIONS
from memfeat.store.schema import SCHEMA
from memfeat.store.texts import MAX_CHARACTERS, Texts, write_texts

PAGE = (Path(__file__).parents[2] / "features" / "README.md").read_text("utf-8")


def path_by_the_page(store: Path, id: str) -> Path:
    text = unicodedata.normalize("NFKD", id)
    text = "".join(character for character in text if ord(character) < 128).lower()
    text = re.sub(r"[^a-z0-9_.-]+", "-", text).strip("-.")
    text = text[-60:].lstrip("-.") or "video"
    sha = hashlib.sha256(id.encode("utf-8")).hexdigest()
    return store / "videos" / sha[:2] / f"{text}-{sha[:10]}.h5"


@pytest.mark.parametrize(
    "id", ["day1/clip.mp4", "../é/Ü b.MP4", "日本", "x" * 200 + ".mp4", "..", "a" * 9 + "-" * 59 + "b"]
)
def test_file_names(id: str) -> None:
    assert path_by_the_page(Path("s"), id) == video_path("s", id)


def test_the_example_of_the_page_is_true() -> None:
    id, path = re.search(r"`(\S+)` → `(\S+)`", PAGE).groups()
    assert video_path("", id) == Path(path)


def test_files_hold_what_the_page_says(filled, make, put: Callable) -> None:
    put("x.png", make.no_flow())
    for path in sorted(filled.path.glob("videos/*/*.h5")):
        assert path.read_bytes()[8] == 0
        with h5py.File(path, "r") as file:
            assert set(file.attrs) == {"schema", "id", "source", "video"} and file.attrs["schema"] == 1
            id = file.attrs["id"].decode()
            assert path == path_by_the_page(filled.path, id)
            source = json.loads(file.attrs["source"])
            assert set(source) == {"size", "mtime_ns", "sha256"}
            record = filled[id]
            assert json.loads(file.attrs["video"]) == record.video
            for name, group in file.items():
                assert group.attrs["feature_key"].decode() == record[name].key
                assert json.loads(group.attrs["provenance"])["recipe"]["extractor"] == name
                assert json.loads(group.attrs["source"]) == source
                if group.attrs["status"] == b"not_applicable":
                    assert group.attrs["reason"] and not len(group)
                    continue
                assert group.attrs["status"] == b"ok" and "reason" not in group.attrs
                for key, dataset in group.items():
                    array = dataset[()]
                    assert dataset.attrs["sha256"].decode() == hashlib.sha256(array.tobytes()).hexdigest()
                    np.testing.assert_array_equal(array, record[name].arrays[key])


def test_columns_follow_the_formulas(filled) -> None:
    matrix = filled.matrix(["flow", "flow:std", "flow:max-per-frame", "contrast:std", "hog", "remux-size"])
    for row, id in enumerate(matrix.ids):
        with h5py.File(path_by_the_page(filled.path, id)) as file:
            v, dt = file["flow/values"][()], file["flow/dt"][()]
            mean = v.sum() / dt.sum()
            std = np.sqrt((dt * (v / dt - mean) ** 2).sum() / dt.sum())
            scalars = [mean, std, v.max(), file["contrast/values"][()].std()]
            expected = [*scalars, *file["hog/mean"][()], file["remux-size/values"][()]]
        np.testing.assert_allclose(matrix.to_numpy()[row], expected, rtol=1e-12)


def test_labels_and_description_follow_the_page(filled) -> None:
    columns = {"y": [1 / 3, None], "n:y": [3, 4], "split:fold1": ["test", None], "split": ["a,b", None]}
    table = pd.DataFrame(columns, index=["007", 'q"x'])
    write_labels(filled.path, Labels(table, synthetic=True))
    data = json.loads((filled.path / "store.json").read_text("utf-8"))
    assert set(data) == {"schema", "dataset", "sample", "ids", "notes", "labels", "texts", "extra"}
    assert (
        set(data["labels"]) == {"targets", "synthetic", "note", "source", "sha256"} and data["labels"]["note"]
    )
    raw = (filled.path / "labels.csv").read_bytes()
    assert hashlib.sha256(raw).hexdigest() == data["labels"]["sha256"] and b"\r" not in raw
    rows = list(csv.DictReader(raw.decode().splitlines()))
    assert rows == [
        {"id": "007", "y": repr(1 / 3), "split": "a,b", "split:fold1": "test", "n:y": "3.0"},
        {"id": 'q"x', "y": "", "split": "", "split:fold1": "", "n:y": "4.0"},
    ]
    for name in RESERVED_SPLITS:
        assert f"`{name}`" in PAGE


def test_texts_follow_the_page(filled) -> None:
    fields = {"titles": {"b": ["T"]}, "captions": {"b": ["two\r\nlines", 'a "b", c'], "a": ["x\ry"]}}
    write_texts(filled.path, Texts(fields, source={"titles": "t.csv"}))
    entry = json.loads((filled.path / "store.json").read_text("utf-8"))["texts"]
    raw = (filled.path / "texts.csv").read_bytes()
    assert entry == {
        "fields": ["titles", "captions"],
        "source": {"titles": "t.csv"},
        "sha256": hashlib.sha256(raw).hexdigest(),
    }
    heading, *rows = csv.reader(io.StringIO(raw.decode(), newline=""))
    assert heading == ["id", "field", "text"] and raw.startswith(b'"id","field","text"\n')
    assert rows == [
        ["a", "captions", "x\ry"],
        ["b", "titles", "T"],
        ["b", "captions", "two\r\nlines"],
        ["b", "captions", 'a "b", c'],
    ]


def test_failures_follow_the_page(filled) -> None:
    path = write_failure(filled.path, Failure("a.mp4", "cpu", "T", "m"))
    assert path.parent.name == path_by_the_page(filled.path, "a.mp4").stem
    fields = re.search(r"`failures/<stem>/<stage>\.json` has (.*?)\. A later", PAGE, re.S).group(1)
    assert set(json.loads(path.read_text())) == set(re.findall(r"`(\w+)`", fields))


def test_the_code_of_the_page_runs(filled, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    exec(compile(code, "README", "exec"), {"path": video_path(filled.path, "é.webm")})
    assert "é.webm hog {'first': (6,), 'mean': (6,)}" in capsys.readouterr().out


def test_numbers_and_names_of_the_page_are_those_of_the_code() -> None:
    assert f"schema version **{SCHEMA}**" in PAGE and f"| {SCHEMA} | " in PAGE.splitlines()[-1]
    assert f"at most {MAX_ID_BYTES} bytes" in PAGE and f"at most {MAX_TEXT_BYTES:,} bytes" in PAGE
    assert f"at most\n{MAX_CHARACTERS:,} characters" in PAGE
    for name in (*REDUCTIONS, *KINDS):
        assert f"`{name}`" in PAGE


def test_the_committed_sample_is_a_sound_store() -> None:
    sample = Path(__file__).parents[2] / "features" / "sample"
    if not sample.exists():
        pytest.skip("no sample store in this checkout")
    from memfeat.store.verify import verify

    assert read_manifest(sample).sample
    assert verify(sample).ok
