"""The table of objects of a file that is written as the book says, taken in at once."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator, Mapping

from splitter.pdf.syntax import STRING, UnsupportedPdf, dictionary, reference

TABLE = re.compile(rb"x?ref[ \r\n]+0 +([0-9]+)[ \r\n]+")
ROWS = re.compile(rb"(?:[0-9]{10} [0-9]{5} [nf](?: \r| \n|\r\n))+")
UNUSUAL = re.compile(rb" (?!00000 n)[0-9]{5} [nf]")
TRAILER = re.compile(rb"[ \r\n]*trailer")
ROW = 20
_DIGITS, _KIND = 10, 17  # of a row: how many tell the place, and where it says whether it is used
_START = re.compile(rb"startxref\s+([0-9]+)\s+%%EOF\s*\Z")
_COMMENT = re.compile(STRING + rb"|(%[^\r\n]*)", re.DOTALL)  # and what may hold the sign of one
_LONGEST_TRAILER = 4096
_NOT_PLAIN = {b"/Prev", b"/XRefStm", b"/Encrypt"}


def read_xref_table(mapped: mmap.mmap) -> tuple[Mapping[int, int], int] | None:
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
        entries = dictionary(_without_comments(mapped[after : start.start()]))
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


def _without_comments(trailer: bytes) -> bytes:
    """Leave out comments, such as that of ReportLab."""
    return _COMMENT.sub(lambda match: b" " if match[1] else match[0], trailer)


class _Offsets(Mapping[int, int]):
    """
    Where objects stand, read from the rows when they are asked for.

    A dict of a file with 200,000 objects takes 20 MB, in every process that reads it.
    """

    def __init__(self, rows: bytes) -> None:
        self._rows = rows

    def __getitem__(self, number: int) -> int:
        row = self._rows[ROW * number : ROW * (number + 1)] if number >= 0 else b""
        if row[_KIND : _KIND + 1] != b"n":
            raise KeyError(number)
        return int(row[:_DIGITS])

    def __len__(self) -> int:
        return self._rows.count(b"n")

    def __iter__(self) -> Iterator[int]:
        kinds = self._rows[_KIND::ROW]
        return (number for number, kind in enumerate(kinds) if kind == ord("n"))


def _offsets(rows: bytes, root: int) -> tuple[Mapping[int, int], int] | None:
    if any(row[0][-1:] == b"n" for row in UNUSUAL.finditer(rows)):
        return None  # an object of another generation
    return _Offsets(rows), root
