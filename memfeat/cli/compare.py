"""`memfeat compare` and `ablate`: many systems on the same rows, in one table."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from memfeat.cli.console import messages, output, words
from memfeat.cli.judge import usual
from memfeat.cli.store import locate
from memfeat.errors import DataError, UsageError

if TYPE_CHECKING:
    from memfeat.evaluation.comparison.recipe import CompareTable
    from memfeat.evaluation.comparison.result import Comparison
    from memfeat.evaluation.comparison.systems import System

_DATASET = typer.Option(None, help="Store: a name in ./features or a path; default the only one.")
_SET = typer.Option(
    [],
    "--set",
    metavar="NAME=VALUE",
    help="A parameter, such as C=10; of one of several models: svr.C=10. May be repeated.",
)
_AGGREGATE = typer.Option(
    None, help="mean-of-frames: score single frames (feature:per-second, feature:frames) and average."
)
_MISSING = typer.Option(
    None, help="Videos that lack a feature: error (the default) or drop, which leaves them out."
)
_TARGET = typer.Option(None, help="Column of scores; needed when there are several.")
_SEEDS = typer.Option(None, help="Comma-separated seeds of the models; figures are means over them.")
_SEED = typer.Option(None, min=0, help="Seed of folds and bootstrap; default 0.")
_FOLDS = typer.Option(None, min=2, help="Number of folds where there is no official split; default 5.")
_SPLIT = typer.Option(
    None, help="auto, official, k-fold, all-folds or the name of one of the dataset's splits; default auto."
)
_REPEATS = typer.Option(None, min=1, help="Times that rows are shuffled into folds anew.")
_SPLIT_FILE = typer.Option(None, help="Table of a split by id, such as the splits.csv of a run.")
_GROUP_BY = typer.Option(None, help="What stays in one fold: group, a field of texts, or none.")
_RESAMPLES = typer.Option(2000, min=100, help="Bootstrap resamples behind each interval.")
_WORKERS = typer.Option(None, min=1, help="Processes; default one per core.")
_SCHEDULER = typer.Option(None, help="Address of a Dask scheduler, tcp://HOST:PORT.")
_CACHE = typer.Option(None, help="Folder of held-out predictions; default runs/cache.")
_NO_CACHE = typer.Option(False, "--no-cache", help="Fit everything, and keep nothing.")
_OUT = typer.Option(None, help="Folder for the tables (text, CSV, LaTeX, HTML) and the predictions.")
_REPLACE = typer.Option(False, "--replace", help="Write the folder again where it exists already.")


def compare(
    recipe: str | None = typer.Argument(
        None, help="Name or path of a recipe of systems (memfeat list systems), instead of --models."
    ),
    dataset: str | None = _DATASET,
    models: str | None = typer.Option(None, help="Comma-separated models (memfeat list models)."),
    features: list[str] = typer.Option(
        [], help="Comma-separated columns, as for fit. Repeated, each is a set of its own for every model."
    ),
    aggregate: str | None = _AGGREGATE,
    settings: list[str] = _SET,
    fuse: str | None = typer.Option(
        None, help="Average all systems in a further row: score-average or rank-average."
    ),
    weights: str = typer.Option("equal", help="Of --fuse: equal, or inner-folds to find them."),
    baseline: str | None = typer.Option(
        None, help="System, or model, that the others are compared with; default the first."
    ),
    seeds: str | None = _SEEDS,
    raw: bool = typer.Option(
        False, "--raw", help="Show the own correlation of columns of one number as well."
    ),
    target: str | None = _TARGET,
    folds: int | None = _FOLDS,
    split: str | None = _SPLIT,
    repeats: int | None = _REPEATS,
    split_file: Path | None = _SPLIT_FILE,
    group_by: str | None = _GROUP_BY,
    missing: str | None = _MISSING,
    seed: int | None = _SEED,
    resamples: int = _RESAMPLES,
    workers: int | None = _WORKERS,
    scheduler: str | None = _SCHEDULER,
    cache: Path | None = _CACHE,
    no_cache: bool = _NO_CACHE,
    out: Path | None = _OUT,
    replace: bool = _REPLACE,
) -> None:
    """Judge several models on several sets of features, on the same rows and folds, in one table."""
    from memfeat.evaluation.compare import compare as run
    from memfeat.evaluation.comparison import recipe as recipes
    from memfeat.evaluation.comparison.systems import System

    if recipe is not None and (models is not None or features or settings or aggregate is not None):
        raise UsageError("A recipe names its own models, features and parameters. Give it, or --models.")
    said = recipes.CompareTable()
    if recipe is not None:
        loaded = recipes.load(recipe)
        systems, said = loaded.made(), loaded.compare
    else:
        systems = _grid(models, features, aggregate, settings, locate(dataset))
    if fuse is not None:
        name = "fusion" if all(system.name != "fusion" for system in systems) else f"fusion by {fuse}"
        plain = [system.name for system in systems if not system.fuse]
        systems = [*systems, System.fused(name, plain, method=fuse, weights=weights)]
    _run(
        lambda store, **given: run(
            store, systems, baseline=baseline or said.baseline, inner_folds=said.inner_folds, **given
        ),
        said,
        dataset=dataset,
        seeds=seeds,
        raw=raw or said.raw,
        target=target,
        folds=folds,
        split=split,
        repeats=repeats,
        split_file=split_file,
        group_by=group_by,
        missing=missing,
        seed=seed,
        resamples=resamples,
        workers=workers,
        scheduler=scheduler,
        cache=cache,
        no_cache=no_cache,
        out=out,
        replace=replace,
    )


def ablate(
    dataset: str | None = _DATASET,
    model: str | None = typer.Option(None, help="Model; default the recipe's, else brr."),
    features: str | None = typer.Option(
        None, help="Comma-separated columns, as for fit; default those the model asks for, else all."
    ),
    aggregate: str | None = _AGGREGATE,
    settings: list[str] = _SET,
    by: str = typer.Option("feature", help="feature, or module: the parts that a model such as m3s has."),
    leave_one_out: bool = typer.Option(False, "--leave-one-out", help="Only without each in turn."),
    one_at_a_time: bool = typer.Option(
        False, "--one-at-a-time", help="Only each alone; shows the own correlation of single numbers beside."
    ),
    seeds: str | None = _SEEDS,
    target: str | None = _TARGET,
    folds: int | None = _FOLDS,
    split: str | None = _SPLIT,
    repeats: int | None = _REPEATS,
    split_file: Path | None = _SPLIT_FILE,
    group_by: str | None = _GROUP_BY,
    missing: str | None = _MISSING,
    seed: int | None = _SEED,
    resamples: int = _RESAMPLES,
    workers: int | None = _WORKERS,
    scheduler: str | None = _SCHEDULER,
    cache: Path | None = _CACHE,
    no_cache: bool = _NO_CACHE,
    out: Path | None = _OUT,
    replace: bool = _REPLACE,
) -> None:
    """Say what each feature is worth: a model without it, and on it alone, against the model on all."""
    from memfeat.evaluation.ablate import ablate as run
    from memfeat.evaluation.comparison.recipe import CompareTable
    from memfeat.evaluation.parameters import parse

    if by not in ("feature", "module"):
        raise UsageError(f"--by {by}; give feature or module.")
    usually = usual(locate(dataset))
    chosen = model or usually.model
    of_recipe = usually.parameters if chosen == usually.model else {}
    both = leave_one_out == one_at_a_time
    ways: Any = [
        *(["one-at-a-time"] if one_at_a_time or both else []),
        *(["leave-one-out"] if leave_one_out or both else []),
    ]
    _run(
        lambda store, **given: run(
            store,
            model=chosen,
            columns=words(features) or usually.features,
            aggregate=aggregate or (None if features else usually.aggregate),
            parameters={**of_recipe, **parse(settings)},
            by=by,  # type: ignore[arg-type]
            ways=ways,
            **given,
        ),
        CompareTable(),
        dataset=dataset,
        seeds=seeds,
        raw="one-at-a-time" in ways,
        target=target,
        folds=folds,
        split=split,
        repeats=repeats,
        split_file=split_file,
        group_by=group_by,
        missing=missing,
        seed=seed,
        resamples=resamples,
        workers=workers,
        scheduler=scheduler,
        cache=cache,
        no_cache=no_cache,
        out=out,
        replace=replace,
    )


def _run(
    run: Callable[..., Comparison],
    said: CompareTable,
    *,
    dataset: str | None,
    seeds: str | None,
    workers: int | None,
    cache: Path | None,
    no_cache: bool,
    out: Path | None,
    replace: bool,
    split_file: Path | None,
    **given: Any,
) -> None:
    """Fill what is not given from the recipe of systems, then from the dataset's; run; show; write."""
    from memfeat.evaluation.comparison.cache import FOLDER
    from memfeat.evaluation.comparison.result import check_free
    from memfeat.evaluation.files import check_writable
    from memfeat.extraction.progress import ConsoleReporter

    if no_cache and cache is not None:
        raise UsageError("--no-cache keeps nothing, and --cache names where to keep it. Give one.")
    if out is not None:
        check_free(out, replace=replace)
        check_writable(out, f"The comparison {out}")
    store = locate(dataset)
    usually = usual(store)
    for name in ("target", "split", "folds", "repeats", "group_by"):
        if given[name] is None:
            given[name] = getattr(said, name)
        if given[name] is None and not (split_file is not None and name in ("split", "repeats")):
            given[name] = getattr(usually, name)
    if split_file is not None:
        given["split"], given["repeats"] = given["split"] or "auto", given["repeats"] or 1
    given["missing"] = given["missing"] or usually.missing
    given["seed"] = usually.seed if given["seed"] is None else given["seed"]
    with ConsoleReporter(messages()) as reporter:
        begun = False

        def progress(done: int, total: int) -> None:
            nonlocal begun
            if not begun:
                reporter.start("Fitting", total)
                begun = True
            if done:
                reporter.step()

        found = run(
            store,
            seeds=_seeds(seeds) or said.seeds or [given["seed"]],
            split_file=split_file,
            workers=workers or os.cpu_count() or 1,
            cache=None if no_cache else cache or FOLDER,
            progress=progress,
            **given,
        )
    _show(found, out, replace)


def _show(found: Comparison, out: Path | None, replace: bool) -> None:
    width = shutil.get_terminal_size((80, 24)).columns
    output().print(found.to_text(width=max(width, 60)), markup=False, end="")
    if out is not None:
        path = found.save(out, replace=replace)
        names = ", ".join(file.name for file in sorted(path.iterdir()))
        output().print(f"\nComparison: {path} ({names})", markup=False)
    console = messages()
    console.print(f"{found.fitted} fits made, {found.cached} kept from earlier", markup=False)
    if found.failures:
        console.print(f"failed: {', '.join(found.failures)}", markup=False)
        raise typer.Exit(DataError.exit_code)


def _grid(
    models: str | None, features: list[str], aggregate: str | None, settings: list[str], store: Path
) -> list[System]:
    from memfeat.evaluation.comparison.systems import grid
    from memfeat.evaluation.parameters import parse

    usually = usual(store)
    named = words(models, "--models") or [usually.model]
    by_model: dict[str, dict[str, Any]] = {}
    if named == [usually.model] and usually.parameters:
        by_model[usually.model] = dict(usually.parameters)
    for name, value in parse(settings).items():
        model, dot, parameter = name.partition(".")
        if not dot and len(named) > 1:
            raise UsageError(
                f"{name}={value}: say which of {', '.join(named)} it belongs to, such as "
                f"--set {named[0]}.{name}={value}."
            )
        by_model.setdefault(model if dot else named[0], {})[parameter if dot else name] = value
    sets = [words(one) for one in features] or [usually.features]
    return grid(named, sets, by_model, aggregate or (None if features else usually.aggregate))


def _seeds(text: str | None) -> list[int] | None:
    given = words(text, "--seeds")
    if given is None:
        return None
    try:
        return [int(word) for word in given]
    except ValueError:
        raise UsageError(f"--seeds {text}; give whole numbers, such as 0,1,2.") from None
