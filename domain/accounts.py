"""An account: what is billed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from domain.money import Money


@lru_cache(maxsize=20_000)  # each of an account's rows asks
def account_key(number: str) -> str:
    """
    Return what two spellings of one account number have in common (rule 124).

    Only letters and digits count, so `01.1037.1`, `01-1037-1` and `0110371` are one account.
    """
    return "".join(filter(str.isalnum, number)).upper()


class AccountStatus(StrEnum):
    ACTIVE = "active"
    FINAL = "final"  # moved out; gets a last bill over the real balance
    CLOSED = "closed"  # neither billed nor written to


@dataclass(frozen=True, slots=True)
class Account:
    """One account as the billing export gives it for a period."""

    number: str
    name: str
    last_name: str
    service_address: str
    mailing_address: str
    city: str
    state: str
    zip: str
    phone: str
    email: str  # as written: several addresses joined by semicolons (rule 22)
    ebill: bool  # the paperless field, whatever the site calls it (rules 32-34)
    send_paper: bool
    status: AccountStatus
    opening_balance: Money
    closing_balance: Money
    equal_pay_amount: Money | None
    direct_pay: bool
    block_ach: bool
    block_card: bool
    cosigner_id: str
    district: str = ""  # where the utility divides its town into some (rule 172)
    deposit_held: Money | None = None  # None: the export does not tell

    @property
    def key(self) -> str:
        return account_key(self.number)
