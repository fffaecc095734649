"""`billclose bounces`: suppressed addresses, and bounces that wait for a person."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import sqlalchemy as sa

from command_line.opening import as_of_option, json_option, open_office, reason_option

if TYPE_CHECKING:
    from office.wiring import Office


@click.group()
def bounces() -> None:
    """Show what came back, and write to an address again once it is corrected."""


@bounces.command(name="list")
@json_option
@click.pass_obj
def list_bounces(home: Path, as_json: bool) -> None:
    """List the addresses written to no more, and the bounces that wait for a person."""
    office = open_office(home)
    suppressed = _rows(office, "suppressed-addresses")
    waiting = [row for row in _rows(office, "bounces") if row["waits"]]
    if as_json:
        click.echo(json.dumps({"suppressed": suppressed, "unknown": waiting}, indent=1))
        return
    _show("Addresses that are written to no more:", suppressed)
    _show("Bounces that wait for a person:", waiting)
    if not suppressed and not waiting:
        click.echo("No address is suppressed, and no bounce waits for a person.")


@bounces.command()
@click.argument("address")
@reason_option
@as_of_option
@click.pass_obj
def lift(home: Path, address: str, reason: str, as_of: datetime | None) -> None:
    """Write to ADDRESS again: somebody has corrected it, or the mailbox is back."""
    from mail.suppressing import lift as lift_suppression

    office = open_office(home, as_of)
    account = lift_suppression(
        office.database, address, reason, now=office.moment(), who=office.who
    )
    owner = f" (account {account})" if account else ""
    click.echo(f"The address{owner} is written to again, from the next bill on.")


@bounces.command()
@click.argument("bounce_id")
@click.option("--failed", is_flag=True, help="The mail did not arrive: put its bill on paper.")
@reason_option
@as_of_option
@click.pass_obj
def settle(home: Path, bounce_id: str, failed: bool, reason: str, as_of: datetime | None) -> None:
    """Take a bounce that nobody could judge off the list; its id may be cut short."""
    from mail.settling import settle_bounce

    office = open_office(home, as_of)
    account = settle_bounce(
        office.database,
        bounce_id,
        reason,
        failed=failed,
        now=office.moment(),
        who=office.who,
    )
    owner = f" of account {account}" if account else ""
    what = "counts as failed" if failed else "is settled"
    click.echo(f"The bounce{owner} {what}.")


def _rows(office: Office, name: str) -> list[dict[str, Any]]:
    from command_line.listing import shown_rows
    from command_line.lists import LISTS

    listing = LISTS[name]
    listed = listing.select().subquery()
    ordered = sa.select(listed).order_by(*(listed.c[column] for column in listing.order))
    with office.database.reading() as books:
        return list(shown_rows(books.execute(ordered)))


def _show(heading: str, rows: list[dict[str, Any]]) -> None:
    from command_line.writing import write_table

    if rows:
        click.echo(heading)
        write_table(list(rows[0]), rows)
