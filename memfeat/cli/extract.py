"""`memfeat extract`: from videos to a store."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

import typer

from memfeat.cli.console import messages, words
from memfeat.errors import UsageError, nearest

if TYPE_CHECKING:
    from memfeat.dataset import Dataset
    from memfeat.extraction.summary import Summary
    from memfeat.extractor import Extractor
    from memfeat.network_extractor import NetworkExtractor, Settings


def extract(
    recipe: str | None = typer.Argument(None, help="Name or path of a recipe (memfeat list recipes)."),
    videos: Path | None = typer.Option(None, help="Folder of videos or images, instead of a recipe."),
    labels: Path | None = typer.Option(None, help="Table of scores that goes with --videos."),
    out: Path | None = typer.Option(None, help="Store to fill; default features/<name>."),
    name: str | None = typer.Option(
        None, help="Name of the dataset that --videos makes; default that of --out, else the folder's."
    ),
    features: str | None = typer.Option(
        None,
        help="Comma-separated features; default the recipe's, else every descriptor. Networks are named.",
    ),
    root: Path | None = typer.Option(None, help="Folder of the recipe's data."),
    workers: int | None = typer.Option(None, min=0, help="Processes; default one per core, 0: this process."),
    scheduler: str | None = typer.Option(None, help="Address of a Dask scheduler, tcp://HOST:PORT."),
    force: bool = typer.Option(False, "--force", help="Measure again what is present."),
    retry_failed: bool = typer.Option(False, "--retry-failed", help="Try again what has failed before."),
    labels_only: bool = typer.Option(
        False, "--labels-only", help="Write labels and texts to the store and open no video."
    ),
    device: str | None = typer.Option(
        None, help="Networks: cpu, cuda (every GPU) or cuda:N; default GPUs where there are any."
    ),
    weights: str | None = typer.Option(
        None, help="Networks: a file, or random:SEED for trying out; default the published ones."
    ),
    precision: str = typer.Option(
        "float32", help="Networks: float32, bf16 or fp16; part of the feature's key."
    ),
    batch_size: int | None = typer.Option(None, min=1, help="Networks: frames or clips of a batch."),
    decoder: str = typer.Option(
        "pyav", help="Networks: pyav, torchcodec or torchcodec-cuda; part of the key."
    ),
    decode_threads: int | None = typer.Option(
        None, min=1, help="Networks: threads that decode, per process."
    ),
    compile: bool = typer.Option(False, "--compile", help="Networks: have torch compile them."),
    as_json: bool = typer.Option(False, "--json", help="Print the run summary as JSON."),
) -> None:
    """Measure every descriptor of every video and commit it to a store; run again to go on.

    Features of networks (memfeat list features) have to be named; they are computed after the descriptors.
    """
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
    summaries = run_extraction(
        dataset,
        out or Path("features", dataset.name),
        wanted,
        workers=workers,
        scheduler=scheduler,
        force=force,
        retry_failed=retry_failed,
        labels_only=labels_only,
        how=How(
            device=device,
            weights=weights,
            precision=precision,
            batch_size=batch_size,
            decoder=decoder,
            decode_threads=decode_threads,
            compile=compile,
        ),
    )
    code = max(summary.exit_code for summary in summaries)  # 0, 3 or 130
    if as_json:
        told = [summary.to_json() for summary in summaries]
        both = {"descriptors": told[0], "networks": told[-1], "exit_code": code}
        typer.echo(json.dumps(both if len(told) > 1 else told[0], indent=2))
    raise typer.Exit(code)


@dataclass(frozen=True, slots=True)
class How:
    """How networks are run, as it was asked for on the command line."""

    device: str | None = None
    weights: str | None = None
    precision: str = "float32"
    batch_size: int | None = None
    decoder: str = "pyav"
    decode_threads: int | None = None
    compile: bool = False

    def refuse(self) -> None:
        """Raise UsageError where something was asked for, though no network is."""
        asked = [
            f"--{name.replace('_', '-')}"
            for name, value in asdict(self).items()
            if value != getattr(How(), name)
        ]
        if asked:
            raise UsageError(
                f"{', '.join(asked)} is for features of networks, and none is asked for (memfeat list features)."
            )

    def settings(self, names: Iterable[str]) -> Settings:
        """Return what enters the keys of the features that are asked for.

        Raises
        ------
        UsageError
            A value is none of those allowed, or a name asks for other weights than --weights.
        """
        from memfeat.network_extractor import Decoder, Precision, Settings
        from memfeat.weights import choice

        for option, value, allowed in (
            ("--precision", self.precision, get_args(Precision)),
            ("--decoder", self.decoder, get_args(Decoder)),
        ):
            if value not in allowed:
                raise UsageError(f"{option} {value!r}: use {', '.join(allowed)}.{nearest(value, allowed)}")
        chosen = choice.parse(self.weights)
        for name in names:
            if (random := choice.seed_in(name)) is not None and random != chosen.seed:
                raise UsageError(f"{name!r} is the feature of random weights: add --weights random:{random}.")
        return Settings(
            choice=chosen, precision=cast(Precision, self.precision), decoder=cast(Decoder, self.decoder)
        )


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
    how: How = How(),
) -> list[Summary]:
    """Run an extraction with progress on the terminal, say what became of it, and return a summary of each part."""
    from memfeat.extraction.progress import ConsoleReporter
    from memfeat.extraction.run import extract as run
    from memfeat.extraction.target import what_stays_and_goes

    descriptors, networks, left_out = _chosen(wanted, labels_only)
    if not networks:
        how.refuse()
    console = messages()
    names = [*(extractor.name for extractor in descriptors), *(network.name for network in networks)]
    what = f"{len(names)} features ({', '.join(names)})"
    console.print(
        f"{dataset.name}: {len(dataset.files)} files, {'labels only' if labels_only else what} → {store}",
        markup=False,
    )
    remarks = [*dataset.remarks, *(f"{name} is left out: {why}" for name, why in left_out.items())]
    remarks += what_stays_and_goes(store, dataset)
    for remark in remarks:
        console.print(f"note: {remark}", markup=False)
    summaries: list[Summary] = []
    try:
        with ConsoleReporter(console) as reporter:
            if networks:
                from memfeat.extraction.deep.run import extract_deep, require

                settings = how.settings(wanted or [])
                # What networks lack is said before descriptors take hours.
                devices, _ = require(networks, settings, device=how.device, scheduler=scheduler)
                for network in networks if devices == ["cpu"] else []:
                    if network.on_cpu:
                        console.print(f"note: {network.name}: {network.on_cpu}", markup=False)
            if descriptors or not networks:
                summaries.append(
                    run(
                        dataset,
                        store,
                        descriptors,
                        left_out=left_out,
                        workers=workers,
                        scheduler=scheduler,
                        force=force,
                        retry_failed=retry_failed,
                        labels_only=labels_only,
                        reporter=reporter,
                    )
                )
            if networks and not any(summary.interrupted for summary in summaries):
                summaries.append(
                    extract_deep(
                        dataset,
                        store,
                        networks,
                        settings=settings,
                        device=how.device,
                        batch_size=how.batch_size,
                        decode_threads=how.decode_threads,
                        compile=how.compile,
                        scheduler=scheduler,
                        force=force,
                        retry_failed=retry_failed,
                        reporter=reporter,
                    )
                )
    finally:
        titles = ["Descriptors: ", "Networks: "] if descriptors and networks else [""]
        for title, summary in zip(titles, summaries, strict=False):
            for line in summary.lines():
                console.print(f"{title}{line}", markup=False)
    console.print(f"Store: {store}", markup=False)
    return summaries


def _chosen(
    wanted: list[str] | None, labels_only: bool
) -> tuple[list[Extractor], list[NetworkExtractor], dict[str, str]]:
    """Return descriptors, networks, and the descriptors left out, with why."""
    from memfeat import extractors

    if labels_only:
        return [], [], {}
    if wanted is None or not wanted:
        descriptors, left_out = extractors.select(wanted)
        return descriptors, [], left_out
    return *extractors.split(wanted), {}


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
