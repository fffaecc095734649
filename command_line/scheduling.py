"""`billclose schedule-autopay`: that step alone."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from command_line.closing import rehearsed, replace_office
from command_line.opening import as_of_option, json_option, open_office
from domain.words import say_count


@click.command(name="schedule-autopay")
@click.argument("period")
@click.option("--dry-run", is_flag=True, help="Show what would be scheduled; schedule nothing.")
@as_of_option
@json_option
@click.pass_obj
def schedule_autopay(
    home: Path, period: str, dry_run: bool, as_of: datetime | None, as_json: bool
) -> int:
    """Schedule autopay for a closed PERIOD; what is overdue is drawn at once."""
    from command_line.prefect_run import run_flow
    from database.runs import get_run
    from reporting.reading import read_run_sheet

    office = open_office(home, as_of)
    get_run(office.database, period)
    with rehearsed(office, dry_run) as at_work:
        worker = replace_office(at_work, lambda _sheet: False)
        run_flow(worker, _load, period=period)
        lists = read_run_sheet(worker.database, period).autopay
    figures = {
        "period": period,
        "status": "dry-run" if dry_run else "scheduled",
        "autopay": {
            "scheduled": lists.scheduled,
            "immediate": lists.immediate,
            "unscheduled": lists.unscheduled,
            "amount": str(lists.amount),
        },
        "reasons": lists.reasons,
    }
    if as_json:
        click.echo(json.dumps(figures, indent=1))
    else:
        click.echo(
            f"{period}: {say_count(lists.scheduled, 'payment')}, {lists.amount.dollars()}, "
            f"{lists.immediate} of them due at once; {lists.unscheduled} without a payment."
        )
    return 0


def _load() -> Any:
    from flows.schedule_autopay import schedule_autopay as flow

    return flow
