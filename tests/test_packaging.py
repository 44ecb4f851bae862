"""What pip puts on a disk: one package, its recipes and its type marker; from a wheel or in editable form."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

pytest.importorskip("hatchling")

ROOT = Path(__file__).resolve().parent.parent
RECIPES = sorted(path.name for path in (ROOT / "pipelines").rglob("*.toml"))

BUILD = "import hatchling.build, sys; print(getattr(hatchling.build, sys.argv[1])(sys.argv[2]))"

# -S keeps this environment's own memfeat out of sight; its libraries are put behind the target.
USE = """
import site, sys
target, libraries, name = sys.argv[1:]
site.addsitedir(target)
sys.path.append(libraries)
import memfeat
from memfeat import recipe
print(memfeat.__file__)
print(recipe.find(name).resolve())
print(recipe.load(name).name)
"""


def run(*command: str | Path, cwd: Path) -> list[str]:
    """Run `command` and return the lines it prints."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, cwd=cwd, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def build(kind: str, folder: Path, source: Path = ROOT) -> Path:
    """Build with the project's own backend, as pip does, and return the archive."""
    name = run(sys.executable, "-c", BUILD, kind, folder, cwd=source)[-1]
    return folder / name


def install(archive: Path, target: Path) -> Path:
    """Unpack `archive` with pip into `target`, without its libraries."""
    options = ("--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", "--target", target)
    run(sys.executable, "-m", "pip", "install", *options, archive, cwd=target.parent)
    return target


def use(target: Path, recipe: str, cwd: Path) -> tuple[Path, Path, str]:
    """Load `recipe` by name from the install in `target`: the package's file, the recipe's, its name."""
    libraries = Path(pytest.__file__).resolve().parent.parent
    package, found, name = run(sys.executable, "-S", "-c", USE, target, libraries, recipe, cwd=cwd)
    return Path(package).resolve(), Path(found), name


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("build_wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def metadata(wheel: Path, names: list[str]) -> Message:
    (name,) = (name for name in names if name.endswith(".dist-info/METADATA"))
    with zipfile.ZipFile(wheel) as archive:
        return Parser().parsestr(archive.read(name).decode())


def test_the_wheel_holds_one_package_and_nothing_beside_it(names: list[str]) -> None:
    top = {name.split("/")[0] for name in names}
    assert len(top) == 2
    assert "memfeat" in top
    assert (top - {"memfeat"}).pop().endswith(".dist-info")


def test_every_module_travels(names: list[str]) -> None:
    here = {str(path.relative_to(ROOT).as_posix()) for path in (ROOT / "memfeat").rglob("*.py")}
    assert here <= set(names)
    assert "memfeat/py.typed" in names


def test_every_recipe_travels(names: list[str]) -> None:
    assert RECIPES
    assert sorted(name.split("/")[-1] for name in names if name.startswith("memfeat/_recipes/")) == RECIPES


def test_no_caches_and_no_data_travel(names: list[str]) -> None:
    assert [
        name for name in names if "__pycache__" in name or name.endswith((".pyc", ".h5", ".npy", ".mp4"))
    ] == []


def test_licence_and_notice_travel(names: list[str], metadata: Message) -> None:
    assert metadata["License-Expression"] == "Apache-2.0"
    for file in ("LICENSE", "NOTICE"):
        assert any(name.endswith(f".dist-info/licenses/{file}") for name in names)


def test_torch_is_no_base_dependency(metadata: Message) -> None:
    base = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert not [line for line in base if line.startswith(("torch", "timm", "open-clip"))]
    assert {"deep", "dev", "docs"} <= set(metadata.get_all("Provides-Extra", []))


def test_exactly_one_opencv_is_asked_for(metadata: Message) -> None:
    # Two OpenCV wheels overwrite each other's files.
    found = [line for line in metadata.get_all("Requires-Dist", []) if line.startswith("opencv")]
    assert len(found) == 1
    assert found[0].startswith("opencv-contrib-python-headless")


def test_a_wheel_install_finds_its_recipes_by_name(wheel: Path, tmp_path: Path) -> None:
    target = install(wheel, tmp_path / "site")
    package, found, name = use(target, "demo", cwd=tmp_path)
    assert package.is_relative_to(target)
    assert found == target / "memfeat" / "_recipes" / "demo.toml"
    assert name == "demo"


def test_an_editable_install_finds_the_recipes_of_the_checkout(tmp_path: Path) -> None:
    archive = build("build_editable", tmp_path)
    target = install(archive, tmp_path / "site")
    package, found, name = use(target, "demo", cwd=tmp_path)
    assert package == ROOT / "memfeat" / "__init__.py"
    assert found == ROOT / "pipelines" / "demo.toml"
    assert name == "demo"


def test_a_recipe_in_the_working_folder_comes_first(wheel: Path, tmp_path: Path) -> None:
    target = install(wheel, tmp_path / "site")
    mine = tmp_path / "pipelines" / "demo.toml"
    mine.parent.mkdir()
    mine.write_text('name = "mine"\n')
    _, found, name = use(target, "demo", cwd=tmp_path)
    assert found == mine
    assert name == "mine"


def test_the_same_wheel_comes_out_of_the_source_archive(names: list[str], tmp_path: Path) -> None:
    with tarfile.open(build("build_sdist", tmp_path)) as archive:
        archive.extractall(tmp_path / "unpacked")
    (source,) = (tmp_path / "unpacked").iterdir()
    assert (source / "Makefile").is_file()
    assert not (source / ".venv").exists()
    with zipfile.ZipFile(build("build_wheel", tmp_path / "again", source)) as wheel:
        assert sorted(wheel.namelist()) == sorted(names)
