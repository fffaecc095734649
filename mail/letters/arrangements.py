"""Mails about a payment plan: what was agreed, an installment to come, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from domain.deliveries import MessageKind
from domain.money import ZERO, Money
from mail.letters.notices import Notice
from mail.letters.phrases import Values

AGREED = MessageKind.ARRANGEMENT.value
INSTALLMENT = f"{MessageKind.ARRANGEMENT}-installment"
BROKEN = f"{MessageKind.ARRANGEMENT}-broken"
ENDED = f"{MessageKind.ARRANGEMENT}-ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrangementLetter(Notice):
    """
    A plan as it stands when the mail leaves.

    `due_on` and `amount` are of the installment that the mail is about, else of the next one;
    `last_day` is the last one of its grace.
    """

    kind = MessageKind.ARRANGEMENT
    plan_amount: Money
    installments: tuple[tuple[date, Money], ...]
    open_balance: Money
    amount: Money = ZERO
    due_on: date | None = None
    last_day: date | None = None

    def _own_values(self) -> Values:
        return {
            "plan_amount": self.plan_amount.dollars(),
            "lines": tuple(
                f"{self._day(due_on)}: {amount.dollars()}" for due_on, amount in self.installments
            ),
            "payment_amount": self.amount.dollars() if self.amount else "",
            "due_date": self._day(self.due_on) if self.due_on else "",
            "last_day": self._day(self.last_day) if self.last_day else "",
            "open_balance": max(self.open_balance, ZERO).dollars(),
            "is_payment_due": self.open_balance > ZERO,
        }
