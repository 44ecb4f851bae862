"""`memfeat demo`: the whole job on clips that memfeat makes itself."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import typer

from memfeat.cli.console import messages, output
from memfeat.cli.extract import run_extraction
from memfeat.cli.judge import fit_store, show_run


def demo(
    clips: int = typer.Option(60, min=15, help="Number of clips, two seconds each."),
    workers: int | None = typer.Option(None, min=0, help="Processes; default one per core."),
) -> None:
    """Make clips, measure every descriptor, fit a model, and show where everything lies."""
    from memfeat import datasets
    from memfeat import recipe as recipes
    from memfeat.demo import FORMULA, make_demo
    from memfeat.extraction.progress import ConsoleReporter

    console = messages()
    plan = recipes.load("demo")
    root = Path(plan.dataset.root or "data/demo")
    with ConsoleReporter(console) as reporter:
        reporter.start("Making clips", clips)
        make_demo(root, clips=clips, on_clip=reporter.step)
    console.print(f"The scores are SYNTHETIC: {FORMULA}.", markup=False)
    store = Path("features", plan.name)
    (summary,) = run_extraction(datasets.load(plan, root=root), store, plan.features.extract, workers=workers)
    if summary.interrupted:
        raise typer.Exit(summary.exit_code)
    run = fit_store(
        store,
        model=plan.fit.model,
        columns=plan.fit.features,
        target=plan.fit.target,
        folds=plan.fit.folds,
        seed=plan.fit.seed,
        replace=True,
    )
    show_run(run)
    clip = min((root / "clips").glob("*.mp4"))
    command = _command()
    output().print(
        f"""
What lies where
  clips and made-up scores   {root}
  feature store              {store}
  run                        {run.path}
  results table              {run.path / "results.csv"}

What to try next
  {command} store info {store}
  {command} predict {run.path} {clip}
  {command} extract --videos FOLDER --labels scores.csv       your own videos and scores
  {command} fit --dataset NAME --target COLUMN
  {command} --help""",
        markup=False,
    )
    raise typer.Exit(summary.exit_code)


def _command() -> str:
    """Return how this command is called here: by its name, or by its path where the shell does not find it."""
    called = Path(sys.argv[0])
    if shutil.which("memfeat") is not None or called.name != "memfeat":
        return "memfeat"
    return str(called.relative_to(Path.cwd()) if called.is_relative_to(Path.cwd()) else called)
