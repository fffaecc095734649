"""pypdf's reader with a quick way through the table of a file that is written as the book says."""

from __future__ import annotations

import mmap
import re
from typing import Any

from pypdf import PdfReader

_TABLE = re.compile(rb"ref[ \r\n]+0 +([0-9]+)[ \r\n]+")
_ROWS = re.compile(rb"(?:[0-9]{10} [0-9]{5} [nf](?: \r| \n|\r\n))+")
_UNUSUAL = re.compile(rb" (?!00000 n)[0-9]{5} [nf]")
_TRAILER = re.compile(rb"[ \r\n]*trailer")
ROW = 20


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
        start = _TABLE.match(stream, stream.tell())
        if start is None:
            return False
        count = int(start[1])
        rows = _ROWS.match(stream, start.end(), start.end() + ROW * count)
        if rows is None or len(rows[0]) != ROW * count:
            return False
        end = _TRAILER.match(stream, rows.end())
        if end is None:
            return False
        table = rows[0]
        used = {number: int(table[ROW * number : ROW * number + 10]) for number in range(count)}
        self.xref, self.xref_free_entry = {0: used}, {0: {}}
        for row in _UNUSUAL.finditer(table):
            self._take_in_unusual(row.start() // ROW, int(row[0][1:6]), row[0][7:] == b"f")
        stream.seek(end.end())
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
