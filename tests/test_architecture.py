"""The floors: an import points strictly down, a descriptor knows no other descriptor, a file stays small.

Read with `ast`, so that imports inside functions and under TYPE_CHECKING count as much as those at the top.
"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "memfeat"

FLOORS = {
    "errors": 0,
    "optional": 0,
    "kernels": 1,
    "networks": 1,
    "metrics": 1,
    "reliability": 1,
    "statistics": 1,
    "extractor": 2,
    "video": 2,
    "store": 2,
    "dataset": 2,
    "matching": 2,
    "matrix": 2,
    "recipe": 2,
    "measure": 2,
    "estimators": 2,
    "weights": 2,
    "frame_selection": 2,
    "network_extractor": 2,
    "extractors": 3,
    "models": 3,
    "datasets": 3,
    "extraction": 4,
    "evaluation": 4,
    "checking": 4,
    "demo": 4,
    "reports": 4,
    "reproduction": 4,
    "cli": 5,
}
"""Each file or folder directly under memfeat, and its floor. A new one has to be given a floor here."""

SAME_FLOOR = {
    ("statistics", "metrics"),
    ("reliability", "metrics"),
    ("checking", "extraction"),
    ("extractor", "video"),
    ("matching", "video"),
    ("dataset", "store"),
    ("dataset", "video"),
    ("store", "weights"),
    ("evaluation", "extraction"),
    ("store", "frame_selection"),
    ("store", "matching"),
    ("measure", "extractor"),
    ("measure", "store"),
    ("measure", "video"),
    ("networks", "kernels"),
    ("network_extractor", "extractor"),
    ("network_extractor", "frame_selection"),
    ("network_extractor", "weights"),
}
"""Who may use a neighbour on its own floor; there is no way back, so that no cycle can close."""

MAX_LINES = 400
PRIVATE = ("/home/", "/Users/", "/root/", "C:\\Users")
TEXT = {"", ".py", ".md", ".toml", ".yaml", ".txt", ".sh"}
ONE_THING_PER_FILE = ("extractors", "models", "datasets")


@dataclass(frozen=True)
class Import:
    """One import statement: who, whom, where."""

    importer: str
    imported: str
    line: int


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports_of(module: str, path: Path) -> Iterator[Import]:
    """The imports of one file that stay inside memfeat, as the module that each one loads."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")
                base = ".".join(above[: len(above) - node.level + 1] + ([base] if base else []))
            names = [f"{base}.{alias.name}" for alias in node.names]
            names = sorted({name if name in MODULES else base for name in names})
        else:
            continue
        yield from (Import(module, name, node.lineno) for name in names if name.split(".")[0] == "memfeat")


IMPORTS = [found for module, path in MODULES.items() for found in imports_of(module, path)]


def unit(module: str) -> str:
    """The file or folder directly under memfeat to which a module belongs; '' for memfeat itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def test_there_is_something_to_check() -> None:
    assert len(MODULES) > 20
    assert len(IMPORTS) > 20


def test_every_file_and_folder_has_a_floor() -> None:
    unknown = sorted({unit(module) for module in MODULES} - set(FLOORS) - {"", "__main__"})
    assert unknown == [], f"give {unknown} a floor in {Path(__file__).name} and in docs/design-notes.md"


def test_imports_point_strictly_down() -> None:
    wrong = []
    for found in IMPORTS:
        above, below = unit(found.importer), unit(found.imported)
        if above in ("", "__main__") or above == below:
            continue
        # memfeat itself may be asked for its version, which loads nothing else.
        down = below == "" or FLOORS[below] < FLOORS[above] or (above, below) in SAME_FLOOR
        if not down:
            wrong.append(f"{found.importer}:{found.line} imports {found.imported}")
    assert wrong == []


def test_only_the_version_is_taken_from_the_package_itself() -> None:
    wrong = []
    for module, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "memfeat":
                names = {alias.name for alias in node.names if f"memfeat.{alias.name}" not in MODULES}
                wrong += [f"{module}:{node.lineno} {name}" for name in sorted(names - {"__version__"})]
    assert wrong == []


def test_neighbours_on_one_floor_form_no_cycle() -> None:
    assert [pair for pair in SAME_FLOOR if FLOORS[pair[0]] != FLOORS[pair[1]]] == []
    assert cycle(SAME_FLOOR) is None


def test_modules_form_no_cycle() -> None:
    # A folder's __init__ may name its files, and they may name their folder; the files may not loop.
    edges = {
        (found.importer, found.imported)
        for found in IMPORTS
        if found.importer != found.imported and MODULES[found.importer].name != "__init__.py"
    }
    assert cycle(edges) is None


def cycle(edges: set[tuple[str, str]]) -> list[str] | None:
    """A closed path along `edges`, or None."""
    graph: dict[str, list[str]] = {}
    for start, end in sorted(edges):
        graph.setdefault(start, []).append(end)
    done: set[str] = set()

    def visit(node: str, path: list[str]) -> list[str] | None:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return None
        for following in graph.get(node, []):
            if found := visit(following, [*path, node]):
                return found
        done.add(node)
        return None

    for node in list(graph):
        if found := visit(node, []):
            return found
    return None


def test_the_search_for_cycles_finds_one() -> None:
    assert cycle({("a", "b"), ("b", "c")}) is None
    assert cycle({("a", "b"), ("b", "c"), ("c", "b")}) == ["b", "c", "b"]


def test_a_file_of_floor_three_knows_no_sibling() -> None:
    wrong = []
    for found in IMPORTS:
        if unit(found.importer) not in ONE_THING_PER_FILE or MODULES[found.importer].name == "__init__.py":
            continue
        # The folder itself (its registry) may be named, and helpers that are nobody's descriptor.
        sibling = found.imported.startswith(f"memfeat.{unit(found.importer)}.")
        if sibling and not found.imported.rpartition(".")[2].startswith("_"):
            wrong.append(f"{found.importer}:{found.line} imports {found.imported}")
    assert wrong == []


@pytest.mark.parametrize("folder", ["memfeat", "tests", "docs", "benchmarks"])
def test_files_stay_small(folder: str) -> None:
    files = {str(path.relative_to(ROOT)): path for path in (ROOT / folder).rglob("*.py")}
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in files.items()}
    assert {name: count for name, count in lines.items() if count > MAX_LINES} == {}


def test_every_module_has_a_test_of_its_name() -> None:
    lacking = []
    for module, path in MODULES.items():
        if path.name in ("__init__.py", "__main__.py"):
            continue
        folder = ROOT / "tests" / path.parent.relative_to(PACKAGE)
        if not (folder / f"test_{path.stem.lstrip('_')}.py").is_file():
            lacking.append(module)
    assert lacking == [], "a module memfeat/a/b.py is tested in tests/a/test_b.py"


def test_no_wildcard_imports() -> None:
    wrong = []
    for folder in ("memfeat", "tests", "docs", "benchmarks"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert wrong == []


def test_tests_and_docs_name_no_path_of_one_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout: there is no list of the project's own files")
    wrong = []
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if not name or path == Path(__file__) or not path.is_file():
            continue
        if path.suffix in TEXT:
            text = path.read_text(encoding="utf-8", errors="replace")
            wrong += [f"{name}: {root}" for root in PRIVATE if root in text]
    assert wrong == []
