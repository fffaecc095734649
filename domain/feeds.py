"""What a billing system tells between two closes, and what it is told by us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from domain.accounts import account_key
from domain.money import Money


class FeedKind(StrEnum):
    """What a movement between two closes is; a bill itself comes with the export alone."""

    PAYMENT = "payment"
    ADJUSTMENT = "adjustment"
    PENALTY = "penalty"
    FEE = "fee"


@dataclass(frozen=True, slots=True)
class FeedMovement:
    """
    One amount on an account, as the billing system tells it.

    `amount` is what it does to the balance: payments negative. `posted_at` is a local moment of
    the utility, None where only the cashier's day is known. What is not `in_balance_due` is shown
    and changes nothing that is owed (rule 39).
    """

    movement_id: str
    account: str
    happened_on: date
    kind: FeedKind
    amount: Money
    service: str = ""
    description: str = ""
    reference: str = ""
    posted_at: datetime | None = None
    in_balance_due: bool = True

    @property
    def key(self) -> str:
        return account_key(self.account)

    @property
    def entry_key(self) -> str:
        return f"feed/{self.movement_id}"


class ChangeField(StrEnum):
    """What of an account may change between two closes."""

    EMAIL = "email"
    PHONE = "phone"
    EBILL = "ebill"
    SEND_PAPER = "send_paper"
    STATUS = "status"
    DIRECT_PAY = "direct_pay"
    BLOCK_ACH = "block_ach"
    BLOCK_CARD = "block_card"
    NAME = "name"
    LAST_NAME = "last_name"
    MAILING_ADDRESS = "mailing_address"
    CITY = "city"
    STATE = "state"
    ZIP = "zip"


FLAGS = (
    ChangeField.EBILL,
    ChangeField.SEND_PAPER,
    ChangeField.DIRECT_PAY,
    ChangeField.BLOCK_ACH,
    ChangeField.BLOCK_CARD,
)
YES, NO = "yes", "no"
STRICTER: Mapping[str, str] = {  # in doubt nothing is drawn
    ChangeField.BLOCK_ACH: YES,
    ChangeField.BLOCK_CARD: YES,
    ChangeField.DIRECT_PAY: YES,
    ChangeField.STATUS: "closed",
}


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What changed on one account; flags are `yes` and `no`, an emptied text is empty."""

    account: str
    values: Mapping[ChangeField, str]

    @property
    def key(self) -> str:
        return account_key(self.account)


class ChoiceState(StrEnum):
    """Where a customer's choice stands on its way to the billing system."""

    WAITING = "waiting"
    TOLD = "told"  # handed over; nobody has said yet what became of it
    TAKEN = "taken"
    REFUSED = "refused"  # a person must look


@dataclass(frozen=True, slots=True)
class Choice:
    """
    One thing that a customer chose with us and the billing system has to know.

    `number` is its name on both sides: told twice, it is taken once.
    """

    number: int
    account: str
    field: str
    value: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What the billing system says of a choice: taken, or refused with its reason."""

    number: int
    is_taken: bool
    reason: str = ""
