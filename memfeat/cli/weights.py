"""`memfeat weights`: which weights of networks are here, whether they are right, and in which format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from memfeat.cli.console import messages, output
from memfeat.errors import SetupError, UsageError

if TYPE_CHECKING:
    from memfeat.checking.weights import Entry

app = typer.Typer(help="Look for the weights of networks, check them, convert them.", no_args_is_help=True)

_NAMES = typer.Argument(None, help="Networks (memfeat list features), or names of weights; default all.")


@app.command("list")
def list_(
    names: list[str] | None = _NAMES,
    as_json: bool = typer.Option(False, "--json", help="Print as JSON."),
) -> None:
    """Show the file, origin and licence of every network's weights, and where it lies on this machine."""
    from memfeat.checking.weights import inventory

    entries = inventory(names or ())
    if as_json:
        typer.echo(json.dumps([entry.to_json() for entry in entries], indent=2))
        return
    shared: dict[str, list[Entry]] = {}
    for entry in entries:
        shared.setdefault(entry.weights or entry.network, []).append(entry)
    for same in shared.values():
        output().print(", ".join(entry.network for entry in same), style="bold", markup=False)
        output().print(f"    {_described(same[0])}", markup=False)
        if names and same[0].where:
            output().print(f"    from {same[0].where}", markup=False)
            for entry in same:
                output().print(f"    {_input(entry)}", markup=False)
    found = sum(entry.found is not None for entry in entries)
    messages().print(
        f"The weights of {found} of {len(entries)} networks are here. Files are looked for in the folder "
        "MEMFEAT_WEIGHTS, then in the caches of Hugging Face and torch; memfeat weights verify checks them.",
        markup=False,
    )


def _described(entry: Entry) -> str:
    if entry.problem:
        return entry.problem
    size = "" if entry.size is None else f" ({_megabytes(entry.size)})"
    parts = [f"{entry.found}{size}" if entry.found else f"absent: {' or '.join(entry.files)}"]
    parts += [f"sha256 {entry.sha256[:16]}…"] if entry.sha256 else []
    return " · ".join([*parts, entry.source, entry.licence])


def _input(entry: Entry) -> str:
    known = dict(entry.input)
    mean, std = (", ".join(f"{value:.4g}" for value in known.pop(name)) for name in ("mean", "std"))
    facts = [f"{name} {value}" for name, value in known.items()]
    return "; ".join([*facts, f"RGB in 0 to 1 less {mean}, divided by {std}"])


@app.command()
def verify(
    names: list[str] | None = _NAMES,
    weights: Path | None = typer.Option(
        None, "--weights", help="A file to check for the one network named, in place of the published one."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print as JSON."),
) -> None:
    """Check digest, tensors and network of weights that are here; nothing is downloaded.

    Without names, absent weights are no error.
    """
    from memfeat.checking.weights import Verdict, check, networks

    chosen = networks(names or ())
    if weights is not None and (not names or len(chosen) != 1):
        raise UsageError("--weights is the file of one network: name that network, and no other.")
    verdicts: list[Verdict] = []
    for network in chosen:
        verdict = check(network, weights)
        verdicts.append(verdict)
        if not as_json and (names or verdict.state != "absent"):
            where = (
                "" if verdict.file is None or verdict.state in ("wrong", "unchecked") else f"{verdict.file}, "
            )
            mark = verdict.state.upper() if verdict.state == "wrong" else verdict.state
            output().print(f"{mark} {network.name}: {where}{verdict.text}", markup=False)
    if as_json:
        typer.echo(json.dumps([verdict.to_json() for verdict in verdicts], indent=2))
    count = {
        state: sum(v.state == state for v in verdicts) for state in ("ok", "wrong", "absent", "unchecked")
    }
    unchecked = f", {count['unchecked']} not checked" if count["unchecked"] else ""
    messages().print(
        f"{count['ok']} ok, {count['wrong']} wrong, {count['absent']} absent{unchecked} (memfeat weights list).",
        markup=False,
    )
    if count["wrong"] or (names and count["ok"] < len(verdicts)):
        raise typer.Exit(SetupError.exit_code)


@app.command()
def convert(
    file: Path = typer.Argument(..., help="Weights as released: .pth, .pt, .tar, .safetensors."),
    network: str = typer.Option(..., help="Whose weights they are."),
    out: Path = typer.Option(..., help="File to write, ending in .safetensors."),
) -> None:
    """Write what a network needs of a file as safetensors, under the network's own names."""
    from memfeat.checking.weights_conversion import convert as write
    from memfeat.extractors import get_network

    whose = get_network(network)
    if not whose.weighted:
        raise UsageError(f"{whose.name!r} has no weights.")
    done = write(file, whose, out)
    # A published digest is that of the publisher's own file; this is another one with the same tensors.
    name = (
        ""
        if whose.published.sha256
        else f", or as {whose.published.name}.safetensors in the folder MEMFEAT_WEIGHTS"
    )
    messages().print(
        f"{done.tensors} tensors, {_megabytes(done.bytes)} → {done.file}; use it with --weights {done.file}{name}.",
        markup=False,
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
