"""Payment arrangements: an open balance that is paid in installments, by dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from domain.money import ZERO, Money
from domain.states import Transitions


class ArrangementState(StrEnum):
    """How it stands with a plan; what was paid of it is read from the ledger, never here."""

    WAITING = "waiting"  # for the yes of a second person (four eyes); nothing follows from it yet
    IN_FORCE = "in-force"
    KEPT = "kept"  # all of it is paid, or nothing is owed any more
    BROKEN = "broken"  # an installment was not paid in time: all that is owed is due again
    ENDED = "ended"  # cancelled by the office


ARRANGEMENT = Transitions(
    "payment arrangement",
    start=ArrangementState.WAITING,
    moves={
        (ArrangementState.WAITING, "approved"): ArrangementState.IN_FORCE,
        (ArrangementState.WAITING, "cancelled"): ArrangementState.ENDED,
        (ArrangementState.IN_FORCE, "paid"): ArrangementState.KEPT,
        (ArrangementState.IN_FORCE, "missed"): ArrangementState.BROKEN,
        (ArrangementState.IN_FORCE, "cancelled"): ArrangementState.ENDED,
        # the bank took back what had paid it
        (ArrangementState.KEPT, "came back"): ArrangementState.IN_FORCE,
    },
)

STANDING = (ArrangementState.WAITING, ArrangementState.IN_FORCE)  # an account has one at most


@dataclass(frozen=True, slots=True)
class Installment:
    """
    One part of a plan; local dates.

    `last_day` is the last one on which it may be paid without breaking the plan: the grace that
    was promised when the plan was made stays, whatever the setting says later.
    """

    due_on: date
    amount: Money
    last_day: date


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A plan as it was agreed; `account` as the office writes it."""

    number: int
    account_key: str
    account: str
    period: str  # of the bill that the balance stood with when it was agreed
    timezone: str
    state: ArrangementState
    reason: str
    made_at: datetime
    made_by: str
    by_customer: bool
    installments: tuple[Installment, ...]
    approved_by: str = ""
    in_force_at: datetime | None = None  # None: it never was
    ended_at: datetime | None = None  # kept, broken or cancelled
    ended_by: str = ""
    end_reason: str = ""
    paid_at_end: Money | None = None  # when it was kept: less of it later is a payment come back

    @property
    def amount(self) -> Money:
        return Money.total(one.amount for one in self.installments)

    @property
    def is_standing(self) -> bool:
        return self.state in STANDING


@dataclass(frozen=True, slots=True)
class InstallmentStanding:
    """An installment and how much of it the payments since the plan have paid."""

    number: int
    due_on: date
    amount: Money
    last_day: date
    paid: Money

    @property
    def open(self) -> Money:
        return self.amount - self.paid


@dataclass(frozen=True, slots=True)
class PlanStanding:
    """
    How it stands with a plan on a day, by the ledger.

    `missing` is what should have been paid by now, the grace over, and was not.
    """

    installments: tuple[InstallmentStanding, ...]
    paid: Money
    missing: Money
    is_paid: bool

    @property
    def next(self) -> InstallmentStanding | None:
        """The first installment that is not paid in full."""
        return next((one for one in self.installments if one.open > ZERO), None)

    @property
    def left(self) -> Money:
        return Money.total(one.open for one in self.installments)
