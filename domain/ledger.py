"""Balance entries: what moved an account's balance since its newest bill."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from domain.money import Money


class EntryKind(StrEnum):
    """What an entry is; the first two stand in every billing system, the others are of money."""

    ADJUSTMENT = "adjustment"
    PENALTY = "penalty"
    FEE = "fee"
    CORRECTION = "correction"  # of a bill that was made anew after its close
    PAYMENT = "payment"
    SERVICE_FEE = "service-fee"  # taken with a payment and booked apart: it never counts
    OTHER = "other"  # paid for something else than an account's balance: it never counts
    RETURN = "return"  # the bank took a payment back
    REFUND = "refund"  # we gave it back
    DISPUTE = "dispute"  # the card holder's bank took it back
    REINSTATED = "reinstated"  # a dispute was won: the money is ours again
    REFUND_FAILED = "refund-failed"  # it could not be given back: the money is ours still


MONEY_KINDS = (
    EntryKind.PAYMENT,
    EntryKind.RETURN,
    EntryKind.REFUND,
    EntryKind.DISPUTE,
    EntryKind.REINSTATED,
    EntryKind.REFUND_FAILED,
)


class EntrySource(StrEnum):
    FEED = "feed"  # the billing system told of it
    DRAW = "draw"  # autopay, and what became of it
    CHECKOUT = "checkout"  # a customer paid by hand
    OFFICE = "office"  # a person of the office
    CORRECTION = "correction"  # a bill was made anew after its close


class ContainedBy(StrEnum):
    """By what an export was found to contain an entry, the surest first."""

    REFERENCE = "reference"
    TIME = "time"  # the billing system had it when it wrote the export
    AMOUNT = "amount"  # a line of its amount and day
    SPLIT = "split"  # several lines together are it
    MERGED = "merged"  # one line is it and others
    VOIDED = "voided"  # payment and return, neither is there, they cancel out
    AGREED = "agreed"  # an equal-pay amount is asked whatever moved before it
    LATE = "late"  # told after the close of what the export had already
    DECIDED = "decided"  # a person said so


def service_fee_key(draw_key: str) -> str:
    """Name the entry of the service fee that was taken with a draw."""
    return f"service-fee/{draw_key}"


def taken_key(draw_key: str, line: int = 1) -> str:
    """Name the entry of a draw whose money was taken; a draw of several lines has several."""
    return of_line(f"taken/{draw_key}", line)


def of_line(key: str, line: int) -> str:
    """Name what belongs to one line of a payment: the first has the payment's own name."""
    return key if line == 1 else f"{key}/line-{line}"


@dataclass(frozen=True, slots=True)
class BalanceEntry:
    """
    One movement on an account as it stands in the books for ever.

    `amount` is what it does to the balance: payments are below zero, and it is never zero.
    `counts`: it is in the balance due. `payment_key` is what a payment shares with its returns.
    `happened_on` is a local day, maybe the cashier's and not the calendar's: `happened_at` None
    where only the day is known. `told_at`: the billing system surely had it then.
    """

    key: str
    account_key: str
    kind: EntryKind
    amount: Money
    happened_on: date
    source: EntrySource
    happened_at: datetime | None = None
    counts: bool = True
    reference: str | None = None
    payment_key: str | None = None
    line: int = 1  # of that payment
    told_at: datetime | None = None
    in_export_of: str | None = None
    how: ContainedBy | None = None

    def __post_init__(self) -> None:
        if not self.amount:
            raise ValueError(f"the entry {self.key} moves nothing")
        if (self.in_export_of is None) is not (self.how is None):
            raise ValueError(f"the entry {self.key} says only half of which export has it")
