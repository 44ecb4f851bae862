"""The whole job in one command, small."""

from __future__ import annotations

import pandas as pd


def test_the_command_is_named_as_it_can_be_called(monkeypatch, tmp_path):
    from memfeat.cli.demo import _command

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [str(tmp_path / ".venv" / "bin" / "memfeat"), "demo"])
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert _command() == ".venv/bin/memfeat"
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/memfeat")
    assert _command() == "memfeat"


def test_the_demo_makes_measures_fits_and_says_where(memfeat, tmp_path, monkeypatch):
    monkeypatch.setattr("memfeat.demo.SECONDS", 1)
    ran = memfeat("demo", "--clips", 15, "--workers", 0)
    assert ran.code == 0, ran.err
    assert "SYNTHETIC" in ran.err
    assert "SYNTHETIC" in ran.out
    assert "features/demo" in ran.out
    assert "memfeat predict runs/demo-brr" in ran.out
    [table] = (tmp_path / "runs").glob("*/results.csv")
    assert str(table.relative_to(tmp_path)) in ran.out
    results = pd.read_csv(table)
    assert results["n"].eq(15).all()
    assert results["note"].str.contains("SYNTHETIC").all()

    from memfeat import FeatureStore

    assert len(FeatureStore(tmp_path / "features" / "demo")) == 15
    assert "SYNTHETIC" in FeatureStore(tmp_path / "features" / "demo").note
