"""`billclose calendar`: a year of closes, due dates, draws and reminders."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from command_line.options import DONE, as_of_option, json_option, open_office
from domain.failures import Misuse

if TYPE_CHECKING:
    from office.equipment.office import Office
    from reporting.documents.year_calendar import YearCalendar


FILE = click.Path(path_type=Path, dir_okay=False)
FIRST, LAST = 2000, 2100


@click.command()
@click.argument("year", type=int)
@click.option("--due-day", type=click.IntRange(1, 31), help="Day by which bills are due.")
@click.option(
    "--days-prior", type=click.IntRange(0, 60), multiple=True, help="Draw days, for those in use."
)
@click.option("--html", "html_file", type=FILE, metavar="FILE", help="Write a page to print.")
@click.option("--ics", "ics_file", type=FILE, metavar="FILE", help="Write it for a calendar.")
@as_of_option
@json_option
@click.pass_obj
def calendar(
    home: Path,
    year: int,
    due_day: int | None,
    days_prior: tuple[int, ...],
    html_file: Path | None,
    ics_file: Path | None,
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Show the office's YEAR: closes, due dates, draws, reminders, and what clashes.

    Holidays of the office and of the banks are looked at; the due day and the draw days are those
    of the books where none are given.
    """
    if not FIRST <= year <= LAST:
        raise Misuse(f"YEAR must lie between {FIRST} and {LAST}.")
    from reporting.documents.year_calendar import to_figures, to_lines

    office = open_office(home, as_of)
    made = _plan(office, year, due_day or 0, days_prior)
    if html_file is not None:
        _write(html_file, _page(office, made))
    if ics_file is not None:
        _write(ics_file, _ics(office, made))
    if as_json:
        click.echo(json.dumps(to_figures(made), indent=1))
    else:
        click.echo("\n".join(to_lines(made)))
    return DONE


def _plan(office: Office, year: int, due_day: int, days_prior: tuple[int, ...]) -> YearCalendar:
    from mail.rendering.alerts import newest_utility
    from office.procedures.closing.year_plan import year_plan_of
    from reporting.documents.year_calendar import YearCalendar
    from rules.year_calendar import plan_year

    plan = year_plan_of(office, due_day, days_prior)
    utility, timezone = newest_utility(office.database)
    return YearCalendar(
        year,
        timezone,
        utility,
        office.reminders_plan.at,
        plan,
        plan_year(year, plan),
        office.office_days,
        office.bank_days,
    )


def _page(office: Office, made: YearCalendar) -> bytes:
    from reporting.documents.year_calendar import render_year

    page = render_year(made, written_at=office.due_now(), version=office.version)
    return page.encode("utf-8")


def _ics(office: Office, made: YearCalendar) -> bytes:
    from reporting.documents.year_calendar import to_ics

    return to_ics(made, written_at=office.due_now(), domain=office.message_domain)


def _write(file: Path, content: bytes) -> None:
    from reporting.private_files import replacing

    with replacing(file) as out:
        out.write(content)
