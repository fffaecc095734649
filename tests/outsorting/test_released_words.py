"""What a release says it did, for people and for the audit list."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from database.tables import audit, bill
from domain.accounts import AccountStatus
from domain.money import Money
from domain.payments import PlannedPayment, Unscheduled
from outsorting.releasing import Released, say_done
from tests.builders import RUN, a_household
from tests.outsorting.builders import ANN, close_month, free, stage_bills

DUE, DRAWN = date(2026, 11, 20), date(2026, 11, 17)
DRAW = PlannedPayment(ANN, Money(80_00), DRAWN, immediate=False, unscheduled=None)
NO_DRAW = PlannedPayment(ANN, Money(0), None, False, Unscheduled.ZERO_BALANCE)


def released(**changes: object) -> Released:
    return Released(ANN, RUN, Money(80_00), True, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (Released(ANN, RUN, Money(80_00), False),
         "it goes with the others when the period is closed"),
        (released(later_period="2026-11"), "it shows; the bill of 2026-11 holds what it asks for"),
        (released(), "no balance moves, and nothing of it is due"),
        (released(due_on=DUE), "$80.00 due on 2026-11-20"),
        (released(due_on=DUE, payment=DRAW, mails=2),
         "$80.00 due on 2026-11-20, autopay draws $80.00 on 2026-11-17, 2 mails queued"),
        (released(due_on=DUE, payment=NO_DRAW, paper=1),
         "$80.00 due on 2026-11-20, autopay draws nothing (zero-balance), 1 bill waiting for the "
         "next print part"),
        (released(due_on=DUE, left_before=True),
         "$80.00 due on 2026-11-20, what left before names an older due date, so tell its customer "
         "of this one"),
    ],
)  # fmt: skip
def test_a_release_says_all_that_it_did_and_nothing_else(done, said):
    assert said == say_done(done)


def test_an_account_that_was_held_without_a_bill_is_released_without_a_due_date(database):
    """A waived check may hold a closed account: there is no bill and no balance to move."""
    gone = a_household(ANN, mandates=(), held=True, status=AccountStatus.CLOSED)
    stage_bills(database, gone, a_household("01.1002.2", mandates=()))
    with database.writing() as books:
        books.execute(sa.delete(bill).where(bill.c.account == ANN))
    close_month(database)

    done = free(database)

    assert (None, None, 0, 0) == (done.due_on, done.payment, done.mails, done.paper)
    with database.reading() as books:
        (detail,) = books.scalars(
            sa.select(audit.c.detail).where(audit.c.action == "release bill")
        ).all()
    assert f"{RUN}: no balance moves, and nothing of it is due" == detail
