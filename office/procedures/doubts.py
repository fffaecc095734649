"""Payments in doubt, with what the gateway and cash receipting say of each right now."""

from __future__ import annotations

from cash_receipting.port import PostingRequest
from database.postings import posting_key
from domain.failures import Misuse
from domain.ledger import taken_key
from domain.payments import PostingKind
from office.equipment.office import Office
from payments.collecting.draws import Draw
from payments.outcomes.unknown_payments import Doubt, list_doubts


def read_doubts(office: Office, key: str = "") -> list[Doubt]:
    """Ask both sides of every payment that waits for a person, or of the one of a key."""
    return list_doubts(
        office.database,
        office.gateway,
        lambda one: _receipt(office, one),
        office.due_now(),
        key=key,
    )


def find_doubt(office: Office, key: str) -> Doubt:
    """Return the payment in doubt of a draw's or payment's key; raises Misuse for none."""
    doubts = read_doubts(office, key) if key else []
    if not doubts:
        raise Misuse(f"No payment {key} waits for a decision; see `billclose unknown`.")
    return doubts[0]


def _receipt(office: Office, one: Draw) -> str | None:
    found = office.cash_receipting.find(
        PostingRequest(
            key=posting_key(PostingKind.RECEIPT, taken_key(one.key)),
            kind=PostingKind.RECEIPT,
            account=one.account,
            amount=one.amount,
            method_kind=one.method_kind,
            confirmation=one.reference or "",
            taken_on=one.local_day(one.asked_at or one.created_at),
        )
    )
    return found.number if found else None
