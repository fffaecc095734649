"""The text of a page as pdfium reads it; to be used in a child process alone."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium_c

from splitter.evidence import Reading
from splitter.lines import Glyph, to_lines
from splitter.patterns import Region
from splitter.regions import Box, PageFrame, is_inside, to_page_space
from splitter.wording import normalised


class PdfiumPage:
    """One page open in pdfium, read the fast way or character by character."""

    def __init__(self, document: Any, page: int, region: Region | None) -> None:
        self._page = document[page]
        self._text = self._page.get_textpage()
        self._box = to_page_space(region, _frame(self._page)) if region else None

    def close(self) -> None:
        self._text.close()
        self._page.close()

    def frame(self) -> PageFrame:
        return _frame(self._page)

    def reading(self) -> Reading:
        """Read the fast way: pdfium's own lines."""
        text = normalised(self._text.get_text_range())
        if self._box is None:
            return Reading(text, text)
        left, bottom, right, top = self._box
        return Reading(text, normalised(self._text.get_text_bounded(left, bottom, right, top)))

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
        page = self._page.raw
        for index in range(pdfium_c.FPDFPage_GetAnnotCount(page)):
            mark = pdfium_c.FPDFPage_GetAnnot(page, index)
            kind = pdfium_c.FPDFAnnot_GetSubtype(mark)
            pdfium_c.FPDFPage_CloseAnnot(mark)
            if kind not in (pdfium_c.FPDF_ANNOT_LINK, pdfium_c.FPDF_ANNOT_POPUP):
                return True
        return False

    def is_blank(self) -> bool:
        """Say whether nothing is drawn on the page: the back of a sheet."""
        return next(iter(self._page.get_objects(max_depth=1)), None) is None

    def _glyphs(self) -> Iterator[tuple[Glyph, tuple[float, float]]]:
        raw = self._text.raw
        for index in range(self._text.count_chars()):
            char = chr(pdfium_c.FPDFText_GetUnicode(raw, index))
            if pdfium_c.FPDFText_IsGenerated(raw, index) == 1 or char.isspace():
                continue
            yield _glyph(raw, index, char)


def open_document(source: Any) -> Any:
    """Open a path or the bytes of a copy with an empty password."""
    return pypdfium2.PdfDocument(source)


def _reading(whole: list[Glyph], part: list[Glyph], *, spaced_letters: bool) -> Reading:
    text = normalised(to_lines(whole, spaced_letters=spaced_letters))
    if part is whole:
        return Reading(text, text)
    return Reading(text, normalised(to_lines(part, spaced_letters=spaced_letters)))


def _glyph(raw: Any, index: int, char: str) -> tuple[Glyph, tuple[float, float]]:
    left, bottom, right, top = _loose_box(raw, index)
    x, y = ctypes.c_double(), ctypes.c_double()
    pdfium_c.FPDFText_GetCharOrigin(raw, index, x, y)
    angle = pdfium_c.FPDFText_GetCharAngle(raw, index)
    direction = round(math.degrees(angle) / 90) % 4 * 90 if angle >= 0 else 0
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


def _loose_box(raw: Any, index: int) -> Box:
    """Return left, bottom, right, top of a character with the room its font gives it."""
    rectangle = pdfium_c.FS_RECTF()
    pdfium_c.FPDFText_GetLooseCharBox(raw, index, rectangle)
    return rectangle.left, rectangle.bottom, rectangle.right, rectangle.top


def _frame(page: Any) -> PageFrame:
    left, bottom, right, top = page.get_mediabox()
    crop = page.get_cropbox()
    visible = (max(left, crop[0]), max(bottom, crop[1]), min(right, crop[2]), min(top, crop[3]))
    is_empty = visible[0] >= visible[2] or visible[1] >= visible[3]
    return PageFrame((left, bottom, right, top) if is_empty else visible, page.get_rotation())
