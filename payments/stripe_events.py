"""Stripe's events as late events: what became of a draw after it was answered."""

from __future__ import annotations

from collections.abc import Callable

from domain.money import Money
from payments.gateway import EventKind, LateEvent
from payments.stripe_results import Plain, code_of, draw_key_of, is_ach, to_moment

SUCCEEDED = "payment_intent.succeeded"
FAILED = "payment_intent.payment_failed"
DISPUTED = "charge.dispute.created"
KINDS = (SUCCEEDED, FAILED, DISPUTED)
# Stripe's words for a bank's no, where the bank's own code is not given with it. An unauthorised
# debit is taken for the strictest of its kind: the mandate is off until it is signed again.
_RETURN_CODES = {
    "insufficient_funds": "R01",
    "account_closed": "R02",
    "bank_account_closed": "R02",
    "no_account": "R03",
    "invalid_account_number": "R04",
    "incorrect_account_details": "R04",
    "debit_not_authorized": "R10",
    "customer_initiated": "R10",
    "account_frozen": "R16",
    "bank_account_restricted": "R16",
}


def to_late_event(event: Plain, get_intent: Callable[[str], Plain]) -> LateEvent | None:
    """Return what an event says of a draw of ours; None where it says nothing of one."""
    if event["type"] not in KINDS:
        return None
    subject = event["data"]["object"]
    if event["type"] == DISPUTED:
        return _disputed(event, subject, get_intent)
    if event["type"] == SUCCEEDED:
        return _late(event, subject, EventKind.APPROVED_LATE, subject["amount"], "")
    error = subject.get("last_payment_error") or {}
    if not is_ach(subject):
        return None  # a card's decline was answered at once
    return _late(event, subject, EventKind.RETURNED, subject["amount"], _return_code(error))


def _disputed(event: Plain, dispute: Plain, get_intent: Callable[[str], Plain]) -> LateEvent | None:
    if not dispute.get("payment_intent"):
        return None
    intent = get_intent(dispute["payment_intent"])
    reason = str(dispute["reason"])
    if is_ach(intent):  # Stripe tells a bank's late return as a dispute
        code = _return_code({"code": reason})
        return _late(event, intent, EventKind.RETURNED, dispute["amount"], code)
    return _late(event, intent, EventKind.CHARGED_BACK, dispute["amount"], reason)


def _return_code(error: Plain) -> str:
    """Return the bank's R-code of a return, or Stripe's word where it stands for no one code."""
    bank = str(error.get("network_decline_code") or "")
    if bank.startswith("R"):
        return bank
    word = code_of(error)
    return _RETURN_CODES.get(word, word)


def _late(event: Plain, intent: Plain, kind: EventKind, cents: int, code: str) -> LateEvent | None:
    key = draw_key_of(intent)
    if not key:
        return None
    happened_at = to_moment(event["created"])
    return LateEvent(event["id"], kind, key, intent["id"], Money(cents), code, happened_at)
