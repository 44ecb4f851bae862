"""The command `memfeat`: parse arguments, call one function, print."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from memfeat import __version__
from memfeat.cli import compare, datasets, demo, embed, extract, judge, listing, store, weights
from memfeat.cli.console import fail, leave_broken_pipe
from memfeat.errors import MemfeatError, SetupError


class _InterruptedError(MemfeatError):
    """Ctrl-C that no command has dealt with."""

    exit_code = 130


class Commands(TyperGroup):
    """The commands, for two exceptions that typer would otherwise end without a word of ours."""

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise _InterruptedError(
                "Interrupted. What was committed is kept; run the same command to go on."
            ) from None
        except BrokenPipeError:
            leave_broken_pipe()


app = typer.Typer(
    cls=Commands,
    name="memfeat",
    help="Turns videos and images into feature stores and memorability scores.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=(
        "Exit codes: 0 done, 2 wrong call, 3 done with recorded failures or errors found, "
        "4 the machine lacks something, 130 interrupted."
    ),
)
app.command("demo")(demo.demo)
app.command("extract")(extract.extract)
app.command("embed")(embed.embed)
app.command("fit")(judge.fit)
app.command("evaluate")(judge.evaluate)
app.command("compare")(compare.compare)
app.command("ablate")(compare.ablate)
app.command("predict")(judge.predict)
app.add_typer(datasets.app, name="datasets")
app.add_typer(store.app, name="store")
app.add_typer(weights.app, name="weights")
app.add_typer(listing.app, name="list")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"memfeat {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: bool = typer.Option(
        False, "--version", help="Show the version.", callback=_version, is_eager=True
    ),
) -> None:
    """Turn videos and images into feature stores and memorability scores."""


def run() -> None:
    """Run the command line and turn every error into a message and an exit code."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # a service may start us with closed streams
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 (for as long as we run)
    try:
        app()
    except MemfeatError as error:
        fail(str(error), error.exit_code)
    except OSError as error:
        where = f"{error.filename}: " if error.filename is not None else ""
        fail(f"{where}{error.strerror or error}. Check permissions and the space left.", SetupError.exit_code)


if __name__ == "__main__":
    run()
