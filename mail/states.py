"""The states of a delivery, and when it is tried again."""

from __future__ import annotations

from datetime import timedelta

from domain.deliveries import DeliveryStatus
from domain.states import Transitions

DELIVERY = Transitions(
    "delivery",
    start=DeliveryStatus.QUEUED,
    moves={
        (DeliveryStatus.QUEUED, "claimed"): DeliveryStatus.SENDING,
        (DeliveryStatus.DEFERRED, "claimed"): DeliveryStatus.SENDING,
        (DeliveryStatus.IN_DOUBT, "claimed"): DeliveryStatus.SENDING,
        (DeliveryStatus.SENDING, "sent"): DeliveryStatus.SENT,
        (DeliveryStatus.SENDING, "deferred"): DeliveryStatus.DEFERRED,
        (DeliveryStatus.SENDING, "failed"): DeliveryStatus.FAILED,
        (DeliveryStatus.SENDING, "given up"): DeliveryStatus.FAILED,
        (DeliveryStatus.SENDING, "in-doubt"): DeliveryStatus.IN_DOUBT,
        (DeliveryStatus.SENDING, "lease ran out"): DeliveryStatus.IN_DOUBT,
        (DeliveryStatus.SENDING, "put back"): DeliveryStatus.QUEUED,
        (DeliveryStatus.SENDING, "relay unavailable"): DeliveryStatus.DEFERRED,
        (DeliveryStatus.QUEUED, "suppressed"): DeliveryStatus.FAILED,
        (DeliveryStatus.DEFERRED, "suppressed"): DeliveryStatus.FAILED,
        (DeliveryStatus.IN_DOUBT, "suppressed"): DeliveryStatus.FAILED,
        (DeliveryStatus.SENT, "bounced"): DeliveryStatus.FAILED,
        (DeliveryStatus.IN_DOUBT, "bounced"): DeliveryStatus.FAILED,
        (DeliveryStatus.IN_DOUBT, "confirmed"): DeliveryStatus.SENT,
        (DeliveryStatus.IN_DOUBT, "send again"): DeliveryStatus.QUEUED,
        (DeliveryStatus.FAILED, "send again"): DeliveryStatus.QUEUED,
    },
)

# Some 24 hours in all: a server that greylists or is being repaired gets its chance, and time
# is left to print the bill before it is due.
RETRY_DELAYS = tuple(
    timedelta(minutes=minutes) for minutes in (5, 15, 30, 60, 120, 240, 240, 240, 240, 240)
)
OLD = timedelta(days=2)  # where the office sends but once a day, the tries would go on for weeks
OLD_ENOUGH_TRIES = 4


def retry_delay(attempts: int, age: timedelta) -> timedelta | None:
    """
    Return the wait after so many attempts (at least 1); None: give up.

    `age` is the time since it was recorded. Age alone is no reason: the relay may have been down
    all that while, and the mailbox was hardly asked.
    """
    if attempts > len(RETRY_DELAYS) or (age >= OLD and attempts >= OLD_ENOUGH_TRIES):
        return None
    return RETRY_DELAYS[attempts - 1]
