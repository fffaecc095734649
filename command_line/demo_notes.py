"""What a bill of the demo city tells its customer besides the amounts."""

from __future__ import annotations

from command_line.demo_households import Household
from domain.accounts import AccountStatus
from domain.money import ZERO

_USUAL = (
    ("Leaks:", "a running toilet can waste 6,000 gallons a month; a few drops of dye show it."),
    ("Winter:", "please unhook garden hoses and wrap outdoor pipes before the first hard frost."),
)


def notes_for(household: Household) -> list[tuple[str, str]]:
    """Return up to three notes, a headline and a sentence each, the most personal first."""
    notes = []
    if household.account.status is AccountStatus.FINAL:
        notes.append(("Final bill:", "for this address. Thank you for having been our customer."))
    if household.is_equal_pay:
        notes.append(("Equal Pay:", _equal_pay(household)))
    if household.autopay and household.autopay.status == "active":
        notes.append(("Autopay:", "enrolled. Thank you."))
    if household.amount_due <= ZERO:
        notes.append(("No payment is needed:", "your account is paid or in credit."))
    return [*notes, *_USUAL][:3]


def _equal_pay(household: Household) -> str:
    agreed, balance = household.amount_due.dollars(), household.ledger.closing.dollars()
    return f"your agreed monthly amount of {agreed} is due. Your account balance is {balance}."
