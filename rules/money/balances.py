"""What a customer owes for a period."""

from __future__ import annotations

from domain.accounts import Account, AccountStatus
from domain.money import ZERO, Money


def amount_due(account: Account) -> Money:
    """
    Return the amount that the bill shows, the balance due moves to and autopay draws.

    Autopay takes the Balance Due / Equal Pay field, never the bill's own total (rules 41, 72). Only
    an active account pays its agreed equal amount: a final account settles its real balance.
    """
    if pays_equal_amount(account) and account.equal_pay_amount is not None:
        return account.equal_pay_amount
    return account.closing_balance


def pays_equal_amount(account: Account) -> bool:
    """Tell whether the fixed monthly amount agreed with the customer is in force."""
    return account.status is AccountStatus.ACTIVE and account.equal_pay_amount is not None


def is_owed(balance: Money) -> bool:
    """A zero balance and a credit are nothing to ask for (rule 57, ruling 15)."""
    return balance > ZERO
