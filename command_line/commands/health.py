"""`billclose health`: is everything well, for people and for monitors."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.options import (
    DONE,
    NEEDS_PERSON,
    as_of_option,
    json_option,
    open_office,
    wall_clock,
)

if TYPE_CHECKING:
    from office.equipment.office import Office


Figures = dict[str, Any]
WORDS = {"well": "well", "trouble": "TROUBLE", "unknown": "unknown", "not-watched": "-"}


@click.command()
@click.option(
    "--tell", is_flag=True, help="Mail to alerts.to what began or is over; meant for a timer."
)
@as_of_option
@json_option
@click.pass_obj
def health(home: Path, tell: bool, as_of: datetime | None, as_json: bool) -> int:
    """Look whether anything needs a person: exports, closes, nights, servers, disks, the clock.

    Exit status 0 where all is well, 4 where something needs a person. Without --tell nothing is
    changed and nobody is written to.
    """
    figures = _look(home, tell, as_of)
    if as_json:
        click.echo(json.dumps(figures, indent=1))
    else:
        click.echo("\n".join(_lines(figures)))
    return NEEDS_PERSON if figures["status"] == "trouble" else DONE


def _look(home: Path, tell: bool, as_of: datetime | None) -> Figures:
    from sqlalchemy.exc import OperationalError

    from office.health.health import look, without_books

    try:
        office = open_office(home, as_of)
        return _tell(office) if tell else look(office).to_figures()
    except OperationalError:
        return without_books(wall_clock(), f"billclose --home {home}").to_figures()


def _tell(office: Office) -> Figures:
    from office.equipment.office import at_work
    from office.procedures.watching import watch_once
    from office.rounds.telling import tell_server

    with at_work(office):
        found = watch_once(office)
    tell_server(office, found)
    return found


def _lines(figures: Figures) -> list[str]:
    lines = []
    for found in figures["conditions"]:
        lines.append(f"{WORDS[found['state']]:8} {found['name']:28} {found['detail']}".rstrip())
        if found["state"] == "trouble":
            lines += [f"{'':9}since {found['since']}", f"{'':9}{found['remedy']}"]
    for word in ("began", "ended"):
        lines += [f"{word}: {name}" for name in figures.get(word, ())]
    return lines
