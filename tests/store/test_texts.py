"""Texts are kept as shipped: several per video, in order, none of them empty."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memfeat.errors import LabelError, StoreError, UsageError
from memfeat.store.feature_store import FeatureStore
from memfeat.store.info import info
from memfeat.store.labels import Labels
from memfeat.store.manifest import read_manifest
from memfeat.store.texts import FILE_NAME, Texts, read_texts, texts_unchanged, write_texts
from memfeat.store.verify import verify

CAPTIONS = {"b.mp4": ["two", "one"], "a.mp4": ["x"]}


def test_texts_keep_their_order_and_ids_are_sorted():
    texts = Texts({"captions": {"b.mp4": ["two", "one"], "a.mp4": ["x"]}, "actions": {"a.mp4": ["run"]}})
    assert texts.fields == ("captions", "actions")
    assert list(texts["captions"]) == ["a.mp4", "b.mp4"]
    assert texts["captions"]["b.mp4"] == ("two", "one")
    assert "titles" not in texts


@pytest.mark.parametrize("of", [{"a.mp4": []}, {"a.mp4": ["x", " "]}, {"a.mp4": "one string"}])
def test_an_id_without_a_text_is_refused(of):
    with pytest.raises(LabelError, match=r"'a\.mp4'"):
        Texts({"captions": of})


def test_a_field_needs_a_name():
    with pytest.raises(LabelError, match="named ''"):
        Texts({"": {"a.mp4": ["x"]}})


def test_texts_that_no_table_could_carry_are_refused():
    with pytest.raises(LabelError, match="100,001 characters"):
        Texts({"captions": {"a": ["x" * 100_001]}})
    with pytest.raises(LabelError, match="no valid Unicode"):
        Texts({"captions": {"a": ["\udcff"]}})
    with pytest.raises(LabelError, match="given twice"):
        Texts({"captions": {"caf\u00e9": ["x"], "cafe\u0301": ["y"]}})


def test_ids_of_all_fields_and_a_part_of_them():
    texts = Texts({"captions": CAPTIONS, "titles": {"c": ["t"]}}, source={"titles": "t.csv"})
    assert texts.ids == ("a.mp4", "b.mp4", "c")
    part = texts.only(["c", "a.mp4", "ghost"])
    assert dict(part) == {"captions": {"a.mp4": ("x",)}, "titles": {"c": ("t",)}}
    assert part.source == texts.source


visible = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
names = st.from_regex(r"[a-z0-9_-]*[a-z]", fullmatch=True)
ids = st.from_regex(r"[ -~]*[a-z]", fullmatch=True)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(names, st.dictionaries(ids, st.lists(visible, min_size=1, max_size=3)), max_size=3))
def test_whatever_is_written_is_read_back(store, fields):
    texts = Texts(fields, source=dict.fromkeys(fields, "made up"))
    write_texts(store.path, texts)
    found = read_texts(store.path)
    assert dict(found) == dict(texts)
    assert (found.fields, found.source) == (texts.fields, texts.source)
    assert texts_unchanged(store.path)


def test_a_store_without_texts_has_none(store):
    assert read_texts(store.path) is None
    assert store.texts is None
    assert texts_unchanged(store.path)


def test_an_older_description_means_no_texts(store):
    path = store.path / "store.json"
    data = json.loads(path.read_text())
    del data["texts"]
    path.write_text(json.dumps(data))
    assert read_manifest(store.path).texts is None
    assert FeatureStore(store.path).texts is None


def test_a_view_has_the_texts_of_its_ids(store, tmp_path):
    table = pd.DataFrame({"y": [1.0, 2.0], "split": ["train", "test"]}, index=["a.mp4", "b.mp4"])
    texts = Texts({"captions": CAPTIONS, "titles": {"only-a-title": ["t"]}})
    made = FeatureStore.create(tmp_path / "s", dataset="d", labels=Labels(table), texts=texts)
    assert made.texts["captions"] == {"a.mp4": ("x",), "b.mp4": ("two", "one")}
    assert made.filter(split="test").texts["captions"] == {"b.mp4": ("two", "one")}
    assert made.filter(ids=["only-a-title"]).texts["titles"] == {"only-a-title": ("t",)}
    assert made.ids == ()
    with pytest.raises(UsageError, match="ghost"):
        made.filter(ids=["ghost"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "heading"),
        ("id,text\na,b\n", "heading"),
        ("id,field,text\na,captions\n", "2 cells"),
        ("id,field,text\na,titles,x\n", "'titles', which is not listed"),
        ("id,field,text\na,captions, \n", "non-empty"),
        ('id,field,text\na,captions,"x\n', "unexpected end"),
        ("id,field,text\n\x01,captions,x\n", "control character"),
        ("id,field,text\na,captions," + "x" * 200_000, "field larger"),
    ],
)
def test_a_damaged_table_is_a_store_error(store, content, words):
    write_texts(store.path, Texts({"captions": CAPTIONS}))
    Path(store.path, FILE_NAME).write_text(content)
    with pytest.raises(StoreError, match=r"does not fit its entry in store\.json") as caught:
        read_texts(store.path)
    assert words in str(caught.value)
    assert [problem.kind for problem in verify(store.path).problems] == ["texts"]


def test_a_missing_or_edited_table_is_noticed(store):
    write_texts(store.path, Texts({"captions": CAPTIONS}))
    path = Path(store.path, FILE_NAME)
    path.write_bytes(b"\xef\xbb\xbfid,field,text\r\na,captions,new\r\n")
    assert read_texts(store.path)["captions"] == {"a": ("new",)}
    assert not texts_unchanged(store.path)
    report = verify(store.path)
    assert report.ok
    assert [warning.kind for warning in report.warnings] == ["texts"]
    path.write_bytes(b"\xff")
    with pytest.raises(StoreError, match="cannot be read"):
        read_texts(store.path)
    path.unlink()
    assert not texts_unchanged(store.path)
    with pytest.raises(StoreError, match="is missing"):
        read_texts(store.path)


def test_the_summary_counts_videos_and_texts(store):
    write_texts(store.path, Texts({"captions": CAPTIONS}))
    assert info(store.path).texts == {"captions": {"videos": 2, "texts": 3}}
