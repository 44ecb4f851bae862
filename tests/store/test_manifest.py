from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from memfeat.errors import SetupError, StoreError, UsageError
from memfeat.store import schema
from memfeat.store.manifest import (
    Manifest,
    create_store,
    default_store,
    find_stores,
    is_store,
    read_manifest,
    update_manifest,
    write_manifest,
)
from memfeat.store.schema import NewerSchemaError


def test_description_reads_back(tmp_path: Path) -> None:
    manifest = Manifest(
        "démo", True, "the adapter's own", ("made up",), {"targets": ["x"]}, {"root": "/data"}
    )
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest
    assert json.loads((tmp_path / "store.json").read_text("utf-8"))["schema"] == schema.SCHEMA


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not valid JSON"),
        ("[]", "holds a list"),
        ("{}", "schema version None"),
        ('{"schema": 0, "dataset": "d"}', "schema version 0"),
        ('{"schema": true, "dataset": "d"}', "schema version True"),
        ('{"schema": 1}', "'dataset' is None"),
        ('{"schema": 1, "dataset": "d", "sample": "no"}', "'sample' is 'no'"),
        ('{"schema": 1, "dataset": "d", "labels": []}', "'labels' is"),
    ],
)
def test_damaged_descriptions_are_refused(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "store.json").write_text(text)
    with pytest.raises(StoreError, match=why):
        read_manifest(tmp_path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "store.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StoreError, match="not UTF-8"):
        read_manifest(tmp_path)


def test_newer_schema_says_to_upgrade(tmp_path: Path) -> None:
    (tmp_path / "store.json").write_text('{"schema": 99, "dataset": "d"}')
    with pytest.raises(NewerSchemaError, match=r"schema version 99.*Upgrade memfeat"):
        read_manifest(tmp_path)


def test_older_descriptions_take_every_upgrade_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "SCHEMA", 3)
    monkeypatch.setitem(schema.UPGRADES, 1, lambda data: {**data, "dataset": data["name"]})
    monkeypatch.setitem(schema.UPGRADES, 2, lambda data: {**data, "notes": [f"was called {data['name']}"]})
    found = Manifest.from_json('{"schema": 1, "name": "old"}')
    assert (found.dataset, found.notes) == ("old", ("was called old",))


def test_changes_keep_what_others_wrote(tmp_path: Path) -> None:
    create_store(tmp_path, dataset="d", notes=("one",))
    update_manifest(tmp_path, lambda manifest: replace(manifest, notes=(*manifest.notes, "two")))
    assert read_manifest(tmp_path).notes == ("one", "two")


def test_a_store_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "a" / "store"
    assert create_store(path, dataset="d") == read_manifest(path)
    with pytest.raises(UsageError, match="already holds a store of the dataset 'd'"):
        create_store(path, dataset="d")
    assert create_store(path, dataset="d", exist_ok=True).dataset == "d"
    with pytest.raises(UsageError, match="holds the dataset 'd', not 'e'"):
        create_store(path, dataset="e", exist_ok=True)
    with pytest.raises(UsageError, match="needs the name"):
        create_store(tmp_path / "b", dataset=" ")


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file; a store is a folder"):
        create_store(tmp_path / "file", dataset="d")
    with pytest.raises(SetupError, match="Creating the folder"):
        create_store(tmp_path / "file" / "store", dataset="d")


def test_a_missing_store_lists_those_nearby(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"no folder nowhere\. Make one with `memfeat extract`"):
        read_manifest("nowhere")
    create_store("features/one", dataset="one")
    create_store("features/two", dataset="two")
    for wrong in ("nowhere", "features/three", "features", "features/one/store.json"):
        with pytest.raises(UsageError, match=r"Stores nearby: features.one, features.two"):
            read_manifest(wrong)
    assert is_store("features/one") and not is_store("features")
    with pytest.raises(UsageError, match=r"it has no store\.json"):
        read_manifest("features")


def test_an_update_makes_no_folder_where_no_store_is(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        update_manifest(tmp_path / "none", lambda manifest: manifest)
    assert not (tmp_path / "none").exists()


def test_the_default_is_the_one_store_that_is_no_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="There is no store in features"):
        default_store()
    create_store("features/sample", dataset="s", sample=True)
    with pytest.raises(UsageError, match=r"the sample features.sample must be asked for"):
        default_store()
    create_store("features/mine", dataset="m")
    assert default_store() == Path("features/mine")
    create_store("features/other", dataset="o")
    with pytest.raises(UsageError, match=r"Several stores lie in features: features.mine, features.other"):
        default_store()
    assert find_stores() == [Path("features", name) for name in ("mine", "other", "sample")]
