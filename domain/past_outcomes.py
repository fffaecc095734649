"""What became of an account's bill in a month: a mail, a bill on paper, a draft."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.accounts import account_key
from domain.money import Money


class OutcomeKind(StrEnum):
    """What a close leads to, and an office can tell of a month that it closed before."""

    MAIL = "mail"  # the bill by e-mail, to one mailbox
    PAPER = "paper"
    DRAFT = "draft"  # a payment by autopay


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    One mail, bill on paper or draft of one account in one month.

    `address` is of a mail, `amount` (cents) and `day` (a local date) are of a draft; a day that
    nobody told is None.
    """

    kind: OutcomeKind
    account: str
    address: str = ""
    amount: Money | None = None
    day: date | None = None

    @property
    def of(self) -> tuple[OutcomeKind, str, str]:
        """What makes two of them one and the same thing, whatever else they say."""
        return self.kind, account_key(self.account), self.address.casefold()

    def in_words(self) -> str:
        if self.kind is OutcomeKind.MAIL:
            return f"a mail to {self.address}"
        if self.kind is OutcomeKind.PAPER or self.amount is None:
            return "on paper"
        return self.amount.dollars() + (f" on {self.day}" if self.day else "")


@dataclass(frozen=True, slots=True)
class OutcomeDifference:
    """
    One thing in which a replayed month is not what the office had: `ours`, `theirs`, or both.

    `why` is the reason that the books give for ours, where they have one.
    """

    kind: OutcomeKind
    account: str
    ours: str = ""
    theirs: str = ""
    why: str = ""
