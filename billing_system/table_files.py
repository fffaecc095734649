"""CSV files as they come: their encoding, delimiter, headings, and rows with line numbers."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, NamedTuple, Protocol

from domain.failures import Misuse, Refused

DELIMITERS = (",", ";", "\t")
_BLOCK = 2**20  # bytes decoded at once


class Files(Protocol):
    """Where files are opened by their names."""

    def open(self, file: str) -> AbstractContextManager[IO[bytes]]: ...


class RawRow(NamedTuple):
    """One record; `row` is the line it begins on. A record that is no row has a `fault` instead."""

    row: int
    cells: list[str]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class TableFile:
    """A table's headings as written, and how to read its rows."""

    files: Files
    file: str
    encoding: str
    delimiter: str
    headings: tuple[str, ...]
    heading_row: int

    def rows(self) -> Iterator[RawRow]:
        """
        Read the records below the heading; blank ones are nobody's.

        The csv module, because it is strict, knows line numbers, and takes "NA" and "Null" for
        the names they are.
        """
        with self.files.open(self.file) as stream:
            text = io.TextIOWrapper(stream, encoding=self.encoding, newline="")
            reader = csv.reader(text, delimiter=self.delimiter, strict=True)
            while True:
                row = reader.line_num + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield RawRow(row, [], _explain(error))
                    continue
                if row > self.heading_row and any(map(str.strip, cells)):
                    yield RawRow(row, cells, self._fault(cells))

    def _fault(self, cells: list[str]) -> str:
        if len(cells) == len(self.headings):
            return ""
        return f"has {len(cells)} fields where the heading has {len(self.headings)}"


def open_table(files: Files, file: str) -> TableFile:
    """Find out how a table is written; raises Misuse without headings, Refused if unreadable."""
    encoding = find_encoding(files, file)
    with files.open(file) as stream:
        text = io.TextIOWrapper(stream, encoding=encoding, newline="")
        for row, line in enumerate(text, start=1):
            if line.strip():
                delimiter, headings = _split_heading(line)
                _refuse_duplicates(file, headings)
                return TableFile(files, file, encoding, delimiter, headings, row)
    raise Misuse(f"{file} is empty; its first row must hold the headings", "bundle")


def find_encoding(files: Files, file: str) -> str:
    """Return `utf-8-sig` or `cp1252`, whichever all bytes of a file fit."""
    if _fits(files, file, "utf-8"):
        return "utf-8-sig"
    encoding = "utf-8" if _has_byte_order_mark(files, file) else "cp1252"
    if _fits(files, file, encoding):
        return encoding
    line = _first_misfit(files, file, encoding)
    raise Refused(
        "wrong-encoding",
        f"{file} row {line} has bytes that are neither UTF-8 nor cp1252 (Windows Western); "
        "export it again as UTF-8",
    )


def _fits(files: Files, file: str, encoding: str) -> bool:
    """Say whether all bytes of a file fit; zero bytes mean UTF-16 and fit nothing."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with files.open(file) as stream:
        try:
            while block := stream.read(_BLOCK):
                decoder.decode(block)
                if b"\0" in block:
                    return False
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _first_misfit(files: Files, file: str, encoding: str) -> int:
    """Return the first line that does not fit, 0 if all do."""
    with files.open(file) as stream:
        for row, line in enumerate(stream, start=1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError:
                return row
            if b"\0" in line:
                return row
    return 0


def _has_byte_order_mark(files: Files, file: str) -> bool:
    with files.open(file) as stream:
        return stream.read(3) == codecs.BOM_UTF8


def _split_heading(line: str) -> tuple[str, tuple[str, ...]]:
    """Take the delimiter that makes the most headings."""
    found = []
    for delimiter in DELIMITERS:
        cells = next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter))
        found.append((delimiter, tuple(cell.strip() for cell in cells)))
    return max(found, key=lambda pair: len(pair[1]))


def _refuse_duplicates(file: str, headings: tuple[str, ...]) -> None:
    seen: set[str] = set()
    for heading in headings:
        if heading and heading.casefold() in seen:
            raise Misuse(
                f'{file} has the heading "{heading[:40]}" twice; export each column once', "bundle"
            )
        seen.add(heading.casefold())


def _explain(error: csv.Error) -> str:
    if "unexpected end" in str(error) or "field limit" in str(error):
        return "has a quotation mark that is never closed"
    return "has a quotation mark within a quoted field"
