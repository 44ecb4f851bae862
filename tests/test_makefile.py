"""The Makefile with stand-ins for Python and pip: what it runs and says, when it installs, what it keeps."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAKE = shutil.which("make") or shutil.which("gmake")

pytestmark = pytest.mark.skipif(MAKE is None, reason="make is not on this machine")

# Writes its arguments down, one call per line, and does nothing else.
STAND_IN = '#!/bin/sh\nfor word; do printf "[%s]" "$word"; done >> "{log}"\necho >> "{log}"\n'


class Checkout:
    """A folder with the Makefile, the project file and a .venv of stand-ins."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        shutil.copy(ROOT / "Makefile", folder)
        (folder / "pyproject.toml").write_text("[project]\n")
        # As in the real checkout: a target of the same name as a folder must run all the same.
        (folder / "features").mkdir()
        (folder / "docs").mkdir()

    def add_environment(self, *, by_make: bool = True) -> None:
        binaries = self.folder / ".venv" / "bin"
        binaries.mkdir(parents=True)
        for name in ("python", "memfeat"):
            write_script(binaries / name, STAND_IN.format(log=self.log))
        if by_make:
            (self.folder / ".venv" / ".folder").write_text(f"{self.folder.resolve()}\n")

    @property
    def log(self) -> Path:
        return self.folder / "calls.log"

    def make(self, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
        # `make test PYTHON=…` itself hands its variables on through the environment.
        unwanted = ("MAKE", "MFLAGS", "PYTHON", "EXTRAS", "JOBS", "VENV")
        clean = {key: value for key, value in os.environ.items() if not key.startswith(unwanted)}
        return subprocess.run(
            [str(MAKE), *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env={**clean, **({"PATH": path} if path else {})},
            check=False,
        )

    def calls(self) -> list[str]:
        """What the stand-ins were called with since last asked; whether pip is there does not count."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return [line for line in lines if line != "[-m][pip][--version]"]


def write_script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path / "a folder with spaces")
    made.add_environment()
    return made


INSTALL = "[-m][pip][install][--quiet][--editable]"


def test_help_needs_no_python_and_names_every_command(tmp_path: Path) -> None:
    bare = Checkout(tmp_path / "bare")
    done = bare.make()
    assert done.returncode == 0
    for target in ("demo", "features", "fit", "evaluate", "test", "lint", "bench", "docs", "setup", "clean"):
        assert target in done.stdout
    assert not (bare.folder / ".venv").exists()


def test_pip_runs_once_and_again_when_the_project_file_changes(checkout: Checkout) -> None:
    assert checkout.make("setup").returncode == 0
    assert checkout.calls() == [f"{INSTALL}[.]"]
    assert checkout.make("setup").returncode == 0
    assert checkout.calls() == []
    stamp = checkout.folder / ".venv" / ".installed-base"
    later = stamp.stat().st_mtime + 10
    os.utime(checkout.folder / "pyproject.toml", (later, later))
    assert checkout.make("setup").returncode == 0
    assert checkout.calls() == [f"{INSTALL}[.]"]


def test_pip_runs_again_when_the_folder_was_moved(checkout: Checkout) -> None:
    # An editable install points at the folder in which it was made.
    checkout.make("setup")
    checkout.calls()
    moved = checkout.folder.rename(checkout.folder.parent / "elsewhere")
    (moved / "calls.log").unlink(missing_ok=True)
    checkout.folder = moved
    for name in ("python", "memfeat"):
        write_script(moved / ".venv" / "bin" / name, STAND_IN.format(log=checkout.log))
    assert checkout.make("setup").returncode == 0
    assert checkout.calls() == [f"{INSTALL}[.]"]
    assert checkout.make("setup").returncode == 0
    assert checkout.calls() == []


def test_a_failed_install_is_tried_again(checkout: Checkout) -> None:
    write_script(checkout.folder / ".venv/bin/python", '#!/bin/sh\n[ "$3" != install ]\n')
    assert checkout.make("setup").returncode != 0
    write_script(checkout.folder / ".venv/bin/python", STAND_IN.format(log=checkout.log))
    assert checkout.make("setup").returncode == 0
    assert checkout.calls() == [f"{INSTALL}[.]"]


def test_the_test_command_installs_dev_by_default_and_other_extras_by_name(checkout: Checkout) -> None:
    assert checkout.make("test").returncode == 0
    assert checkout.calls() == [f"{INSTALL}[.]", f"{INSTALL}[.[dev]]", "[-m][pytest][-n][2]"]
    assert checkout.make("test", "EXTRAS=dev,docs,deep", "JOBS=4", "ARGS=-k hog").returncode == 0
    assert checkout.calls() == [f"{INSTALL}[.[dev,docs,deep]]", "[-m][pytest][-n][4][-k][hog]"]


def test_arguments_arrive_whole(checkout: Checkout) -> None:
    made = checkout.make("fit", "DATASET=my clips", "TARGET=it's", "FEATURES=hog,flow", "ARGS=--folds 10")
    assert made.returncode == 0, made.stderr
    expected = "[fit][--dataset][my clips][--features][hog,flow][--target][it's][--folds][10]"
    assert checkout.calls()[-1] == expected
    checkout.make("fit", "MODEL=brr")
    assert checkout.calls() == ["[fit][--model][brr]"]
    checkout.make("evaluate", "RUN=runs/a b")
    assert checkout.calls() == ["[evaluate][runs/a b]"]
    checkout.make("demo", "ARGS=--clips 10")
    assert checkout.calls() == ["[demo][--clips][10]"]


def test_features_runs_although_a_folder_has_that_name(checkout: Checkout) -> None:
    assert checkout.make("features", "DATASET=name").returncode == 0
    assert checkout.calls()[-1] == "[extract][name]"
    assert checkout.make("docs").returncode == 0
    assert "[-m][sphinx]" in checkout.calls()[-1]


def test_what_is_missing_is_asked_for(checkout: Checkout) -> None:
    done = checkout.make("features")
    assert done.returncode != 0
    assert "make features DATASET=name" in done.stderr
    assert checkout.calls()[-1] == "[list][recipes]"
    done = checkout.make("evaluate")
    assert done.returncode != 0
    assert "make evaluate RUN=" in done.stderr
    assert checkout.calls() == []


def test_clean_keeps_stores_runs_data_and_the_environment(checkout: Checkout) -> None:
    kept = [
        "features/mine/store.json",
        "runs/a/run.json",
        "data/clip.mp4",
        "memfeat/code.py",
        ".venv/bin/python",
    ]
    gone = [
        "build/x",
        "dist/x.whl",
        "docs/_build/x",
        ".mypy_cache/x",
        "memfeat/__pycache__/x.pyc",
        "x.egg-info/y",
    ]
    for name in (*kept, *gone):
        file = checkout.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            file.write_text("x")
    assert checkout.make("clean").returncode == 0
    assert [name for name in kept if not (checkout.folder / name).exists()] == []
    assert [name for name in gone if (checkout.folder / name).exists()] == []


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH with what make's recipes call, and no Python."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("sh", "cat", "touch", "rm", "pwd", "ls"):
        found = shutil.which(name)
        if found:
            (folder / name).symlink_to(found)
    return folder


def python_that(folder: Path, name: str, version: str = "(3, 12)", *, lacks: str = "") -> None:
    """Put a stand-in for an interpreter into `folder`: it answers make and makes environments."""
    write_script(
        folder / name,
        f"""#!/bin/sh
case "$*" in
  *version_info*) exec "{sys.executable}" -c 'import sys; sys.exit({version} < (3, 11))' ;;
  *ensurepip*) [ -z "{lacks}" ] ;;
  *"-m venv"*) for last; do :; done; mkdir -p "$last/bin"; printf '#!/bin/sh\\n' > "$last/bin/python"
     chmod +x "$last/bin/python" ;;
  *--version*) echo "Python of {name}" ;;
esac
""",
    )
    for tool in ("mkdir", "chmod"):
        target = folder / tool
        if not target.exists():
            target.symlink_to(str(shutil.which(tool)))


def test_without_python_the_remedy_is_printed(tmp_path: Path, tools: Path) -> None:
    done = Checkout(tmp_path / "bare").make("setup", path=str(tools))
    assert done.returncode != 0
    assert "no Python 3.11 or newer" in done.stderr
    assert "sudo apt-get install python3-venv" in done.stderr
    assert "brew install" in done.stderr


def test_a_python_without_ensurepip_is_named(tmp_path: Path, tools: Path) -> None:
    python_that(tools, "python3", lacks="ensurepip")
    done = Checkout(tmp_path / "bare").make("setup", path=str(tools))
    assert done.returncode != 0
    assert "python3 cannot make virtual environments" in done.stderr
    assert "sudo apt-get install python3-venv" in done.stderr


def test_an_old_python_is_passed_over_for_one_that_will_do(tmp_path: Path, tools: Path) -> None:
    python_that(tools, "python3", "(3, 10)")
    python_that(tools, "python3.13", lacks="ensurepip")
    python_that(tools, "python3.11")
    made = Checkout(tmp_path / "bare")
    done = made.make("setup", path=str(tools))
    assert done.returncode == 0, done.stderr
    assert "Python of python3.11" in done.stdout
    assert (made.folder / ".venv" / ".folder").read_text().strip() == str(made.folder.resolve())


def test_the_interpreter_can_be_chosen(tmp_path: Path, tools: Path) -> None:
    python_that(tools, "python3")
    chosen = tmp_path / "my tools"
    chosen.mkdir()
    python_that(chosen, "my python")
    done = Checkout(tmp_path / "bare").make("setup", f"PYTHON={chosen / 'my python'}", path=str(tools))
    assert done.returncode == 0, done.stderr
    assert "Python of my python" in done.stdout
    done = Checkout(tmp_path / "other").make("setup", "PYTHON=/no/such/python", path=str(tools))
    assert done.returncode != 0
    assert "/no/such/python" in done.stderr


def test_an_environment_that_make_did_not_make_is_never_cleared(tmp_path: Path, tools: Path) -> None:
    python_that(tools, "python3")
    made = Checkout(tmp_path / "bare")
    precious = made.folder / ".venv" / "precious"
    precious.parent.mkdir()
    precious.write_text("mine")
    done = made.make("setup", path=str(tools))
    assert done.returncode != 0
    assert "make VENV=" in done.stderr
    assert precious.read_text() == "mine"
    done = made.make("setup", "VENV=.venv-make", path=str(tools))
    assert done.returncode == 0, done.stderr
