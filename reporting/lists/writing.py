"""Rows written into files for people: CSV and Excel, in which nothing is taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Sequence
from itertools import chain, count, islice
from typing import Any, NamedTuple, TextIO

from domain.words import Worded

Row = dict[str, Any]
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
MOST_ROWS = 1_000_000  # of a sheet
AMOUNTS = frozenset({"amount", "amount_due", "balance", "maximum", "at_stake"})


def write_csv(headings: Sequence[str], rows: Iterable[Row], out: TextIO) -> None:
    """Write CSV as RFC 4180 has it, into an open file."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(headings)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in headings])


def to_xlsx(
    headings: Sequence[str],
    rows: Iterable[Row],
    title: str,
    *,
    most: int = MOST_ROWS,
    amounts: Collection[str] = (),
) -> bytes:
    """
    Return an Excel file to sort and filter; what looks like a formula stays text.

    `amounts` are the headings of money: it is written as numbers, so that it can be added up.

    Excel takes a million rows a sheet and passes over the others in silence: after `most` rows
    another sheet begins, with the headings again.
    """
    import xlsxwriter

    money = AMOUNTS.union(amounts)
    content = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    with xlsxwriter.Workbook(content, options) as book:
        formats = _Formats(
            book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
        )
        left = iter(rows)
        for number in count(1):
            first = list(islice(left, 1))
            if number > 1 and not first:
                break
            name = title[:31] if number == 1 else f"{title[:26]} {number}"
            part = chain(first, islice(left, most - 1))
            _write_sheet(book.add_worksheet(name), headings, part, formats, money)
    return content.getvalue()


class _Formats(NamedTuple):
    bold: Any
    amount: Any


def _write_sheet(
    sheet: Any,
    headings: Sequence[str],
    rows: Iterable[Row],
    formats: _Formats,
    amounts: Collection[str],
) -> None:
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, headings, formats.bold)
    last = 0
    for last, row in enumerate(rows, start=1):
        cells = [(row[name], name in amounts) for name in headings]
        _write_cells(sheet, last, cells, formats.amount)
    sheet.autofilter(0, 0, last, len(headings) - 1)
    sheet.autofit()


def to_text(value: Any) -> str:
    """Write a value as a person reads it: yes and no for flags, nothing for nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Worded):
        return value.words
    return ";".join(value) if isinstance(value, list) else str(value)


def is_number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdigit() and text.count(".") <= 1


def _cell(value: Any) -> str:
    """Keep a spreadsheet from taking text for a formula; negative amounts stay numbers."""
    text = to_text(value)
    return f"'{text}" if text.startswith(FORMULA_SIGNS) and not is_number(text) else text


def _write_cells(sheet: Any, line: int, cells: list[tuple[Any, bool]], amount: Any) -> None:
    for column, (value, is_amount) in enumerate(cells):
        if is_amount and value is not None:
            sheet.write_number(line, column, float(value), amount)  # Excel has no other numbers
        elif isinstance(value, int | float) and not isinstance(value, bool):
            sheet.write_number(line, column, value)
        else:
            sheet.write_string(line, column, to_text(value))
