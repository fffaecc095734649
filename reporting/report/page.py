"""The report of a close as one HTML file: read in a minute, kept for years."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from database.queries.export_notes import note_lines
from domain.checks import CheckResult, CheckStatus
from domain.words import say_count
from reporting.private_files import replacing
from reporting.report.charts import draw_bars, draw_months, draw_shares, draw_swatch, list_shares
from reporting.report.verdict import give_verdict, list_key_figures
from reporting.run_sheet.control_totals import list_control_totals, list_equations
from reporting.run_sheet.exceptions import SHOWN, ExceptionRow, group_exceptions
from reporting.run_sheet.judged_figures import JudgedFigure
from reporting.run_sheet.run_sheet import RunSheet
from reporting.wording import (
    capitalize,
    say_day,
    say_days,
    say_figure,
    say_moment,
    say_reasons,
    say_seconds,
    with_commands,
    without_addresses,
)

_TEMPLATES = Path(__file__).parent / "templates"


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Return the templates: all text is escaped, a variable that does not exist is an error."""
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {
        "capitalized": capitalize,
        "css_string": _css_string,
        "day": say_day,
        "figure": say_figure,
        "moment": say_moment,
        "reasons": say_reasons,
        "took": say_seconds,
        "plain_figure": _plain_figure,
        "swatch": draw_swatch,
        "with_commands": with_commands,
        "without_addresses": without_addresses,
    }
    made.filters.update(filters)
    made.globals.update(draw_months=draw_months)
    made.globals.update(note_lines=note_lines, say_count=say_count, say_days=say_days)
    return made


def _plain_figure(figure: JudgedFigure, name: str) -> str:
    """Write a figure's value as its kind has it: lines, dollars or a share."""
    value: float | None = getattr(figure, name)
    if value is None:
        return "–"
    if figure.figure == "lines":
        return f"{value:,.0f}"
    return f"{value:.2%}" if figure.figure in ("share", "same") else f"${value:,.2f}"


def _css_string(text: str) -> str:
    """Write a text so that it cannot leave a CSS string or its style element."""
    short = text if len(text) <= 60 else f"{text[:59]}…"
    return "".join(
        char if char.isascii() and char.isalnum() else f"\\{_code_point(char):06x}"
        for char in short
    )


def _code_point(char: str) -> int:
    """Return what CSS may name: a zero or half a surrogate pair is no character there."""
    point = ord(char)
    return 0xFFFD if point == 0 or 0xD800 <= point <= 0xDFFF else point


_STATUSES = (CheckStatus.FAILED, CheckStatus.WAIVED, CheckStatus.WARNED, CheckStatus.PASSED)


def render_page(
    sheet: RunSheet,
    exceptions: Iterable[ExceptionRow],
    *,
    written_at: datetime,
    version: str,
    rehearsal: bool = False,
    refusal: str = "",
) -> str:
    """
    Return the report as HTML that needs no other file, the same for the same input.

    `refusal` is the sentence of a guard that refused before the checks ran, which the books do not
    keep. Whatever the page says in local time is the utility's. Raises ValueError for a
    `written_at` without a time zone.
    """
    groups = group_exceptions(sheet, exceptions)
    found = sum(len(group.findings) for group in groups)
    shares = list_shares(sheet)
    return (
        environment()
        .get_template("page.html")
        .render(
            sheet=sheet,
            is_over=sheet.is_closed and not rehearsal,
            groups=groups,
            shown=SHOWN,
            verdict=give_verdict(sheet, found, rehearsal=rehearsal, refusal=refusal),
            figures=list_key_figures(sheet, groups, rehearsal=rehearsal),
            totals=list_control_totals(sheet),
            equations=list_equations(sheet),
            checks=sorted(sheet.checks, key=_rank),
            shares=shares,
            shares_chart=draw_shares(shares),
            durations=draw_bars(sheet.seconds),
            draw_bars=draw_bars({day.pay_on.isoformat(): day.amount.cents for day in sheet.draws}),
            written_at=written_at,
            version=version,
        )
    )


def write_page(
    path: Path,
    sheet: RunSheet,
    exceptions: Iterable[ExceptionRow],
    *,
    written_at: datetime,
    version: str,
    rehearsal: bool = False,
    refusal: str = "",
) -> Path:
    """
    Write the report for its owner's eyes alone; a reader sees the old one or the new one, whole.

    Folders that are missing are made, for the owner alone too.
    """
    page = render_page(
        sheet,
        exceptions,
        written_at=written_at,
        version=version,
        rehearsal=rehearsal,
        refusal=refusal,
    )
    _make_folder(path.parent)
    with replacing(path) as file:
        file.write(page.encode("utf-8", errors="replace"))
    return path


def _make_folder(folder: Path) -> None:
    """Make a folder and its parents; `mkdir(parents=True)` leaves the parents open to all."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


def _rank(result: CheckResult) -> int:
    """Put what failed before what passed; the catalog's order stays within."""
    return _STATUSES.index(result.status)
