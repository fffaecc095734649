"""`billclose status`: where the month stands, what waits for whom, what comes next."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from command_line.options import DONE, as_of_option, json_option, open_office

if TYPE_CHECKING:
    from office.lookup.headline import NextAct


@click.command()
@as_of_option
@json_option
@click.pass_obj
def status(home: Path, as_of: datetime | None, as_json: bool) -> int:
    """Say where the month stands, what waits for whom, and what comes next."""
    from office.lookup.standing import read_standing, to_document

    standing = read_standing(open_office(home, as_of))
    if as_json:
        click.echo(json.dumps(to_document(standing), indent=1))
        return DONE
    if standing.headline.sentence:
        click.echo(standing.headline.sentence + "\n")
    for month in standing.months:
        click.echo(month.sentence)
    if not standing.months:
        click.echo("No period has been imported yet.")
    if standing.headline.acts:
        click.echo("\nTo be done today")
    for act in standing.headline.acts:
        click.echo(f"  {act.sentence}{_by_command(act)}")
    click.echo("\nWaits for a person" if standing.matters else "\nNothing waits for a person.")
    for matter in standing.matters:
        click.echo(f"  {matter.sentence} ({_shown_by(matter.what)})")
    click.echo("\nNext" if standing.coming else "\nNo date is known to come next.")
    for event in standing.coming:
        click.echo(f"  {event.on:%a %b} {event.on.day}: {event.sentence}")
    return DONE


def _shown_by(what: str) -> str:
    """Name the command that shows what waits."""
    from office.lookup.standing import BANK_DIFFERENCES

    return "`billclose deposits match`" if what == BANK_DIFFERENCES else f"`billclose list {what}`"


def _by_command(act: NextAct) -> str:
    """Name the command by which it is done, or that shows the rows it is about."""
    if act.code:
        return f" (`billclose list exceptions --where code={act.code}`)"
    if act.about == "schedule":
        return f" (`billclose schedule-autopay {act.period}`)"
    return f" (`billclose close {act.period}`)" if act.period else ""
