from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

from comparison.made import ABOUT, LINES, figures

from memfeat.evaluation.comparison.page import as_page


class Rows(HTMLParser):
    """Cells of each row, and whether every tag that was opened was closed."""

    VOID = ("meta", "line", "circle", "br")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[int] = []
        self.tags: list[tuple[str, dict]] = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "tr":
            self.cells.append(0)
        if tag in ("td", "th"):
            self.cells[-1] += int(dict(attributes).get("colspan", 1))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_page_is_well_formed_and_its_rows_are_as_long() -> None:
    page = Rows(as_page(LINES, ABOUT))
    assert page.open == []
    assert len(page.cells) == 1 + len(LINES)
    assert len(set(page.cells)) == 1


def test_names_are_text_and_never_markup() -> None:
    page = as_page(LINES, replace(ABOUT, dataset="<script>x</script>", note="a & b"))
    assert "<script>" not in page and "second <b>" not in page
    assert "second &lt;b&gt;" in page and "a &amp; b" in page
    assert "http" not in page  # nothing is loaded from elsewhere


def test_intervals_are_drawn_to_one_scale() -> None:
    lines = [replace(LINES[0], figures=figures(0.25)), replace(LINES[1], figures=figures(-0.25))]
    drawn = [dict(a) for tag, a in Rows(as_page(lines, ABOUT)).tags if tag == "circle"]
    ends = [dict(a) for tag, a in Rows(as_page(lines, ABOUT)).tags if tag == "line"]
    zero = float(ends[0]["x1"])
    one, other = (float(circle["cx"]) for circle in drawn)
    assert abs((one - zero) + (other - zero)) < 0.2
    # Half widths of .05 beside distances of .25 from zero.
    assert abs(float(ends[1]["x2"]) - float(ends[1]["x1"]) - (one - zero) * 0.4) < 0.3


def test_a_page_of_undefined_figures_draws_nothing() -> None:
    page = Rows(as_page([LINES[2], LINES[3]], ABOUT))
    assert not [tag for tag, _ in page.tags if tag == "circle"]
