"""`billclose schedule-autopay`: that step alone, also when it was forgotten."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line import asking
from command_line.closing import rehearsed, replace_office
from command_line.opening import as_of_option, json_option, open_office
from command_line.schedule_groups import (
    ask_for_groups,
    group_figures,
    group_lines,
    read_groups,
    to_groups,
)
from command_line.statuses import DONE, NEEDS_PERSON
from domain.words import say_count

if TYPE_CHECKING:
    from office.wiring import Office


@click.command(name="schedule-autopay")
@click.argument("period")
@click.option("--dry-run", is_flag=True, help="Show what would be scheduled; schedule nothing.")
@click.option(
    "--groups",
    "text",
    metavar="NAMES",
    help="Only on-time, immediate, short-notice: some of them, separated by commas.",
)
@click.option("--yes", is_flag=True, help="Do not ask, also when it is late: all of them.")
@as_of_option
@json_option
@click.pass_obj
def schedule_autopay(
    home: Path,
    period: str,
    dry_run: bool,
    text: str | None,
    yes: bool,
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Schedule autopay for a closed PERIOD; what is overdue is drawn at once.

    At a terminal a late run first shows who would be charged today, and asks. Who is left out is
    scheduled by a later run; exit status 4 until then.
    """
    from command_line.prefect_run import run_flow
    from database.runs import get_run
    from payments.schedule_groups import count_left_out
    from reporting.reading import read_run_sheet
    from reporting.sheet_figures import autopay_figures

    groups = None if text is None else to_groups(text)
    office = open_office(home, as_of)
    run = get_run(office.database, period)
    asks = text is None and not (yes or dry_run or as_json) and asking.is_at_terminal()
    if asks and run.is_closed:
        groups = ask_for_groups(office, period)
    with rehearsed(office, dry_run) as at_work:
        worker = replace_office(at_work)
        run_flow(worker, _load, period=period, groups=groups)
        lists = read_run_sheet(worker.database, period).autopay
        found = read_groups(worker, period)
        left = count_left_out(worker.database, period)
    if as_json:
        figures = {
            "period": period,
            "status": "dry-run" if dry_run else "scheduled",
            "autopay": autopay_figures(lists),
            "reasons": lists.reasons,
            "groups": group_figures(found),
            "left_out": {"payments": left.payments, "amount": str(left.amount)},
        }
        click.echo(json.dumps(figures, indent=1))
    else:
        click.echo(
            f"{period}: {say_count(lists.scheduled, 'payment')}, {lists.amount.dollars()}, "
            f"{lists.immediate} of them due at once; {lists.unscheduled} without a payment."
        )
        for line in (*(group_lines(found) if dry_run else ()), *_left_lines(office, period, left)):
            click.echo(line)
    return NEEDS_PERSON if left.payments and not dry_run else DONE


def _left_lines(office: Office, period: str, left: Any) -> list[str]:
    if not left.payments:
        return []
    count = say_count(left.payments, "payment")
    return [
        f"Left out: {count}, {left.amount.dollars()}. Who: {office.command} list exceptions "
        f"--where code=autopay-left-out. Later: {office.command} schedule-autopay {period}"
    ]


def _load() -> Any:
    from flows.schedule_autopay import schedule_autopay as flow

    return flow
