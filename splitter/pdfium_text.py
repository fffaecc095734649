"""The text of a page as pdfium reads it; to be used in a child process alone."""

from __future__ import annotations

import ctypes
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdfium2  # starts the library
import pypdfium2.raw as pdfium_c

from splitter.evidence import Reading
from splitter.lines import Glyph, to_lines
from splitter.patterns import Region
from splitter.regions import Box, PageFrame, is_inside, to_page_space
from splitter.wording import normalised

assert pypdfium2 is not None
_BYTES_A_SIGN = 2
_QUIET_MARKS = (pdfium_c.FPDF_ANNOT_LINK, pdfium_c.FPDF_ANNOT_POPUP)


class CannotOpen(Exception):
    """pdfium opens neither the file nor the copy."""


class PdfiumDocument:
    """A file, or the bytes of a copy, opened with an empty password."""

    def __init__(self, source: Path | bytes) -> None:
        self._bytes = source  # pdfium reads them as long as the document is open
        if isinstance(source, bytes):
            self.raw = pdfium_c.FPDF_LoadMemDocument64(source, len(source), None)
        else:
            self.raw = pdfium_c.FPDF_LoadDocument(os.fsencode(source) + b"\0", None)
        if not self.raw:
            raise CannotOpen(f"pdfium says {pdfium_c.FPDF_GetLastError()}")
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
        text = normalised(self._whole_text())
        return Reading(text, text if self._box is None else normalised(self._bounded(self._box)))

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

    def is_blank(self) -> bool:
        """Say whether nothing is drawn on the page: the back of a sheet."""
        return bool(pdfium_c.FPDFPage_CountObjects(self._page) == 0)

    def _whole_text(self) -> str:
        """Return all text; what pdfium leaves out at either end must not be asked for."""
        first, last = 0, pdfium_c.FPDFText_CountChars(self._text) - 1
        while first <= last and not self._is_text(first):
            first += 1
        while first <= last and not self._is_text(last):
            last -= 1
        if first > last:
            return ""
        room = (ctypes.c_ushort * (last - first + 2))()
        signs = pdfium_c.FPDFText_GetText(self._text, first, last - first + 1, room)
        return bytes(room)[: (signs - 1) * _BYTES_A_SIGN].decode("utf-16-le", "ignore")

    def _is_text(self, index: int) -> bool:
        return bool(pdfium_c.FPDFText_GetTextIndexFromCharIndex(self._text, index) >= 0)

    def _bounded(self, box: Box) -> str:
        left, bottom, right, top = box
        corners = self._text, left, top, right, bottom
        signs = max(0, pdfium_c.FPDFText_GetBoundedText(*corners, None, 0))
        room = (ctypes.c_ushort * (signs + 1))()
        pdfium_c.FPDFText_GetBoundedText(*corners, room, signs)
        return bytes(room)[: signs * _BYTES_A_SIGN].decode("utf-16-le", "ignore")

    def _glyphs(self) -> Iterator[tuple[Glyph, tuple[float, float]]]:
        for index in range(pdfium_c.FPDFText_CountChars(self._text)):
            char = chr(pdfium_c.FPDFText_GetUnicode(self._text, index))
            if pdfium_c.FPDFText_IsGenerated(self._text, index) == 1 or char.isspace():
                continue
            yield _glyph(self._text, index, char)


def _reading(whole: list[Glyph], part: list[Glyph], *, spaced_letters: bool) -> Reading:
    text = normalised(to_lines(whole, spaced_letters=spaced_letters))
    if part is whole:
        return Reading(text, text)
    return Reading(text, normalised(to_lines(part, spaced_letters=spaced_letters)))


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
