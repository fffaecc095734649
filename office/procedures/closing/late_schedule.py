"""A schedule that comes late: its groups, and whether a person chooses among them (rule 73)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from database.runs import get_run
from domain.schedule_groups import GROUP_MEANINGS, ScheduleGroup
from domain.words import say_count
from office.equipment.office import Office
from payments.scheduling.planning import plan_autopay
from payments.scheduling.scheduling import OVER_MAXIMUM, GroupCount, count_groups
from rules.calendars import earliest_close

Groups = dict[str, GroupCount]
MEANINGS = {group.value: meaning for group, meaning in GROUP_MEANINGS.items()} | {
    OVER_MAXIMUM: "over the customer's maximum: not drawn"
}


def look_at_groups(office: Office, period: str) -> Groups:
    """Plan a closed period as of today and count it by group; nothing is scheduled by it."""
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
    today = office.today(get_run(office.database, period))
    noticed_on = today + timedelta(days=office.thresholds.notice_days)
    return count_groups(office.database, period, noticed_on)


def groups_to_choose(office: Office, period: str) -> Groups | None:
    """
    Give the groups of a closed period whose schedule is late; None: there is nothing to choose.

    A run is late after the day on which the period could first be closed, where somebody would be
    charged today (rules 59, 73): on that day who is charged at once has chosen so.
    """
    run = get_run(office.database, period)
    if not run.is_closed or office.today(run) <= earliest_close(run.ends_on, office.office_days):
        return None
    groups = look_at_groups(office, period)
    return groups if any(count.today for count in groups.values()) else None


def group_figures(groups: Groups) -> dict[str, dict[str, Any]]:
    """Give the groups as programs and pages read them; amounts in dollars, as text."""
    return {
        name: {
            "payments": count.payments,
            "amount": str(count.amount),
            "today": count.today,
            "amount_today": str(count.amount_today),
        }
        for name, count in groups.items()
    }


def say_groups(groups: Groups) -> list[str]:
    """Say for people who is in which group, how much it is, and what is charged today."""
    lines = []
    for name, count in groups.items():
        if not count.payments:
            continue
        line = f"{name:<13}{say_count(count.payments, 'payment')}, {count.amount.dollars()}"
        if count.today and name != ScheduleGroup.IMMEDIATE:
            line += f", of these today {count.today:,}, {count.amount_today.dollars()}"
        lines.append(f"{line}: {MEANINGS[name]}")
    return lines
