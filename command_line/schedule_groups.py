"""Choosing what a late schedule takes: the groups, shown to the clerk and asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from domain.failures import Misuse
from domain.schedule_groups import GROUP_MEANINGS, ScheduleGroup
from domain.words import say_count

if TYPE_CHECKING:
    from office.wiring import Office
    from payments.schedule_groups import GroupCount

Groups = dict[str, "GroupCount"]
ALL, NONE = "all", "none"
MEANINGS = {group.value: meaning for group, meaning in GROUP_MEANINGS.items()} | {
    "over-maximum": "over the customer's maximum: not drawn"
}


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


def look_at_groups(office: Office, period: str) -> Groups:
    """Plan a closed period as of today and count it by group; nothing is scheduled by it."""
    from database.runs import get_run
    from payments.planning import plan_autopay

    run = get_run(office.database, period)
    plan_autopay(
        office.database,
        period,
        today=office.today(run),
        closed=office.bank_days,
        policy=office.autopay_policy,
    )
    return read_groups(office, period)


def read_groups(office: Office, period: str) -> Groups:
    """Count what the last planning of a period came to, by group."""
    from database.runs import get_run
    from payments.schedule_groups import count_groups

    today = office.today(get_run(office.database, period))
    noticed_on = today + timedelta(days=office.thresholds.notice_days)
    return count_groups(office.database, period, noticed_on)


def ask_for_groups(office: Office, period: str) -> list[str] | None:
    """
    Ask the clerk which groups of a closed period to schedule; None: all, for it is not late.

    A run is late after the day on which the period could first be closed, where somebody would be
    charged today (rules 59, 73): on that day who is charged at once has chosen so.
    """
    from database.runs import get_run
    from rules.calendars import earliest_close

    run = get_run(office.database, period)
    groups = look_at_groups(office, period)
    is_late = office.today(run) > earliest_close(run.ends_on, office.office_days)
    if not is_late or not any(count.today for count in groups.values()):
        return None
    click.echo("\n".join(["  This schedule is late:", *group_lines(groups)]), err=True)
    answer: list[str] = click.prompt(
        f"  Schedule which? {', '.join(ScheduleGroup)}, {ALL} or {NONE}",
        default=ALL,
        value_proc=_to_answer,
        err=True,
    )
    return answer


def group_lines(groups: Groups) -> list[str]:
    """Say for people who is in which group, how much it is, and what is charged today."""
    lines = []
    for name, count in groups.items():
        if not count.payments:
            continue
        line = f"  {name:<13}{say_count(count.payments, 'payment')}, {count.amount.dollars()}"
        if count.today and name != ScheduleGroup.IMMEDIATE:
            line += f", of these today {count.today:,}, {count.amount_today.dollars()}"
        lines.append(f"{line}: {MEANINGS[name]}")
    return lines


def group_figures(groups: Groups) -> dict[str, dict[str, Any]]:
    """Give the groups as programs read them."""
    return {
        name: {
            "payments": count.payments,
            "amount": str(count.amount),
            "today": count.today,
            "amount_today": str(count.amount_today),
        }
        for name, count in groups.items()
    }


def _to_answer(text: str) -> list[str]:
    try:
        return to_groups(text)
    except Misuse as wrong:
        raise click.UsageError(wrong.message) from None
