"""`billclose alerts test`: whether what is told of troubles arrives."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from command_line.options import DONE, NEEDS_PERSON, as_of_option, json_option, open_office

TITLE = "billclose: a test"
TEXT = "This is a test of the alerts: nothing is wrong, and nothing needs to be done."


@click.group()
def alerts() -> None:
    """Try the ways by which the office is told of troubles."""


@alerts.command()
@as_of_option
@json_option
@click.pass_obj
def test(home: Path, as_of: datetime | None, as_json: bool) -> int:
    """Post a test to each of alerts.urls and ask alerts.ping_url; exit status 4 where one fails.

    Mails to alerts.to go through the outbox like all others: `billclose preview alert` shows them.
    """
    from office.health.alert_ways import ways_of
    from office.rounds.pinging import ping

    office = open_office(home, as_of)
    tried: list[dict[str, Any]] = [
        {"way": way.kind, "told": way.tell(TITLE, TEXT)} for way in ways_of(office)
    ]
    if office.settings.alerts.ping_url.get_secret_value():
        tried.append({"way": "ping", "told": ping(office, failed=False)})
    failed = [one for one in tried if not one["told"]]
    if as_json:
        click.echo(json.dumps({"status": "failed" if failed else "done", "ways": tried}, indent=1))
    else:
        lines = [f"{one['way']:12}{'told' if one['told'] else 'NOT TAKEN'}" for one in tried]
        click.echo("\n".join(lines) or "alerts.urls and alerts.ping_url are empty.")
    return NEEDS_PERSON if failed else DONE
