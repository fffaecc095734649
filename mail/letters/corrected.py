"""What the mail of a corrected bill says: what changed, and how the account stands since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from domain.languages import ENGLISH, say_day
from domain.money import ZERO, Money

CORRECTED_BILL = "corrected-bill"  # the template's name, whatever the bill's form


@dataclass(frozen=True, slots=True)
class Change:
    """
    The bill that was there before; `open_balance` is what the account owes when the mail leaves.

    None: the account's balance is not of this bill any more.
    """

    amount_before: Money
    due_before: date
    open_balance: Money | None


def say_changes(amount_due: Money, due_on: date, change: Change) -> tuple[str, ...]:
    """Name old and new amount and due date; what stays as it was is said too."""
    amount, before = _amount(amount_due), _amount(change.amount_before)
    if amount_due == change.amount_before:
        told = f"The amount is as before: {amount}."
    else:
        told = f"The amount is now {amount}; it was {before}."
    if due_on == change.due_before:
        return told, f"The due date is as before: {say_day(due_on, ENGLISH)}."
    return (
        told,
        f"The due date is now {say_day(due_on, ENGLISH)}; "
        f"it was {say_day(change.due_before, ENGLISH)}.",
    )


def say_standing(
    amount_due: Money, due_on: date, change: Change, drawn: Money, autopay_line: str
) -> tuple[str, ...]:
    """
    Say what is left to pay and who pays it; `drawn` is what autopay is going to draw.

    What was paid is never asked for twice: more than is owed now is a credit.
    """
    owed = amount_due if change.open_balance is None else change.open_balance
    received = amount_due - owed
    told = [f"We have received {received.dollars()} since the bill was made."] * (received > ZERO)
    if owed < ZERO:
        credit = Money(-owed.cents).dollars()
        return (*told, f"Your account has a credit of {credit}. Nothing needs to be paid.")
    if owed == ZERO:
        return (*told, "Nothing is left to be paid.")
    if drawn >= owed:
        return (*told, autopay_line, "There is nothing else you need to do.")
    if drawn > ZERO:
        left = (owed - drawn).dollars()
        return (
            *told,
            autopay_line,
            f"Please pay the remaining {left} by {say_day(due_on, ENGLISH)}.",
        )
    if told:
        return (
            *told,
            f"{owed.dollars()} is left, which autopay does not draw: please pay it by "
            f"{say_day(due_on, ENGLISH)}.",
        )
    return (f"Please pay {owed.dollars()} by {say_day(due_on, ENGLISH)}.",)


def _amount(amount: Money) -> str:
    if amount < ZERO:
        return f"a credit of {Money(-amount.cents).dollars()}"
    return amount.dollars()
