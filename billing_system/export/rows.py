"""Rows of a table as values; what cannot be read becomes a problem, all of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from billing_system.export.cells import LONGEST_ACCOUNT
from billing_system.export.columns import ExportColumn, Secrecy, Table
from billing_system.export.names import nearest
from billing_system.export.sensitive import are_any_sensitive, is_sensitive, show, warn
from billing_system.export.table_files import RawRow, RowBlock, TableFile
from billing_system.port import PortalLink, Report
from domain.accounts import Account, account_key
from domain.failures import Misuse
from domain.problems import Problem

UNREADABLE = "unreadable-row"
SENSITIVE = "sensitive-data"
_AT_ONCE = 100  # rows that are converted column by column; thousands would not stay in the cache
OTHER_SEPARATORS = "|^~:"
FEWEST_MARKS = 2  # in the row of headings


class RowReader:
    """
    Converts one table's rows; `spellings` maps account keys to the spelling of accounts.csv.

    Problems name the account in that spelling, so that one account has one name in every list.
    The reader only looks into `spellings`; whoever reads accounts.csv fills it.
    """

    def __init__(
        self,
        table: Table,
        source: TableFile,
        renamed: Mapping[str, str],
        spellings: dict[str, str],
        meanings: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self._table = table
        self._source = source
        self._spellings = spellings
        self._plan = [
            (_speaking_theirs(column, meanings or {}), place, heading)
            for column, place, heading in find_places(table, source, renamed)
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
        faults = Faults(self._source.file, is_mapped=self._table.is_mapped)
        for block in self._source.blocks(_AT_ONCE):
            rows = block.rows()
            faults.rows += len(rows)
            columns = self._convert_sound(block)
            if columns is not None:
                yield from zip(rows, map(make, *columns), strict=True)
                continue
            for raw in rows:
                values = self._convert(raw, faults)
                yield raw, None if values is None else make(*values)
        faults.tell(report)

    def read_columns(self, report: Report) -> Iterator[Any]:
        """Yield some readable rows at a time, their values column by column; report the rest."""
        faults = Faults(self._source.file, is_mapped=self._table.is_mapped)
        for block in self._source.blocks(_AT_ONCE):
            columns = self._convert_sound(block)
            if columns is not None:
                faults.rows += len(block.records)
            else:
                rows = block.rows()
                faults.rows += len(rows)
                converted = [self._convert(raw, faults) for raw in rows]
                columns = list(zip(*filter(None, converted), strict=True))
            if columns:
                yield self._table.make(*columns)
        faults.tell(report)

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

    def _convert_sound(self, block: RowBlock) -> list[Sequence[Any]] | None:
        """
        Convert rows to columns, which takes a third of the time; None where one is not sound.

        What is to be reported, and of which row, is then found out cell by cell.
        """
        if not block.is_sound:
            return None
        rows = len(block.records)
        columns = [*zip(*block.records, strict=True), ("",) * rows]
        if self._hold_sensitive(columns):
            return None
        try:
            return [
                # a column that the table has not says the same in each row
                column.convert_all(columns[place]) if place >= 0 else [column.convert("")] * rows
                for column, place, _ in self._plan
            ]
        except ValueError:
            return None

    def _hold_sensitive(self, columns: Sequence[Sequence[str]]) -> bool:
        """Look once at each text there is in the columns that are looked at alike."""
        return any(
            are_any_sensitive(secrecy, set().union(*(columns[place] for place in places)))
            for secrecy, places in self._places.items()
        )

    def _convert(self, raw: RawRow, faults: Faults) -> list[Any] | None:
        if raw.fault:
            faults.add(self.problem(UNREADABLE, raw, raw.fault), raw.fault)
            return None
        values = []
        readable = True
        for column, place, heading in self._plan:
            cell = raw.cells[place] if place >= 0 else ""
            must_not_stay = is_sensitive(column, cell)
            if must_not_stay:
                faults.add(self.problem(SENSITIVE, raw, warn(heading), column.name))
                cell = ""
            try:
                values.append(column.convert(cell))
            except ValueError as error:
                readable = False
                if not must_not_stay:
                    fault = f"column {heading}: {show(column, cell)} {error}"
                    kind = f"column {heading}: {error}"
                    faults.add(self.problem(UNREADABLE, raw, fault, column.name), kind)
        return values if readable else None


FEWEST_ALIKE = 3  # rows; fewer are told one by one


class Faults:
    """
    The problems of one table's rows; where all rows fail in one way it is one problem.

    A date written otherwise is one mistake and one sentence, not 60,000.
    """

    def __init__(self, file: str, *, is_mapped: bool) -> None:
        self.rows = 0
        self._file = file
        self._is_mapped = is_mapped
        self._problems: list[tuple[Problem, str]] = []
        self._rows_by_kind: dict[str, int] = {}

    def add(self, problem: Problem, kind: str = "") -> None:
        """Keep a problem; `kind` is what rows have in common that fail in one way."""
        self._problems.append((problem, kind))
        if kind:
            self._rows_by_kind[kind] = self._rows_by_kind.get(kind, 0) + 1

    def tell(self, report: Report) -> None:
        """Report what was kept, in the order of the rows."""
        alike = {
            kind for kind, rows in self._rows_by_kind.items() if FEWEST_ALIKE <= rows == self.rows
        }
        told = set()
        for problem, kind in self._problems:
            if kind not in alike:
                report(problem)
            elif kind not in told:
                told.add(kind)
                report(self._together(problem))

    def _together(self, first: Problem) -> Problem:
        _, _, fault = first.message.partition(f"{self._file} row {first.row}")
        message = (
            f"all {self.rows:,} rows of {self._file} fail in one way; row {first.row}{fault}. "
        ) + (
            "If the billing system writes it so, say in bundle.toml what it means "
            "([values] and [columns], see docs/export.md), or export it otherwise"
            if self._is_mapped
            else "Let the billing system write it as docs/export.md says"
        )
        return Problem(first.code, message, "", self._file, first.row, first.column)


def find_places(
    table: Table, source: TableFile, renamed: Mapping[str, str]
) -> list[tuple[ExportColumn, int, str]]:
    """
    Find each column's place among the headings, and its heading; -1 for one that is absent.

    Raises Misuse for a needed column that is not there, and for a heading that is nearly one of
    ours which is not there: passed over it would be money or mail that nobody misses.
    """
    places = {heading.casefold(): place for place, heading in enumerate(source.headings)}
    found: list[tuple[ExportColumn, int, str]] = []
    for column in table.columns:
        heading = renamed.get(column.name, column.name)
        place = places.get(heading.strip().casefold(), -1) if heading else -1
        is_needed = not column.optional or (column.name in renamed and heading)
        if place < 0 and is_needed:
            raise _no_column(table, source, column, heading, [p for _, p, _ in found])
        found.append((column, place, source.headings[place] if place >= 0 else column.name))
    _refuse_near(table, source, renamed, found)
    return found


def unused_headings(
    table: Table, source: TableFile, renamed: Mapping[str, str]
) -> tuple[list[str], list[str]]:
    """List the headings that nothing is made of, and our optional columns that are absent."""
    found = find_places(table, source, renamed)
    taken = {place for _, place, _ in found}
    unused = [h for place, h in enumerate(source.headings) if h and place not in taken]
    absent = [column.name for column, place, _ in found if place < 0]
    return unused, absent


def _no_column(
    table: Table, source: TableFile, column: ExportColumn, heading: str, taken: list[int]
) -> Misuse:
    if between := _other_separator(source):
        return Misuse(
            f"{source.file} is no table yet: {between} seems to stand between its columns; "
            "export it with commas, semicolons or tabs.",
            "bundle",
        )
    free = [h for place, h in enumerate(source.headings) if place not in taken]
    likely = next((h for h in free if nearest(h, [column.name]) is not None), "")
    asked = f'; did you mean {column.name} by its "{likely}"?' if likely else ";"
    theirs = likely or "their heading"
    return Misuse(
        f'{source.file} has no column "{heading}"{asked} Its headings are '
        f"{', '.join(source.headings)[:600]}. "
        + (
            "If the column has another name there, say so in bundle.toml: "
            f'[columns.{table.name}] {column.name} = "{theirs}"'
            if table.is_mapped
            else "Let whoever writes the file name it so."
        ),
        "bundle",
    )


def _other_separator(source: TableFile) -> str:
    """Return what stands between the columns of a file that has one column only, else nothing."""
    if len(source.headings) != 1:
        return ""
    marks = [mark for mark in OTHER_SEPARATORS if source.headings[0].count(mark) >= FEWEST_MARKS]
    return marks[0] if marks else ""


def _refuse_near(
    table: Table,
    source: TableFile,
    renamed: Mapping[str, str],
    found: Sequence[tuple[ExportColumn, int, str]],
) -> None:
    taken = {place for _, place, _ in found}
    headings = {heading.casefold() for heading in source.headings}
    absent = [c.name for c, place, _ in found if place < 0 and c.name not in renamed]
    absent += [n for n in table.unread if n not in headings and n not in renamed]
    for place, heading in enumerate(source.headings):
        if place in taken or heading.casefold() in table.unread or heading in renamed.values():
            continue
        near = nearest(heading, absent)
        if near is not None:
            raise Misuse(
                f'{source.file} has the heading "{heading[:60]}"; did you mean "{near}"? Rename it'
                + (
                    f", or say in bundle.toml: [columns.{table.name}] {near} = "
                    f'"{heading[:60]}" (or {near} = "" if it is something else)'
                    if table.is_mapped
                    else "."
                ),
                "bundle",
            )


def _speaking_theirs(
    column: ExportColumn, meanings: Mapping[str, Mapping[str, str]]
) -> ExportColumn:
    """Return a column that takes their values for ours, as `[values]` in bundle.toml says."""
    meaning = meanings.get(column.name)
    if not meaning:
        return column
    ours = column.convert

    def convert(cell: str) -> Any:
        return ours(meaning.get(cell.strip().casefold(), cell))

    return replace(column, convert=convert)


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
