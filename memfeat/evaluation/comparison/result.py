"""What a comparison returns: its lines, the predictions behind them, and its tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from memfeat.errors import UsageError
from memfeat.evaluation.comparison import page, tables, text
from memfeat.evaluation.comparison.lines import NAMES, About, Line
from memfeat.store.files import make_folder, write_atomically

if TYPE_CHECKING:
    import pandas as pd

FILES = (
    "comparison.txt",
    "comparison.csv",
    "comparison.tex",
    "comparison.html",
    "predictions.csv",
    "splits.csv",
)


@dataclass(frozen=True)
class Comparison:
    """Several systems on the same rows in the same folds."""

    lines: tuple[Line, ...]
    about: About
    predictions: pd.DataFrame
    """Held out: columns system, seed, id, split, target, predicted, predicted_sd; note where a system uses
    features of random weights."""
    splits: pd.DataFrame
    """Which part held out each row, as in a run."""
    fitted: int
    """Fits that were made."""
    cached: int
    """Fits whose predictions were kept from earlier."""

    @property
    def failures(self) -> dict[str, str]:
        """Why systems have no figures, by name."""
        return {line.name: line.failure for line in self.lines if line.failure}

    @property
    def table(self) -> pd.DataFrame:
        """One row per system; see `memfeat.evaluation.comparison.tables.as_frame`."""
        return tables.as_frame(self.lines, self.about)

    def to_text(self, *, width: int = 80) -> str:
        """Return the table as plain text for a terminal of this width."""
        return text.as_text(self.lines, self.about, width=width)

    def to_csv(self) -> str:
        """Return `table` as CSV, every digit written."""
        return tables.as_csv(self.lines, self.about)

    def to_latex(self, *, metrics: Sequence[str] = tuple(NAMES)) -> str:
        """Return a LaTeX ``tabular`` of some metrics, for the package booktabs."""
        return tables.as_latex(self.lines, self.about, metrics=metrics)

    def to_html(self) -> str:
        """Return one HTML page that needs nothing beside it."""
        return page.as_page(self.lines, self.about)

    def save(self, folder: str | Path, *, replace: bool = False) -> Path:
        """Write all tables, the predictions and the splits into a folder.

        Raises
        ------
        UsageError
            There is something else at `folder`, or a comparison and `replace` is False.
        SetupError
            It cannot be written.
        """
        path = Path(folder)
        check_free(path, replace=replace)
        make_folder(path)
        contents = (
            self.to_text(width=120),
            self.to_csv(),
            self.to_latex(),
            self.to_html(),
            self.predictions.to_csv(index=False, lineterminator="\n"),
            self.splits.to_csv(index=False, lineterminator="\n"),
        )
        for name, content in zip(FILES, contents, strict=True):
            write_atomically(path / name, content)
        return path


def check_free(path: Path, *, replace: bool) -> None:
    """Raise UsageError unless a comparison may be written at `path`: nothing there, or one and `replace`."""
    if not path.exists():
        return
    there = sorted(item.name for item in path.iterdir()) if path.is_dir() else [path.name]
    others = [name for name in there if name not in FILES]
    if others or not path.is_dir():
        raise UsageError(
            f"{path} exists and holds {', '.join(others[:3])}, which is no part of a comparison; it is left alone. "
            "Choose another folder."
        )
    if there and not replace:
        raise UsageError(
            f"The comparison {path} exists. Choose another folder, or replace it (--replace, replace=True)."
        )
