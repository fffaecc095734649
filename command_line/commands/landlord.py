"""`billclose landlord`: which portal user is which landlord, and sees the landlord's accounts."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from command_line.options import (
    as_of_option,
    json_option,
    open_office,
    reason_option,
    say_done,
)


@click.group()
def landlord() -> None:
    """Say which portal user is which landlord; `list landlords` shows them.

    A landlord sees all accounts of theirs as the customer does, but not how the customer pays.
    """


@landlord.command()
@click.argument("landlord")
@click.argument("mailbox")
@reason_option
@as_of_option
@json_option
@click.pass_obj
def link(
    home: Path, landlord: str, mailbox: str, reason: str, as_of: datetime | None, as_json: bool
) -> None:
    """Let the registered portal user MAILBOX see all accounts of LANDLORD."""
    from office.procedures.portal.landlords import link_landlord

    name = link_landlord(open_office(home, as_of), landlord, mailbox, reason)
    told = f"That portal user is landlord {landlord} ({name}) now and sees all of its accounts."
    say_done(as_json, {"landlord": landlord, "name": name}, told)


@landlord.command()
@click.argument("landlord")
@click.argument("mailbox")
@reason_option
@as_of_option
@json_option
@click.pass_obj
def end(
    home: Path, landlord: str, mailbox: str, reason: str, as_of: datetime | None, as_json: bool
) -> None:
    """Let the portal user MAILBOX see the accounts of LANDLORD no more."""
    from office.procedures.portal.landlords import unlink_landlord

    name = unlink_landlord(open_office(home, as_of), landlord, mailbox, reason)
    told = f"That portal user is landlord {landlord} ({name}) no more."
    say_done(as_json, {"landlord": landlord, "name": name}, told)
