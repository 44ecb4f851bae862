"""`memfeat datasets`: which datasets there are, and what is wrong with a copy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from memfeat.cli.console import fail, messages, show_table
from memfeat.cli.extract import folder_dataset
from memfeat.cli.findings import show
from memfeat.errors import MemfeatError, UsageError

if TYPE_CHECKING:
    from memfeat.dataset import Dataset, Published
    from memfeat.recipe import Recipe

app = typer.Typer(help="List datasets; check a copy before hours are spent on it.", no_args_is_help=True)


@app.command("list")
def list_datasets(
    as_json: bool = typer.Option(False, "--json", help="Print as JSON."),
) -> None:
    """Show every recipe and adapter, its targets, and whether its data are here."""
    rows = [_entry(file) for file in _recipe_files()]
    used = {row["adapter"] for row in rows}
    rows += [_bare(name) for name in _adapter_names() if name not in used]
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    show_table(
        "",
        ["recipe", "here", "targets", "data"],
        [
            (
                row["recipe"] or f"(adapter {row['adapter']})",
                "yes" if row["present"] else "no",
                "\n".join(row["targets"]),
                "\n".join(row["places"]) if row["adapter"] else row["what"],
            )
            for row in rows
        ],
    )
    messages().print(
        "Data are looked for in --root FOLDER, else MEMFEAT_DATA/<recipe>, else the recipe's own root.",
        markup=False,
    )


def _recipe_files() -> list[Path]:
    from memfeat import recipe

    return sorted(recipe.available(), key=lambda file: file.stem)


def _adapter_names() -> list[str]:
    from memfeat import datasets

    return sorted(datasets.adapters())


def _entry(file: Path) -> dict[str, Any]:
    from memfeat import datasets
    from memfeat import recipe as recipes

    try:
        plan = recipes.load(str(file))
        adapter = datasets.get(plan.dataset.adapter)
    except MemfeatError as error:
        return {
            "recipe": file.stem,
            "adapter": "",
            "targets": [],
            "what": f"NOT VALID: {error}",
            "present": False,
            "places": [],
        }
    own = plan.dataset.options().get("targets")
    told = own if isinstance(own, list) else [plan.fit.target] if plan.fit.target else []
    return {
        "recipe": plan.name,
        "adapter": adapter.name,
        "targets": [str(name) for name in told]
        or list(dict.fromkeys(each.target for each in adapter.published)),
        "what": plan.description or adapter.summary,
        **_places(plan),
    }


def _places(plan: Recipe) -> dict[str, Any]:
    places = [str(place) for place, _ in plan.places()]
    try:
        return {"present": True, "places": [str(plan.root())]}
    except UsageError:
        return {"present": False, "places": places}


def _bare(name: str) -> dict[str, Any]:
    from memfeat import datasets

    adapter = datasets.get(name)
    return {
        "recipe": None,
        "adapter": name,
        "targets": list(dict.fromkeys(each.target for each in adapter.published)),
        "what": adapter.summary,
        "present": False,
        "places": [],
    }


@app.command()
def check(
    recipe: str | None = typer.Argument(None, help="Name or path of a recipe (memfeat datasets list)."),
    root: Path | None = typer.Option(None, help="Folder of the recipe's data."),
    videos: Path | None = typer.Option(None, help="Folder of videos or images, instead of a recipe."),
    labels: Path | None = typer.Option(None, help="Table of scores that goes with --videos."),
    hash_files: bool = typer.Option(
        True, "--hash/--no-hash", help="Look for files with the same bytes (reads files of equal size)."
    ),
    headers: bool = typer.Option(
        True,
        "--headers/--no-headers",
        help="Open every file: unreadable, truncated, sizes, rates, durations.",
    ),
    deep: bool = typer.Option(False, "--deep", help="Decode every frame: slow, finds all damage."),
    threads: int | None = typer.Option(None, min=1, help="Files read at a time; default one per core."),
    ids: int = typer.Option(5, "--ids", min=0, help="Ids shown with each finding; --json has all."),
    as_json: bool = typer.Option(False, "--json", help="Print the report as JSON."),
) -> None:
    """Look for what is wrong with a dataset's copy: counts, scores, files, duplicates, leaks.

    Exit code 0: no errors (warnings do not count); 3: errors were found; 2: the data cannot be read at all.
    """
    from memfeat.checking.check import check as run
    from memfeat.extraction.progress import ConsoleReporter

    if (recipe is None) == (videos is None):
        raise UsageError("Give either a recipe (memfeat datasets list) or --videos FOLDER.")
    if recipe is not None and labels is not None:
        raise UsageError("--labels goes with --videos; a recipe names its own.")
    try:
        dataset, published, place = _load(recipe, root, videos, labels)
        with ConsoleReporter(messages()) as reporter:
            report = run(
                dataset,
                published=published,
                hash_files=hash_files,
                headers=headers,
                deep=deep,
                threads=threads,
                reporter=reporter,
            )
    except KeyboardInterrupt:
        fail("Interrupted. Nothing was changed.", 130)
    if as_json:
        typer.echo(json.dumps(report.to_dict(), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        show(report, place, ids)
    raise typer.Exit(report.exit_code)


def _load(
    recipe: str | None, root: Path | None, videos: Path | None, labels: Path | None
) -> tuple[Dataset, tuple[Published, ...], Path]:
    from memfeat import datasets
    from memfeat import recipe as recipes

    if recipe is None:
        place = videos or Path()
        return folder_dataset(place, labels, None, root), (), place
    plan = recipes.load(recipe)
    return (
        datasets.load(plan, root=root),
        datasets.get(plan.dataset.adapter).published,
        plan.root(root),
    )
