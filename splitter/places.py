"""Where on a page a pattern finds its values; runs in a child process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pypdfium2.raw as pdfium_c

from splitter.pdfium_text import PdfiumDocument
from splitter.regions import Box, PageFrame, to_region
from splitter.wording import normalised

Place = tuple[str, Box]  # a value, and the region of what the pattern matched around it


def find_places(
    document: PdfiumDocument, number: int, user_unit: float, pattern: re.Pattern[str]
) -> list[Place]:
    """Return the values a pattern finds on a page and where they stand on it as displayed."""
    page = pdfium_c.FPDF_LoadPage(document.raw, number)
    text = pdfium_c.FPDFText_LoadPage(page)
    try:
        return list(_places(text, _frame(page, user_unit), pattern))
    finally:
        pdfium_c.FPDFText_ClosePage(text)
        pdfium_c.FPDF_ClosePage(page)


def _places(text: Any, frame: PageFrame, pattern: re.Pattern[str]) -> Iterator[Place]:
    count = pdfium_c.FPDFText_CountChars(text)
    signs = [chr(pdfium_c.FPDFText_GetUnicode(text, index)) for index in range(count)]
    # a sign that is more than one or none must not move those behind it
    plain = "".join([shown if len(shown := normalised(sign)) == 1 else " " for sign in signs])
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
