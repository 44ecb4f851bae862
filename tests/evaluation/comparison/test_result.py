from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from comparison.made import ABOUT, LINES

from memfeat.errors import UsageError
from memfeat.evaluation.comparison.result import FILES, Comparison

MADE = Comparison(
    lines=LINES,
    about=ABOUT,
    predictions=pd.DataFrame({"system": ["first"], "seed": [0], "id": ["a"], "predicted": [1 / 3]}),
    splits=pd.DataFrame({"id": ["a"], "split": ["fold 1"]}),
    fitted=5,
    cached=0,
)


def test_a_folder_holds_every_form_of_the_table(tmp_path: Path) -> None:
    path = MADE.save(tmp_path / "new" / "one")
    assert sorted(file.name for file in path.iterdir()) == sorted(FILES)
    assert (path / "comparison.csv").read_text() == MADE.to_csv()
    assert (path / "comparison.html").read_text(encoding="utf-8") == MADE.to_html()
    again = pd.read_csv(path / "predictions.csv")
    assert again["predicted"][0] == 1 / 3


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    MADE.save(tmp_path / "one")
    with pytest.raises(UsageError, match="--replace"):
        MADE.save(tmp_path / "one")
    MADE.save(tmp_path / "one", replace=True)
    (tmp_path / "one" / "thesis.docx").write_text("x")
    with pytest.raises(UsageError, match=r"thesis\.docx, which is no part"):
        MADE.save(tmp_path / "one", replace=True)
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="left alone"):
        MADE.save(tmp_path / "file", replace=True)


def test_failures_and_tables_by_name() -> None:
    assert MADE.failures == {"broken": "it does not fit, because of <that>"}
    assert MADE.table["system"].tolist() == [line.name for line in LINES]
    assert MADE.to_text(width=120) != MADE.to_text(width=80)
