"""Sphinx extension: write what would otherwise drift from the code, before Sphinx reads its sources.

In ``_generated``: descriptors.inc.md and networks.inc.md from `memfeat.extractors`, models.inc.md from
`memfeat.models`, preparations.inc.md from `memfeat.evaluation.preparations`, recipes.inc.md and
systems.inc.md from the recipes, <adapter>.dataset.inc.md from `memfeat.datasets`, cli.inc.md from the command
line, api.inc.md and api/*.rst from the modules of the package.
"""

from __future__ import annotations

import ast
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import GenericAlias
from typing import Any

import memfeat
from memfeat import datasets, extractors, models, recipe
from memfeat.cli.main import app as command_line
from memfeat.evaluation import preparations
from memfeat.evaluation.comparison import recipe as systems

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
    parts = str(content).replace("|", "\\|").replace("\n", " ").split("`")
    parts[::2] = [text.replace("<", "&lt;") for text in parts[::2]]  # those between are code
    return "`".join(parts)


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


def networks() -> str:
    """The networks whose weights are published, by family and by the frames that they are given."""
    rows = []
    for family in extractors.families().values():
        by_frames: dict[str, list[str]] = {}
        for name in family.names():
            # The layer before the projection is told once, below the table.
            if not (name.endswith("-pre") and name.removesuffix("-pre") in family.names()):
                by_frames.setdefault(extractors.get_network(name).selection.suffix, []).append(f"`{name}`")
        rows += [(family.summary, ", ".join(names), f"`{frames}`") for frames, names in by_frames.items()]
    return table(["family", "features", "frames"], rows)


def model_reference() -> str:
    """The table of models, and one section each: where it is from, its columns, its parameters."""
    rows = [(f"[`{each.name}`](#model-{each.name})", each.summary) for each in models.all_models()]
    return (
        table(["model", "what"], rows) + "\n" + "\n".join(model_section(each) for each in models.all_models())
    )


def model_section(spec: models.ModelSpec) -> str:
    """What a model's file and its estimator say."""
    estimator = spec.build(0)
    said = inspect.getdoc(inspect.getmodule(spec.build)) or ""
    doc = inspect.getdoc(type(estimator)) or ""
    source = re.search(r"References\n-+\n(.*?)\n(?:\n[A-Z]\w+\n-+|\Z)", doc + "\n", re.DOTALL)
    if (
        source
        and not re.search(r"\b(19|20)\d\d\b", said)
        and type(estimator).__module__.startswith("memfeat.")
    ):
        said += "\n\n" + source[1].strip()
    facts = [
        text
        for true, text in (
            (spec.gives_deviation, "Gives a predictive standard deviation."),
            (spec.takes_sparse, "Takes sparse columns, such as `captions@tfidf`."),
            (spec.needs_deep, "Needs the extra `deep`."),
            (spec.columns is not None, "Chooses its columns itself when none are named."),
            *(
                (True, f"A comparison shows its `{name}` scores in a row of their own.")
                for name in spec.readings
            ),
        )
        if true
    ]
    return (
        f"(model-{spec.name})=\n\n### {spec.name}\n\n{said}\n\n{' '.join(facts)}\n\n{parameters(estimator)}\n"
    )


def parameters(estimator: Any) -> str:
    """The estimator behind a model and what it is built with."""
    # The target is standardised around it; parameters are those of the regressor inside.
    estimator = getattr(estimator, "regressor", estimator)
    kind = type(estimator)
    # The module without its private parts, as in sklearn.neighbors._regression.
    module = ".".join(part for part in kind.__module__.split(".") if not part.startswith("_"))
    given = {
        name: value for name, value in estimator.get_params(deep=False).items() if name != "random_state"
    }
    if not module.startswith("memfeat."):
        # The defaults of other libraries are documented there; what differs from them is said here.
        usual = {name: each.default for name, each in inspect.signature(kind).parameters.items()}
        given = {name: value for name, value in given.items() if value != usual[name]}
        other = f" Set here: {listed(given)}." if given else ""
        return f"Parameters: those of scikit-learn's `{module}.{kind.__name__}`, with its defaults.{other}"
    return f"Parameters of [`{kind.__name__}`](#{kind.__module__}): {listed(given)}."


def listed(values: Mapping[str, Any]) -> str:
    """Names and values as a call has them."""
    return ", ".join(f"`{name}={' '.join(repr(value).split())}`" for name, value in values.items())


def recipe_table() -> str:
    """The table of recipes."""
    plans = [recipe.load(str(file)) for file in sorted(recipe.available(), key=lambda file: file.stem)]
    return table(
        ["recipe", "what", "adapter"],
        [(f"`{each.name}`", each.description, f"`{each.dataset.adapter}`") for each in plans],
    )


def systems_table() -> str:
    """The table of recipes of systems."""
    plans = [systems.load(str(file)) for file in sorted(systems.available(), key=lambda file: file.stem)]
    return table(
        ["recipe", "what", "systems"],
        [(f"`{each.name}`", each.description, ", ".join(one.name for one in each.systems)) for each in plans],
    )


def adapter_reference(adapter: Any) -> str:
    """The options of an adapter, and the figures that a complete copy of its release has."""
    said = attribute_docs(adapter.options)
    rows = [
        (f"`{name}`", said[name], default_in_words(each.default))
        for name, each in adapter.options.model_fields.items()
    ]
    parts = [table(["option", "what", "default"], rows)]
    if adapter.published:
        parts.append("A complete copy has:\n")
        parts.append(
            table(
                ["target", "split", "n", "mean", "sd", "source"],
                [
                    (
                        f"`{each.target}`",
                        each.split or "all",
                        f"{each.n:,}",
                        "" if each.mean is None else f"{each.mean:g}",
                        "" if each.sd is None else f"{each.sd:g}",
                        each.source,
                    )
                    for each in adapter.published
                ],
            )
        )
    return "\n".join(parts)


def attribute_docs(kind: type) -> dict[str, str]:
    """The string below each attribute of a class and of those above it, which Python itself forgets."""
    found: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        if not each.__module__.startswith("memfeat."):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(each))).body[0]
        assert isinstance(body, ast.ClassDef)
        for attribute, below in zip(body.body, body.body[1:], strict=False):
            if isinstance(attribute, ast.AnnAssign) and isinstance(attribute.target, ast.Name):
                text = (
                    below.value.value
                    if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
                    else ""
                )
                found[attribute.target.id] = " ".join(str(text).replace("``", "`").split())
    return found


def default_in_words(value: object) -> str:
    """A default as a recipe would have it."""
    if value is None or value in ((), {}, []):
        return ""
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f'`"{value}"`'


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
        parts.append(f"## {name}\n\n{options_as_code(inspect.cleandoc(command.help or ''))}\n")
        rows = []
        for parameter in command.params:
            if parameter.name == "help":
                continue
            option = parameter.param_type_name == "option"
            label = (
                ", ".join(f"`{word}`" for word in parameter.opts) if option else f"`{parameter.name.upper()}`"
            )
            rows.append(
                (label, options_as_code(getattr(parameter, "help", None) or ""), default_of(parameter))
            )
        parts.append(table(["", "what", "default"], rows) if rows else "No options.\n")
    return "\n".join(parts)


def options_as_code(text: str) -> str:
    """Help text with its options set as code: two hyphens would become a dash."""
    return re.sub(r"(?<![\w`-])(--[a-z][a-z-]*)", r"`\1`", text)


def default_of(parameter: Any) -> str:
    """The default as a reader would write it."""
    if parameter.required:
        return "required"
    value = parameter.default
    if value in (None, (), []) or callable(value):
        return ""
    return "off" if value is False else "on" if value is True else f"`{value}`"


def modules() -> list[str]:
    """The public modules of the package, dotted, without those that hold nothing.

    What imports torch can be described only where the extra `deep` is installed.
    """
    found = []
    for each in pkgutil.walk_packages(memfeat.__path__, prefix="memfeat."):
        if re.search(r"\._|\.cli(\.|$)", each.name):
            continue
        file = HERE.parent / Path(*each.name.split("."))
        source = (file.with_suffix(".py") if not each.ispkg else file / "__init__.py").read_text(
            encoding="utf-8"
        )
        needs_torch = re.search(r"^(import|from) torch\b", source, re.MULTILINE)
        if source and (find_spec("torch") or not needs_torch):
            found.append(each.name)
    return sorted(found)


def contents(names: Iterable[str]) -> str:
    """The modules of the package, one list for each file or folder directly below it."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(".".join(name.split(".")[:2]), []).append(name)
    alone = [group for group, members in groups.items() if len(members) == 1]
    lists = [
        ("memfeat", alone),
        *((group, members) for group, members in groups.items() if group not in alone),
    ]
    return "\n".join(
        f"```{{toctree}}\n:caption: {group}\n:maxdepth: 1\n\n"
        + "\n".join(f"_generated/api/{name}" for name in members)
        + "\n```\n"
        for group, members in lists
    )


def skip(_app: Any, _what: str, name: str, value: Any, skipped: bool, _options: Any) -> bool | None:
    """Leave out what scikit-learn adds to every estimator, and names of types such as ``tuple[str, str]``.

    The former's text refers to scikit-learn's own manual; of the latter Sphinx wants a signature, and stumbles.
    """
    return True if re.fullmatch(r"set_\w+_request", name) or isinstance(value, GenericAlias) else None


def write(path: Path, text: str) -> None:
    """Write only what changed, so that Sphinx rebuilds no more than it must."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def generate(_app: Any = None) -> None:
    """Write every generated page."""
    write(OUT / "descriptors.inc.md", descriptors())
    write(OUT / "networks.inc.md", networks())
    write(OUT / "models.inc.md", model_reference())
    write(OUT / "preparations.inc.md", preparation_table())
    write(OUT / "recipes.inc.md", recipe_table())
    write(OUT / "systems.inc.md", systems_table())
    for name, adapter in datasets.adapters().items():
        write(OUT / f"{name}.dataset.inc.md", adapter_reference(adapter))
    write(OUT / "cli.inc.md", cli_reference())
    names = modules()
    write(OUT / "api.inc.md", contents(names))
    for name in names:
        page = f"{name}\n{'=' * len(name)}\n\n.. automodule:: {name}\n"
        write(OUT / "api" / f"{name}.rst", page)
    for stale in (OUT / "api").glob("*.rst"):
        if stale.stem not in names:
            stale.unlink()


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", generate)
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
