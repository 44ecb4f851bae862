"""`memfeat list`: what there is to choose from."""

from __future__ import annotations

from pathlib import Path

import typer

from memfeat.cli.console import show_table
from memfeat.errors import UsageError

app = typer.Typer(
    help="Show features, models, preparations, recipes, systems, dataset adapters or stores.",
    no_args_is_help=True,
)


@app.command()
def features() -> None:
    """Show every descriptor, and every network that has published weights.

    Networks of clip, timm and others take more names; see the families below the table. A frame selection may follow a
    network's name: -all, -first, -fml (first, middle, last), -everyN, -Nps (N per second), -spreadN, and for networks
    of clips -windowsN.
    """
    from memfeat import extractors

    show_table(
        "Descriptors",
        ["feature", "arrays", "unit", "what"],
        [
            (
                e.name,
                ", ".join(f"{k} {v}" for k, v in e.arrays.items()),
                e.unit,
                e.summary + _why_not(e.unavailable()),
            )
            for e in extractors.all_extractors()
        ],
    )
    families = extractors.families().values()
    short = {full: alias for family in families for alias, full in family.aliases().items()}
    networks = [extractors.get_network(name) for name in extractors.network_names()]
    show_table(
        "\nNetworks (to be named with --features; memfeat weights list)",
        ["feature", "short", "a row for", "frames", "what"],
        [(n.name, short.get(n.name, ""), f"a {n.row}", n.selection.suffix, n.summary) for n in networks],
    )
    show_table("\nFamilies of networks", ["what"], [(family.summary,) for family in families])


def _why_not(reason: str | None) -> str:
    return f" NOT AVAILABLE: {reason}" if reason else ""


@app.command()
def models() -> None:
    """Show every model."""
    from memfeat import models as registry

    show_table("", ["model", "what"], [(name, registry.get(name).summary) for name in registry.names()])


@app.command()
def preparations() -> None:
    """Show what can be done to a column: hog@pca50, captions@tfidf."""
    from memfeat.evaluation.preparations import listed

    show_table("", ["preparation", "what"], listed().items())


@app.command()
def recipes() -> None:
    """Show every recipe that can be named."""
    from memfeat import recipe

    show_table(
        "",
        ["recipe", "what", "file"],
        [(file.stem, _describe(file), file) for file in recipe.available()],
    )


def _describe(file: Path) -> str:
    from memfeat import recipe

    try:
        return recipe.load(str(file)).description
    except UsageError as error:
        return f"NOT VALID: {error}"


@app.command()
def systems() -> None:
    """Show every recipe of systems, for `memfeat compare`."""
    from memfeat.evaluation.comparison import recipe

    def describe(file: Path) -> str:
        try:
            return recipe.load(str(file)).description
        except UsageError as error:
            return f"NOT VALID: {error}"

    show_table(
        "", ["recipe", "what", "file"], [(file.stem, describe(file), file) for file in recipe.available()]
    )


@app.command()
def datasets() -> None:
    """Show every dataset adapter."""
    from memfeat import datasets as registry

    show_table("", ["adapter", "what"], [(a.name, a.summary) for a in registry.adapters().values()])


@app.command()
def stores() -> None:
    """Show the stores in ./features."""
    from memfeat.store.info import info
    from memfeat.store.manifest import find_stores

    found = [info(path) for path in find_stores()]
    show_table(
        "",
        ["store", "videos", "features", "targets", "note"],
        [
            (
                summary.path,
                summary.videos,
                ", ".join(feature.name for feature in summary.features),
                ", ".join(summary.labels),
                ("sample; " if summary.sample else "") + summary.note,
            )
            for summary in found
        ],
    )
