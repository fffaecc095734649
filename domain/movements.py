"""A movement on an account: what was billed, paid, adjusted or added as a penalty."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.accounts import account_key
from domain.money import Money


class MovementKind(StrEnum):
    BILLING = "billing"
    PAYMENT = "payment"
    ADJUSTMENT = "adjustment"
    PENALTY = "penalty"


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of the account's history (rule 44); payments are negative."""

    account: str
    posted_on: date
    service: str
    description: str
    kind: MovementKind
    amount: Money
    usage: float | None  # in the meter's unit; not money

    @property
    def key(self) -> str:
        return account_key(self.account)
