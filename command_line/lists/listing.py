"""`billclose list`: what the office has, filtered, on the screen or in a file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import sqlalchemy as sa

from command_line.lists.catalog import LISTS
from command_line.options import as_of_option, open_office
from command_line.tables import write_csv, write_json, write_table, write_xlsx
from database.tables import check_finding
from database.types import Cents
from domain.accounts import account_key
from domain.dates import parse_date
from domain.failures import Misuse
from domain.money import Money

if TYPE_CHECKING:
    from office.equipment.office import Office


NOT_BEFORE_THE_CLOSE = ("bills",)


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
        select = select.where(sa.column("period").in_(_closed_runs()))
    with office.database.reading() as books:
        result = books.execution_options(yield_per=2_000).execute(select)
        headings = _headings(result)
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


def _closed_runs() -> sa.Select[Any]:
    from database.tables import period_close

    return sa.select(period_close.c.run)


def _filtered(office: Office, what: str, where: tuple[str, ...]) -> sa.Select[Any]:
    """Put the conditions around a list, so that they hold of the columns as they are shown."""
    shown = _selected(office, what).subquery()
    filtered = sa.select(shown)
    for condition in where:
        name, separator, value = condition.partition("=")
        if not separator or name.startswith("_") or name not in shown.c:
            known = ", ".join(column.name for column in shown.c if column.name[0] != "_")
            raise Misuse(f"--where {condition}: write COLUMN=VALUE with one of {known}.")
        filtered = filtered.where(_matches(shown, name, value))
    return filtered.order_by(*(shown.c[name] for name in LISTS[what].order))


def _selected(office: Office, what: str) -> sa.Select[Any]:
    if what != "exceptions":
        return LISTS[what].select()
    from office.procedures.exceptions import select_exceptions

    return select_exceptions(office)


def _matches(shown: sa.Subquery, name: str, value: str) -> sa.ColumnElement[bool]:
    """Compare as people mean it: accounts without dashes, money and dates by value."""
    column = shown.c[name]
    if name == "account" and "_account_key" in shown.c:
        return shown.c._account_key == account_key(value)
    try:
        if isinstance(column.type, Cents):
            return column == Money.parse(value)
        if isinstance(column.type, sa.Boolean):
            return column.is_(_to_flag(value))
        if isinstance(column.type, sa.Date):
            return column == parse_date(value)
        if isinstance(column.type, sa.Integer):
            return column == int(value)
    except ValueError:
        raise Misuse(f"--where {name}={value}: {value!r} is no value of {name}.") from None
    return sa.func.lower(sa.cast(column, sa.String)) == value.lower()


def _to_flag(value: str) -> bool:
    if value.lower() in ("true", "yes", "y", "1"):
        return True
    if value.lower() in ("false", "no", "n", "0"):
        return False
    raise ValueError(value)


def shown_rows(result: sa.CursorResult[Any]) -> Iterator[dict[str, Any]]:
    """Yield rows as programs and people read them, without the columns that only sort."""
    headings = _headings(result)
    for row in result.mappings():
        yield {name: _to_plain(row[name]) for name in headings}


def _headings(result: sa.CursorResult[Any]) -> list[str]:
    return [name for name in list(result.keys()) if not name.startswith("_")]


def _to_plain(value: Any) -> Any:
    """Write money as a decimal string and dates as ISO; flags and counts stay what they are."""
    if isinstance(value, Money):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, StrEnum) else value


def _with_accounts(books: Any, rows: Iterator[dict[str, Any]], what: str) -> Any:
    """Give each check the numbers of the accounts that failed it."""
    if what != "checks":
        return rows
    found: dict[tuple[str, str], list[str]] = {}
    for run, name, number in books.execute(
        sa.select(check_finding.c.run, check_finding.c.check_name, check_finding.c.account)
        .where(check_finding.c.account != "")
        .order_by(check_finding.c.run, check_finding.c.check_name, check_finding.c.line)
    ):
        found.setdefault((run, name), []).append(number)
    return (
        row | {"accounts": list(dict.fromkeys(found.get((row["period"], row["check"]), [])))}
        for row in list(rows)
    )
