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
    },
)

# Some 24 hours in all: a server that greylists or is being repaired gets its chance, and time
# is left to print the bill before it is due.
RETRY_DELAYS = tuple(
    timedelta(minutes=minutes) for minutes in (5, 15, 30, 60, 120, 240, 240, 240, 240, 240)
)


def retry_delay(attempts: int) -> timedelta | None:
    """Return the wait after so many attempts (at least 1); None: give up."""
    return RETRY_DELAYS[attempts - 1] if attempts <= len(RETRY_DELAYS) else None
