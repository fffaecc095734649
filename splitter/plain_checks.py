"""Pages whose text stands in a way that readers could take differently: they are odd."""

from __future__ import annotations

import math
from itertools import pairwise

from splitter.plain_arrays import Fragment, Style, advance
from splitter.syntax import Odd

_REPEATED = 1.3  # the same again nearer than this may be a shadow, which others leave out
_FARTHEST, _SMALLEST, _LARGEST = 20_000, 1, 400  # points
_NARROW, _WIDE = 0.8, 1.25  # a sign's breadth to its height, against the font's own
_NARROWEST, _BROAD = 0.2, 3  # heights: a letter's breadth at least, and a line's
_MOST_BARE = 0.15  # of the breadth that is written on


def check_page(shown: list[Fragment], size: tuple[float, float]) -> None:
    """Raise Odd where it cannot be told what other readers make of the page."""
    across, up, styles, texts, *_ = zip(*shown, strict=True)
    _check_places(across, up, set(styles))
    if len(set(texts)) < len(texts):
        _check_shadows(shown)
    if 1 in map(len, texts):
        _check_breadth(shown, *size)


def _check_places(across: tuple[float, ...], up: tuple[float, ...], styles: set[Style]) -> None:
    """Refuse what stands nowhere, is tiny, huge or stretched."""
    heights, scales = [s.height for s in styles], [s.scale for s in styles]
    if not math.isfinite(sum(across) + sum(up)) or not min(heights) >= _SMALLEST:
        raise Odd("text that stands nowhere, or is tiny")
    if not (max(heights) <= _LARGEST and min(scales) > 0):
        raise Odd("huge text, or mirrored")
    if min(across + up) < -_FARTHEST or max(across + up) > _FARTHEST:
        raise Odd("text far off")
    if not all(_NARROW < 1000 * style.unit / style.height < _WIDE for style in styles):
        raise Odd("stretched text")


def _check_shadows(shown: list[Fragment]) -> None:
    """Refuse a text that is shown again at nearly the same place: others may leave it out."""
    seen: dict[str, list[int]] = {}
    for place, fragment in enumerate(shown):
        seen.setdefault(fragment[3], []).append(place)
    for places in seen.values():
        for one, other in pairwise(places):
            height = max(shown[one][2].height, shown[other][2].height)
            if (
                abs(shown[one][1] - shown[other][1]) < _REPEATED * height
                and abs(shown[one][0] - shown[other][0]) < height
            ):
                raise Odd("the same again at the same place")


def _check_breadth(shown: list[Fragment], right: float, top: float) -> None:
    """
    Refuse single letters where text does not stand above nearly all of the breadth written on.

    Other readers then ask which way the page's text runs, by what stands on the page itself.
    """
    highest = max(fragment[2].height for fragment in shown)
    levels = [fragment[1] for fragment in shown]
    starts = [fragment[0] for fragment in shown]
    if min(starts) < 0 or max(starts) > right or min(levels) < 0 or max(levels) + highest > top:
        raise Odd("single letters, and text beside the page")
    words = [fragment for fragment in shown if not fragment[3].isspace()]
    at_least = [_NARROWEST * len(f[3].strip()) * f[2].height for f in words]  # found quickly
    bare, breadth = _bare(words, at_least)
    if bare:
        bare, breadth = _bare(words, [advance(fragment) for fragment in words])
    if bare > _MOST_BARE * breadth or breadth < _BROAD * highest:
        raise Odd("single letters on a page that may be written downwards")


def _bare(shown: list[Fragment], lengths: list[float]) -> tuple[float, float]:
    """Return how much of a page's breadth bears no text, and that breadth."""
    starts = [fragment[0] for fragment in shown]
    start = end = min(starts, default=0.0)
    bare = 0.0
    for left, length in sorted(zip(starts, lengths, strict=True)):
        if left > end:
            bare += left - end
        if left + length > end:
            end = left + length
    return bare, end - start
