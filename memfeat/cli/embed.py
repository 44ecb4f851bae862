"""`memfeat embed`: from the texts of a store to features."""

from __future__ import annotations

import json

import typer

from memfeat.cli.console import messages
from memfeat.cli.store import locate


def embed(
    store: str | None = typer.Argument(
        None, help="Path or name of the store; default the only one in ./features."
    ),
    field: str = typer.Option("captions", help="Which texts: captions, actions, titles, …"),
    model: str = typer.Option("clip-vit-b-32", help="A CLIP, by its name as an image network."),
    device: str | None = typer.Option(
        None, help="cpu, cuda or cuda:N; default a GPU where there is one, else the CPU."
    ),
    batch_size: int | None = typer.Option(
        None, min=1, help="Texts of a batch; default what suits the device."
    ),
    weights: str | None = typer.Option(
        None, help="A file of weights, or random:SEED for random ones; default the published ones."
    ),
    force: bool = typer.Option(False, "--force", help="Embed again what is present."),
    as_json: bool = typer.Option(False, "--json", help="Print the run summary as JSON."),
) -> None:
    """Embed the captions or other texts of a store, one row per text; run again to go on."""
    from memfeat.extraction.progress import ConsoleReporter
    from memfeat.extraction.text_network import resolve
    from memfeat.extraction.texts import embed as run
    from memfeat.extraction.texts import texts_of
    from memfeat.store.feature_store import FeatureStore
    from memfeat.weights.choice import parse

    opened = FeatureStore(locate(store))
    texts = texts_of(opened, field)
    network = resolve(model, field, parse(weights))
    console = messages()
    count = sum(map(len, texts.values()))
    console.print(f"{count} {field} of {len(texts)} videos → {network.name}", markup=False)
    with ConsoleReporter(console) as reporter:
        done = run(opened, network, device=device, batch_size=batch_size, force=force, reporter=reporter)
    for line in done.lines():
        console.print(line, markup=False)
    if as_json:
        typer.echo(json.dumps(done.to_json(), indent=2))
    raise typer.Exit(done.exit_code)
