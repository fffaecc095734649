"""`billclose staff`: who may sign in to the office's pages, and as what."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from command_line.options import as_of_option, json_option, open_office, say_done
from domain.failures import Misuse
from domain.identity import PortalMail, Role

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from office.equipment.office import Office

role_option = click.option(
    "--role", required=True, type=click.Choice([role.value for role in Role]), help="What they do."
)
print_option = click.option(
    "--print-link", is_flag=True, help="Print the one-time link here instead of mailing it."
)


@click.group()
def staff() -> None:
    """Say who may sign in to the office's pages; `billclose list staff` shows them."""


@staff.command()
@click.argument("mailbox")
@role_option
@print_option
@as_of_option
@json_option
@click.pass_obj
def add(
    home: Path, mailbox: str, role: str, print_link: bool, as_of: datetime | None, as_json: bool
) -> None:
    """Add MAILBOX; a one-time link, good for 72 hours, sets the password."""
    from email_validator import EmailNotValidError, validate_email

    from identity.staff import add_staff

    office = open_office(home, as_of)
    try:
        address = validate_email(mailbox, check_deliverability=False).normalized
    except EmailNotValidError:
        raise Misuse(
            f"{mailbox!r} is no mailbox; write one in the form name@example.com."
        ) from None
    with office.database.writing() as books:
        mail = add_staff(
            books, office.link_tokens, address, Role(role), office.moment(), office.who
        )
        sentence = _bring(office, books, mail, print_link=print_link)
    say_done(as_json, {"link": sentence if print_link else None}, sentence)


@staff.command()
@click.argument("mailbox")
@print_option
@as_of_option
@json_option
@click.pass_obj
def link(home: Path, mailbox: str, print_link: bool, as_of: datetime | None, as_json: bool) -> None:
    """Give MAILBOX another link that sets a password; the phone's code is set up anew, too."""
    from identity.staff import link_again

    office = open_office(home, as_of)
    with office.database.writing() as books:
        mail = link_again(books, office.link_tokens, mailbox, office.moment(), office.who)
        sentence = _bring(office, books, mail, print_link=print_link)
    say_done(as_json, {"link": sentence if print_link else None}, sentence)


@staff.command(name="role")
@click.argument("mailbox")
@click.argument("role", type=click.Choice([role.value for role in Role]))
@as_of_option
@json_option
@click.pass_obj
def give_role(home: Path, mailbox: str, role: str, as_of: datetime | None, as_json: bool) -> None:
    """Give MAILBOX another ROLE, or let a locked member in again."""
    from identity.staff import change_role

    office = open_office(home, as_of)
    with office.database.writing() as books:
        member = change_role(books, mailbox, Role(role), office.moment(), office.who)
    told = f"That member of staff is {member.who} now, and has to sign in again."
    say_done(as_json, {"who": member.who, "role": role}, told)


@staff.command()
@click.argument("mailbox")
@as_of_option
@json_option
@click.pass_obj
def lock(home: Path, mailbox: str, as_of: datetime | None, as_json: bool) -> None:
    """Let MAILBOX in no more; whoever is signed in as it is out."""
    from identity.staff import lock_staff

    office = open_office(home, as_of)
    with office.database.writing() as books:
        member = lock_staff(books, mailbox, office.moment(), office.who)
    say_done(as_json, {"who": member.who}, f"{member.who} is locked.")


def _bring(office: Office, books: Connection, mail: PortalMail, *, print_link: bool) -> str:
    """Mail a link, or return it to be printed: then no mail holds it."""
    from office.procedures.mailing.portal_mail import queue_portal_mails

    if print_link:
        url = office.settings.web.url.rstrip("/") or "http://127.0.0.1:8480"  # of `billclose web`
        return f"{url}/office/password/{office.link_tokens.token(mail.link)}"
    if not office.settings.web.url:
        raise Misuse("web.url is empty, so that no mail can link to it; set it or --print-link.")
    queue_portal_mails(office, books, [mail])
    return "The link is in the mail; it leaves with the office's next mails."
