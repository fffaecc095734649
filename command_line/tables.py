"""Rows written for people and programs: a table, JSON, CSV, Excel."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import click

from domain.words import say_count

Row = dict[str, Any]
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
WIDEST = 72  # characters a column takes on the screen


def write_json(rows: Iterable[Row]) -> None:
    """Print a list of objects, one a line, without holding them all."""
    sys.stdout.write("[")
    separator = "\n"
    for row in rows:
        sys.stdout.write(separator + json.dumps(row, ensure_ascii=False))
        separator = ",\n"
    sys.stdout.write("\n]\n" if separator != "\n" else "]\n")


def write_csv(headings: Sequence[str], rows: Iterable[Row], file: str) -> None:
    """Print CSV, or write it into a private file."""
    if file == "-":
        _write_csv(headings, rows, sys.stdout)
        return
    with open(file, "w", encoding="utf-8", newline="", opener=_private) as out:
        _write_csv(headings, rows, out)


def write_xlsx(headings: Sequence[str], rows: Iterable[Row], file: Path, title: str) -> None:
    """Write an Excel file a person can sort and filter; what looks like a formula stays text."""
    import xlsxwriter

    content = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    with xlsxwriter.Workbook(content, options) as book:
        sheet = book.add_worksheet(title[:31])
        bold = book.add_format({"bold": True})
        amount = book.add_format({"num_format": "#,##0.00"})
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, headings, bold)
        last = 0
        for last, row in enumerate(rows, start=1):
            _write_cells(sheet, last, [row[name] for name in headings], headings, amount)
        sheet.autofilter(0, 0, last, len(headings) - 1)
        sheet.autofit()
    with open(file, "wb", opener=_private) as out:
        out.write(content.getvalue())


def write_table(headings: Sequence[str], rows: Iterable[Row]) -> None:
    """Print columns that line up; how many rows there were goes to standard error."""
    shown = [[_short(_text(row[name])) for name in headings] for row in rows]
    widths = [max([len(name), *(len(row[i]) for row in shown)]) for i, name in enumerate(headings)]
    for cells in _lines(headings, shown, widths):
        click.echo(cells)
    click.echo(say_count(len(shown), "row"), err=True)


def _short(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _lines(headings: Sequence[str], shown: list[list[str]], widths: list[int]) -> Iterator[str]:
    yield "  ".join(
        name.ljust(width) for name, width in zip(headings, widths, strict=True)
    ).rstrip()
    for row in shown:
        yield "  ".join(
            cell.rjust(width) if _is_number(cell) else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ).rstrip()


def _write_csv(headings: Sequence[str], rows: Iterable[Row], out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(headings)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in headings])


def _cell(value: Any) -> str:
    """Keep a spreadsheet from taking text for a formula; negative amounts stay numbers."""
    text = _text(value)
    return f"'{text}" if text.startswith(FORMULA_SIGNS) and not _is_number(text) else text


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ";".join(value) if isinstance(value, list) else str(value)


def _is_number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdigit() and text.count(".") <= 1


AMOUNTS = frozenset({"amount", "amount_due"})


def _write_cells(
    sheet: Any, line: int, values: list[Any], headings: Sequence[str], amount: Any
) -> None:
    for column, (name, value) in enumerate(zip(headings, values, strict=True)):
        if name in AMOUNTS and value is not None:
            sheet.write_number(line, column, float(value), amount)  # Excel has no other numbers
        elif isinstance(value, int) and not isinstance(value, bool):
            sheet.write_number(line, column, value)
        else:
            sheet.write_string(line, column, _text(value))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
