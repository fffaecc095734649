"""When a payment that failed is drawn again, and when one without an answer is looked up."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from domain.payments import Advice
from rules.calendars import next_working_day

FIRST_LOOKUP = timedelta(minutes=5)  # earlier, "not found" may mean "not yet there"
SECOND_LOOKUP = timedelta(hours=1)
LATER_LOOKUPS = timedelta(days=1)
AWAITED = timedelta(minutes=30)  # so long a customer may take to answer their bank
KEY_MARGIN = timedelta(hours=1)  # clocks differ, and a request is on its way for a while
NOTICE = timedelta(days=3)  # before a draw on another day than the one that was told
ONCE_MORE = 2  # attempts in all where the bank gives no reason


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """
    How often a declined payment is drawn in all, and how many days apart.

    `days_after_due`: nobody expects a draw later than so many days after the due date.
    """

    attempts: int = 3
    waits: tuple[int, ...] = (3, 5)
    days_after_due: int = 10


def retry_on(
    advice: Advice,
    declines: int,
    *,
    today: date,
    due_on: date,
    closed: Container[date],
    policy: RetryPolicy,
) -> date | None:
    """
    Return the banking day of the next attempt after so many declines, None where there is none.

    Card networks charge for asking again after a plain no, and block whoever asks too often: only
    what time can cure is asked again, twice at most.
    """
    allowed = {Advice.LATER: policy.attempts, Advice.ONCE_MORE: ONCE_MORE}.get(advice, 1)
    if declines >= min(allowed, policy.attempts):
        return None
    wait = policy.waits[min(declines, len(policy.waits)) - 1]
    chosen = next_working_day(today + timedelta(days=wait), closed)
    return chosen if chosen <= due_on + timedelta(days=policy.days_after_due) else None


def drawn_again_on(
    today: date, *, due_on: date, closed: Container[date], policy: RetryPolicy
) -> date | None:
    """
    Return when a payment that was never taken is drawn after all, None where it is too late.

    Its customer has waited for another day: a mail tells the new one before. After the limit of
    the policy nobody expects a draw any more, and the customer is told to pay in another way.
    """
    chosen = next_working_day(today + NOTICE, closed)
    return chosen if chosen <= due_on + timedelta(days=policy.days_after_due) else None


def next_lookup(lookups: int) -> timedelta:
    """Return the wait before the next look-up after so many: 5 minutes, an hour, then daily."""
    return (FIRST_LOOKUP, SECOND_LOOKUP)[lookups] if lookups < 2 else LATER_LOOKUPS


def is_awaited(asked_at: datetime, now: datetime) -> bool:
    """
    Tell whether a customer may still answer their bank about a payment that they asked for.

    After that it is given up: what nobody ends would stand in the way of paying in another way.
    """
    return now < asked_at + AWAITED


def may_ask_again(asked_at: datetime, now: datetime, key_window: timedelta) -> bool:
    """
    Tell whether a draw that the gateway does not know may be asked again under the same key.

    Not at once: the first request may still be on its way. Not when the key is soon forgotten:
    then the same key would draw a second time.
    """
    return FIRST_LOOKUP <= now - asked_at < key_window - KEY_MARGIN


def may_still_ask(recorded_at: datetime, now: datetime, key_window: timedelta) -> bool:
    """Tell whether a draw recorded as asked may be asked now, by a process that slept meanwhile."""
    return now - recorded_at < key_window - KEY_MARGIN
