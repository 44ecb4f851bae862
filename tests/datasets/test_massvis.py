"""MASSVIS in miniature: its column names, its Mac characters and both of its tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from memfeat import recipe
from memfeat.datasets import load
from memfeat.datasets.massvis import MassvisOptions, load_massvis
from memfeat.errors import LabelError, UsageError

HEADING = "filename,source,category,vistype,title,title location,attr: data-ink ratio"
COUNTS = f"{HEADING},mem: hits,mem: misses,mem: false alarms,mem: correct rejections\n"
RATES = f"{HEADING},mem: at-a-glance HR (%),mem: at-a-glance FAR (%),mem: prolonged HR (%),illegible\n"
ROWS = (
    'economist_daily_chart_103.png,Economist Daily,N,Bars,"Food* surpluses, and deficits",Top-left,2,38,53,11,90\n'
    "v482_n7386_5_f5.png,Nature,S,Diagrams,,none,2,0,80,0,97\n"
    'wsj2.png,Wall Street Journal,N,Lines,"He Shoots, He\u2026..Scores!!!",Top-left,2,44,44,9,91\n'
)


def ship(root: Path, text: str = COUNTS + ROWS, *, file: str = "targets410_metadata.csv") -> Path:
    (root / "csv_files").mkdir(parents=True, exist_ok=True)
    (root / "csv_files" / file).write_bytes(text.encode("mac_roman"))
    return root


def read(root: Path, **options):
    return load_massvis("massvis", root, MassvisOptions(**options))


def test_counts_become_rates(tmp_path: Path) -> None:
    root = ship(tmp_path)
    (root / "targets").mkdir()
    for name in ("economist_daily_chart_103.png", "more.png"):
        (root / "targets" / name).write_bytes(name.encode())
    dataset = load(recipe.load("massvis"), root=root)
    table = dataset.labels.table
    assert table.loc["economist_daily_chart_103.png"].tolist() == [38 / 91, 11 / 101, 91, 101]
    assert dataset.labels.targets == ("hit_rate", "false_alarm_rate")
    assert table.loc["v482_n7386_5_f5.png", "hit_rate"] == 0
    assert dataset.texts["titles"] == {
        "economist_daily_chart_103.png": ("Food* surpluses, and deficits",),
        "wsj2.png": ("He Shoots, He\u2026..Scores!!!",),
    }
    assert dataset.texts["categories"]["v482_n7386_5_f5.png"] == ("scientific publications",)
    assert list(dataset.files) == ["economist_daily_chart_103.png"]
    assert (len(dataset.missing), dataset.extra) == (2, ("targets/more.png",))


def test_the_other_study_has_rates_in_per_cent(tmp_path: Path) -> None:
    ship(
        tmp_path,
        RATES + "a.png,S,G,Maps,T,x,1,41.76,10.89,81.82,0\nb.png,S,G,Maps,T,x,1,50,0,,1\n",
        file="targets393_metadata.csv",
    )
    table = read(tmp_path).labels.table
    assert table.loc["a.png"].round(6).tolist() == [0.4176, 0.1089, 0.8182]
    assert table["prolonged_hit_rate"].isna().tolist() == [False, True]
    ship(tmp_path)
    assert len(read(tmp_path).labels.table) == 3
    assert len(read(tmp_path, targets="393").labels.table) == 2


def test_the_repository_keeps_one_table_twice(tmp_path: Path) -> None:
    root = ship(tmp_path)
    (root / "targets410_metadata.csv").write_bytes(
        (root / "csv_files" / "targets410_metadata.csv").read_bytes()
    )
    assert len(read(root).labels.table) == 3
    (root / "targets410_metadata.csv").write_bytes(COUNTS.encode())
    with pytest.raises(LabelError, match="Several different tables could be that of the 410"):
        read(root)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (COUNTS.replace("mem: misses", "mem: missed") + ROWS, r"no column 'misses'"),
        (COUNTS + ROWS.replace("38,53", "38,-53"), r"line 2, column 'mem: misses': -53 is below 0"),
        (COUNTS + ROWS.replace("38,53", "38.5,53"), r"line 2, column 'mem: hits': 38.5 is no whole number"),
        (COUNTS + ROWS.replace("38,53", ",53"), r"line 2, column 'mem: hits': is empty"),
        (COUNTS + ROWS + ROWS[:-80], r"lines 2, 5, column 'filename': 'economist.* stands 2 times|cut off"),
        (COUNTS + ROWS[:-8], r"line 4: 9 cells where there are 11 columns"),
        (COUNTS + ROWS.replace("wsj2.png", " "), r"line 4, column 'filename': is empty"),
    ],
)
def test_mistakes_are_located(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read(ship(tmp_path, text))


def test_a_folder_without_tables_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no targets410_metadata\.csv or targets393_metadata\.csv"):
        read(tmp_path)
    with pytest.raises(UsageError, match=r"no targets393_metadata\.csv below"):
        read(ship(tmp_path), targets="393")
