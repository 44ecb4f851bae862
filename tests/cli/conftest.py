"""Run the command in this process, in an empty working folder."""

from __future__ import annotations

from dataclasses import dataclass

import pytest


@dataclass
class Ran:
    code: int
    out: str
    err: str


@pytest.fixture
def memfeat(tmp_path, monkeypatch, capsys):
    """Call it with arguments; gives exit code, standard output and standard error."""
    from memfeat.cli import main

    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> Ran:
        monkeypatch.setattr("sys.argv", ["memfeat", *map(str, arguments)])
        capsys.readouterr()
        try:
            main.run()
            code = 0
        except SystemExit as leave:
            code = leave.code or 0
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return call
