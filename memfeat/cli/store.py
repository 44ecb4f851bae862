"""`memfeat store`: look into a store, check it, take tables out of it."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any, get_args

import typer

from memfeat.cli.console import messages, output, show_table, words
from memfeat.errors import DataError, UsageError, nearest

app = typer.Typer(help="Look into a store, check it, export tables.", no_args_is_help=True)


def locate(name: str | None) -> Path:
    """Return the store called `name` (a path, or a folder of ./features); None takes the only one there is."""
    from memfeat.store.manifest import default_store, is_store

    if name is None:
        return default_store()
    if not is_store(Path(name)) and is_store(Path("features", name)):
        return Path("features", name)
    return Path(name)


def _json(value: Any) -> str:
    return json.dumps(dataclasses.asdict(value), indent=2, default=str, ensure_ascii=False)


def _decimals(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.4f}"


@app.command()
def info(
    store: str | None = typer.Argument(
        None, help="Path or name of the store; default the only one in ./features."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print as JSON."),
) -> None:
    """Say what is in a store: videos, features, labels, failures, damage."""
    from memfeat.store.info import info as look

    summary = look(locate(store))
    if as_json:
        typer.echo(_json(summary))
        return
    console = output()
    console.print(
        f"{summary.path}: dataset {summary.dataset!r}, {summary.videos} videos, {summary.bytes / 1e6:.1f} MB",
        markup=False,
    )
    if summary.note:
        console.print(f"note: {summary.note}", markup=False)
    if summary.features:
        show_table(
            "",
            ["feature", "key", "videos", "not applicable"],
            [(f.name, f.key, f.videos, f.not_applicable) for f in summary.features],
        )
    if summary.labels:
        show_table(
            "",
            ["target", "n", "mean", "sd", "min", "max"],
            [
                (name, int(s["n"]), *(_decimals(s[part]) for part in ("mean", "std", "min", "max")))
                for name, s in summary.labels.items()
            ],
        )
    if summary.splits:
        splits = ", ".join(f"{name} {count}" for name, count in summary.splits.items())
        console.print(f"splits: {splits}", markup=False)
    for field, counts in summary.texts.items():
        console.print(f"texts: {field}: {counts['texts']} of {counts['videos']} videos", markup=False)
    for kind, count in summary.failures.items():
        console.print(f"failed: {count} × {kind} (memfeat store failures)", markup=False)
    for video, damage in summary.damaged.items():
        console.print(f"damaged: {video}: {damage}", markup=False)
    if summary.leftovers:
        console.print(
            f"{len(summary.leftovers)} unfinished files of killed runs; memfeat store verify removes them"
        )
    for file, problem in summary.unreadable.items():
        console.print(f"unreadable: {file}: {problem}", markup=False)


@app.command()
def failures(
    store: str | None = typer.Argument(
        None, help="Path or name of the store; default the only one in ./features."
    ),
) -> None:
    """List every recorded failure."""
    from memfeat.store.failures import list_failures

    show_table(
        "",
        ["video", "type", "message", "when"],
        [(f.id, f.type, f.message, f.when) for f in list_failures(locate(store))],
    )


@app.command()
def verify(
    store: str | None = typer.Argument(
        None, help="Path or name of the store; default the only one in ./features."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print as JSON."),
) -> None:
    """Read every file of a store and check it against the specification."""
    from memfeat.store.verify import verify as check

    report = check(locate(store))
    if as_json:
        typer.echo(_json(report))
    else:
        for problem in report.problems:
            output().print(f"PROBLEM {problem.kind}: {problem.where}: {problem.message}", markup=False)
        for warning in report.warnings:
            output().print(f"warning {warning.kind}: {warning.where}: {warning.message}", markup=False)
        swept = f", {len(report.swept)} unfinished files of killed runs removed" if report.swept else ""
        output().print(
            f"{report.videos} videos, {len(report.problems)} problems, {len(report.warnings)} warnings{swept}."
        )
        if any(problem.kind in ("unreadable", "values") for problem in report.problems):
            output().print("Delete the files with unreadable or changed content and extract again.")
    if not report.ok:
        raise typer.Exit(DataError.exit_code)


@app.command("import")
def import_(
    store: str | None = typer.Argument(
        None, help="Path or name of the store; default the only one in ./features."
    ),
    path: Path = typer.Option(
        ..., "--from", help="Folder with a file per video or frame, or one file with a row per video."
    ),
    feature: str = typer.Option(..., help="Name of the feature in the store."),
    format: str | None = typer.Option(
        None,
        help="c3d, aesthetics, hmp, inceptionv3, color-histogram, dense, sparse (folders of text files), npy, csv, "
        "tsv, parquet, npz, h5; default: told from the files.",
    ),
    id_column: str | None = typer.Option(None, help="Column or array that names the videos."),
    columns: str | None = typer.Option(None, help="Comma-separated columns that hold the feature."),
    width: int | None = typer.Option(
        None, min=1, help="Numbers per vector; videos with another are failures."
    ),
    frames: str | None = typer.Option(
        None, help="Frames of each video: 0,56,112 or first,middle,last; any: they differ by video."
    ),
    bins: str | None = typer.Option(None, help="First and last bin of a sparse format, such as 1-6075."),
    origin: str = typer.Option(
        "", help='Who computed it, such as "MediaEval 2018"; part of the feature key.'
    ),
    preparation: str | None = typer.Option(
        None, help="What models do to it unless told otherwise: zscore, pca or none."
    ),
    new_ids: bool = typer.Option(False, "--new-ids", help="Take names the store does not know as new ids."),
    force: bool = typer.Option(False, "--force", help="Replace a feature of that name with another key."),
    as_json: bool = typer.Option(False, "--json", help="Print what was done as JSON."),
) -> None:
    """Bring features that others computed into a store; run again to go on."""
    from memfeat import extractors
    from memfeat.extraction.progress import ConsoleReporter
    from memfeat.extractor import Preparation
    from memfeat.store.importing.importer import import_features
    from memfeat.store.importing.layout import parse_frames
    from memfeat.store.importing.sparse_text import Bins

    if feature in extractors.names():
        raise UsageError(
            f"{feature!r} is what memfeat measures itself. Name the imported one apart, such as mediaeval-{feature}."
        )
    if preparation is not None and preparation not in get_args(Preparation):
        raise UsageError(
            f"A preparation is one of {', '.join(get_args(Preparation))}; got {preparation!r}."
            f"{nearest(preparation, get_args(Preparation))}"
        )
    with ConsoleReporter(messages()) as reporter:
        done = import_features(
            locate(store),
            path,
            feature,
            format=format,
            id_column=id_column,
            columns=words(columns, "--columns"),
            width=width,
            frames=None if frames is None else parse_frames(frames),
            bins=None if bins is None else Bins.parse(bins),
            origin=origin,
            preparation=preparation,
            new_ids=new_ids,
            force=force,
            on_start=reporter.start,
            on_item=reporter.step,
        )
    if as_json:
        typer.echo(_json(done))
    for line in done.lines():
        messages().print(line, markup=False)
    if done.failed:
        raise typer.Exit(DataError.exit_code)


@app.command()
def export(
    columns: str = typer.Argument(..., help="Comma-separated columns: feature or feature:reduction."),
    to: Path = typer.Option(
        ..., "--to", help="File to write: .csv, .parquet, .npy, .npz or .h5; with --per-video a folder."
    ),
    store: str | None = typer.Option(
        None, help="Path or name of the store; default the only one in ./features."
    ),
    labels: bool = typer.Option(False, "--labels", help="Add the labels as columns (csv, parquet)."),
    per_video: bool = typer.Option(
        False,
        "--per-video",
        help="Write FOLDER/<column>/<id>.npy; frames are kept where no reduction is named.",
    ),
) -> None:
    """Write columns of a store as one table, a row per video, ids included; or one file per video."""
    from memfeat.store.export import export as write
    from memfeat.store.export_videos import export_videos

    if per_video:
        if labels:
            raise UsageError("--labels goes with a table, not with --per-video.")
        for column in words(columns, "COLUMNS") or []:
            wrote = export_videos(locate(store), column, to)
            messages().print(f"{len(wrote.ids)} files → {wrote.folder}", markup=False)
            for video, reason in wrote.missing.items():
                messages().print(f"left out: {video}: {reason}", markup=False)
        return
    done = write(locate(store), words(columns, "COLUMNS") or [], to, labels=labels)
    messages().print(
        f"{done.rows} rows, {done.columns} columns → {', '.join(str(p) for p in (done.path, *done.sidecars))}",
        markup=False,
    )
    for column, reason in done.dropped.items():
        messages().print(f"dropped: {column}: {reason}", markup=False)
    for video, reason in done.missing.items():
        messages().print(f"left out: {video}: {reason}", markup=False)
