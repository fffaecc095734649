"""When a bill that was held back is due, and when it is drawn at the earliest."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import date, timedelta

from rules.calendars import next_working_day, previous_working_day


@dataclass(frozen=True, slots=True)
class ReleasePolicy:
    """
    What a customer is owed whose bill the office held back; in days.

    `days_to_pay` is the least time from the release to the due date, `notice_days` the least from
    the word of a draw to the draw.
    """

    days_to_pay: int = 10
    notice_days: int = 10


def released_due_on(
    due_on: date, today: date, policy: ReleasePolicy, closed: Container[date]
) -> date:
    """
    Return the due date of a bill that is released today, local dates.

    The period's own where there is time enough. Else the first working day that is far enough
    away: nobody loses days to pay, or is past due, because the office held the bill.
    """
    earliest = today + timedelta(days=policy.days_to_pay)
    if due_on >= earliest:
        return due_on
    return next_working_day(earliest, closed)


def released_draw_on(
    chosen: date, due_on: date, today: date, policy: ReleasePolicy, closed: Container[date]
) -> date:
    """
    Return the day on which autopay draws a bill that is released today (rules 48, 49, 54).

    `chosen` is the customer's day, counted back from the new due date. A draw comes no sooner
    than its notice allows, and never at once, for the customer has not seen the bill; but not
    after the due date.
    """
    noticed_on = next_working_day(today + timedelta(days=policy.notice_days), closed)
    latest = max(previous_working_day(due_on, closed), today)
    return max(chosen, min(noticed_on, latest))
