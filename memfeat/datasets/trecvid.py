"""The TRECVid videos of MediaEval 2020 and 2021: Vine clips of six seconds, remembered after minutes and after days."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from memfeat.dataset import Adapter, Dataset, Published
from memfeat.datasets._assemble import ReleaseOptions, assemble
from memfeat.datasets._mediaeval import Target, read_release
from memfeat.datasets._pairing import media
from memfeat.errors import UsageError

_EDITIONS = {
    "2021": (
        Target("scores_raw_short_term", "annotations_short_term"),
        Target("scores_normalized_short_term", "annotations_short_term"),
        Target("scores_raw_long_term", "annotations_long_term"),
        Target("decay_alpha", bounded=False),
    ),
    "2020": (Target("part_1_scores", "ann_1"), Target("part_2_scores", "ann_2")),
}
_COUNT_2020 = "count of scores_v2.csv and dev_scores.csv of MediaEval 2020"
_COUNT_2021 = "count of train_scores.csv and dev_scores.csv of MediaEval 2021"


class TrecvidOptions(ReleaseOptions):
    """Options of the adapter ``trecvid``."""

    edition: Literal["auto", "2020", "2021"] = "auto"
    """Year of the MediaEval task; told from the columns when not given."""


def load_trecvid(name: str, root: Path, options: TrecvidOptions, note: str = "") -> Dataset:
    """Read the TRECVid subset of MediaEval 2020 or 2021 from a folder as downloaded.

    Short- and long-term scores of 2020 are the columns ``part_1_scores`` and ``part_2_scores``.

    Raises
    ------
    UsageError
        None of the release's tables is below the folder.
    LabelError
        One of them is damaged, of another edition, or does not fit the videos.
    """
    years = list(_EDITIONS) if options.edition == "auto" else [options.edition]
    editions = {year: _EDITIONS[year] for year in years}
    release = read_release(root, editions, aliases=lambda url: [url], what="TRECVid at MediaEval")
    if release is None:
        raise UsageError(
            f"There is no TRECVid release of MediaEval below {str(root)!r}: no train_scores.csv, scores_v2.csv, "
            "dev_scores.csv, *_urls.csv or *text_descriptions.csv. Give the folder that holds them with --root."
        )
    return assemble(name, release, media(root, options.videos), options, note=note)


ADAPTER = Adapter(
    name="trecvid",
    summary="The TRECVid videos of MediaEval 2020 and 2021, with short- and long-term scores.",
    options=TrecvidOptions,
    load=load_trecvid,
    published=(
        Published("part_1_scores", 590, 0.8353, 0.0920, "train", _COUNT_2020),
        Published("part_2_scores", 590, 0.7742, 0.1681, "train", _COUNT_2020),
        Published("part_1_scores", 410, 0.9517, 0.0592, "dev", _COUNT_2020),
        Published("part_2_scores", 410, 0.7578, 0.1895, "dev", _COUNT_2020),
        Published("scores_raw_short_term", 588, 0.8352, 0.0921, "train", _COUNT_2021),
        Published("scores_raw_short_term", 1116, 0.8188, 0.1196, "dev", _COUNT_2021),
        Published("scores_normalized_short_term", 588, 0.8242, 0.0973, "train", _COUNT_2021),
        Published("scores_normalized_short_term", 1116, 0.8050, 0.1272, "dev", _COUNT_2021),
        Published("scores_raw_long_term", 588, 0.7747, 0.1682, "train", _COUNT_2021),
        Published("scores_raw_long_term", 1116, 0.6787, 0.1737, "dev", _COUNT_2021),
        Published("decay_alpha", 588, -0.00233, 0.00322, "train", _COUNT_2021),
        Published("decay_alpha", 1116, -0.00291, 0.00420, "dev", _COUNT_2021),
    ),
)
