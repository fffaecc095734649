"""What the database itself makes impossible before the close (rules 2, 8, 9), and twice."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from database import tables
from domain.deliveries import DeliveryStatus, MessageKind, PaperReason
from domain.money import ZERO, Money
from domain.payments import MethodKind, PaymentState, PostingKind, PostingState, Unscheduled
from tests.builders import DUE, NOW, RUN, a_household, close_run, stage_run

OURS = {"period": RUN, "account_key": "0110371", "account": "01.1037.1"}
PAYMENT = OURS | {
    "key": f"autopay/{RUN}/0110371", "pay_on": DUE, "amount": Money(80_00), "method_token": "tok",
    "method_kind": MethodKind.CARD, "last4": "4242", "immediate": False,
    "state": PaymentState.SCHEDULED, "scheduled_at": NOW,
}  # fmt: skip
DELIVERY = OURS | {
    "key": "bill/1", "kind": MessageKind.BILL, "form": "utility-bill", "address": "ann@x.example",
    "status": DeliveryStatus.QUEUED, "message_id": "<1@x>", "attempts": 0, "queued_at": NOW,
    "next_try_at": NOW, "possible_duplicate": False,
}  # fmt: skip
PAPER = OURS | {"form": "utility-bill", "pages": 1, "reason": PaperReason.SEND_PAPER, "sequence": 1}
BATCH = {
    "period": RUN, "part": 1, "bulk": 0, "form": "utility-bill", "file": "print.pdf", "bills": 1,
    "pages": 1, "sha256": "0" * 64, "written_at": NOW,
}  # fmt: skip
BALANCE = OURS | {"amount_due": Money(80_00), "paid": ZERO, "due_on": DUE}
REASON = OURS | {"reason": Unscheduled.ZERO_BALANCE}


def enter(database, table: sa.Table, row: dict[str, Any]) -> None:
    with database.writing() as books:
        books.execute(table.insert().values(**row))


AFTER_THE_CLOSE = [
    pytest.param(tables.gateway_payment, PAYMENT, id="scheduling, rule 9"),
    pytest.param(tables.autopay_unscheduled, REASON, id="the second list"),
    pytest.param(tables.delivery, DELIVERY, id="mailing, rule 2a"),
    pytest.param(tables.balance_due, BALANCE, id="moving a balance, rule 2b"),
    pytest.param(tables.paper, PAPER, id="paper"),
    pytest.param(tables.print_batch, BATCH, id="printing"),
]


@pytest.mark.parametrize(("table", "row"), AFTER_THE_CLOSE)
def test_before_the_close_the_database_has_no_place_for(database, table, row):
    stage_run(database, a_household())

    with pytest.raises(sa.exc.IntegrityError):
        enter(database, table, row)

    with database.writing() as books:
        closed = {"period": RUN, "closed_at": NOW, "closed_by": "anna"}
        books.execute(tables.period_close.insert().values(**closed))
    enter(database, table, row)


def test_a_run_that_was_never_imported_cannot_be_closed(database):
    with pytest.raises(sa.exc.IntegrityError):
        enter(database, tables.period_close, {"period": RUN, "closed_at": NOW, "closed_by": "anna"})


def test_a_period_is_closed_once(database):
    stage_run(database, a_household())
    close_run(database)

    with pytest.raises(sa.exc.IntegrityError):
        enter(database, tables.period_close, {"period": RUN, "closed_at": NOW, "closed_by": "ben"})


def test_a_close_cannot_be_taken_back_by_importing_again(database):
    stage_run(database, a_household())
    close_run(database)

    for table in (tables.bill_run, tables.period_close):
        with pytest.raises(sa.exc.IntegrityError), database.writing() as books:
            books.execute(table.delete())


def test_an_account_is_never_scheduled_twice_for_one_bill(database):
    stage_run(database, a_household())
    close_run(database)
    enter(database, tables.gateway_payment, PAYMENT)

    for again in (PAYMENT, PAYMENT | {"key": "another"}):
        with pytest.raises(sa.exc.IntegrityError):
            enter(database, tables.gateway_payment, again)


@pytest.mark.parametrize("amount", [ZERO, Money(-1)])
def test_nothing_and_less_than_nothing_are_never_scheduled(database, amount):
    stage_run(database, a_household())
    close_run(database)

    with pytest.raises(sa.exc.IntegrityError):
        enter(database, tables.gateway_payment, PAYMENT | {"amount": amount})


@pytest.mark.parametrize(
    ("pay_on", "reason"), [(DUE, Unscheduled.ZERO_BALANCE), (None, None)], ids=["both", "neither"]
)
def test_a_plan_is_a_payment_or_a_reason_rule_82(database, pay_on, reason):
    stage_run(database, a_household())
    plan = OURS | {
        "amount": ZERO, "pay_on": pay_on, "immediate": False, "unscheduled": reason,
        "method_token": "tok", "last4": "",
    }  # fmt: skip

    with pytest.raises(sa.exc.IntegrityError):
        enter(database, tables.planned_payment, plan)


def test_a_message_is_queued_once(database):
    stage_run(database, a_household())
    close_run(database)
    enter(database, tables.delivery, DELIVERY)

    for again in ({"message_id": "<2@x>"}, {"key": "bill/2"}):
        with pytest.raises(sa.exc.IntegrityError):
            enter(database, tables.delivery, DELIVERY | again)


def test_a_posting_belongs_to_a_payment(database):
    posting = {
        "key": "receipt/nobody's",
        "payment_key": "nobody's",
        "kind": PostingKind.RECEIPT,
        "amount": Money(1),
        "state": PostingState.PENDING,
        "attempts": 0,
        "created_at": NOW,
        "next_retry_at": NOW,
    }

    with pytest.raises(sa.exc.IntegrityError):
        enter(database, tables.posting, posting)
