"""`billclose list`: what the office has, filtered, on the screen or in a file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click
import sqlalchemy as sa

from command_line.options import DONE, as_of_option, open_office
from command_line.tables import write_csv, write_json, write_table, write_xlsx
from database.runs import newest_timezone
from domain.failures import Misuse
from office.procedures.lists import select_list
from reporting.lists.asking import ListRequest, amount_names, chosen_columns, narrowed
from reporting.lists.catalog import LISTS
from reporting.lists.reading import (
    NOT_BEFORE_THE_CLOSE,
    accounts_of_checks,
    closed_periods,
    headings_of,
    shown_rows,
)
from reporting.lists.sentences import SENTENCES

if TYPE_CHECKING:
    from office.equipment.office import Office


class ListCommand(click.Command):
    """Says in its help what each list shows."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        with formatter.section("WHAT is one of"):
            formatter.write_dl([(name, SENTENCES[name]) for name in LISTS])


@click.command(name="list", cls=ListCommand)
@click.argument("what", type=click.Choice(list(LISTS)), metavar="WHAT")
@click.option(
    "--where",
    multiple=True,
    metavar="COLUMN=VALUE",
    help="Only rows where it holds; also !=, <, <=, >, >=, ~ (contains). Repeated: all hold.",
)
@click.option(
    "--sort", multiple=True, metavar="COLUMN", help="Sort by it; -COLUMN for descending. Repeated."
)
@click.option("--descending", is_flag=True, help="Turn the order of --sort around.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="The first N rows alone.")
@click.option(
    "--columns", multiple=True, metavar="A,B,…", help="Just these columns, in this order."
)
@click.option("--staged", is_flag=True, help="Bills: also of periods that are not closed.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option(
    "--csv", "csv_file", is_flag=False, flag_value="-", metavar="[FILE]", help="Print or write CSV."
)
@click.option(
    "--xlsx", "xlsx_file", type=click.Path(path_type=Path), metavar="FILE", help="Write Excel."
)
@as_of_option
@click.pass_obj
def list_what(
    home: Path,
    what: str,
    where: tuple[str, ...],
    sort: tuple[str, ...],
    descending: bool,
    limit: int | None,
    columns: tuple[str, ...],
    staged: bool,
    as_json: bool,
    csv_file: str | None,
    xlsx_file: Path | None,
    as_of: datetime | None,
) -> int:
    """List bills, deliveries, payments, checks and more; an export holds just the rows shown."""
    if sum((as_json, csv_file is not None, xlsx_file is not None)) > 1:
        raise Misuse("Give one of --json, --csv and --xlsx.")
    if descending and not sort:
        raise Misuse("--descending goes with --sort COLUMN.")
    office = open_office(home, as_of)
    request = ListRequest(where, tuple(_turned(sort) if descending else sort), limit, _zone(office))
    select = _asked(office, what, request, staged=staged)
    with office.database.reading() as books:
        result = books.execution_options(yield_per=2_000).execute(select)
        headings = headings_of(result) + (["accounts"] if what == "checks" else [])
        is_for_people = not as_json and csv_file is None and xlsx_file is None
        zone = request.zone if is_for_people else None
        rows = _with_accounts(books, shown_rows(result, zone), what)
        headings = chosen_columns(headings, columns)
        if columns:
            rows = ({name: row[name] for name in headings} for row in rows)
        if as_json:
            write_json(rows)
        elif csv_file is not None:
            write_csv(headings, rows, csv_file)
        elif xlsx_file is not None:
            write_xlsx(headings, rows, xlsx_file, what, amount_names(select.subquery()))
        else:
            write_table(headings, rows)
    return DONE


def _asked(office: Office, what: str, request: ListRequest, *, staged: bool) -> sa.Select[Any]:
    """Select the rows that are asked for; bills of periods that are not closed only by name."""
    listed = select_list(office, what)
    if what in NOT_BEFORE_THE_CLOSE and not staged:
        listed = listed.where(_period_of(listed).in_(closed_periods()))
    return narrowed(listed, LISTS[what].order, request)


def _period_of(listed: sa.Select[Any]) -> sa.ColumnElement[Any]:
    found: sa.ColumnElement[Any] = listed.selected_columns["period"]
    return found


def _turned(sort: tuple[str, ...]) -> Iterator[str]:
    """Turn each column's order around."""
    for name in sort:
        yield name.removeprefix("-") if name.startswith("-") else f"-{name}"


def _zone(office: Office) -> ZoneInfo:
    return ZoneInfo(newest_timezone(office.database))


def _with_accounts(books: Any, rows: Any, what: str) -> Any:
    """Give each check the numbers of the accounts that failed it."""
    if what != "checks":
        return rows
    found = accounts_of_checks(books)
    return (row | {"accounts": found.get((row["period"], row["check"]), [])} for row in list(rows))
