"""`python -m memfeat` is the command `memfeat`."""

from memfeat.cli.main import run

run()
