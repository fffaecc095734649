"""`billclose schedule-autopay`: that step alone, also when it was forgotten."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line import options as asking
from command_line.options import DONE, NEEDS_PERSON, as_of_option, json_option, open_office
from command_line.working import rehearsed, telling_steps
from domain.failures import Misuse
from domain.schedule_groups import ScheduleGroup
from domain.words import say_count

if TYPE_CHECKING:
    from office.equipment.office import Office
    from payments.scheduling.scheduling import GroupCount


Groups = dict[str, "GroupCount"]
ALL, NONE = "all", "none"


def to_groups(text: str) -> list[str]:
    """Read `on-time,immediate`, `all` or `none`; raises Misuse for anything else."""
    if text.strip().lower() == ALL:
        return list(ScheduleGroup)
    named = [name.strip().lower() for name in text.split(",") if name.strip()]
    if named == [NONE]:
        return []
    if not named or not set(named) <= set(ScheduleGroup):
        known = ", ".join(ScheduleGroup)
        raise Misuse(f"--groups {text!r}: write some of {known}, separated by commas.")
    return named


def ask_for_groups(office: Office, period: str) -> list[str] | None:
    """Ask the clerk which groups of a late schedule to take; None: all, for it is not late."""
    from office.procedures.closing.late_schedule import groups_to_choose

    groups = groups_to_choose(office, period)
    if groups is None:
        return None
    click.echo("\n".join(["  This schedule is late:", *_group_lines(groups)]), err=True)
    answer: list[str] = click.prompt(
        f"  Schedule which? {', '.join(ScheduleGroup)}, {ALL} or {NONE}",
        default=ALL,
        value_proc=_to_answer,
        err=True,
    )
    return answer


def _group_lines(groups: Groups) -> list[str]:
    from office.procedures.closing.late_schedule import say_groups

    return [f"  {line}" for line in say_groups(groups)]


def _to_answer(text: str) -> list[str]:
    try:
        return to_groups(text)
    except Misuse as wrong:
        raise click.UsageError(wrong.message) from None


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
    from database.runs import get_run
    from office.prefect_server.flow_runs import run_flow
    from office.procedures.closing.late_schedule import group_figures, read_groups
    from payments.scheduling.scheduling import count_left_out
    from reporting.run_sheet.reading import read_run_sheet
    from reporting.run_sheet.run_sheet import autopay_figures

    groups = None if text is None else to_groups(text)
    office = open_office(home, as_of)
    get_run(office.database, period)  # an unknown one is refused before anything is begun
    asks = text is None and not (yes or dry_run or as_json) and asking.is_at_terminal()
    if asks:
        groups = ask_for_groups(office, period)
    with rehearsed(office, dry_run) as at_work:
        worker = telling_steps(at_work)
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
        word = " would be scheduled" if dry_run else ""
        click.echo(
            f"{period}: {say_count(lists.scheduled, 'payment')}{word}, {lists.amount.dollars()}, "
            f"{lists.immediate} of them due at once; {lists.unscheduled} without a payment."
        )
        for line in (*(_group_lines(found) if dry_run else ()), *_left_lines(office, period, left)):
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
