"""Rows of a table as values; what cannot be read becomes a problem, all of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from billing_system.cells import LONGEST_ACCOUNT
from billing_system.columns import Column, Secrecy, Table
from billing_system.port import PortalLink, Report
from billing_system.sensitive import are_any_sensitive, is_sensitive, show, warn
from billing_system.table_files import RawRow, TableFile
from domain.accounts import Account, account_key
from domain.failures import Misuse
from domain.problems import Problem

UNREADABLE = "unreadable-row"
SENSITIVE = "sensitive-data"
_AT_ONCE = 100  # rows that are converted column by column; thousands would not stay in the cache


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
        self._places = {
            secrecy: [place for column, place, _ in self._plan if column.secrecy is secrecy]
            for secrecy in Secrecy
        }
        self._account_place = next(
            (place for column, place, _ in self._plan if column.name == "account_number"), -1
        )

    def read(self, report: Report) -> Iterator[tuple[RawRow, Any]]:
        """
        Yield every row with its value, None for one that cannot be read.

        Cells that cannot be read, or must not be kept, are reported: all of them.
        """
        make = self._table.make
        for rows in self._some_rows():
            columns = self._convert_sound(rows)
            if columns is not None:
                yield from zip(rows, map(make, *columns), strict=True)
                continue
            for raw in rows:
                values = self._convert(raw, report)
                yield raw, None if values is None else make(*values)

    def read_columns(self, report: Report) -> Iterator[Any]:
        """Yield some readable rows at a time, their values column by column; report the rest."""
        for rows in self._some_rows():
            columns = self._convert_sound(rows)
            if columns is None:
                converted = [self._convert(raw, report) for raw in rows]
                columns = list(zip(*filter(None, converted), strict=True))
            if columns:
                yield self._table.make(*columns)

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

    def _some_rows(self) -> Iterator[list[RawRow]]:
        rows = self._source.rows()
        while some := list(islice(rows, _AT_ONCE)):
            yield some

    def _convert_sound(self, rows: Sequence[RawRow]) -> list[Sequence[Any]] | None:
        """
        Convert rows to columns, which takes a third of the time; None where one is not sound.

        What is to be reported, and of which row, is then found out cell by cell.
        """
        if any(raw.fault for raw in rows):
            return None
        columns = [*zip(*(raw.cells for raw in rows), strict=True), ("",) * len(rows)]
        if self._hold_sensitive(columns):
            return None
        try:
            return [list(map(column.convert, columns[place])) for column, place, _ in self._plan]
        except ValueError:
            return None

    def _hold_sensitive(self, columns: Sequence[Sequence[str]]) -> bool:
        """Look once at each text there is in the columns that are looked at alike."""
        return any(
            are_any_sensitive(secrecy, set().union(*(columns[place] for place in places)))
            for secrecy, places in self._places.items()
        )

    def _convert(self, raw: RawRow, report: Report) -> list[Any] | None:
        if raw.fault:
            report(self.problem(UNREADABLE, raw, raw.fault))
            return None
        values = []
        readable = True
        for column, place, heading in self._plan:
            cell = raw.cells[place] if place >= 0 else ""
            must_not_stay = is_sensitive(column, cell)
            if must_not_stay:
                report(self.problem(SENSITIVE, raw, warn(heading), column.name))
                cell = ""
            try:
                values.append(column.convert(cell))
            except ValueError as error:
                readable = False
                if not must_not_stay:
                    fault = f"column {heading}: {show(column, cell)} {error}"
                    report(self.problem(UNREADABLE, raw, fault, column.name))
        return values if readable else None


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


DUPLICATE = "account-duplicate"


def read_accounts(
    reader: RowReader, spellings: dict[str, str], report: Report
) -> Iterator[Account]:
    """
    Yield each account once, the first row of it, and fill in `spellings`.

    A second row is a problem even where it repeats the first to the letter, or where the first
    could not be read: the billing system must not have two of one account (rule 124).
    """
    first_rows: dict[str, int] = {}
    for raw, account in reader.read(report):
        written = reader.written_account(raw)
        key = account_key(written)
        if key in first_rows:
            fault = (
                f"is account {written} again, which row {first_rows[key]} has as {spellings[key]}; "
                "merge the two in the billing system"
            )
            report(reader.problem(DUPLICATE, raw, fault))
            continue
        if key:
            first_rows[key] = raw.row
            spellings[key] = written
        if account is not None:
            yield account


def read_once(
    reader: RowReader, report: Report, key: Callable[[Any], Hashable], what: Callable[[Any], Any]
) -> Iterator[Any]:
    """Yield the first row of each key; a later one that says something else cannot be read."""
    first: dict[Hashable, tuple[int, Any]] = {}
    for raw, value in _readable(reader.read(report)):
        row, seen = first.setdefault(key(value), (raw.row, value))
        if row == raw.row:
            yield value
        elif what(seen) != what(value):
            fault = f"contradicts row {row}, which is about the same; keep the right one"
            report(reader.problem(UNREADABLE, raw, fault))


def read_links(reader: RowReader, report: Report) -> Iterator[PortalLink]:
    """Yield each link once; it is paperless where one of its rows says so (rule 24)."""
    links: dict[tuple[str, str], PortalLink] = {}
    for _, link in _readable(reader.read(report)):
        known = links.get((link.key, link.mailbox))
        if known is None or (link.paperless and not known.paperless):
            links[link.key, link.mailbox] = link
    yield from links.values()


def _readable(rows: Iterable[tuple[RawRow, Any]]) -> Iterator[tuple[RawRow, Any]]:
    return (read for read in rows if read[1] is not None)
