"""Rows for the screen and for files: a table, JSON, CSV, Excel."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from domain.words import say_count
from reporting.lists import writing
from reporting.lists.writing import is_number, to_text, to_xlsx

Row = dict[str, Any]
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
        writing.write_csv(headings, rows, sys.stdout)
        return
    with open(file, "w", encoding="utf-8", newline="", opener=_private) as out:
        writing.write_csv(headings, rows, out)


def write_xlsx(
    headings: Sequence[str], rows: Iterable[Row], file: Path, title: str, amounts: Collection[str]
) -> None:
    """Write a private Excel file; `amounts` are the headings of money."""
    content = to_xlsx(headings, rows, title, amounts=amounts)
    with open(file, "wb", opener=_private) as out:
        out.write(content)


def write_table(headings: Sequence[str], rows: Iterable[Row]) -> None:
    """Print columns that line up; how many rows there were goes to standard error."""
    click.echo(say_count(write_rows(headings, rows), "row"), err=True)


def write_rows(headings: Sequence[str], rows: Iterable[Row]) -> int:
    """Print columns that line up; return how many rows there were."""
    shown = [[_short(to_text(row[name])) for name in headings] for row in rows]
    widths = [max([len(name), *(len(row[i]) for row in shown)]) for i, name in enumerate(headings)]
    for cells in _lines(headings, shown, widths):
        click.echo(cells)
    return len(shown)


def _short(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _lines(headings: Sequence[str], shown: list[list[str]], widths: list[int]) -> Iterator[str]:
    yield "  ".join(
        name.ljust(width) for name, width in zip(headings, widths, strict=True)
    ).rstrip()
    for row in shown:
        yield "  ".join(
            cell.rjust(width) if is_number(cell) else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ).rstrip()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
