"""Lines put together from what a page shows, or odd where a line could be read in two ways."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from itertools import pairwise
from operator import sub

from splitter.direct_text.content import Fragment, Style, advance
from splitter.pdf.syntax import UnsupportedPdf
from splitter.text.pdfium import SAME_LINE

_REPEATED = 1.3  # the same again nearer than this may be a shadow, which others leave out
_FARTHEST, _SMALLEST, _LARGEST = 20_000, 1, 400  # points
_NARROW, _WIDE = 0.8, 1.25  # a sign's breadth to its height, against the font's own
_NARROWEST, _BROAD = 0.2, 3  # heights: a letter's breadth at least, and a line's
_MOST_BARE = 0.15  # of the breadth that is written on


def check_page(
    shown: list[Fragment], size: tuple[float, float], *, is_compared: bool = False
) -> None:
    """Raise UnsupportedPdf where it cannot be told what other readers make of the page."""
    across, up, styles, texts, *_ = zip(*shown, strict=True)
    _check_places(across, up, set(styles), size)
    if is_compared:
        return
    if len(set(texts)) < len(texts):
        _check_shadows(shown)
    if 1 in map(len, texts):
        _check_breadth(shown, max(up), size[1])


def _check_places(
    across: tuple[float, ...], up: tuple[float, ...], styles: set[Style], size: tuple[float, float]
) -> None:
    """Refuse what stands nowhere or beside the page, is tiny, huge or stretched."""
    if not math.isfinite(sum(across) + sum(up)):
        raise UnsupportedPdf("text that stands nowhere")
    for style in styles:
        if not (_SMALLEST <= style.height <= _LARGEST and style.scale > 0):
            raise UnsupportedPdf("tiny or huge text, or mirrored")
        if not _NARROW < 1000 * style.unit / style.height < _WIDE:
            raise UnsupportedPdf("stretched text")
    right, top, least = max(across), max(up), min(min(across), min(up))
    if least < 0 or right > _FARTHEST or top > _FARTHEST:
        raise UnsupportedPdf("text far off")
    if right > size[0] or top > size[1]:
        raise UnsupportedPdf("text beside the page, or a page that does not begin at 0")


def _check_shadows(shown: list[Fragment]) -> None:
    """Refuse a text that is shown again at nearly the same place: others may leave it out."""
    seen: dict[str, Fragment] = {}
    for fragment in shown:
        before = seen.get(fragment[3])
        seen[fragment[3]] = fragment
        if before is None:
            continue
        height = max(before[2].height, fragment[2].height)
        if (
            abs(before[1] - fragment[1]) < _REPEATED * height
            and abs(before[0] - fragment[0]) < height
        ):
            raise UnsupportedPdf("the same again at the same place")


def _check_breadth(shown: list[Fragment], highest_line: float, top: float) -> None:
    """
    Refuse single letters where text does not stand above nearly all of the breadth written on.

    Other readers then ask which way the page's text runs, by what stands on the page itself.
    """
    highest = max([fragment[2].height for fragment in shown])
    if highest_line + highest > top:
        raise UnsupportedPdf("single letters, and text beside the page")
    words = [fragment for fragment in shown if not fragment[3].isspace()]
    at_least = [_NARROWEST * len(f[3].strip()) * f[2].height for f in words]  # found quickly
    bare, breadth = _bare(words, at_least)
    if bare:
        bare, breadth = _bare(words, [advance(fragment) for fragment in words])
    if bare > _MOST_BARE * breadth or breadth < _BROAD * highest:
        raise UnsupportedPdf("single letters on a page that may be written downwards")


def _bare(shown: list[Fragment], lengths: list[float]) -> tuple[float, float]:
    """Return how much of a page's breadth bears no text, and that breadth."""
    longest: dict[float, float] = {}  # from each start: a page has few
    for fragment, length in zip(shown, lengths, strict=True):
        if length > longest.get(fragment[0], -math.inf):
            longest[fragment[0]] = length
    start = end = min(longest, default=0.0)
    bare = 0.0
    for left, length in sorted(longest.items()):
        if left > end:
            bare += left - end
        if left + length > end:
            end = left + length
    return bare, end - start


# Shares of the larger height: nearer baselines are one, those farther apart are surely two.
_ONE_BASELINE, _TWO_LINES, _TWO_TALL_LINES = 0.02, 0.85, 1.25
_FAR_APART = 1.05  # of the text's own units: what is nearer may be one line where these are large
_TALL = re.compile("[A-Z0-9bdfhklt()]")
_TALL_HEIGHT, _HEADLINE = 8, 20  # points
_TOUCHING, _KERNED, _SPACED = 0.05, 0.12, 0.35  # likewise: no gap, between letters, a space


def in_drawing_order(
    shown: list[Fragment], size: tuple[float, float], *, is_compared: bool = False
) -> tuple[str, bool]:
    """
    Return the lines in the order of drawing, and whether that is from top to bottom as well.

    `size` is the page's, in points; (0, 0) where that is not plain. Raises UnsupportedPdf where
    letters touch and overlap as no two readers would see alike. What `is_compared` sign by sign
    with what another reader made of it may have lines that are close together, shadows and single
    letters: where that one saw them otherwise, the two differ.
    """
    if not shown:
        return "", True
    check_page(shown, size, is_compared=is_compared)
    _, up, styles, texts, *_ = zip(*shown, strict=True)
    used = set(styles)
    highest, scales = max(style.height for style in used), [style.scale for style in used]
    lowest = min(map(sub, up, up[1:]), default=math.inf)
    if lowest > _TWO_LINES * highest / min(1, *scales) and lowest > _FAR_APART * max(scales):
        return _clean(texts), True  # the usual page: every line is drawn at once
    drawn = _drawn(shown, is_compared)
    lines = [line[0][3] if len(line) == 1 else _joined(line) for line in drawn]
    return _clean(lines), lowest > -_ONE_BASELINE


def from_top_to_bottom(shown: list[Fragment]) -> str:
    """Return the lines as they stand on the page; raises as in_drawing_order does."""
    lines: list[list[Fragment]] = []
    for fragment in sorted(shown, key=lambda fragment: -fragment[1]):
        if lines:
            above = lines[-1][-1]
            if above[1] - fragment[1] <= SAME_LINE * min(above[2].height, fragment[2].height):
                lines[-1].append(fragment)
                continue
        lines.append([fragment])
    return _clean(_joined(sorted(line, key=_start)) for line in lines)


def _drawn(shown: list[Fragment], is_compared: bool) -> list[list[Fragment]]:
    """Return lines in the order of drawing, what is on each from left to right."""
    lines = [[shown[0]]]
    for last, fragment in pairwise(shown):
        drop = abs(last[1] - fragment[1])
        if drop < _ONE_BASELINE * max(last[2].height, fragment[2].height):
            lines[-1].append(fragment)
        else:
            lines.append([fragment])
    for line in lines:
        if len(line) > 1:
            line.sort(key=_start)
    for above, below in pairwise(lines):
        if not is_compared and not _are_two_lines(above[-1], below[0]):
            raise UnsupportedPdf("baselines close together")
    return lines


def _start(fragment: Fragment) -> float:
    return fragment[0]


def _are_two_lines(last: Fragment, fragment: Fragment) -> bool:
    """Say whether any reader begins a new line with a fragment that does not follow on the last."""
    before, after = last[2], fragment[2]
    drop, height = abs(last[1] - fragment[1]), max(before.height, after.height)
    far = _TWO_LINES * max(height, after.height / after.scale)
    if drop > far and drop > _FAR_APART * before.scale:
        return True
    return drop > _TWO_TALL_LINES * height and _is_tall(last) and _is_tall(fragment)


def _is_tall(fragment: Fragment) -> bool:
    return fragment[2].height >= _TALL_HEIGHT and _TALL.search(fragment[3]) is not None


def _clean(lines: Iterable[str]) -> str:
    """Put lines together; several spaces are one, as other readers have it."""
    text = "\n".join(lines)
    if "-\n" in text or "- \n" in text:
        raise UnsupportedPdf("a word that may go on in the next line")
    while "  " in text:
        text = text.replace("  ", " ")
    return text


def _joined(line: list[Fragment]) -> str:
    parts = [line[0][3]]
    for last, fragment in pairwise(line):
        _check_foreign_accounts(last, fragment)
        gap = fragment[0] - last[0] - advance(last)
        smaller, larger = sorted((last[2].height, fragment[2].height))
        before, after = last[3][-1], fragment[3][0]
        if gap > _SPACED * larger:
            parts.append(" ")
        elif gap < -(_TOUCHING if before == after else _KERNED) * smaller:
            raise UnsupportedPdf("letters over each other")
        elif gap > _TOUCHING * smaller and before != " " != after:
            raise UnsupportedPdf("a gap that may be a space or not")
        parts.append(fragment[3])
    return "".join(parts)


def _check_foreign_accounts(last: Fragment, fragment: Fragment) -> None:
    before, after = last[2], fragment[2]
    if fragment[3] == "-":
        raise UnsupportedPdf("a hyphen drawn alone")
    if abs(before.scale - after.scale) > _ONE_BASELINE * before.scale:
        raise UnsupportedPdf("text in other units")
    if max(before.height, after.height) > _HEADLINE and not (_is_tall(last) and _is_tall(fragment)):
        raise UnsupportedPdf("large signs that may stand over each other")
