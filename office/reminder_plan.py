"""When this office reminds: its settings as the rules take them."""

from __future__ import annotations

from datetime import datetime, time

from domain.money import Money
from mail.reminder_terms import Reminding
from office.wiring import Office
from rules.reminders import LadderStep, ReminderPlan, plan_reminders
from rules.shields import Shield


def plan_of(here: Office) -> ReminderPlan:
    """Return the plan that an office's settings make."""
    chosen = here.settings.reminders
    return plan_reminders(
        days_before_due=chosen.days_before_due,
        days_after_due=chosen.days_after_due,
        at=time.fromisoformat(chosen.time),
        cut_off_days=chosen.cut_off_days,
        spare_autopay=chosen.spare_autopay,
        ladder=[
            LadderStep(one.name, one.days_after_due, Money.parse(one.smallest_balance))
            for one in chosen.ladder
        ],
    )


def reminding_of(here: Office, now: datetime, *, records: bool = True) -> Reminding:
    """Return on what terms an office reminds at a moment; a look records nothing."""
    return Reminding(
        plan_of(here), now, here.who, here.message_domain, records, shield=shield_of(here)
    )


def shield_of(here: Office) -> Shield | None:
    """Return what the office holds to be its own fault; None where that keeps nobody back."""
    chosen = here.settings.reminders
    return Shield(chosen.shield_days, here.office_days) if chosen.shield else None
