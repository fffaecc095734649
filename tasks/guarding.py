"""Step: the calendar guard."""

from __future__ import annotations

from database.runs import get_run
from domain.failures import Refused
from domain.steps import Step
from office.wiring import office
from rules.calendars import earliest_close
from tasks.step import Done, step


@step(Step.GUARD)
def guard_calendar(run: str) -> Done:
    """Refuse a close on the period's last day or before the office's next business day (5, 6)."""
    here = office()
    known = get_run(here.database, run)
    earliest = earliest_close(known.ends_on, here.office_days)
    today = here.today(known)
    if known.is_closed:
        return Done("closed before", {"earliest_close": earliest.isoformat()})
    if today < earliest:
        raise Refused(
            "too-early",
            f"Period {run} ends on {known.ends_on} and may be closed from "
            f"{earliest:%A} {earliest} on; today is {today:%A} {today}.",
        )
    return Done(f"may be closed since {earliest}", {"earliest_close": earliest.isoformat()})
