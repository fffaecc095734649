"""Lines of text put together from where each character stands on the page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

SAME_LINE = 0.35  # of a character's height: baselines closer than this are one line
WORD_GAP = 0.15  # of a character's height: a wider gap is a space
WORD_STEP = 1.6  # of a line's usual step from letter to letter: a wider one is a space


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character: where its baseline starts, where it ends, and how high it is, in points."""

    char: str
    start: float
    baseline: float
    end: float
    height: float
    direction: int = 0  # degrees in which the line runs: 0, 90, 180 or 270


def to_lines(glyphs: Iterable[Glyph], *, spaced_letters: bool = False) -> str:
    """
    Group characters by baseline, sort them along it and put spaces into the gaps.

    The order of drawing does not count, so neither letters drawn one by one nor digits drawn
    backwards matter. With `spaced_letters` a space is a gap that is wide for its own line.
    """
    by_direction: dict[int, list[Glyph]] = {}
    for glyph in glyphs:
        by_direction.setdefault(glyph.direction, []).append(glyph)
    lines = [
        _joined(sorted(line, key=lambda glyph: glyph.start), spaced_letters)
        for direction in sorted(by_direction)
        for line in _grouped(by_direction[direction])
    ]
    return "\n".join(line for line in lines if line)


def _grouped(glyphs: list[Glyph]) -> list[list[Glyph]]:
    lines: list[list[Glyph]] = []
    for glyph in sorted(glyphs, key=lambda glyph: -glyph.baseline):
        if lines and _on_one_line(lines[-1][-1], glyph):
            lines[-1].append(glyph)
        else:
            lines.append([glyph])
    return lines


def _on_one_line(above: Glyph, glyph: Glyph) -> bool:
    return above.baseline - glyph.baseline <= SAME_LINE * min(above.height, glyph.height)


def _joined(line: list[Glyph], spaced_letters: bool) -> str:
    step = _usual_step(line) if spaced_letters else 0.0
    parts: list[str] = [line[0].char]
    end = line[0].end
    for last, glyph in pairwise(line):
        is_wide = glyph.start - last.start > WORD_STEP * step
        if is_wide and glyph.start - end > WORD_GAP * glyph.height:
            parts.append(" ")
        parts.append(glyph.char)
        end = max(end, glyph.end)
    return " ".join("".join(parts).split())


def _usual_step(line: list[Glyph]) -> float:
    steps = [glyph.start - last.start for last, glyph in pairwise(line)]
    return median(steps) if steps else 0.0
