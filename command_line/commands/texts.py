"""`billclose texts`: how text messages stand, sending what is due, taking in answers."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from command_line.commands.mass_text import announce, take_back
from command_line.options import (
    DONE,
    NEEDS_PERSON,
    as_of_option,
    json_option,
    open_office,
    say_done,
)
from domain.words import say_count


@click.group()
def texts() -> None:
    """See how text messages stand, send what is due, act on a STOP."""


for further in (announce, take_back):
    texts.add_command(further)


@texts.command()
@json_option
@click.pass_obj
def status(home: Path, as_json: bool) -> int:
    """Show how the texts stand, and how many customers have chosen them."""
    from office.procedures.texting.standing import read_standing

    standing = read_standing(open_office(home))
    if as_json:
        click.echo(json.dumps(asdict(standing), indent=1))
        return DONE
    said = ", ".join(f"{number:,} {word}" for word, number in standing.texts.items() if number)
    click.echo(f"Texts: {said or 'none'}.")
    click.echo(
        f"{say_count(standing.readers, 'customer')} told by text; "
        f"{say_count(standing.stopped, 'phone')} answered STOP."
    )
    return DONE


@texts.command()
@as_of_option
@json_option
@click.pass_obj
def send(home: Path, as_of: datetime | None, as_json: bool) -> int:
    """
    Act on the answers that have come, then send the texts that are due and may leave now.

    `mail send`, `remind`, `notify` and the nights do so too. Exit status 4 where one did not leave.
    """
    from office.equipment.office import at_work
    from office.procedures.mailing.due_mail import follow_readers
    from office.procedures.texting.sending import say_texts, send_texts

    office = open_office(home, as_of)
    with at_work(office):
        follow_readers(office, office.due_now())
        tried = send_texts(office)
    needs_person = bool(tried.failed or tried.in_doubt or tried.deferred or tried.stopped_by)
    figures = {"status": "unsent" if needs_person else "sent", **asdict(tried)}
    say_done(as_json, figures, f"Texts: {say_texts(tried)}.")
    return NEEDS_PERSON if needs_person else DONE


@texts.command()
@click.argument("phone")
@as_of_option
@json_option
@click.pass_obj
def stop(home: Path, phone: str, as_of: datetime | None, as_json: bool) -> int:
    """Send no text of any kind to PHONE any more: its owner has asked for it, say by phone."""
    from database.audit import record_audit
    from domain.failures import Misuse
    from domain.phones import ending, to_phone
    from domain.texts import PhoneReply
    from office.procedures.texting.answering import take_answer

    office, number = open_office(home, as_of), to_phone(phone)
    if not number:
        raise Misuse("PHONE is a number with its area code, ten digits.")
    take_answer(office, number, PhoneReply.STOP.value)
    about = f"the phone ending {ending(number)}"
    with office.database.writing() as books:
        record_audit(books, office.moment(), office.who, "stop texts", "texts", about)
    say_done(as_json, {"stopped": about}, f"No text goes to {about} any more.")
    return DONE
