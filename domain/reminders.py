"""Reminders of a due date: their kinds, and why somebody who owes money gets none."""

from __future__ import annotations

from enum import StrEnum

from domain.deliveries import MessageKind

REMINDERS = (MessageKind.PAYMENT_DUE, MessageKind.PAST_DUE)


class Skipped(StrEnum):
    """
    Why an account that owes something is not reminded now; the first that applies.

    The exemptions keep past-due mails from customers who were hurt by a failure of ours.
    """

    HELD = "held"  # a blocking check was waived for it, or the office put a hold on it
    ARRANGED = "arranged"  # what it owes is in a payment arrangement that is kept
    PAYMENT_UNDER_WAY = "payment-under-way"  # ruling 14: until it is known what came of it
    SHIELDED_DRAW = "shielded-draw"  # its payment is due and was not drawn (ruling 20)
    SHIELDED_SCHEDULE = "shielded-schedule"  # its autopay was scheduled late, or not yet
    SHIELDED_BILL = "shielded-bill"  # its bill did not arrive, or late
    AUTOPAY = "autopay"  # rule 95
    NO_ADDRESS = "no-address"
    SUPPRESSED = "suppressed"  # mails to all its addresses came back
    TOO_LATE = "too-late"


EXEMPTIONS = {
    Skipped.SHIELDED_DRAW: "its autopay payment is due, and we have not drawn it yet",
    Skipped.SHIELDED_SCHEDULE: "its autopay payment was scheduled after the day it was meant for, "
    "or is not scheduled yet",
    Skipped.SHIELDED_BILL: "its bill came back, did not leave, or reached it late on paper",
}


def audit_action(kind: MessageKind) -> str:
    """Name what the audit list calls the recording of a kind's mails."""
    return f"queue {kind}"
