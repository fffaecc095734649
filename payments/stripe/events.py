"""Stripe's events in the office's words: late answers, disputes, refunds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import stripe

from domain.failures import Refused
from domain.money import Money
from payments.port import LateEvent, LateEventKind
from payments.stripe.results import REFUND_KEY, Plain, code_of, draw_key_of, is_ach, to_moment

SUCCEEDED = "payment_intent.succeeded"
FAILED = "payment_intent.payment_failed"
# Money moves when funds are withdrawn or reinstated: an inquiry that is only created moves none,
# and a dispute that is won is told before its money is back.
WITHDRAWN = "charge.dispute.funds_withdrawn"
REINSTATED = "charge.dispute.funds_reinstated"
REFUNDED = "charge.refunded"
REFUND_KINDS = ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated")
KINDS = (SUCCEEDED, FAILED, WITHDRAWN, REINSTATED, REFUNDED, *REFUND_KINDS)
NOT_GIVEN = ("failed", "canceled")  # states of a refund whose money stayed ours
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

GetIntent = Callable[[str], Plain]


def read_signed(body: bytes, signature: str, secret: str) -> Plain:
    """Return an event that Stripe has signed; raises Refused for any other, or without a secret."""
    try:
        if not secret:
            raise ValueError("anybody can sign with an empty secret")
        event = stripe.Webhook.construct_event(body, signature, secret)
    except (stripe.SignatureVerificationError, ValueError):
        raise Refused(
            "webhook-signature", "The webhook is not signed by Stripe; it was not taken in."
        ) from None
    plain: Plain = event.to_dict()
    return plain


def to_late_event(event: Plain, get_intent: GetIntent) -> LateEvent | None:
    """Return what an event says of a draw of ours; None where it says nothing of one."""
    kind, subject = event["type"], event["data"]["object"]
    if kind == SUCCEEDED:
        return _late(event, subject, LateEventKind.APPROVED_LATE, subject["amount"], "")
    if kind == FAILED:
        return _failed(event, subject)
    if kind in (WITHDRAWN, REINSTATED):
        return _disputed(event, subject, get_intent)
    if kind == REFUNDED:
        return _newest_refund(event, subject, get_intent)
    return _refund(event, subject, get_intent) if kind in REFUND_KINDS else None


def _failed(event: Plain, intent: Plain) -> LateEvent | None:
    """
    Return a bank's no, whether it comes late or is the answer; what it means our books say.

    A card's decline is answered at once, and one whose answer was lost is looked up.
    """
    if not is_ach(intent):
        return None
    error = intent.get("last_payment_error") or {}
    return _late(event, intent, LateEventKind.RETURNED, intent["amount"], _return_code(error))


def _disputed(event: Plain, dispute: Plain, get_intent: GetIntent) -> LateEvent | None:
    """
    Return what a dispute moved: the newest of its balance transactions that goes that way.

    A dispute of a part, or one that comes back in parts, says its own amounts there.
    """
    if not dispute.get("payment_intent"):
        return None
    intent = get_intent(dispute["payment_intent"])
    is_back = event["type"] == REINSTATED
    moved = [
        line
        for line in dispute.get("balance_transactions") or ()
        if (line["amount"] > 0) is is_back
    ]
    newest = max(moved, key=lambda line: line.get("created", 0), default=None)
    cents = abs(newest["amount"]) if newest else dispute["amount"]
    fee = 0 if newest is None or is_back else newest.get("fee", 0)
    reason = str(dispute["reason"])
    if is_back:
        return _late(event, intent, LateEventKind.REINSTATED, cents, reason)
    if is_ach(intent):  # Stripe tells a bank's late return as a dispute
        code = _return_code({"code": reason})
        return _late(event, intent, LateEventKind.RETURNED, cents, code, fee=fee)
    due = (dispute.get("evidence_details") or {}).get("due_by")
    answer_by = to_moment(due) if due else None
    return _late(
        event, intent, LateEventKind.CHARGED_BACK, cents, reason, fee=fee, answer_by=answer_by
    )


def _newest_refund(event: Plain, charge: Plain, get_intent: GetIntent) -> LateEvent | None:
    """Return the refund that a charge tells of, where it names it; else `refund.created` does."""
    refunds = (charge.get("refunds") or {}).get("data") or ()
    newest = max(refunds, key=lambda one: one.get("created", 0), default=None)
    if newest is None:
        return None
    return _refund(event, {"payment_intent": charge.get("payment_intent"), **newest}, get_intent)


def _refund(event: Plain, refund: Plain, get_intent: GetIntent) -> LateEvent | None:
    """
    Return that a refund was made, or that it failed after all: each once, by the refund's number.

    Several events tell the same of one refund, and one that is only on its way has left already.
    """
    if not refund.get("payment_intent"):
        return None
    has_failed = refund.get("status") in NOT_GIVEN or event["type"] == "refund.failed"
    kind = LateEventKind.REFUND_FAILED if has_failed else LateEventKind.REFUNDED
    return _late(
        event,
        get_intent(refund["payment_intent"]),
        kind,
        refund["amount"],
        str(refund.get("failure_reason") or refund.get("reason") or ""),
        event_id=f"{refund['id']}/failed" if has_failed else str(refund["id"]),
        refund_key=str((refund.get("metadata") or {}).get(REFUND_KEY, "")),
    )


def _return_code(error: Plain) -> str:
    """Return the bank's R-code of a return, or Stripe's word where it stands for no one code."""
    bank = str(error.get("network_decline_code") or "")
    if bank.startswith("R"):
        return bank
    word = code_of(error)
    return _RETURN_CODES.get(word, word)


def _late(
    event: Plain,
    intent: Plain,
    kind: LateEventKind,
    cents: int,
    code: str,
    *,
    event_id: str = "",
    refund_key: str = "",
    fee: int = 0,
    answer_by: datetime | None = None,
) -> LateEvent | None:
    key = draw_key_of(intent)
    if not key:
        return None
    return LateEvent(
        event_id or event["id"],
        kind,
        key,
        intent["id"],
        Money(cents),
        code,
        to_moment(event["created"]),
        refund_key,
        Money(fee),
        answer_by,
    )
