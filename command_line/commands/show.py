"""`billclose show`: everything that stands about an account."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from command_line.options import DONE, as_of_option, json_option, open_office

if TYPE_CHECKING:
    from office.lookup.showing import AccountFile

MOST_ROWS = 12  # of each part on the screen, the newest


@click.command()
@click.argument("account")
@click.option("--all", "everything", is_flag=True, help="Every row, not the newest alone.")
@as_of_option
@json_option
@click.pass_obj
def show(home: Path, account: str, everything: bool, as_of: datetime | None, as_json: bool) -> int:
    """Show everything that stands about ACCOUNT.

    Bill, balance with its entries, links, payment methods, autopay, payments, mails, paper,
    exceptions, changes, holds, activity.
    """
    from database.runs import newest_timezone
    from office.lookup.showing import show_account

    office = open_office(home, as_of)
    zone = None if as_json else ZoneInfo(newest_timezone(office.database))
    found = show_account(office, account, zone)
    if as_json:
        click.echo(json.dumps({**found.about, **found.parts}, indent=1, ensure_ascii=False))
    else:
        _show(found, None if everything else MOST_ROWS)
    return DONE


def _show(found: AccountFile, most: int | None) -> None:
    from command_line.tables import write_rows
    from reporting.lists.writing import to_text

    for name, value in found.about.items():
        if value not in (None, ""):
            click.echo(f"{name.replace('_', ' '):18} {to_text(value)}")
    for name, rows in found.parts.items():
        if not rows:
            continue
        click.echo(f"\n{name.replace('-', ' ').upper()}")
        names = [
            column
            for column in rows[0]
            if column not in ("account", "name")
            and any(row[column] not in (None, "") for row in rows)
        ]
        write_rows(names, rows[:most])
        if most is not None and len(rows) > most:
            click.echo(f"… and {len(rows) - most} more; --all shows them")
    empty = [name.replace("-", " ") for name, rows in found.parts.items() if not rows]
    if empty:
        click.echo(f"\nNone: {', '.join(empty)}.")
