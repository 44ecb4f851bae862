"""A comparison as one HTML page that needs nothing beside it: figures, intervals drawn to scale, remarks."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from memfeat.evaluation.comparison.lines import (
    NAMES,
    About,
    Line,
    difference_cell,
    interval,
    number,
    spread_cell,
    value,
)
from memfeat.evaluation.comparison.text import remarks
from memfeat.statistics import Figure

_WIDTH, _HEIGHT, _MARGIN = 170, 18, 6
_STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --dim: #5d6168; --rule: #d3d6db; --paper: #fff; --mark: #1f5fa8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e8; --dim: #a3a8b0; --rule: #3c4048; --paper: #17191c; --mark: #7db3ee; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem; }
h1 { font-size: 1.25rem; margin: 0 0 .25rem; }
p { margin: .25rem 0; max-width: 60rem; }
.dim, .interval, .spread { color: var(--dim); }
.interval, .spread { font-size: .85em; }
.caution { border-left: 3px solid var(--mark); padding-left: .75rem; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .55rem; text-align: left; white-space: nowrap; border-bottom: 1px solid var(--rule); }
thead th { border-bottom: 2px solid var(--ink); vertical-align: bottom; }
tbody th { font-weight: 600; }
td.failure { white-space: normal; color: var(--dim); }
tr.baseline { background: color-mix(in srgb, var(--mark) 8%, transparent); }
svg { display: block; } svg line { stroke: var(--mark); stroke-width: 2; } svg circle { fill: var(--mark); }
svg .axis { stroke: var(--rule); stroke-width: 1; }
ul { padding-left: 1.2rem; max-width: 60rem; } li { margin: .15rem 0; }
"""


def as_page(lines: Sequence[Line], about: About) -> str:
    """Return the comparison as an HTML page."""
    title = f"{about.dataset}: {about.target}"
    spread = any(line.spread for line in lines)
    raw = any(line.raw for line in lines)
    scale = _Scale([line.figures["spearman"] for line in lines if line.figures])
    heading = ['<th scope="col">System</th>', f'<th scope="col">Spearman<br>{scale.caption}</th>']
    for metric, name in NAMES.items():
        heading.append(f'<th scope="col">{name}</th>')
        if spread:
            heading.append('<th scope="col">±</th>')
        if raw and metric == "spearman":
            heading.append('<th scope="col">raw ρ</th>')
        if len(lines) > 1:
            heading.append('<th scope="col">difference</th>')
    body = "\n".join(
        _row(line, about, scale, spread=spread, raw=raw, several=len(lines) > 1, columns=len(heading))
        for line in lines
    )
    caution = f'<p class="caution">{escape(about.note)}</p>' if about.note else ""
    listed = "\n".join(f"<li>{escape(text)}</li>" for text in remarks(lines, about))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
<p class="dim">{escape(about.how)}, n = {about.judged}; differences to {escape(about.baseline)}</p>
{caution}
<div class="wide"><table>
<thead><tr>{"".join(heading)}</tr></thead>
<tbody>
{body}
</tbody>
</table></div>
<ul class="dim">
{listed}
</ul>
</body>
</html>
"""


class _Scale:
    """The common scale of the drawn intervals: from the lowest end to the highest, 0 included."""

    def __init__(self, figures: Sequence[Figure]) -> None:
        ends = [end for f in figures for end in (f.value, f.low, f.high) if end is not None]
        self.low, self.high = min([0.0, *ends]), max([0.0, *ends])
        self.caption = (
            f'<span class="interval">{number(self.low, "spearman")} to {number(self.high, "spearman")}</span>'
        )

    def at(self, value: float) -> float:
        span = self.high - self.low or 1.0
        return round(_MARGIN + (_WIDTH - 2 * _MARGIN) * (value - self.low) / span, 1)

    def draw(self, figure: Figure) -> str:
        if figure.value is None:
            return ""
        middle = _HEIGHT / 2
        shapes = [
            f'<line class="axis" x1="{self.at(0)}" x2="{self.at(0)}" y1="0" y2="{_HEIGHT}"/>',
            f'<circle cx="{self.at(figure.value)}" cy="{middle}" r="3.5"/>',
        ]
        if figure.low is not None and figure.high is not None:
            shapes.insert(
                1,
                f'<line x1="{self.at(figure.low)}" x2="{self.at(figure.high)}" y1="{middle}" y2="{middle}"/>',
            )
        return f'<svg width="{_WIDTH}" height="{_HEIGHT}" aria-hidden="true">{"".join(shapes)}</svg>'


def _row(
    line: Line, about: About, scale: _Scale, *, spread: bool, raw: bool, several: bool, columns: int
) -> str:
    cells = [f'<th scope="row">{escape(line.name)}</th>']
    if not line.figures:
        why = f"failed: {line.failure}"
        cells.append(f'<td class="failure" colspan="{columns - 1}">{escape(why)}</td>')
        return f"<tr>{''.join(cells)}</tr>"
    cells.append(f"<td>{scale.draw(line.figures['spearman'])}</td>")
    for metric in NAMES:
        cells.append(f"<td>{_figure(line.figures[metric])}</td>")
        if spread:
            cells.append(f'<td class="spread">{spread_cell(line, metric)}</td>')
        if raw and metric == "spearman":
            cells.append(f"<td>{_figure(line.raw, True) if line.raw else ''}</td>")
        if several:
            difference = line.difference.get(metric)
            text = difference_cell(line, metric, about) if difference is None else _figure(difference, True)
            cells.append(f"<td>{text}</td>" if difference is not None else f'<td class="dim">{text}</td>')
    kind = ' class="baseline"' if line.name == about.baseline else ""
    return f"<tr{kind}>{''.join(cells)}</tr>"


def _figure(figure: Figure, signed: bool = False) -> str:
    ends = interval(figure, signed=signed)
    text = value(figure, signed=signed)
    return f'{text} <span class="interval">{ends}</span>' if ends else text
