"""Sphinx extension: write what would otherwise drift from the code, before Sphinx reads its sources.

In ``_generated``: descriptors.inc.md from `memfeat.extractors`, models.inc.md from `memfeat.models`,
preparations.inc.md from `memfeat.evaluation.preparations`, cli.inc.md from the command line, api/*.rst from
the modules of the package.
"""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import memfeat
from memfeat import extractors, models
from memfeat.cli.main import app as command_line
from memfeat.evaluation import preparations

HERE = Path(__file__).resolve().parent
OUT = HERE / "_generated"


def table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table."""
    lines = [list(header)]
    lines.append(["---"] * len(lines[0]))
    lines += [[cell(content) for content in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def cell(content: object) -> str:
    """Text as it may stand in a table: a placeholder such as <name> is no HTML."""
    text = str(content).replace("|", "\\|").replace("\n", " ")
    return text if "`" in text else text.replace("<", "&lt;")


def descriptors() -> str:
    """The table of features."""
    rows = [
        (
            f"[`{each.name}`](#memfeat.extractors.{type(each).__module__.rpartition('.')[2]})",
            each.summary,
            each.unit,
            ", ".join(f"`{name}` {shape}" for name, shape in each.arrays.items()),
            each.preparation,
            each.version,
        )
        for each in extractors.all_extractors()
    ]
    return table(
        ["feature", "what", "unit and range", "stored arrays", "prepared for models by", "version"], rows
    )


def model_table() -> str:
    """The table of models."""
    return table(["model", "what"], [(f"`{each.name}`", each.summary) for each in models.all_models()])


def preparation_table() -> str:
    """The table of preparations."""
    return table(
        ["preparation", "what"], [(f"`{name}`", what) for name, what in preparations.listed().items()]
    )


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its full name, in the order of the help text."""
    below = getattr(command, "commands", None)
    if below is None:
        yield name, command
    else:
        for word, each in below.items():
            yield from commands(each, f"{name} {word}")


def cli_reference() -> str:
    """One section per command with its arguments and options."""
    import typer

    parts = []
    for name, command in commands(typer.main.get_command(command_line), "memfeat"):
        parts.append(f"## {name}\n\n{inspect.cleandoc(command.help or '')}\n")
        rows = []
        for parameter in command.params:
            if parameter.name == "help":
                continue
            option = parameter.param_type_name == "option"
            label = (
                ", ".join(f"`{word}`" for word in parameter.opts) if option else f"`{parameter.name.upper()}`"
            )
            rows.append((label, getattr(parameter, "help", None) or "", default_of(parameter)))
        parts.append(table(["", "what", "default"], rows) if rows else "No options.\n")
    return "\n".join(parts)


def default_of(parameter: Any) -> str:
    """The default as a reader would write it."""
    if parameter.required:
        return "required"
    value = parameter.default
    if value is None or value == () or callable(value):
        return ""
    return "off" if value is False else "on" if value is True else f"`{value}`"


def modules() -> list[str]:
    """The public modules of the package, dotted, without those that hold nothing."""
    found = []
    for each in pkgutil.walk_packages(memfeat.__path__, prefix="memfeat."):
        if re.search(r"\._|\.cli(\.|$)", each.name):
            continue
        file = HERE.parent / Path(*each.name.split("."))
        source = file.with_suffix(".py") if not each.ispkg else file / "__init__.py"
        if source.stat().st_size:
            found.append(each.name)
    return sorted(found)


def write(path: Path, text: str) -> None:
    """Write only what changed, so that Sphinx rebuilds no more than it must."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def generate(_app: Any = None) -> None:
    """Write every generated page."""
    write(OUT / "descriptors.inc.md", descriptors())
    write(OUT / "models.inc.md", model_table())
    write(OUT / "preparations.inc.md", preparation_table())
    write(OUT / "cli.inc.md", cli_reference())
    names = modules()
    for name in names:
        page = f"{name}\n{'=' * len(name)}\n\n.. automodule:: {name}\n"
        write(OUT / "api" / f"{name}.rst", page)
    for stale in (OUT / "api").glob("*.rst"):
        if stale.stem not in names:
            stale.unlink()


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", generate)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
