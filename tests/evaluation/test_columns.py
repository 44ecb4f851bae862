from __future__ import annotations

import pytest

from memfeat.errors import UsageError
from memfeat.evaluation.columns import ColumnName, parse_column, parse_columns


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("hog", ("hog", None, None)),
        ("hog:first", ("hog", "first", None)),
        ("hog@pca50", ("hog", None, "pca50")),
        ("flow:mean-per-frame@zscore", ("flow", "mean-per-frame", "zscore")),
        ("clip-vit-b-32@dbscan-eps1.25", ("clip-vit-b-32", None, "dbscan-eps1.25")),
    ],
)
def test_a_name_has_up_to_three_parts(name: str, parts: tuple[str | None, ...]) -> None:
    assert parse_column(name) == ColumnName(*parts)
    assert parse_column(name).named(parts[1] or "mean").startswith(f"{parts[0]}:{parts[1] or 'mean'}")


def test_the_full_name_can_be_read_again() -> None:
    for name in ("hog:mean", "hog:first@pca50", "captions:text@tfidf"):
        parts = parse_column(name)
        assert parts.reduction is not None and parts.named(parts.reduction) == name


@pytest.mark.parametrize("name", ["", ":mean", "hog:", "hog@", "@pca", "a:b:c", "hog@pca:mean"])
def test_a_name_with_an_empty_or_misplaced_part_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"A column is 'feature'|There is no preparation"):
        parse_column(name)


def test_an_unknown_preparation_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no preparation 'zscroe'; there are .*Did you mean 'zscore'"):
        parse_column("hog@zscroe")


@pytest.mark.parametrize("names", [[], "hog"])
def test_columns_are_a_list(names: object) -> None:
    with pytest.raises(UsageError, match="list of at least one name"):
        parse_columns(names)
