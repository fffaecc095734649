"""`billclose rounds`: looks at what needs work, for an office with a worker or with cron."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.options import DONE, UNEXPECTED, json_option, open_office, wall_clock

if TYPE_CHECKING:
    from office.equipment.office import Office
    from office.rounds.rounds import Looked, Rounds

PAUSE_SECONDS = 60


@click.command()
@click.option("--once", is_flag=True, help="Go once round, then end: for cron or a timer.")
@click.option("--is-going", is_flag=True, help="Tell whether they go round; look at nothing.")
@click.option("--bury", is_flag=True, help="Mark runs whose process here is gone; then end.")
@json_option
@click.pass_obj
def rounds(home: Path, once: bool, is_going: bool, bury: bool, as_json: bool) -> int:
    """Look every minute whether postings, mail or bounces need work; start only what does.

    `billclose up` does the same by itself. Here the work is done by runs in the Prefect server of
    prefect.api_url, and where none is known by this office's own commands, one after the other.
    """
    from office.logs import write_lines
    from office.rounds.rounds import Rounds
    from office.rounds.starting import starter_of

    office = open_office(home)
    if is_going:
        return _is_going(office)
    if bury:
        return _bury(office, as_json=as_json)
    write_lines(office.settings.logging.format)
    going = Rounds(office, starter_of(office))
    if not going.looks:
        click.echo("prefect.schedules is false: nothing is looked at by itself.", err=True)
        return DONE
    if not once:
        _go_on(going)
    looked = going.go(wall_clock())
    _tell(looked, as_json=as_json)
    return UNEXPECTED if any(one.failed for one in looked) else DONE


def _is_going(office: Office) -> int:
    from office.health.conditions import Looking, State
    from office.health.nights import silent_rounds

    found = silent_rounds(Looking(office, wall_clock(), "UTC"))
    for one in found:
        click.echo(one.detail)
    return DONE if all(one.state is State.WELL for one in found) else UNEXPECTED


def _bury(office: Office, *, as_json: bool) -> int:
    """Free the places of runs that a stopped worker left behind; a server that is off has none."""
    from domain.failures import TemporaryFailure
    from office.prefect_server.owner import owner_tag
    from office.prefect_server.runs import KnownServer, known_address

    buried: list[str] = []
    if known_address(office):
        try:
            with KnownServer(office) as server:
                buried = server.bury(owner_tag(office))
        except TemporaryFailure as failure:
            click.echo(f"billclose: {failure}; run-lost marks them within 90 s.", err=True)
    if as_json:
        click.echo(json.dumps({"status": "done", "buried": buried}, indent=1))
    else:
        click.echo("\n".join(f"{name} is marked as crashed" for name in buried) or "Nothing.")
    return DONE


def _go_on(going: Rounds) -> None:
    """Look until Ctrl-C or SIGTERM ends it: nothing is half done then that a look began."""
    from office.rounds.zone import ZoneFollower

    asleep, zone = threading.Event(), ZoneFollower(going.office)
    logging.getLogger("prefect.billclose").info("%d looks go round", len(going.looks))
    while True:
        going.go(wall_clock())
        zone.follow()
        asleep.wait(PAUSE_SECONDS - wall_clock().timestamp() % PAUSE_SECONDS)


def _tell(looked: list[Looked], *, as_json: bool) -> None:
    found: list[dict[str, Any]] = [
        {
            "look": one.deployment,
            "reason": one.reason,
            "started": one.started,
            "failed": one.failed,
        }
        for one in looked
    ]
    if as_json:
        click.echo(json.dumps({"status": "done", "looks": found}, indent=1))
        return
    for one in looked:
        word = "started" if one.started else "FAILED" if one.failed else "quiet"
        click.echo(f"{one.deployment:18}{word:9}{one.reason}".rstrip())
