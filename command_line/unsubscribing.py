"""`billclose communication unsubscribe` and `resubscribe`: who wants no mass mails."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from command_line.opening import as_of_option, open_office, reason_option
from domain.failures import Misuse


@click.command()
@click.argument("who", metavar="TOKEN-or-ADDRESS")
@as_of_option
@click.pass_obj
def unsubscribe(home: Path, who: str, as_of: datetime | None) -> None:
    """Send no communications any more to an address, or to whom a link's token was made for.

    Bills, reminders, receipts and alerts go on.
    """
    from mail.unsubscriptions import Unsubscription, record_unsubscription, unsubscribe_address

    office = open_office(home, as_of)
    now = office.moment()
    if "@" in who:
        done = unsubscribe_address(office.database, who, now=now, who=office.who)
    else:
        done = record_unsubscription(
            office.database, who, unsubscribing=office.unsubscribing, now=now, who=office.who
        )
    if done is Unsubscription.UNKNOWN:
        raise Misuse("This token is nobody's; give the whole token, or the address itself.")
    again = " (it was before)" if done is Unsubscription.BEFORE else ""
    click.echo(f"The address gets no communications any more{again}; its bills go on.")


@click.command()
@click.argument("address")
@reason_option
@as_of_option
@click.pass_obj
def resubscribe(home: Path, address: str, reason: str, as_of: datetime | None) -> None:
    """Send communications to ADDRESS again, because its owner wants them."""
    from mail.unsubscriptions import resubscribe as subscribe_again

    office = open_office(home, as_of)
    subscribe_again(office.database, address, reason, now=office.moment(), who=office.who)
    click.echo("The address gets communications again.")
