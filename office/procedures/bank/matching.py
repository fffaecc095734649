"""The bank's file beside the gateway's payouts, by the office's settings."""

from __future__ import annotations

from typing import Any

from office.equipment.office import Office
from payments.bank.keeping import (
    BANK,
    PAYOUT,
    BankStanding,
    OpenDifference,
    TakenFile,
    read_standing,
    settle_difference,
    take_in,
)
from rules.money.bank_matching import BankPair


def take_bank_file(office: Office, name: str, content: bytes) -> TakenFile:
    """Take in what the bank says; the same lines again are nothing new. Raises Misuse."""
    terms = office.bank_terms
    return take_in(office.database, name, content, terms, now=office.due_now(), who=office.who)


def bank_standing(office: Office) -> BankStanding:
    """Return how bank and payouts agree, by all files taken in."""
    return read_standing(office.database, office.bank_terms.nearness)


def is_bank_item(item: str) -> bool:
    """Tell whether a difference is one between the bank and us, by its name."""
    return item.startswith((BANK, PAYOUT))


def settle_bank_item(office: Office, item: str, reason: str) -> OpenDifference:
    """Take a person's word that a difference is settled. Raises Misuse for an unknown one."""
    nearness = office.bank_terms.nearness
    return settle_difference(
        office.database, item, reason, nearness, now=office.due_now(), who=office.who
    )


def to_document(taken: TakenFile | None, standing: BankStanding) -> dict[str, Any]:
    """Write it as programs read it."""
    file = taken and {
        "name": taken.name,
        "format": taken.format,
        "lines": taken.lines,
        "new": taken.new,
        "left_out": taken.left_out,
        "first": taken.first_on.isoformat() if taken.first_on else None,
        "last": taken.last_on.isoformat() if taken.last_on else None,
        "known": taken.known,
    }
    return {
        "file": file,
        "matched": standing.matched,
        "amount": str(standing.amount),
        "first": standing.first_on.isoformat() if standing.first_on else None,
        "last": standing.last_on.isoformat() if standing.last_on else None,
        "groups": [_group(pair) for pair in standing.groups],
        "differences": [_difference(one) for one in standing.differences],
    }


def _group(pair: BankPair) -> dict[str, Any]:
    return {
        "amounts": [str(entry.amount) for entry in pair.entries],
        "dates": [entry.posted_on.isoformat() for entry in pair.entries],
        "deposits": [payout.name for payout in pair.payouts],
    }


def _difference(one: OpenDifference) -> dict[str, Any]:
    entry, payout = one.entry, one.payout
    return {
        "item": one.item,
        "difference": one.difference.value,
        "date": entry.posted_on.isoformat() if entry else None,
        "amount": str(entry.amount) if entry else None,
        "text": entry.words if entry else None,
        "deposit": payout.name if payout else None,
        "deposit_date": payout.pays_out_on.isoformat() if payout else None,
        "deposit_amount": str(payout.net) if payout else None,
    }
