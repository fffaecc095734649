"""Mails that fall on a day on which the office is closed: when they leave instead."""

from __future__ import annotations

from collections.abc import Container
from datetime import date, timedelta
from enum import StrEnum

from domain.deliveries import MessageKind
from rules.calendars import ONE_DAY, is_working_day, next_working_day, previous_working_day


class MailOnClosedDay(StrEnum):
    """Where a mail goes that falls on a weekend, a holiday or a closed day of the office."""

    SAME = "same"
    NEXT = "next"
    PREVIOUS = "previous"


def reminder_day(
    kind: MessageKind, days: int, due_on: date, closed: Container[date], moves: MailOnClosedDay
) -> date:
    """
    Return the local day of a reminder; `days` count from the due date, those before it negative.

    A payment-due mail never moves past the due date: it goes to the working day before, where the
    next one is later than that. A past-due mail always goes to the working day after: nobody is
    dunned earlier than on the day that was promised.
    """
    chosen = due_on + timedelta(days=days)
    if moves is MailOnClosedDay.SAME or is_working_day(chosen, closed):
        return chosen
    later = next_working_day(chosen, closed)
    if kind is MessageKind.PAST_DUE:
        return later
    if moves is MailOnClosedDay.NEXT and later <= due_on:
        return later
    return previous_working_day(chosen, closed)


def bills_leave_on(today: date, by: date, closed: Container[date], moves: MailOnClosedDay) -> date:
    """
    Return the day on which the bills of a period closed today are mailed.

    Only `next` moves them, for yesterday's mail cannot be sent any more. `by` is the last day on
    which they are of use, the due date or the first draw: where the next working day is later,
    they leave today.
    """
    if moves is not MailOnClosedDay.NEXT or is_working_day(today, closed):
        return today
    later = next_working_day(today + ONE_DAY, closed)
    return later if later <= by else today
