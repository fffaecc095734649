"""Horizontal bars as SVG, drawn here: a plot needs no library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import count

WIDTH, NAMES, ROW, HEAD = 860, 210, 17, 44
LONGEST = 10.0
COLOURS = ("#14532d", "#4d7c0f", "#1d4ed8", "#7c3aed", "#b45309", "#be123c")


def bars(
    groups: Mapping[str, Sequence[tuple[str, float]]], title: str, *, longest: float = LONGEST
) -> str:
    """
    Return a plot with a bar for each value, in groups; colours follow the bars' names.

    What is beyond the longest is cut off and said in figures.
    """
    names = list(dict.fromkeys(name for group in groups.values() for name, _ in group))
    colours = dict(zip(names, COLOURS * len(names), strict=False))
    scale = (WIDTH - NAMES - 90) / longest
    drawn = [f'<text x="10" y="22" font-size="14">{escape(title)}</text>']
    rows = count()
    for group, values in groups.items():
        top = HEAD + ROW * next(rows) + 12
        drawn.append(f'<text x="10" y="{top}" font-weight="bold">{escape(group)}</text>')
        for name, value in values:
            top = HEAD + ROW * next(rows)
            long = max(1.0, min(value, longest) * scale)
            more = " →" if value > longest else ""
            drawn += [
                f'<text x="{NAMES - 8}" y="{top + 12}" text-anchor="end">{escape(name)}</text>',
                f'<rect x="{NAMES}" y="{top + 2}" width="{long:.1f}" height="{ROW - 4}"'
                f' fill="{colours[name]}"/>',
                f'<text x="{NAMES + long + 6:.1f}" y="{top + 12}">{value:.2f}{more}</text>',
            ]
    height = HEAD + ROW * next(rows) + 10
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"'
        f' height="{height}" font-family="sans-serif" font-size="12">'
    )
    return "\n".join(
        [head, f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>', *drawn, "</svg>\n"]
    )
