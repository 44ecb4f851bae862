"""The documents do not drift: their commands, targets and variables exist, and their Python runs."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "features" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:memfeat|make) [^`\n]+)`")


def blocks(document: Path, *languages: str) -> Iterator[str]:
    """The fenced blocks of a document in one of `languages`."""
    for language, text in BLOCK.findall(document.read_text(encoding="utf-8")):
        if language in languages:
            yield text


def shell_lines(document: Path) -> Iterator[str]:
    """Every command line of a document that calls memfeat or make, in a block or inline."""
    for block in blocks(document, "sh", "bash", "console"):
        for line in block.replace("\\\n", " ").splitlines():
            yield line.strip().removeprefix("$ ").split(" #")[0]
    text = BLOCK.sub("", document.read_text(encoding="utf-8"))
    yield from INLINE.findall(text)


LINES = sorted(
    {(path.relative_to(ROOT).as_posix(), line) for path in DOCUMENTS for line in shell_lines(path)}
)
MEMFEAT = [pair for pair in LINES if pair[1].startswith("memfeat ")]
MAKE = [pair for pair in LINES if pair[1].startswith("make ")]


def test_there_is_something_to_check() -> None:
    assert len(MEMFEAT) >= 5
    assert ("README.md", "make demo") in MAKE
    assert ("README.md", "make test") in MAKE


@pytest.fixture(scope="module")
def program() -> Any:
    from memfeat.cli.main import app

    return typer.main.get_command(app)


def check(program: Any, line: str) -> str | None:
    """What is wrong with a `memfeat` command line, or None."""
    command = program
    words = shlex.split(line)[1:]
    while words and getattr(command, "commands", None) is not None and not words[0].startswith("-"):
        # "memfeat store info|verify" names several.
        alternatives = words.pop(0).split("|")
        for word in alternatives:
            if word not in command.commands:
                return f"there is no command {word!r}"
        command = command.commands[alternatives[0]]
    options = {name: each for each in command.params for name in (*each.opts, *each.secondary_opts)}
    options |= dict.fromkeys(("--help", "-h"))
    positional = 0
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            positional += 1
            continue
        name = word.split("=")[0]
        if name not in options:
            return f"there is no option {name}"
        option = options[name]
        if option is not None and not option.is_flag and "=" not in word:
            if not words:
                return f"{name} lacks a value"
            words.pop(0)
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    if positional > len(arguments) and not any(each.nargs == -1 for each in arguments):
        return f"{positional} arguments, at most {len(arguments)}"
    return None


@pytest.mark.parametrize(("document", "line"), MEMFEAT)
def test_memfeat_commands_exist(document: str, line: str, program: Any) -> None:
    assert check(program, line) is None


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("memfeat extrct", "no command"),
        ("memfeat extract --no-such-option", "no option"),
        ("memfeat fit one two three", "arguments"),
        ("memfeat fit --model", "lacks a value"),
        ("memfeat store info|frobnicate", "no command"),
    ],
)
def test_the_check_notices_what_is_wrong(line: str, wrong: str, program: Any) -> None:
    assert wrong in str(check(program, line))


@pytest.mark.parametrize(("document", "line"), MAKE)
def test_make_targets_and_variables_exist(document: str, line: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    variables = re.findall(r"^(\w+) \??:?=", makefile, re.MULTILINE)
    assert targets is not None
    for word in shlex.split(line)[1:]:
        name, equals, _ = word.partition("=")
        assert name in (variables if equals else targets[1].split())


def test_every_target_that_the_makefile_offers_is_phony_and_has_a_rule() -> None:
    # A folder called features would otherwise make `make features` do nothing.
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert targets is not None
    heads = re.findall(r"^([a-z][\w -]*):(?!=)", makefile, re.MULTILINE)
    rules = {word for head in heads for word in head.split()}
    assert rules <= set(targets[1].split())
    wanted = {"setup", "demo", "features", "fit", "evaluate", "test", "lint", "bench", "docs", "clean"}
    assert wanted <= rules


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_links_lead_somewhere(document: Path) -> None:
    text = BLOCK.sub("", document.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_examples_run(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    # The format's page reads "one" file; any of the sample store will do.
    names: dict[str, Any] = {"path": next((ROOT / "features" / "sample" / "videos").rglob("*.h5"), None)}
    for number, block in enumerate(blocks(document, "python", "pycon")):
        where = f"{document.name}, block {number}"
        if ">>>" in block:
            example = parser.get_doctest(block, names, where, str(document), 0)
            example.globs = names  # not a copy: a later block goes on where an earlier one ended
            runner.run(example, clear_globs=False)
        elif "/" not in block.splitlines()[0]:
            exec(compile(block, where, "exec"), names)
    assert runner.failures == 0


def test_recipes_in_the_documents_are_valid(tmp_path: Path) -> None:
    from memfeat import recipe
    from memfeat.evaluation.comparison import recipe as systems

    found = [block for document in DOCUMENTS for block in blocks(document, "toml")]
    assert found
    for number, block in enumerate(found):
        file = tmp_path / f"recipe{number}.toml"
        file.write_text(block, encoding="utf-8")
        load = systems.load if "[[systems]]" in block else recipe.load
        assert load(str(file)).name == file.stem


def test_the_page_of_datasets_describes_every_recipe_and_every_published_target() -> None:
    from memfeat import datasets, recipe

    text = (ROOT / "docs" / "datasets.md").read_text(encoding="utf-8")
    own = [file for file in recipe.available() if file.parent.resolve() == ROOT / "pipelines"]
    assert len(own) > 20
    for file in own:
        name = file.stem if not file.stem.startswith("interestingness-") else "interestingness-…"
        assert (
            f"`{name}`" in text or re.search(rf"^### .*\b{name}\b", text, re.MULTILINE) or name == "demo"
        ), name
    for adapter in datasets.adapters().values():
        assert f"_generated/{adapter.name}.dataset.inc.md" in text
        for each in adapter.published:
            assert f"`{each.target}`" in text


def test_the_page_of_datasets_names_every_finding_of_a_check() -> None:
    text = (ROOT / "docs" / "datasets.md").read_text(encoding="utf-8")
    codes = set()
    for file in (ROOT / "memfeat" / "checking").glob("*.py"):
        for severity, code in re.findall(
            r'Finding\(\s*"(error|warning|note)",\s*"([a-z-]+)"', file.read_text(encoding="utf-8")
        ):
            codes.add(code)
            assert f"`{code}`" in text, (severity, code)
    assert len(codes) > 25


def test_the_descriptor_of_the_guide_is_found_and_passes_its_own_test(tmp_path: Path) -> None:
    # Blocks that start with "# memfeat/…" or "# tests/…" are files.
    found = {text.splitlines()[0].lstrip("# "): text for text in blocks(ROOT / "CONTRIBUTING.md", "python")}
    descriptor, test = "memfeat/extractors/saturation.py", "tests/extractors/test_saturation.py"
    (tmp_path / "more").mkdir()
    for name, folder in ((descriptor, tmp_path / "more"), (test, tmp_path)):
        (folder / Path(name).name).write_text(found[name], encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "conftest.py").write_text(
        f"import memfeat.extractors\nmemfeat.extractors.__path__.append({str(tmp_path / 'more')!r})\n"
    )
    (tmp_path / "test_registry.py").write_text(
        "from memfeat import extractors\n\ndef test(): assert 'saturation' in extractors.names()\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", "."],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(ROOT)])},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
