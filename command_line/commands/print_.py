"""`billclose print`: the next part of a period's print batches."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from command_line.options import DONE, NEEDS_PERSON, as_of_option, json_option, open_office
from command_line.working import telling_steps
from domain.words import say_count


@click.command(name="print")
@click.argument("period", required=False)
@as_of_option
@json_option
@click.pass_obj
def print_bills(home: Path, period: str | None, as_of: datetime | None, as_json: bool) -> int:
    """Print the bills that came back since the last print batch, of PERIOD or of all periods.

    They come into a file of their own; what was printed before is not printed again.
    """
    from database.runs import get_run
    from office.prefect_server.flow_runs import run_flow

    office = open_office(home, as_of)
    if period is not None:
        get_run(office.database, period)
    state = run_flow(telling_steps(office), _load, period=period)
    figures: dict[str, Any] = state.result(raise_on_failure=False)
    if as_json:
        click.echo(json.dumps({"status": "done", **figures}, indent=1))
    else:
        click.echo("\n".join(part_lines(figures) or ["Nothing waits for print."]))
    return NEEDS_PERSON if figures["waiting"] else DONE


def part_lines(figures: dict[str, Any]) -> list[str]:
    """Say which parts were written and which bills still wait."""
    lines = [
        f"  print    {say_count(part['bills'], 'bill')} on {say_count(part['pages'], 'page')}: "
        f"{', '.join(part['files'])}"
        for part in figures["parts"]
    ]
    return lines + [
        f"  waiting  {say_count(left['bills'], 'bill')} of {left['period']}: {left['why']}"
        for left in figures["waiting"]
    ]


def _load() -> Any:
    from flows.print_bills import print_bills as flow

    return flow
