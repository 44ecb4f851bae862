"""`memfeat fit`, `evaluate` and `predict`: from a store to a judged model and on to scores of new videos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from memfeat.cli.console import messages, output, words
from memfeat.cli.store import locate
from memfeat.errors import DataError

if TYPE_CHECKING:
    from memfeat.evaluation.run import Run
    from memfeat.recipe import FitTable


def fit(
    dataset: str | None = typer.Option(
        None, help="Store: a name in ./features or a path; default the only one."
    ),
    model: str | None = typer.Option(
        None, help="Model (memfeat list models); default the recipe's, else brr."
    ),
    features: str | None = typer.Option(
        None,
        help="Comma-separated feature[:reduction][@preparation], such as hog:first@pca50, or texts, such as "
        "captions; default those the model asks for, else all.",
    ),
    aggregate: str | None = typer.Option(
        None, help="mean-of-frames: score single frames (feature:per-second, feature:frames) and average."
    ),
    missing: str | None = typer.Option(
        None, help="Videos that lack a feature: error (the default) or drop, which leaves them out."
    ),
    settings: list[str] = typer.Option(
        [], "--set", metavar="NAME=VALUE", help="A parameter of the model, such as C=10; may be repeated."
    ),
    target: str | None = typer.Option(None, help="Column of scores; needed when there are several."),
    folds: int | None = typer.Option(
        None, min=2, help="Number of folds where there is no official split; default 5."
    ),
    split: str | None = typer.Option(
        None,
        help="auto, official, k-fold, all-folds or the name of one of the dataset's splits; default auto.",
    ),
    repeats: int | None = typer.Option(None, min=1, help="Times that rows are shuffled into folds anew."),
    split_file: Path | None = typer.Option(
        None, help="Table of a split by id, such as the splits.csv of a run to repeat."
    ),
    group_by: str | None = typer.Option(
        None, help="What stays in one fold: group, a field of texts (titles, categories, ...) or none."
    ),
    seed: int | None = typer.Option(None, min=0, help="Seed of folds and model; default 0."),
    resamples: int = typer.Option(2000, min=100, help="Bootstrap resamples behind each interval."),
    out: Path | None = typer.Option(
        None, help="Folder of the run; default runs/<dataset>-<model>-<target>-<hash>."
    ),
    replace: bool = typer.Option(False, "--replace", help="Fit again where the run exists already."),
) -> None:
    """Fit a model on a store, judge it on rows it has not seen, and save the run."""
    from memfeat.evaluation.parameters import parse

    store = locate(dataset)
    usually = usual(store)
    model = model or usually.model
    of_recipe = usually.parameters if model == usually.model else {}
    show_run(
        fit_store(
            store,
            model=model,
            parameters={**of_recipe, **parse(settings)},
            columns=words(features) or usually.features,
            aggregate=aggregate or (None if features else usually.aggregate),
            missing=missing or usually.missing,
            target=target or usually.target,
            folds=folds or usually.folds,
            split=split or ("auto" if split_file else usually.split),
            repeats=repeats or (1 if split_file else usually.repeats),
            split_file=split_file,
            group_by=group_by or usually.group_by,
            seed=usually.seed if seed is None else seed,
            resamples=resamples,
            out=out,
            replace=replace,
        )
    )


def fit_store(
    store: Path,
    *,
    model: str,
    columns: list[str] | None,
    aggregate: str | None = None,
    missing: str = "error",
    parameters: dict[str, Any] | None = None,
    target: str | None,
    folds: int = 5,
    split: str = "auto",
    repeats: int = 1,
    split_file: Path | None = None,
    group_by: str | None = None,
    seed: int = 0,
    resamples: int = 2000,
    out: Path | None = None,
    replace: bool = False,
) -> Run:
    """Fit with progress on the terminal."""
    from memfeat.evaluation.fit import fit as run
    from memfeat.extraction.progress import ConsoleReporter

    with ConsoleReporter(messages()) as reporter:
        begun = False

        def progress(done: int, total: int) -> None:
            nonlocal begun
            if not begun:
                reporter.start(f"Fitting {model}", total)
                begun = True
            if done:
                reporter.step()

        return run(
            store,
            model=model,
            parameters=parameters,
            columns=columns,
            aggregate=aggregate,
            missing=missing,
            target=target,
            folds=folds,
            seed=seed,
            split=split,
            repeats=repeats,
            split_file=split_file,
            group_by=group_by,
            resamples=resamples,
            out=out,
            replace=replace,
            progress=progress,
        )


def usual(store: Path) -> FitTable:
    """Return the [fit] table of the recipe that filled the store, where there is one."""
    from memfeat import recipe as recipes
    from memfeat.store.manifest import read_manifest

    name = read_manifest(store).dataset
    if any(file.stem == name for file in recipes.available()):
        return recipes.load(name).fit
    return recipes.FitTable()


def show_run(run: Run) -> None:
    """Print what was fitted, how good it is and where it lies."""
    from memfeat.evaluation import table

    console = output()
    console.print(table.details(run), markup=False)
    console.print(table.as_text(table.rows(run)), markup=False)
    names = ", ".join(path.name for path in sorted(run.path.iterdir()))
    console.print(f"Run: {run.path} ({names})", markup=False)


def evaluate(
    run: Path = typer.Argument(..., help="Folder of a run."),
    dataset: str | None = typer.Option(None, help="Store of another dataset to judge the model on."),
    target: str | None = typer.Option(None, help="Column of scores there; default the run's own."),
    missing: str = typer.Option(
        "error", help="Videos there that lack a feature: error, or drop, which leaves them out."
    ),
    resamples: int = typer.Option(2000, min=100, help="Bootstrap resamples behind each interval."),
    out: Path | None = typer.Option(None, help="CSV file for the predictions per video."),
) -> None:
    """Judge a saved run again, or on another dataset whose features were measured alike."""
    from memfeat.evaluation import table
    from memfeat.evaluation.evaluate import evaluate as judge

    loaded = _load(run)
    judged = judge(
        loaded,
        store=None if dataset is None else locate(dataset),
        target=target,
        missing=missing,
        resamples=resamples,
        out=out,
    )
    console = output()
    console.print(table.details(judged), markup=False)
    console.print(table.as_text(table.rows(judged)), markup=False)
    if judged.out is not None:
        console.print(f"Predictions: {judged.out}", markup=False)


def predict(
    run: Path = typer.Argument(..., help="Folder of a run."),
    files: list[Path] = typer.Argument(..., help="Videos, images, or folders of them."),
    texts: Path | None = typer.Option(
        None, help="CSV of id (the file), field and text, for a run that reads captions or other texts."
    ),
    out: Path | None = typer.Option(None, help="CSV file to write; default standard output."),
    workers: int = typer.Option(1, min=1, help="Processes."),
    device: str | None = typer.Option(
        None, help="Where networks run, if the run uses any: cpu or cuda:N; default a GPU where there is one."
    ),
    weights: Path | None = typer.Option(
        None, help="File of weights, if a feature was computed with a file of one's own."
    ),
) -> None:
    """Score new videos and images: a CSV with score and predictive standard deviation."""
    from memfeat.evaluation.files import read_texts
    from memfeat.evaluation.predict import predict as score
    from memfeat.extraction.progress import ConsoleReporter

    loaded = _load(run)
    with ConsoleReporter(messages()) as reporter:
        begun = False

        def progress(done: int, total: int) -> None:
            nonlocal begun
            if not begun:
                reporter.start("Measuring", total)
                begun = True
            if done:
                reporter.step()

        predictions = score(
            loaded,
            files,
            texts=None if texts is None else read_texts(texts),
            workers=workers,
            device=device,
            weights=weights,
            out=out,
            progress=progress,
        )
    console = messages()
    for note in (predictions.note, *predictions.notes):
        if note:
            console.print(f"note: {note}", markup=False)
    for file, damage in predictions.damaged.items():
        console.print(f"damaged: {file}: {damage}", markup=False)
    for failure in predictions.failures:
        console.print(f"failed: {failure.file}: {failure.type}: {failure.message}", markup=False)
    if predictions.out is None:
        typer.echo(predictions.table.to_csv(index=False), nl=False)
    else:
        console.print(f"{len(predictions.table)} predictions → {predictions.out}", markup=False)
    if predictions.failures:
        raise typer.Exit(DataError.exit_code)


def _load(folder: Path) -> Run:
    """Load a run and say what its versions warn of, once and in words."""
    import warnings

    from memfeat.evaluation.run import Run, VersionWarning

    run = Run.load(folder)
    warnings.simplefilter("ignore", VersionWarning)
    for warning in run.warnings:
        messages().print(f"warning: {warning}", markup=False)
    return run
