"""`billclose find`: an account by whatever the caller knows."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from command_line.options import DONE, as_of_option, json_option, open_office


@click.command()
@click.argument("text", nargs=-1, required=True)
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="The most accounts."
)
@as_of_option
@json_option
@click.pass_obj
def find(
    home: Path, text: tuple[str, ...], limit: int, as_of: datetime | None, as_json: bool
) -> int:
    """Find accounts by number, name, address, e-mail, phone, meter, confirmation or last 4.

    A part is enough, but for the last 4 of a card or bank account; of a meter's number it has
    three letters and digits at least, and no word beside it. An account number counts with or
    without dashes, a phone by its digits, a name without accents. Of several words each must be
    found.
    """
    from command_line.tables import write_json, write_table
    from domain.words import say_count
    from office.lookup.finding import find_accounts, find_undone, to_row

    office = open_office(home, as_of)
    with office.database.reading() as books:
        found = find_accounts(books, " ".join(text), most=limit)
        undone = () if found.accounts else find_undone(books, found.text)
    rows = [to_row(one) for one in found.accounts]
    if as_json:
        write_json(rows)
    elif rows:
        write_table(list(rows[0]), rows)
    elif not undone:
        click.echo(f"Nothing has {found.text!r} in it.", err=True)
    for account, period in undone:
        click.echo(
            f"{account} is of {period} alone, whose close was taken back; "
            f"`billclose why {account}` tells what became of it.",
            err=True,
        )
    if found.total > len(rows):
        more = say_count(found.total, "account")
        click.echo(f"{more} found; type more, or --limit {found.total} shows all.", err=True)
    return DONE
