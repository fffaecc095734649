"""The text of a page as pypdf reads it: slow, but of another family than pdfium."""

from __future__ import annotations

from typing import Any

from pypdf import PdfReader

from splitter.pdf.pypdf_reader import (
    PYPDF_FAILURES,
)
from splitter.text.normalizing import normalized
from splitter.text.page_facts import Reading
from splitter.text.patterns import Box, is_inside


def pypdf_reading(reader: PdfReader, page: int, box: Box | None) -> Reading | None:
    """Read a page in the order in which it was drawn; None where pypdf fails on it."""
    pieces: list[str] = []

    def keep_inside(text: str, page_matrix: Any, text_matrix: Any, *_: object) -> None:
        if box is not None and is_inside(*_position(page_matrix, text_matrix), box):
            pieces.append(text)

    try:
        text = reader.pages[page].extract_text(visitor_text=keep_inside)
    except PYPDF_FAILURES:
        return None
    whole = normalized(text)
    part = whole if box is None else normalized("".join(pieces))
    return Reading(whole, part, by_position=False)


def _position(page_matrix: Any, text_matrix: Any) -> tuple[float, float]:
    x, y = text_matrix[4], text_matrix[5]
    a, b, c, d, e, f = page_matrix
    return a * x + c * y + e, b * x + d * y + f
