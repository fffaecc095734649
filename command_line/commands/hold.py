"""`billclose hold`: no past-due mails for an account or a group, until a day, for a reason."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.options import as_of_option, json_option, open_office, say_done
from domain.failures import Misuse

if TYPE_CHECKING:
    from mail.reminders.holds import Hold, HoldTarget


reason_option = click.option("--reason", default="", metavar="TEXT", help="Why; audited.")


class Holds(click.Group):
    """Takes `hold ACCOUNT …` for `hold place ACCOUNT …`: what is no command is an account."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        known = (*self.commands, "--help", "-h")
        if args and args[0] not in known:
            args = ["place", *args]
        return super().parse_args(ctx, args)


@click.group(cls=Holds)
def hold() -> None:
    """Keep past-due mails from an account or a group for a while.

    `hold ACCOUNT --until DATE --reason TEXT` places one, `hold list` shows them, `hold lift NUMBER
    --reason TEXT` ends one early. What it kept back is sent afterwards where that still makes
    sense.
    """


@hold.command()
@click.argument("account", default="")
@click.option("--where", default="", metavar="COLUMN=VALUE", help="A group, such as city=Larkspur.")
@click.option("--until", default="", metavar="DATE", help="The last day that it holds.")
@reason_option
@as_of_option
@json_option
@click.pass_obj
def place(
    home: Path,
    account: str,
    where: str,
    until: str,
    reason: str,
    as_of: datetime | None,
    as_json: bool,
) -> None:
    """Place a hold on ACCOUNT, or on all accounts with a value in a column."""
    from mail.reminders.holds import place_hold

    wanted, last_day = _wanted(account, where), _day(until)
    office = open_office(home, as_of)
    placed = place_hold(
        office.database,
        wanted,
        until=last_day,
        reason=reason,
        now=office.due_now(),
        today=office.local_today(),
        who=office.who,
    )
    if as_json:
        click.echo(json.dumps({"status": "placed", **_figures(placed, "in-force")}, indent=1))
        return
    click.echo(
        f"Hold {placed.number}: no past-due mail for {placed.subject} until {placed.until}. "
        f"To end it: {office.command} hold lift {placed.number} --reason TEXT"
    )


@hold.command(name="list")
@as_of_option
@json_option
@click.pass_obj
def list_placed(home: Path, as_of: datetime | None, as_json: bool) -> None:
    """List the holds, those that are over too."""
    from command_line.tables import write_table
    from mail.reminders.holds import count_held, list_holds

    office = open_office(home, as_of)
    today = office.local_today()
    with office.database.reading() as books:
        rows = [
            _figures(one, _standing(one, today)) | {"accounts": count_held(books, one)}
            for one in list_holds(books)
        ]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
    elif rows:
        write_table(list(rows[0]), rows)
    else:
        click.echo("There is no hold.")


@hold.command()
@click.argument("number", type=int)
@reason_option
@as_of_option
@json_option
@click.pass_obj
def lift(home: Path, number: int, reason: str, as_of: datetime | None, as_json: bool) -> None:
    """End hold NUMBER now."""
    from mail.reminders.holds import lift_hold

    office = open_office(home, as_of)
    lifted = lift_hold(
        office.database,
        number,
        reason,
        now=office.due_now(),
        today=office.local_today(),
        who=office.who,
    )
    say_done(
        as_json,
        {"status": "lifted", **_figures(lifted, "lifted")},
        f"Hold {number} on {lifted.subject} is lifted; the next `remind` catches up.",
    )


def _wanted(account: str, where: str) -> HoldTarget:
    from mail.reminders.holds import HoldTarget

    if bool(account) == bool(where):
        raise Misuse("Give either an account or --where COLUMN=VALUE.")
    if account:
        return HoldTarget(account=account)
    column, separator, value = where.partition("=")
    if not separator or not value.strip():
        raise Misuse(f"--where {where}: write COLUMN=VALUE.")
    return HoldTarget(column=column.strip(), value=value)


def _day(text: str) -> date:
    from domain.dates import parse_date

    try:
        return parse_date(text)
    except ValueError:
        raise Misuse(f"--until {text!r} is no day such as 2026-12-01.") from None


def _standing(one: Hold, today: date) -> str:
    if one.lifted_at is not None:
        return "lifted"
    return "in-force" if one.is_in_force(today) else "over"


def _figures(one: Hold, standing: str) -> dict[str, Any]:
    return {
        "hold": one.number,
        "of": one.subject,
        "until": one.until.isoformat(),
        "standing": standing,
        "reason": one.reason,
        "placed_by": one.placed_by,
    }
