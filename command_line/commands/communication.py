"""`billclose communication`: what is posted for customers, mass mails, and who wants none."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.commands.mass_mail import send
from command_line.options import (
    as_of_option,
    json_option,
    open_office,
    reason_option,
    say_done,
)
from domain.failures import Misuse

if TYPE_CHECKING:
    from office.equipment.office import Office


@click.command()
@click.argument("who", metavar="TOKEN-or-ADDRESS")
@as_of_option
@json_option
@click.pass_obj
def unsubscribe(home: Path, who: str, as_of: datetime | None, as_json: bool) -> None:
    """Send no communications any more to an address, or to whom a link's token was made for.

    Bills, reminders, receipts and alerts go on.
    """
    from mail.recipients.unsubscribed import (
        Unsubscription,
        record_unsubscription,
        unsubscribe_address,
    )

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
    told = f"The address gets no communications any more{again}; its bills go on."
    say_done(as_json, {"before": done is Unsubscription.BEFORE}, told)


@click.command()
@click.argument("address")
@reason_option
@as_of_option
@json_option
@click.pass_obj
def resubscribe(
    home: Path, address: str, reason: str, as_of: datetime | None, as_json: bool
) -> None:
    """Send communications to ADDRESS again, because its owner wants them."""
    from mail.recipients.unsubscribed import resubscribe as subscribe_again

    office = open_office(home, as_of)
    subscribe_again(office.database, address, reason, now=office.moment(), who=office.who)
    say_done(as_json, {}, "The address gets communications again.")


title_option = click.option("--title", metavar="TEXT", help="What customers see.")
expires_option = click.option("--expires", metavar="DATE", help="The last day it is shown.")
link_option = click.option("--link", metavar="URL", help="Where it is read, if not on the portal.")


@click.group()
def communication() -> None:
    """Post newsletters and the like, mail to many customers, keep who wants no such mail."""


for further in (send, unsubscribe, resubscribe):
    communication.add_command(further)


@communication.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.pdf")
@title_option
@expires_option
@link_option
@as_of_option
@json_option
@click.pass_obj
def add(
    home: Path,
    file: Path,
    title: str | None,
    expires: str | None,
    link: str | None,
    as_of: datetime | None,
    as_json: bool,
) -> None:
    """Post FILE.pdf; it is the latest communication from now on. Running again changes nothing."""
    from mail.communications.posted import Details, add_communication
    from office.procedures.mailing.communications import read_pdf
    from office.procedures.mailing.posting import read_last_day, read_link, read_title

    if title is None:
        raise Misuse("--title TEXT is needed: customers see it.")
    office = open_office(home, as_of)
    details = Details(
        read_title(title),
        read_link(link or ""),
        read_last_day(expires or "", office.local_today()),
    )
    added = add_communication(
        office.database,
        office.store,
        read_pdf(office, file),
        details,
        now=office.moment(),
        who=office.who,
    )
    if as_json:
        click.echo(json.dumps({"status": "done", "number": added.number, "new": added.is_new}))
    else:
        click.echo(f"Communication {added.number} is {'posted' if added.is_new else 'there'}.")


@communication.command(name="list")
@json_option
@as_of_option
@click.pass_obj
def list_communications(home: Path, as_json: bool, as_of: datetime | None) -> None:
    """List what is posted: which is live today, and which one mails link to."""
    from command_line.tables import write_table

    rows = _rows(open_office(home, as_of))
    if as_json:
        click.echo(json.dumps({"communications": rows}, indent=1))
    elif rows:
        write_table(list(rows[0]), rows)
    else:
        click.echo("Nothing is posted.")


@communication.command()
@click.argument("number", type=int)
@title_option
@click.option("--expires", metavar="DATE", help="The last day it is shown, or `never`.")
@link_option
@as_of_option
@json_option
@click.pass_obj
def change(
    home: Path,
    number: int,
    title: str | None,
    expires: str | None,
    link: str | None,
    as_of: datetime | None,
    as_json: bool,
) -> None:
    """Give communication NUMBER another title, last day or address."""
    from mail.communications.posted import change_communication
    from office.procedures.mailing.posting import read_last_day, read_link, read_title

    office = open_office(home, as_of)
    changes: dict[str, Any] = {}
    today = office.local_today()
    if title is not None:
        changes["title"] = read_title(title)
    if expires is not None:
        changes["expires_on"] = None if expires == "never" else read_last_day(expires, today)
    if link is not None:
        changes["link"] = read_link(link)
    if not changes:
        raise Misuse("Give --title, --expires or --link.")
    change_communication(office.database, number, changes, now=office.moment(), who=office.who)
    say_done(as_json, {"number": number}, f"Communication {number} is changed.")


@communication.command()
@click.argument("number", type=int)
@reason_option
@as_of_option
@json_option
@click.pass_obj
def remove(home: Path, number: int, reason: str, as_of: datetime | None, as_json: bool) -> None:
    """Show communication NUMBER no more; mails link to the one before it, if that is live."""
    from mail.communications.posted import remove_communication

    office = open_office(home, as_of)
    remove_communication(office.database, number, reason, now=office.moment(), who=office.who)
    say_done(as_json, {"number": number}, f"Communication {number} is removed.")


def _rows(office: Office) -> list[dict[str, Any]]:
    from mail.communications.posted import read_posted
    from office.equipment.mail import communication_address
    from rules.mail.communications import choose_latest

    today = office.local_today()
    posted = read_posted(office.database, communication_address(office.settings))
    latest = choose_latest(posted, today)
    return [
        {
            "number": one.number,
            "title": one.title,
            "expires": one.expires_on.isoformat() if one.expires_on else None,
            "live": one.is_live(today),
            "latest": one == latest,
            "link": one.link,
        }
        for one in posted
    ]
