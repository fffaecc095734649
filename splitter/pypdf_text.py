"""The text of a page as pypdf reads it: slow, but of another family than pdfium."""

from __future__ import annotations

import contextlib
import io
import mmap
from pathlib import Path
from typing import Any

import pypdf
from pypdf import PdfReader
from pypdf.errors import DependencyError, PyPdfError

from domain.failures import DAMAGED_PDF
from splitter.evidence import Reading
from splitter.regions import Box, is_inside
from splitter.swift_reader import SwiftReader
from splitter.wording import normalised

PYPDF_FAILURES = (PyPdfError, DependencyError, *DAMAGED_PDF)
MOST_PAGES = 2_000_000  # pypdf's own limit of 100,000 is less than a large city prints


def large_files_allowed() -> contextlib.AbstractContextManager[object]:
    return pypdf.apply_configuration(
        page_tree_maximum_entries=MOST_PAGES, array_maximum_element_count=MOST_PAGES
    )


def open_reader(source: Path | bytes) -> PdfReader:
    """
    Open a file strictly, without reading it into memory.

    An empty user password is tried: a file locked by its owner's password alone is readable.
    """
    if isinstance(source, bytes):
        reader: PdfReader = PdfReader(io.BytesIO(source), strict=True)
    else:
        with source.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        reader = SwiftReader(mapped, strict=True)  # type: ignore[arg-type]
    if reader.is_encrypted:
        reader.decrypt("")
    return reader


def opens_by_guessing(path: Path) -> bool:
    """Say whether pypdf can open a file that is not sound."""
    try:
        PdfReader(path, strict=False)
    except PYPDF_FAILURES:
        return False
    return True


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
    whole = normalised(text)
    part = whole if box is None else normalised("".join(pieces))
    return Reading(whole, part, by_position=False)


def _position(page_matrix: Any, text_matrix: Any) -> tuple[float, float]:
    x, y = text_matrix[4], text_matrix[5]
    a, b, c, d, e, f = page_matrix
    return a * x + c * y + e, b * x + d * y + f
