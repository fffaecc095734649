"""A bank's CSV, read by the layout that the settings give it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from domain.failures import Misuse
from domain.money import ZERO, Money
from payments.bank.lines import BAD_FILE, BankLine, refuse

SEARCHED = 20  # rows: banks write titles above the headings
_YEAR = r"(?P<year>[0-9]{4}|[0-9]{2})"
_MONTH, _DAY = r"(?P<month>[0-9]{1,2})", r"(?P<day>[0-9]{1,2})"
_DAYS = {
    "month-first": re.compile(f"{_MONTH}[/-]{_DAY}[/-]{_YEAR}"),
    "day-first": re.compile(f"{_DAY}[/.-]{_MONTH}[/.-]{_YEAR}"),
    "iso": re.compile(f"(?P<year>[0-9]{{4}})-{_MONTH}-{_DAY}"),
}


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """The headings of a bank's CSV, and how it writes days; an empty heading is not there."""

    date: str = "Date"
    days: str = "month-first"
    amount: str = "Amount"
    credit: str = ""
    debit: str = ""
    text: str = "Description"
    reference: str = ""

    @property
    def headings(self) -> list[str]:
        """The headings that the file must have."""
        amounts = [self.amount] if self.amount else [self.credit, self.debit]
        return [one for one in (self.date, *amounts, self.text, self.reference) if one]


def read_table(text: str, layout: CsvLayout) -> Iterator[BankLine]:
    """Yield what came in and went out; raises Misuse, naming the row."""
    if not layout.amount and not (layout.credit and layout.debit):
        raise Misuse(
            "bank.csv_amount is empty: set it, or bank.csv_credit and bank.csv_debit.", BAD_FILE
        )
    rows = _rows(text)
    places: dict[str, int] = {}
    for row, cells in rows:
        known = [cell.strip().casefold() for cell in cells]
        if all(one.casefold() in known for one in layout.headings):
            places = {one: known.index(one.casefold()) for one in layout.headings}
            break
        if row >= SEARCHED:
            break
    if not places:
        wanted = ", ".join(layout.headings)
        raise Misuse(
            f"The bank's file has no row with the headings {wanted}: set bank.csv_date and the "
            "other headings as the bank writes them, or choose the BAI2 file.",
            BAD_FILE,
        )
    for row, cells in rows:
        if any(cell.strip() for cell in cells):
            yield _line(row, cells, places, layout)


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a table, each with the number of its first line."""
    head = "\n".join(text.splitlines()[:SEARCHED])
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=delimiter)
    at = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as wrong:
            raise refuse(at, f"cannot be read: {wrong}") from None
        yield at, cells
        at = reader.line_num + 1


def _line(row: int, cells: list[str], places: dict[str, int], layout: CsvLayout) -> BankLine:
    def cell(heading: str) -> str:
        if not heading:
            return ""
        if places[heading] >= len(cells):
            raise refuse(row, f"ends before its column {heading}")
        return cells[places[heading]].strip()

    amount = _signed(row, layout, cell(layout.amount), cell(layout.credit), cell(layout.debit))
    day = _day(row, cell(layout.date), layout)
    return BankLine(row, "", day, amount, cell(layout.reference), cell(layout.text))


def _signed(row: int, layout: CsvLayout, amount: str, credit: str, debit: str) -> Money:
    if layout.amount:
        return _money(row, layout.amount, amount)
    if bool(credit) == bool(debit):
        which = "both" if credit else "neither"
        raise refuse(row, f"has {which} of {layout.credit} and {layout.debit}")
    if credit:
        return _money(row, layout.credit, credit)
    out = _money(row, layout.debit, debit)
    return out if out < ZERO else -out


def _money(row: int, heading: str, written: str) -> Money:
    try:
        return Money.parse(written.removeprefix("+"))
    except ValueError:
        raise refuse(
            row, f"has no amount such as 27.35 in {heading} but {written[:20]!r}"
        ) from None


def _day(row: int, written: str, layout: CsvLayout) -> date:
    found = _DAYS[layout.days].fullmatch(written)
    try:
        if found:
            year = int(found["year"])
            return date(year + 2000 if year < 100 else year, int(found["month"]), int(found["day"]))
    except ValueError:
        pass  # such as February 30: said below
    raise refuse(row, f"has no day ({layout.days}) in {layout.date} but {written[:20]!r}")
