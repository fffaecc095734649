"""The table of objects of a file that is written as the book says, taken in at once."""

from __future__ import annotations

import mmap
import re

from splitter.pdf.syntax import UnsupportedPdf, dictionary, reference

TABLE = re.compile(rb"x?ref[ \r\n]+0 +([0-9]+)[ \r\n]+")
ROWS = re.compile(rb"(?:[0-9]{10} [0-9]{5} [nf](?: \r| \n|\r\n))+")
UNUSUAL = re.compile(rb" (?!00000 n)[0-9]{5} [nf]")
TRAILER = re.compile(rb"[ \r\n]*trailer")
ROW = 20
_START = re.compile(rb"startxref\s+([0-9]+)\s+%%EOF\s*\Z")
_LONGEST_TRAILER = 4096
_NOT_PLAIN = {b"/Prev", b"/XRefStm", b"/Encrypt"}


def read_xref_table(mapped: mmap.mmap) -> tuple[dict[int, int], int] | None:
    """
    Return where each object stands, and which is the catalog.

    Most bulk files have one complete table and were never changed; for these nothing else needs
    to be loaded. None for any other file: then a library must open it.
    """
    end = len(mapped)
    start = _START.search(mapped, max(0, end - _LONGEST_TRAILER))
    if start is None or int(start[1]) >= end or mapped[int(start[1])] != ord("x"):
        return None
    table = read_rows(mapped, int(start[1]))
    if table is None or start.start() - table[1] > _LONGEST_TRAILER:
        return None
    rows, after = table
    try:
        entries = dictionary(mapped[after : start.start()])
    except UnsupportedPdf:
        return None
    root = reference(entries.get(b"/Root", b""))
    if root is None or entries.keys() & _NOT_PLAIN:
        return None
    return _offsets(rows, root)


def read_rows(mapped: mmap.mmap, position: int) -> tuple[bytes, int] | None:
    """Return the rows of a table that begins with object 0, and where its trailer begins."""
    start = TABLE.match(mapped, position)
    if start is None:
        return None
    size = ROW * int(start[1])
    rows = ROWS.match(mapped, start.end(), start.end() + size)
    if rows is None or len(rows[0]) != size:
        return None
    trailer = TRAILER.match(mapped, rows.end())
    return None if trailer is None else (rows[0], trailer.end())


def _offsets(rows: bytes, root: int) -> tuple[dict[int, int], int] | None:
    offsets = dict(enumerate([int(rows[place : place + 10]) for place in range(0, len(rows), ROW)]))
    for row in UNUSUAL.finditer(rows):
        if row[0][-1:] == b"n":
            return None  # an object of another generation
        del offsets[row.start() // ROW]
    return offsets, root
