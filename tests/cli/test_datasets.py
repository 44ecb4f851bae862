"""`memfeat datasets list` and `check`: tables, JSON, exit codes."""

from __future__ import annotations

import json

import pytest
from clips import write_image


@pytest.fixture
def pilot(tmp_path):
    """A recipe `pilot` with three images and scores in ``data/pilot``."""
    place = tmp_path / "data" / "pilot"
    place.mkdir(parents=True)
    for number in range(3):
        write_image(place / f"{number}.png", seed=number)
    (place / "scores.csv").write_text("image,score\n0,0.5\n1,0.7\n2,0.9\n")
    (tmp_path / "pipelines").mkdir()
    recipe = 'description = "Pilot"\n[dataset]\nroot = "data/pilot"\ntargets = ["score"]\nid = "image"\n'
    (tmp_path / "pipelines" / "pilot.toml").write_text(recipe)
    return place


def test_list_says_what_is_here(memfeat, pilot) -> None:
    ran = memfeat("datasets", "list")
    assert ran.code == 0
    (line,) = [line for line in ran.out.splitlines() if line.startswith("pilot")]
    assert line.split() == ["pilot", "yes", "score", "data/pilot"]
    (demo,) = [line for line in ran.out.splitlines() if line.startswith("demo")]
    assert demo.split() == ["demo", "no", "memorability_synthetic", "data/demo"]


def test_list_as_json(memfeat, pilot, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("MEMFEAT_DATA", str(tmp_path / "data"))
    rows = {row["recipe"]: row for row in json.loads(memfeat("datasets", "list", "--json").out)}
    assert rows["pilot"] == {
        "recipe": "pilot",
        "adapter": "folder",
        "targets": ["score"],
        "what": "Pilot",
        "present": True,
        "places": [str(pilot)],
    }
    assert rows["demo"]["places"] == [str(tmp_path / "data" / "demo"), "data/demo"]
    assert rows["demo"]["present"] is False


def test_list_has_every_adapter(memfeat) -> None:
    from memfeat import datasets

    rows = json.loads(memfeat("datasets", "list", "--json").out)
    assert {row["adapter"] for row in rows} == set(datasets.adapters())


def test_a_recipe_that_is_wrong_does_not_hide_the_others(memfeat, pilot, tmp_path) -> None:
    (tmp_path / "pipelines" / "wrong.toml").write_text("[datset]\n")
    ran = memfeat("datasets", "list")
    assert ran.code == 0 and "NOT VALID" in ran.out and "pilot" in ran.out


def test_a_sound_dataset(memfeat, pilot) -> None:
    ran = memfeat("datasets", "check", "pilot")
    assert ran.code == 0
    assert ran.out.startswith("pilot in data/pilot\n3 rows, 3 files (3 images; 3 with a row)\n")
    assert ran.out.rstrip().endswith("No errors, no warnings, no notes.")


def test_errors_are_exit_code_3(memfeat, pilot) -> None:
    (pilot / "1.png").write_bytes(b"")
    ran = memfeat("datasets", "check", "pilot")
    assert ran.code == 3
    assert "empty-files" in ran.out and "1.png" in ran.out


def test_warnings_are_exit_code_0(memfeat, pilot) -> None:
    write_image(pilot / "extra.png", seed=7)
    ran = memfeat("datasets", "check", "pilot")
    assert ran.code == 0 and "extra-files" in ran.out


def test_json_and_nothing_else_on_standard_output(memfeat, pilot) -> None:
    (pilot / "1.png").write_bytes(b"")
    ran = memfeat("datasets", "check", "pilot", "--json")
    assert ran.code == 3
    report = json.loads(ran.out)
    assert report["ok"] is False and report["findings"][0]["ids"] == ["1.png"]


def test_a_folder_without_a_recipe(memfeat, pilot) -> None:
    assert memfeat("datasets", "check", "--videos", pilot).code == 0
    (pilot / "other.csv").write_text("image,score\n0,0.5\n1,2.5\n2,0.9\n")
    ran = memfeat("datasets", "check", "--videos", pilot, "--labels", pilot / "other.csv")
    assert ran.code == 3 and "impossible-scores" in ran.out


def test_another_root(memfeat, pilot, tmp_path) -> None:
    moved = pilot.rename(tmp_path / "moved")
    assert memfeat("datasets", "check", "pilot").code == 2
    ran = memfeat("datasets", "check", "pilot", "--root", moved)
    assert ran.code == 0 and f"pilot in {moved}" in ran.out


def test_less_work(memfeat, pilot) -> None:
    (pilot / "1.png").write_bytes(b"junk")
    assert memfeat("datasets", "check", "pilot").code == 3
    assert memfeat("datasets", "check", "pilot", "--no-headers", "--no-hash").code == 0


def test_all_ids(memfeat, pilot) -> None:
    for number in range(8):
        write_image(pilot / f"x{number}.png", seed=20 + number)
    assert "x4.png and 3 more" in memfeat("datasets", "check", "pilot").out
    assert "x7.png" in memfeat("datasets", "check", "pilot", "--ids", 8).out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "either a recipe"),
        (["pilot", "--videos", "."], "either a recipe"),
        (["pilot", "--labels", "x.csv"], "--labels goes with --videos"),
        (["--videos", ".", "--root", "."], "--root goes with a recipe"),
        (["pilto"], "Did you mean 'pilot'"),
        (["--videos", "nowhere"], "no folder 'nowhere'"),
    ],
)
def test_wrong_calls_are_exit_code_2(memfeat, pilot, arguments, why: str) -> None:
    ran = memfeat("datasets", "check", *arguments)
    assert ran.code == 2 and why in ran.err


def test_a_table_that_cannot_be_read_is_exit_code_2(memfeat, pilot) -> None:
    (pilot / "scores.csv").write_text("image,score\n0,high\n")
    ran = memfeat("datasets", "check", "pilot")
    assert ran.code == 2 and "scores.csv, line 2, column 'score'" in ran.err


def test_an_interrupted_check_says_that_nothing_changed(memfeat, pilot, monkeypatch) -> None:
    from memfeat.checking import check

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "check_media", interrupt)
    ran = memfeat("datasets", "check", "pilot")
    assert ran.code == 130 and "Interrupted. Nothing was changed." in ran.err and ran.out == ""
