"""The text of a page as pdfium reads it; to be used in a child process alone."""

from __future__ import annotations

import ctypes
import math
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pypdfium2  # starts the library
import pypdfium2.raw as pdfium_c

from splitter.text.normalizing import normalized, without_dash_gaps
from splitter.text.page_facts import Reading
from splitter.text.patterns import Box, PageFrame, Region, is_inside, to_page_space, to_region
from splitter.text.visibility import unseen_values

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


assert pypdfium2 is not None
_BYTES_A_SIGN = 2
_QUIET_MARKS = (pdfium_c.FPDF_ANNOT_LINK, pdfium_c.FPDF_ANNOT_POPUP)


class CannotOpen(Exception):
    """pdfium does not open the file, the copy or the page; `is_locked`: without a password."""

    def __init__(self, reason: str, *, is_locked: bool = False) -> None:
        super().__init__(reason)
        self.is_locked = is_locked


class PdfiumDocument:
    """A file, or the bytes of a copy, opened with an empty password."""

    def __init__(self, source: Path | bytes) -> None:
        self._bytes = source  # pdfium reads them as long as the document is open
        if isinstance(source, bytes):
            self.raw = pdfium_c.FPDF_LoadMemDocument64(source, len(source), None)
        else:
            self.raw = pdfium_c.FPDF_LoadDocument(os.fsencode(source) + b"\0", None)
        if not self.raw:
            failure = pdfium_c.FPDF_GetLastError()
            is_locked = failure == pdfium_c.FPDF_ERR_PASSWORD
            raise CannotOpen(f"pdfium says {failure}", is_locked=is_locked)
        self.pages: int = pdfium_c.FPDF_GetPageCount(self.raw)

    def close(self) -> None:
        pdfium_c.FPDF_CloseDocument(self.raw)


class PdfiumPage:
    """One page open in pdfium, read the fast way or character by character."""

    def __init__(
        self, document: PdfiumDocument, page: int, region: Region | None, user_unit: float = 1.0
    ) -> None:
        self._user_unit = user_unit
        self._page = pdfium_c.FPDF_LoadPage(document.raw, page)
        if not self._page:
            raise CannotOpen(f"pdfium does not load page {page + 1}")
        self._text = pdfium_c.FPDFText_LoadPage(self._page)
        self._box = to_page_space(region, self.frame()) if region else None

    def close(self) -> None:
        pdfium_c.FPDFText_ClosePage(self._text)
        pdfium_c.FPDF_ClosePage(self._page)

    def frame(self) -> PageFrame:
        """Return the visible part of the page, inherited boxes included."""
        box = pdfium_c.FS_RECTF()
        pdfium_c.FPDF_GetPageBoundingBox(self._page, box)
        rotation = pdfium_c.FPDFPage_GetRotation(self._page) * 90
        return PageFrame((box.left, box.bottom, box.right, box.top), rotation, self._user_unit)

    def reading(self) -> Reading:
        """Read the fast way: pdfium's own lines."""
        text = self._plain
        return Reading(text, text if self._box is None else normalized(self._bounded(self._box)))

    def rebuilt(self) -> list[Reading]:
        """
        Read the exact way: lines put together again from the place of each character.

        Twice, because letters may be set close together or wide apart.
        """
        glyphs = list(self._glyphs())
        whole = [glyph for glyph, _ in glyphs]
        part = whole
        if self._box is not None:
            part = [glyph for glyph, at in glyphs if is_inside(*at, self._box)]
        return [_reading(whole, part, spaced_letters=spaced) for spaced in (False, True)]

    def has_marks(self) -> bool:
        """Say whether something may be written in annotations or form fields, which is no text."""
        for index in range(pdfium_c.FPDFPage_GetAnnotCount(self._page)):
            mark = pdfium_c.FPDFPage_GetAnnot(self._page, index)
            kind = pdfium_c.FPDFAnnot_GetSubtype(mark)
            pdfium_c.FPDFPage_CloseAnnot(mark)
            if kind not in _QUIET_MARKS:
                return True
        return False

    def unseen(self, pattern: re.Pattern[str]) -> tuple[str, ...]:
        """Return the values a pattern finds on the page that nobody sees there."""
        searched = without_dash_gaps(self._plain)
        return unseen_values(self._page, self._text, self._raw, searched, pattern, self.frame().box)

    def is_blank(self) -> bool:
        """Say whether nothing is drawn on the page: the back of a sheet."""
        return bool(pdfium_c.FPDFPage_CountObjects(self._page) == 0)

    @cached_property
    def _plain(self) -> str:
        return normalized(self._raw)

    @cached_property
    def _raw(self) -> str:
        """Return all text; what pdfium leaves out at either end must not be asked for."""
        first, last = 0, pdfium_c.FPDFText_CountChars(self._text) - 1
        while first <= last and not self._is_text(first):
            first += 1
        while first <= last and not self._is_text(last):
            last -= 1
        if first > last:
            return ""
        room = (ctypes.c_ushort * (last - first + 2))()
        characters = pdfium_c.FPDFText_GetText(self._text, first, last - first + 1, room)
        return bytes(room)[: (characters - 1) * _BYTES_A_SIGN].decode("utf-16-le", "ignore")

    def _is_text(self, index: int) -> bool:
        return bool(pdfium_c.FPDFText_GetTextIndexFromCharIndex(self._text, index) >= 0)

    def _bounded(self, box: Box) -> str:
        left, bottom, right, top = box
        corners = self._text, left, top, right, bottom
        characters = max(0, pdfium_c.FPDFText_GetBoundedText(*corners, None, 0))
        room = (ctypes.c_ushort * (characters + 1))()
        pdfium_c.FPDFText_GetBoundedText(*corners, room, characters)
        return bytes(room)[: characters * _BYTES_A_SIGN].decode("utf-16-le", "ignore")

    def _glyphs(self) -> Iterator[tuple[Glyph, tuple[float, float]]]:
        for index in range(pdfium_c.FPDFText_CountChars(self._text)):
            char = chr(pdfium_c.FPDFText_GetUnicode(self._text, index))
            if pdfium_c.FPDFText_IsGenerated(self._text, index) == 1 or char.isspace():
                continue
            yield _glyph(self._text, index, char)


def _reading(whole: list[Glyph], part: list[Glyph], *, spaced_letters: bool) -> Reading:
    text = normalized(to_lines(whole, spaced_letters=spaced_letters))
    if part is whole:
        return Reading(text, text)
    return Reading(text, normalized(to_lines(part, spaced_letters=spaced_letters)))


def _glyph(text: Any, index: int, char: str) -> tuple[Glyph, tuple[float, float]]:
    left, bottom, right, top = _loose_box(text, index)
    x, y = ctypes.c_double(), ctypes.c_double()
    pdfium_c.FPDFText_GetCharOrigin(text, index, x, y)
    angle = pdfium_c.FPDFText_GetCharAngle(text, index)
    direction = -round(math.degrees(angle) / 90) % 4 * 90 if angle >= 0 else 0  # it turns clockwise
    width, height = right - left, top - bottom
    match direction:
        case 90:
            glyph = Glyph(char, bottom, -x.value, top, width, direction)
        case 180:
            glyph = Glyph(char, -right, -y.value, -left, height, direction)
        case 270:
            glyph = Glyph(char, -top, x.value, -bottom, width, direction)
        case _:
            glyph = Glyph(char, left, y.value, right, height, direction)
    return glyph, (x.value, y.value)


def _loose_box(text: Any, index: int) -> Box:
    """Return left, bottom, right, top of a character with the room its font gives it."""
    rectangle = pdfium_c.FS_RECTF()
    pdfium_c.FPDFText_GetLooseCharBox(text, index, rectangle)
    return rectangle.left, rectangle.bottom, rectangle.right, rectangle.top


TextPosition = tuple[str, Box]  # a value, and the region of what the pattern matched around it


def find_text_positions(
    document: PdfiumDocument, number: int, user_unit: float, pattern: re.Pattern[str]
) -> list[TextPosition]:
    """Return the values a pattern finds on a page and where they stand on it as displayed."""
    page = pdfium_c.FPDF_LoadPage(document.raw, number)
    text = pdfium_c.FPDFText_LoadPage(page)
    try:
        return list(_text_positions(text, _frame(page, user_unit), pattern))
    finally:
        pdfium_c.FPDFText_ClosePage(text)
        pdfium_c.FPDF_ClosePage(page)


def _text_positions(
    text: Any, frame: PageFrame, pattern: re.Pattern[str]
) -> Iterator[TextPosition]:
    count = pdfium_c.FPDFText_CountChars(text)
    characters = [chr(pdfium_c.FPDFText_GetUnicode(text, index)) for index in range(count)]
    # a sign that is more than one or none must not move those behind it
    plain = "".join([shown if len(shown := normalized(sign)) == 1 else " " for sign in characters])
    for match in pattern.finditer(plain):
        boxes = [_box(text, index) for index in range(*match.span()) if not plain[index].isspace()]
        if boxes:
            yield match[1], to_region(_around(boxes), frame)


def _frame(page: Any, user_unit: float) -> PageFrame:
    box = pdfium_c.FS_RECTF()
    pdfium_c.FPDF_GetPageBoundingBox(page, box)
    rotation = pdfium_c.FPDFPage_GetRotation(page) * 90
    return PageFrame((box.left, box.bottom, box.right, box.top), rotation, user_unit)


def _box(text: Any, index: int) -> Box:
    rectangle = pdfium_c.FS_RECTF()
    pdfium_c.FPDFText_GetLooseCharBox(text, index, rectangle)
    return rectangle.left, rectangle.bottom, rectangle.right, rectangle.top


def _around(boxes: list[Box]) -> Box:
    lefts, bottoms, rights, tops = zip(*boxes, strict=True)
    return min(lefts), min(bottoms), max(rights), max(tops)
