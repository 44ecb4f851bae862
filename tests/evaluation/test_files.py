from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from memfeat.errors import SetupError, UsageError
from memfeat.evaluation.files import check_table, check_writable, read_texts, write_table

TABLE = pd.DataFrame({"file": ["é, ü.mp4"], "predicted": [0.1 + 0.2]})


def test_a_table_is_written_and_read_back(tmp_path: Path) -> None:
    assert write_table(TABLE, str(tmp_path / "p.csv")) == tmp_path / "p.csv"
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "p.csv", encoding="utf-8"), TABLE)
    assert [p.name for p in tmp_path.iterdir()] == ["p.csv"]


def test_nowhere_writes_nothing() -> None:
    assert write_table(TABLE, None) is None


def test_an_older_table_stays_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p.csv").write_text("old")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(SetupError, match="No space left"):
        write_table(TABLE, tmp_path / "p.csv")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("p.csv", "old")]


def test_a_place_to_write_is_tried_without_a_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    for place in (tmp_path, tmp_path / "a" / "b", Path("runs"), Path("runs", "deep")):
        check_writable(place, "The run x")
    for place, there in (("file", "file"), ("file/a/b", "file"), ("nowhere/a", "nowhere")):
        with pytest.raises(
            SetupError, match=f"The run x cannot be written: .*/{there}'. Check space and perm"
        ):
            check_writable(tmp_path / place, "The run x")
    assert sorted(item.name for item in tmp_path.iterdir()) == ["file", "nowhere"]

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(SetupError, match=f"Permission denied: '{tmp_path}'"):
        check_writable(tmp_path / "a", "The run x")


def test_a_table_that_could_not_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    check_table(None)
    check_table(tmp_path / "p.csv")
    check_table("p.csv")
    assert not list(tmp_path.iterdir())
    with pytest.raises(SetupError, match="is a folder. Name a file in it"):
        check_table(tmp_path)
    with pytest.raises(SetupError, match=f"there is no folder {tmp_path / 'no'}. Create it"):
        check_table(tmp_path / "no" / "p.csv")


def test_a_folder_in_the_way_is_a_setup_error(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be written"):
        write_table(TABLE, tmp_path)


def test_texts_are_read_by_field_and_file(tmp_path: Path) -> None:
    table = tmp_path / "texts.csv"
    table.write_text(
        '\ufeffid,field,text\na.mp4,captions,a dog\na.mp4,captions,"runs, fast"\nb.mp4,titles,x\nb.mp4,titles,\n'
    )
    assert read_texts(table) == {"captions": {"a.mp4": ("a dog", "runs, fast")}, "titles": {"b.mp4": ("x",)}}


@pytest.mark.parametrize(
    ("content", "message"),
    [("file,text\n", "no column id or field"), ("", "no column id"), (None, "cannot be read")],
)
def test_a_table_of_texts_that_is_none_is_refused(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "t.csv").write_text(content)
    with pytest.raises(UsageError, match=message):
        read_texts(tmp_path / "t.csv")
