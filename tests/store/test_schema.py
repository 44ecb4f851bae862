from __future__ import annotations

import pytest

from memfeat.errors import StoreError
from memfeat.store import schema
from memfeat.store.schema import NewerSchemaError, check_schema, upgraded


def test_every_older_version_has_a_step() -> None:
    assert sorted(schema.UPGRADES) == list(range(1, schema.SCHEMA))


@pytest.mark.parametrize("version", [None, "1", 1.0, True, 0, -1])
def test_what_is_no_version_is_refused(version: object) -> None:
    with pytest.raises(StoreError, match="here gives the schema version"):
        check_schema(version, "here")


def test_newer_versions_say_to_upgrade() -> None:
    with pytest.raises(NewerSchemaError, match=rf"reads up to {schema.SCHEMA}\. Upgrade memfeat"):
        upgraded({"schema": schema.SCHEMA + 1}, "here")


def test_a_current_description_is_left_as_it_is() -> None:
    data = {"schema": schema.SCHEMA, "dataset": "d"}
    assert upgraded(data, "here") == data


def test_steps_are_taken_in_order_and_numbered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "SCHEMA", 4)
    for version in (1, 2, 3):
        monkeypatch.setitem(
            schema.UPGRADES, version, lambda data: {**data, "steps": [*data.get("steps", []), data["schema"]]}
        )
    assert upgraded({"schema": 2}, "here") == {"schema": 4, "steps": [2, 3]}
