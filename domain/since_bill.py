"""What moved on an account after its bill was made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from domain.money import ZERO, Money


@dataclass(frozen=True, slots=True)
class SinceBill:
    """
    What a bill shows and what moved since: the page was printed before (rules 38, 39).

    `paid` is less what went back, and below zero where more went back. `first_on` and `last_on`
    are the local days of the payments; None where only money that went back moved.
    """

    billed: Money
    added: Money = ZERO
    paid: Money = ZERO
    first_on: date | None = None
    last_on: date | None = None

    @property
    def open_balance(self) -> Money:
        return self.billed + self.added - self.paid
