"""pypdf's reader with a quick way through the table of a file that is written as the book says."""

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
from splitter.pdf.xref import ROW, UNUSUAL, read_rows


class SwiftReader(PdfReader):
    """
    A reader that takes in a plain cross-reference table at once.

    pypdf reads it row by row, which is most of the time it takes to open a large file. Whatever
    is not one complete table of the usual form is left to pypdf.
    """

    def _read_standard_xref_table(self, stream: Any) -> None:
        if not (isinstance(stream, mmap.mmap) and not self.xref and self._takes_in(stream)):
            super()._read_standard_xref_table(stream)

    def _takes_in(self, stream: mmap.mmap) -> bool:
        found = read_rows(stream, stream.tell())
        if found is None:
            return False
        rows, end = found
        used = {place // ROW: int(rows[place : place + 10]) for place in range(0, len(rows), ROW)}
        self.xref, self.xref_free_entry = {0: used}, {0: {}}
        for row in UNUSUAL.finditer(rows):
            self._take_in_unusual(row.start() // ROW, int(row[0][1:6]), row[0][7:] == b"f")
        stream.seek(end)
        return True

    def _take_in_unusual(self, number: int, generation: int, is_free: bool) -> None:
        """Move an object to its generation, or to those that are free."""
        offset = self.xref[0].pop(number)
        self.xref.setdefault(generation, {})
        self.xref_free_entry.setdefault(generation, {})[number] = is_free
        if is_free:
            self.xref_free_entry.setdefault(65535, {})[number] = True
        else:
            self.xref[generation][number] = offset


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
