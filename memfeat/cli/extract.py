"""`memfeat extract`: from videos to a store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from memfeat.cli.console import messages, words
from memfeat.errors import UsageError

if TYPE_CHECKING:
    from memfeat.dataset import Dataset
    from memfeat.extraction.summary import Summary


def extract(
    recipe: str | None = typer.Argument(None, help="Name or path of a recipe (memfeat list recipes)."),
    videos: Path | None = typer.Option(None, help="Folder of videos or images, instead of a recipe."),
    labels: Path | None = typer.Option(None, help="Table of scores that goes with --videos."),
    out: Path | None = typer.Option(None, help="Store to fill; default features/<name>."),
    name: str | None = typer.Option(
        None, help="Name of the dataset that --videos makes; default that of --out, else the folder's."
    ),
    features: str | None = typer.Option(
        None, help="Comma-separated features; default the recipe's, else all."
    ),
    root: Path | None = typer.Option(None, help="Folder of the recipe's data."),
    workers: int | None = typer.Option(None, min=0, help="Processes; default one per core, 0: this process."),
    scheduler: str | None = typer.Option(None, help="Address of a Dask scheduler, tcp://HOST:PORT."),
    force: bool = typer.Option(False, "--force", help="Measure again what is present."),
    retry_failed: bool = typer.Option(False, "--retry-failed", help="Try again what has failed before."),
    labels_only: bool = typer.Option(
        False, "--labels-only", help="Write labels and texts to the store and open no video."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print the run summary as JSON."),
) -> None:
    """Measure every descriptor of every video and commit it to a store; run again to go on."""
    from memfeat import datasets
    from memfeat import recipe as recipes

    if (recipe is None) == (videos is None):
        raise UsageError("Give either a recipe (memfeat list recipes) or --videos FOLDER.")
    if scheduler is not None and workers is not None:
        raise UsageError(
            "--workers is for this machine; with --scheduler, its own workers are used. Give one."
        )
    if labels_only and (features is not None or force or retry_failed or scheduler is not None):
        raise UsageError(
            "--labels-only measures nothing: leave --features, --force, --retry-failed and --scheduler out."
        )
    if recipe is not None:
        if labels is not None or name is not None:
            raise UsageError("--labels and --name go with --videos; a recipe names its own.")
        plan = recipes.load(recipe)
        dataset = datasets.load(plan, root=root)
        wanted = words(features) if features is not None else plan.features.extract
    else:
        dataset = folder_dataset(
            videos or Path(), labels, name or (out.resolve().name if out else None), root
        )
        wanted = words(features)
    summary = run_extraction(
        dataset,
        out or Path("features", dataset.name),
        wanted,
        workers=workers,
        scheduler=scheduler,
        force=force,
        retry_failed=retry_failed,
        labels_only=labels_only,
    )
    if as_json:
        typer.echo(json.dumps(summary.to_json(), indent=2))
    raise typer.Exit(summary.exit_code)


def run_extraction(
    dataset: Dataset,
    store: Path,
    wanted: list[str] | None,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    force: bool = False,
    retry_failed: bool = False,
    labels_only: bool = False,
) -> Summary:
    """Run an extraction with progress on the terminal and say what became of it."""
    from memfeat import extractors
    from memfeat.extraction.progress import ConsoleReporter
    from memfeat.extraction.run import extract as run

    chosen, left_out = ([], {}) if labels_only else extractors.select(wanted)
    what = f"{len(chosen)} features ({', '.join(extractor.name for extractor in chosen)})"
    console = messages()
    console.print(
        f"{dataset.name}: {len(dataset.files)} files, {'labels only' if labels_only else what} → {store}",
        markup=False,
    )
    for remark in (*dataset.remarks, *(f"{name} is left out: {why}" for name, why in left_out.items())):
        console.print(f"note: {remark}", markup=False)
    with ConsoleReporter(console) as reporter:
        summary = run(
            dataset,
            store,
            chosen,
            left_out=left_out,
            workers=workers,
            scheduler=scheduler,
            force=force,
            retry_failed=retry_failed,
            labels_only=labels_only,
            reporter=reporter,
        )
    for line in summary.lines():
        console.print(line, markup=False)
    console.print(f"Store: {store}", markup=False)
    return summary


def folder_dataset(videos: Path, labels: Path | None, name: str | None, root: Path | None) -> Dataset:
    """Return the dataset that a folder of media, and perhaps a table of scores, makes without a recipe."""
    from memfeat import datasets
    from memfeat import recipe as recipes

    if root is not None:
        raise UsageError("--root goes with a recipe; --videos is the folder itself.")
    if labels is not None and not labels.is_file():
        raise UsageError(f"There is no table of scores {str(labels)!r}.")
    table = {
        "name": name if name is not None else videos.resolve().name,
        "dataset": {"adapter": "folder", **({"labels": str(labels.resolve())} if labels is not None else {})},
    }
    if not videos.is_dir():
        what = f"{str(videos)!r} is a file" if videos.exists() else f"There is no folder {str(videos)!r}"
        raise UsageError(f"{what}. Give --videos the folder that holds the videos or images.")
    plan = recipes.parse(table, where="--videos (give another --name)", model=recipes.Recipe)
    return datasets.load(plan, root=videos)
