"""CSV files as they come: their encoding, delimiter, headings, and rows with line numbers."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from billing_system.export.encodings import Files, find_encoding
from billing_system.export.names import nearest
from domain.failures import Misuse

DELIMITERS = (",", ";", "\t")
_AT_ONCE = 100  # records
SEARCHED = 40  # rows in which headings are looked for
_ANNOUNCED = re.compile(r"\"?sep=([,;\t|])\"?", re.IGNORECASE)  # Excel's own first row
_VALUE = re.compile(r"[$(]?-?[$(]?[0-9][0-9.,/:-]*\)?|\S+@\S+\.\S+")


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
        """Read the records below the heading; blank ones are nobody's."""
        for block in self.blocks(_AT_ONCE):
            yield from block.rows()

    def blocks(self, at_once: int) -> Iterator[RowBlock]:
        """
        Read the records below the heading, at most so many at a time.

        The csv module, because it is strict, knows line numbers, and takes "NA" and "Null" for
        the names they are.
        """
        with self.files.open(self.file) as stream:
            text = io.TextIOWrapper(stream, encoding=self.encoding, newline="")
            reader = csv.reader(text, delimiter=self.delimiter, strict=True)
            while block := self._block(
                reader, 1 if reader.line_num < self.heading_row else at_once
            ):
                if block.ends[0] >= self.heading_row or block.broken:
                    yield block

    def _block(self, reader: Any, at_once: int) -> RowBlock | None:
        ends = [reader.line_num]
        records: list[list[str]] = []
        broken = ""
        try:
            for cells in islice(reader, at_once):
                records.append(cells)
                ends.append(reader.line_num)
        except csv.Error as error:
            broken = _explain(error)
        if not records and not broken:
            return None
        is_sound = not broken and self._are_sound(records)
        return RowBlock(self, records, ends, broken, is_sound)

    def _are_sound(self, records: list[list[str]]) -> bool:
        """Say whether none of some records is blank or has other fields than the heading."""
        if set(map(len, records)) != {len(self.headings)}:
            return False
        begun = all(record[0].strip() for record in records)  # so most tables are: none is blank
        return begun or all(map(str.strip, map("".join, records)))

    def _fault(self, cells: list[str]) -> str:
        if len(cells) == len(self.headings):
            return ""
        return f"has {len(cells)} fields where the heading has {len(self.headings)}"


@dataclass(frozen=True, slots=True)
class RowBlock:
    """
    Some records as they follow each other in a file.

    `ends` are the lines that the one before the first and then each of them ends on. With
    `is_sound` each is a row of as many cells as there are headings.
    """

    table: TableFile
    records: list[list[str]]
    ends: list[int]
    broken: str  # what is wrong with the record behind the last, if anything
    is_sound: bool

    def rows(self) -> list[RawRow]:
        """Return the rows among them, with their faults."""
        begins = [end + 1 for end in self.ends]
        if self.is_sound:
            return list(map(RawRow, begins, self.records))
        rows = [
            RawRow(row, cells, self.table._fault(cells))
            for row, cells in zip(begins, self.records, strict=False)
            if any(map(str.strip, cells))
        ]
        return [*rows, RawRow(begins[-1], [], self.broken)] if self.broken else rows


def open_table(
    files: Files, file: str, ours: Collection[str], *, encoding: str = "", is_mapped: bool = True
) -> TableFile:
    """
    Find out how a table is written; `ours` are the headings that it should have, and `is_mapped`
    says that a bundle.toml beside it may tell more of it.

    Raises Misuse without headings, or where they stand further down; Refused if it is unreadable.
    """
    encoding = find_encoding(files, file, encoding, is_mapped=is_mapped)
    with files.open(file) as stream:
        text = io.TextIOWrapper(stream, encoding=encoding, newline="")
        lines = [
            (row, line)
            for row, line in enumerate(islice(text, SEARCHED), start=1)
            if line.strip(" \t\r\n,;")
        ]
    delimiter = ""
    if lines and (announced := _ANNOUNCED.fullmatch(lines[0][1].strip(" \r\n"))):
        delimiter = announced[1]
        lines = lines[1:]
    if not lines:
        raise Misuse(f"{file} is empty; its first row must hold the headings", "bundle")
    row, line = lines[0]
    delimiter, headings = _split_heading(line, delimiter)
    _require_headings(file, lines, delimiter, ours)
    _refuse_duplicates(file, headings)
    return TableFile(files, file, encoding, delimiter, headings, row)


def _require_headings(
    file: str, lines: list[tuple[int, str]], delimiter: str, ours: Collection[str]
) -> None:
    """Raise Misuse where the first row is a title or a customer, and say where they are."""
    (first, line), *below = lines
    enough = max(1, len(ours) // 3)
    if _count_headings(line, delimiter, ours) >= enough:
        return
    for row, lower in below:
        if _count_headings(lower, "", ours) >= max(2, enough):
            raise Misuse(
                f"{file} row {first} is no row of headings; row {row} looks like the headings. "
                "Take out the rows above it",
                "bundle",
            )
    cells = _split_heading(line, delimiter)[1]
    if any(_VALUE.fullmatch(cell) for cell in cells):
        raise Misuse(
            f"The headings of {file} are missing: row {first} looks like a row of values. The "
            f"first row must hold the headings: {', '.join(ours)}",
            "bundle",
        )


def _count_headings(line: str, delimiter: str, ours: Collection[str]) -> int:
    """Count the cells that are headings of ours, or nearly."""
    return sum(nearest(cell, ours) is not None for cell in _split_heading(line, delimiter)[1])


def _split_heading(line: str, announced: str = "") -> tuple[str, tuple[str, ...]]:
    """Take the delimiter that is announced, else the one that makes the most headings."""
    found = []
    for delimiter in (announced,) if announced else DELIMITERS:
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
