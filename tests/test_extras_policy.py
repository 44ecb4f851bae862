from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import extras_policy
import pytest

HERE = Path(__file__).resolve().parent

SUITE = """
import pytest

def test_by_import():
    pytest.importorskip("no_such_library_at_all")

@pytest.mark.skipif(True, reason="torch is not installed")
def test_by_mark():
    pass

@pytest.mark.skipif(True, reason="no real data here")
def test_for_another_reason():
    pass

@pytest.mark.xfail(reason="could not import the future", strict=True)
def test_expected_failure():
    raise AssertionError

def test_passing():
    pass
"""


def run(folder: Path, **environment: str) -> dict[str, int]:
    """Run the suite in `folder` with the plugin, as make does, and count the outcomes."""
    clean = {
        key: value for key, value in os.environ.items() if not key.startswith(("MEMFEAT_ALL", "PYTEST_"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "extras_policy", "-p", "no:cacheprovider", "-q", str(folder)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**clean, "PYTHONPATH": str(HERE), **environment},
        check=False,
    )
    closing = done.stdout.strip().splitlines()[-1]
    parts = [part.split() for part in closing.split(" in ")[0].strip("= ").split(", ")]
    return {"exit": done.returncode, **{word: int(number) for number, word in parts}}


def test_a_missing_library_is_a_skip_and_a_failure_where_all_were_promised(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(SUITE)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    assert run(tmp_path) == {"exit": 0, "skipped": 3, "xfailed": 1, "passed": 1}
    promised = run(tmp_path, MEMFEAT_ALL_EXTRAS="1")
    assert promised == {"exit": 1, "failed": 1, "error": 1, "skipped": 1, "xfailed": 1, "passed": 1}


def test_a_whole_file_skipped_for_a_library_fails_too(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import pytest\npytest.importorskip('no_such_library_at_all')\n\ndef test(): pass\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    assert run(tmp_path)["skipped"] == 1
    promised = run(tmp_path, MEMFEAT_ALL_EXTRAS="1")
    assert promised["exit"] != 0
    assert "skipped" not in promised


def test_extras_are_read_from_the_project_file() -> None:
    groups = extras_policy.extras()
    assert {"deep", "dev", "docs"} <= set(groups)
    assert "torch" in groups["deep"]
    assert "pytest" in groups["dev"]


def test_what_is_left_out_is_named_with_the_command_that_brings_it_in() -> None:
    missing = extras_policy.left_out({"here": ["pytest"], "deep": ["pytest", "no-such-distribution"]})
    assert missing == {"deep": ["no-such-distribution"]}
    assert list(extras_policy.summary(missing)) == [
        "deep: no-such-distribution not installed",
        "tests that need them were skipped; run them with: make test EXTRAS=dev,deep",
    ]
    assert list(extras_policy.summary({})) == []


@pytest.mark.parametrize(
    ("reason", "library"),
    [
        ("could not import 'torch': No module named 'torch'", True),
        ("needs the deep extra", True),
        ("timm is not installed", True),
        ("no real data at /somewhere", False),
        ("needs a CUDA device", False),
    ],
)
def test_which_reasons_are_about_libraries(reason: str, library: bool) -> None:
    assert bool(extras_policy.MISSING_LIBRARY.search(reason)) is library
