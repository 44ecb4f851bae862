"""Every notebook runs from top to bottom in a fresh clone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.ipynb")), ids=lambda file: file.stem)
def test_every_cell_runs(file, monkeypatch):
    monkeypatch.chdir(FOLDER)
    cells = [cell for cell in json.loads(file.read_text())["cells"] if cell["cell_type"] == "code"]
    assert cells
    scope: dict[str, object] = {}
    for number, cell in enumerate(cells):
        assert cell["outputs"] == [], "commit notebooks without outputs"
        exec(compile("".join(cell["source"]), f"{file.name}[{number}]", "exec"), scope)
