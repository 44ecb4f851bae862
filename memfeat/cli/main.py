"""The command `memfeat`: parse arguments, call one function, print."""

from __future__ import annotations

import sys

import typer

from memfeat import __version__
from memfeat.cli import demo, extract, judge, listing, store
from memfeat.cli.console import fail, say_error
from memfeat.errors import MemfeatError

app = typer.Typer(
    name="memfeat",
    help="Turns videos and images into feature stores and memorability scores.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=(
        "Exit codes: 0 done, 2 wrong call, 3 done with recorded failures, 4 the machine lacks something, "
        "130 interrupted."
    ),
)
app.command("demo")(demo.demo)
app.command("extract")(extract.extract)
app.command("fit")(judge.fit)
app.command("evaluate")(judge.evaluate)
app.command("predict")(judge.predict)
app.add_typer(store.app, name="store")
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
    try:
        app()
    except MemfeatError as error:
        say_error(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        fail("Interrupted. What was committed is kept; run the same command to go on.", 130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)


if __name__ == "__main__":
    run()
