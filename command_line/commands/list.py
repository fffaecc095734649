"""`billclose list`: what the office has, filtered, on the screen or in a file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import sqlalchemy as sa

from command_line.options import as_of_option, open_office
from command_line.tables import write_csv, write_json, write_table, write_xlsx
from domain.failures import Misuse
from office.procedures.lists import select_list
from reporting.lists.catalog import LISTS
from reporting.lists.reading import (
    NOT_BEFORE_THE_CLOSE,
    accounts_of_checks,
    closed_periods,
    column_names,
    equals,
    headings_of,
    shown_rows,
)

if TYPE_CHECKING:
    from office.equipment.office import Office


@click.command(name="list")
@click.argument("what", type=click.Choice(list(LISTS)))
@click.option("--where", multiple=True, metavar="COLUMN=VALUE", help="Only rows where it holds.")
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
    staged: bool,
    as_json: bool,
    csv_file: str | None,
    xlsx_file: Path | None,
    as_of: datetime | None,
) -> int:
    """List bills, deliveries, payments, checks and more; an export holds just the rows shown."""
    if sum((as_json, csv_file is not None, xlsx_file is not None)) > 1:
        raise Misuse("Give one of --json, --csv and --xlsx.")
    office = open_office(home, as_of)
    select = _filtered(office, what, where)
    if what in NOT_BEFORE_THE_CLOSE and not staged:
        select = select.where(sa.column("period").in_(closed_periods()))
    with office.database.reading() as books:
        result = books.execution_options(yield_per=2_000).execute(select)
        headings = headings_of(result)
        rows = _with_accounts(books, shown_rows(result), what)
        headings += ["accounts"] if what == "checks" else []
        if as_json:
            write_json(rows)
        elif csv_file is not None:
            write_csv(headings, rows, csv_file)
        elif xlsx_file is not None:
            write_xlsx(headings, rows, xlsx_file, what)
        else:
            write_table(headings, rows)
    return 0


def _filtered(office: Office, what: str, where: tuple[str, ...]) -> sa.Select[Any]:
    """Put the conditions around a list, so that they hold of the columns as they are shown."""
    shown = select_list(office, what).subquery()
    filtered = sa.select(shown)
    for condition in where:
        name, separator, value = condition.partition("=")
        if not separator or name not in column_names(shown):
            known = ", ".join(column_names(shown))
            raise Misuse(f"--where {condition}: write COLUMN=VALUE with one of {known}.")
        filtered = filtered.where(equals(shown, name, value))
    return filtered.order_by(*(shown.c[name] for name in LISTS[what].order))


def _with_accounts(books: Any, rows: Any, what: str) -> Any:
    """Give each check the numbers of the accounts that failed it."""
    if what != "checks":
        return rows
    found = accounts_of_checks(books)
    return (row | {"accounts": found.get((row["period"], row["check"]), [])} for row in list(rows))
