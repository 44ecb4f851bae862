"""Shared by every test: this folder's helper modules, and the real data that is not part of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real clips, photographs and score tables, or a skip that says how to get it."""
    named = os.environ.get("MEMFEAT_TEST_DATA")
    folder = Path(named) if named else HERE.parent.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(
            f"no real data at {folder}: point MEMFEAT_TEST_DATA at the folder that holds clips/ and scenes/"
        )
    return folder
