"""One line of a bank's file, and the refusal of a row that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from domain.failures import Misuse
from domain.money import Money

BAD_FILE = "bank-file"


@dataclass(frozen=True, slots=True)
class BankLine:
    """
    What came in (above zero) or went out on a day, and the row of the file that says so.

    `bank_account` has the last four digits alone.
    """

    row: int
    bank_account: str
    posted_on: date
    amount: Money
    reference: str
    text: str


def refuse(row: int, why: str) -> Misuse:
    """Make the refusal of a file: nothing of it is taken in."""
    return Misuse(f"The bank's file: row {row} {why}. Nothing of it was taken in.", BAD_FILE)
