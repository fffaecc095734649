"""Rows of a table as values; what cannot be read becomes a problem, all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from billing_system.cells import LONGEST_ACCOUNT
from billing_system.columns import Column, Secrecy, Table
from billing_system.port import Report
from billing_system.sensitive import (
    holds_sensitive_number,
    is_sensitive_token,
    may_hold_sensitive_number,
)
from billing_system.table_files import RawRow, TableFile
from domain.accounts import account_key
from domain.failures import Misuse
from domain.problems import Problem

UNREADABLE = "unreadable-row"
SENSITIVE = "sensitive-data"
_SHOWN = 40  # characters of a value that a message repeats
_AT_ONCE = 100  # rows that are converted column by column


class RowReader:
    """
    Converts one table's rows; `spellings` maps account keys to the spelling of accounts.csv.

    Problems name the account in that spelling, so that one account has one name in every list.
    The reader only looks into `spellings`; whoever reads accounts.csv fills it.
    """

    def __init__(
        self, table: Table, source: TableFile, renamed: Mapping[str, str], spellings: dict[str, str]
    ) -> None:
        self._table = table
        self._source = source
        self._spellings = spellings
        self._plan = [
            (column, place, source.headings[place] if place >= 0 else column.name)
            for column, place in _find_places(table, source, renamed)
        ]
        self._account_place = next(
            (place for column, place, _ in self._plan if column.name == "account_number"), -1
        )

    def read(self, report: Report) -> Iterator[tuple[RawRow, Any]]:
        """
        Yield every row with its value, None for one that cannot be read.

        Cells that cannot be read, or must not be kept, are reported: all of them.
        """
        rows = self._source.rows()
        while some := list(islice(rows, _AT_ONCE)):
            values = self._convert_sound(some)
            if values is not None:
                yield from zip(some, values, strict=True)
                continue
            for raw in some:
                if raw.fault:
                    report(self.problem(UNREADABLE, raw, raw.fault))
                    yield raw, None
                else:
                    yield raw, self._convert(raw, report)

    def written_account(self, raw: RawRow) -> str:
        """Return the row's account as it is written there."""
        if not 0 <= self._account_place < len(raw.cells):
            return ""
        return raw.cells[self._account_place].strip()[:LONGEST_ACCOUNT]

    def problem(self, code: str, raw: RawRow, fault: str, column: str = "") -> Problem:
        """Return a problem of one row, its account in the spelling of accounts.csv if known."""
        written = self.written_account(raw)
        account = self._spellings.get(account_key(written), written)
        file = self._source.file
        mark = ", " if column else " "
        return Problem(code, f"{file} row {raw.row}{mark}{fault}", account, file, raw.row, column)

    def _convert_sound(self, rows: Sequence[RawRow]) -> list[Any] | None:
        """
        Convert rows column by column, which takes half of the time; None where one is not sound.

        What is to be reported, and of which row, is then found out cell by cell.
        """
        if any(raw.fault for raw in rows):
            return None
        columns = [*zip(*(raw.cells for raw in rows), strict=True), ("",) * len(rows)]
        if self._hold_sensitive(columns):
            return None
        try:
            cells = [map(column.convert, columns[place]) for column, place, _ in self._plan]
            return list(map(self._table.make, *cells))
        except ValueError:
            return None

    def _hold_sensitive(self, columns: Sequence[Sequence[str]]) -> bool:
        """Look at all texts at once, and at each only where there are digits enough."""
        texts = [columns[at] for column, at, _ in self._plan if column.secrecy is Secrecy.TEXT]
        tokens = [columns[at] for column, at, _ in self._plan if column.secrecy is Secrecy.TOKEN]
        if any(map(is_sensitive_token, chain.from_iterable(tokens))):
            return True
        if not may_hold_sensitive_number("\n".join(chain.from_iterable(texts))):
            return False
        return any(map(holds_sensitive_number, chain.from_iterable(texts)))

    def _convert(self, raw: RawRow, report: Report) -> Any:
        values = []
        readable = True
        for column, place, heading in self._plan:
            cell = raw.cells[place] if place >= 0 else ""
            is_sensitive = _is_sensitive(column, cell)
            if is_sensitive:
                report(self.problem(SENSITIVE, raw, _warn(heading), column.name))
                cell = ""
            try:
                values.append(column.convert(cell))
            except ValueError as error:
                readable = False
                if not is_sensitive:
                    fault = f"column {heading}: {_show(column, cell)} {error}"
                    report(self.problem(UNREADABLE, raw, fault, column.name))
        return self._table.make(*values) if readable else None


def _find_places(
    table: Table, source: TableFile, renamed: Mapping[str, str]
) -> Iterator[tuple[Column, int]]:
    """Find each column's place among the headings; -1 for one that may be missing and is."""
    places = {heading.casefold(): place for place, heading in enumerate(source.headings)}
    for column in table.columns:
        heading = renamed.get(column.name, column.name)
        place = places.get(heading.strip().casefold(), -1)
        if place < 0 and (not column.optional or column.name in renamed):
            raise Misuse(
                f'{source.file} has no column "{heading}"; its headings are '
                f"{', '.join(source.headings)[:600]}. If the column has another name there, say so "
                f'in bundle.toml: [columns.{table.name}] {column.name} = "their heading"',
                "bundle",
            )
        yield column, place


def _is_sensitive(column: Column, cell: str) -> bool:
    if column.secrecy is Secrecy.TEXT:
        return holds_sensitive_number(cell)
    return column.secrecy is Secrecy.TOKEN and is_sensitive_token(cell)


def _warn(heading: str) -> str:
    return (
        f"column {heading}: holds what looks like a card or bank number (not shown, not kept); "
        "take it out of the billing system"
    )


def _show(column: Column, cell: str) -> str:
    """Repeat a value, shortened; never what may be a number that nobody may see."""
    written = cell.strip()
    if not written:
        return "the value"
    many_digits = column.secrecy is Secrecy.TOKEN and sum(map(str.isdigit, written)) > 4
    if many_digits or holds_sensitive_number(written):
        return "the value (not shown)"
    return f'"{written[:_SHOWN]}{"…" if len(written) > _SHOWN else ""}"'
