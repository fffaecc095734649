"""One bill is held back from the close, and released: nothing leaves before, all of it after."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from database.audit import is_audited
from database.tables import (
    audit,
    balance_due,
    bill_run,
    delivery,
    gateway_payment,
    outsorted_bill,
    paper,
    scheduled_payment,
)
from domain.accounts import account_key
from domain.deliveries import DeliveryStatus
from domain.failures import Misuse, Refused
from domain.money import ZERO, Money
from tests.billing_system.feed.builders import tell_change
from tests.builders import (
    CLOSING_DAY,
    DUE,
    NOW,
    RUN,
    a_hold,
    a_household,
    close_run,
)
from tests.outsorting.builders import (
    ANN,
    BOB,
    NEXT,
    NOTHING,
    close_month,
    finish_month,
    free,
    hold,
    later,
    list_exceptions,
    list_held,
    printed,
    stage_bills,
    traces,
    waiting_paper,
)
from tests.payments.scheduling_builders import schedule


@pytest.fixture
def town(database):
    """Ann is paperless and pays by autopay, Bob gets paper; October is staged."""
    stage_bills(database, a_household(ANN), a_household(BOB, mandates=(), email=""))
    return database


def november(database, *households, **changes) -> None:
    facts = {"ends_on": date(2026, 11, 30), "due_on": date(2026, 12, 20)}
    stage_bills(database, *households, period=NEXT, **facts | changes)


def test_nothing_of_a_bill_that_is_held_before_the_close_happens(town):
    hold(town, reason="meter read twice")

    close_month(town)

    assert NOTHING | {"unscheduled": ["held"]} == traces(town)
    assert [(ANN, RUN, "meter read twice")] == list_held(town)
    [(account, period, message)] = list_exceptions(town)
    assert (ANN, RUN) == (account, period)
    assert message.startswith("held by anna: meter read twice; release it")
    assert [True] == traces(town, BOB)["visible"]


def test_a_held_paper_bill_is_in_no_print_batch(town):
    hold(town, BOB)

    close_month(town)

    assert not printed(town, BOB)


def test_a_release_before_the_close_takes_the_hold_off_and_nothing_else(town, database):
    hold(town)

    done = free(town)
    close_month(town)

    assert (False, None, ()) == (done.is_closed, done.due_on, tuple(list_held(town)))
    assert ([True], 1, 1) == (
        traces(town)["visible"], len(traces(town)["payments"]), len(traces(town)["mails"]),
    )  # fmt: skip


def test_a_release_after_the_close_does_all_that_was_held_back_rules_2_to_4(town):
    hold(town)
    hold(town, BOB)
    close_month(town)

    done, paper_bill = free(town), free(town, BOB)

    found = traces(town)
    assert [(Money(80_00), "tok_7_1", 1)] == found["payments"]
    assert ([True], [RUN], 1, [], False) == (
        found["visible"], found["portal"], len(found["mails"]), found["unscheduled"],
        found["paper"],
    )  # fmt: skip
    assert [(RUN, Money(80_00), ZERO, ZERO)] == found["balance"]
    assert (DUE, date(2026, 11, 13)) == (done.due_on, done.payment.pay_on)
    assert (1, [BOB], True) == (paper_bill.paper, waiting_paper(town), printed(town, BOB))
    assert ([], []) == (list_held(town), list_exceptions(town))


def test_a_release_shortly_before_the_due_date_leaves_the_customer_time_to_pay(town):
    hold(town)
    close_month(town)

    done = free(town, today=date(2026, 11, 16))

    [balance], [payment] = owed_by(town), payments(town)
    assert (date(2026, 11, 27), date(2026, 11, 27)) == (done.due_on, balance.due_on)
    assert (date(2026, 11, 27), False) == (payment.pay_on, payment.immediate)


def test_a_released_bill_is_never_drawn_at_once_though_its_day_is_past(town):
    with town.writing() as books:
        books.execute(sa.text("UPDATE mandate SET days_prior = 30"))
    hold(town)
    close_month(town)

    done = free(town)

    assert (date(2026, 11, 12), False) == (done.payment.pay_on, done.payment.immediate)


def test_holding_after_the_close_takes_back_what_waits_and_says_so(town):
    close_month(town)

    done = hold(town)

    assert (1, Money(80_00), 1, None, ()) == (
        done.payments, done.payments_amount, done.mails, done.balance_of, done.stands,
    )  # fmt: skip
    expected = NOTHING | {"unscheduled": ["held"], "balance": [(None, ZERO, ZERO, ZERO)]}
    assert expected == traces(town)
    [payment] = payments(town)
    assert ("cancelled", "outsorted: looks wrong") == (payment.state, payment.error)


def test_what_was_taken_back_after_the_close_is_done_again_by_the_release(town):
    close_month(town)
    before = traces(town)
    hold(town)

    free(town)

    assert before == traces(town)


def test_the_balance_stands_for_the_bill_before_while_the_newer_one_is_held(town):
    close_month(town)
    november(town, a_household(ANN, closing_balance=Money(150_00)), a_household(BOB))
    hold(town, period=NEXT)

    close_month(town, NEXT, date(2026, 12, 1))

    assert [(RUN, Money(80_00), ZERO, ZERO)] == traces(town)["balance"]
    assert {(ANN, RUN), (BOB, NEXT)} == {(row.account, row.period) for row in owed_by(town, None)}
    free(town, period=NEXT, today=date(2026, 12, 1))
    assert [(NEXT, Money(150_00), ZERO, ZERO)] == traces(town)["balance"]


def test_a_bill_that_a_later_bill_holds_is_only_shown_when_it_is_released(town):
    hold(town)
    close_month(town)
    november(town, a_household(ANN, closing_balance=Money(150_00)), a_household(BOB))
    close_month(town, NEXT, date(2026, 12, 1))
    [(_, _, message)] = list_exceptions(town)

    done = free(town, today=date(2026, 12, 1))

    assert "a newer bill of the account asks for what it asks" in message
    assert (NEXT, None, 0) == (done.later_period, done.payment, done.mails)
    assert ([True], []) == (traces(town)["visible"], traces(town)["mails"])
    assert [(NEXT, Money(150_00), ZERO, ZERO)] == traces(town)["balance"]
    assert 1 == len(traces(town, period=NEXT)["payments"])


def test_a_bill_whose_balance_a_later_bill_holds_is_not_held_any_more(town):
    close_month(town)
    november(town, a_household(ANN), a_household(BOB))
    close_month(town, NEXT, date(2026, 12, 1))
    before = traces(town)

    with pytest.raises(Refused, match=f"stands for period {NEXT}") as refused:
        hold(town)

    assert ("later-bill", before, []) == (refused.value.code, traces(town), list_held(town))


@pytest.mark.parametrize("state", ["submitted", "unknown", "succeeded", "returned-in-part"])
def test_a_bill_that_money_was_drawn_for_is_not_held(town, state):
    close_month(town)
    set_state(town, state)

    with pytest.raises(Refused, match=r"\$80\.00 .* drawn for the bill") as refused:
        hold(town)

    assert ("drawn", []) == (refused.value.code, list_held(town))


@pytest.mark.parametrize("state", ["declined", "returned"])
def test_a_draw_that_brought_no_money_does_not_keep_a_bill_from_being_held(town, state):
    close_month(town)
    set_state(town, state)

    hold(town)

    assert [(None, ZERO, ZERO, ZERO)] == traces(town)["balance"]


def test_a_mail_that_has_left_is_told_and_not_sent_again(town):
    close_month(town)
    with town.writing() as books:
        late = datetime(2026, 11, 3, 4, 30, tzinfo=UTC)  # in the evening of the day before, there
        books.execute(delivery.update().values(status="sent", sent_at=late))

    done = hold(town)
    free(town)

    assert (
        "The bill was mailed in 1 mail, last on 2026-11-02; a mail cannot be called back.",
    ) == (done.stands)
    assert (0, 1) == (done.mails, len(traces(town)["mails"]))


def test_a_bill_in_a_print_part_is_told_and_printed_once(town):
    close_month(town)
    with town.writing() as books:
        row = {"period": RUN, "form": "utility-bill", "account_key": "1010022", "account": BOB}
        more = {"pages": 1, "reason": "no-ebill", "part": 1, "sequence": 1}
        key = books.scalar(sa.select(balance_due.c.account_key).where(balance_due.c.account == BOB))
        books.execute(paper.insert().values(row | more | {"account_key": key}))

    done = hold(town, BOB)
    free(town, BOB)

    assert ["The bill is in part 1 of the print batches"] == [text[:42] for text in done.stands]
    assert [] == waiting_paper(town)


@pytest.mark.parametrize("today", [CLOSING_DAY, date(2026, 11, 16)], ids=["same day", "new day"])
@pytest.mark.parametrize("status", list(DeliveryStatus))
def test_who_was_mailed_an_older_due_date_is_to_be_told_of_the_new_one(town, status, today):
    close_month(town)
    with town.writing() as books:
        books.execute(delivery.update().values(status=status, sent_at=NOW))
    hold(town)

    done = free(town, today=today)

    may_have_it = status in {"sent", "sending", "in-doubt"}
    assert done.left_before is (may_have_it and done.due_on != DUE)


@pytest.mark.parametrize("part", [None, 1])
def test_who_was_printed_an_older_due_date_is_to_be_told_of_the_new_one(town, part):
    close_month(town)
    with town.writing() as books:
        row = {"period": RUN, "form": "utility-bill", "account": BOB, "pages": 1}
        key = books.scalar(sa.select(balance_due.c.account_key).where(balance_due.c.account == BOB))
        more = {"reason": "no-ebill", "part": part, "sequence": 1, "account_key": key}
        books.execute(paper.insert().values(row | more))
    hold(town, BOB)

    assert free(town, BOB, today=date(2026, 11, 16)).left_before is (part is not None)


def test_a_waived_checks_bills_are_held_alike_and_have_a_way_back(database):
    stage_bills(database, a_household(ANN, held=True), a_household(BOB, mandates=(), email=""))

    close_month(database)

    assert NOTHING | {"unscheduled": ["held"]} == traces(database)
    free(database)
    assert ([True], 1, 1) == (
        traces(database)["visible"], len(traces(database)["payments"]),
        len(traces(database)["mails"]),
    )  # fmt: skip


def test_a_release_lets_go_whoever_held_it(town):
    with town.writing() as books:
        key = books.scalar(sa.text("SELECT account_key FROM account WHERE account = '01.1001.1'"))
        row = a_hold("bill-amount", period=RUN, account_key=key, account=ANN)
        books.execute(outsorted_bill.insert().values(row))
    hold(town)
    assert [(ANN, RUN, "seen"), (ANN, RUN, "looks wrong")] == sorted(list_held(town))[::-1]

    free(town)

    assert [] == list_held(town)


def test_holding_and_releasing_twice_is_doing_it_once(town):
    hold(town)
    close_month(town)

    again = hold(town, reason="another")
    free(town)
    once = traces(town)
    twice = free(town)

    assert (True, True, once) == (again.already, twice.already, traces(town))


def test_a_bill_may_be_held_and_released_over_and_over(town):
    close_month(town)
    before = traces(town)

    for day in (1, 2, 3):
        hold(town, now=later(day))
        free(town, now=later(day), today=CLOSING_DAY + timedelta(days=day))

    assert before == traces(town)


def test_what_the_close_has_not_done_yet_it_does_once_after_a_release(town):
    """The close was killed after its publishing; the bill is released, then the close goes on."""
    hold(town)
    close_run(town)

    free(town)
    finish_month(town)

    found = traces(town)
    assert (1, 1, []) == (len(found["payments"]), len(found["mails"]), found["unscheduled"])


def test_a_schedule_that_runs_again_leaves_a_held_bill_alone(town):
    close_month(town)
    hold(town)

    finish_month(town)

    assert ([], ["held"], []) == (
        traces(town)["payments"], traces(town)["unscheduled"], traces(town)["mails"],
    )  # fmt: skip


def test_a_later_schedule_goes_by_the_released_bills_own_due_date(town):
    hold(town)
    close_month(town)
    with town.writing() as books:
        books.execute(sa.text("UPDATE account SET block_card = true"))
    free(town, today=date(2026, 11, 16))
    with town.writing() as books:
        books.execute(sa.text("UPDATE account SET block_card = false"))

    schedule(town, date(2026, 11, 17))

    [payment] = payments(town)
    assert date(2026, 11, 20) == payment.pay_on  # seven days before the 27th: a Friday


@pytest.mark.parametrize(
    ("number", "period", "code"),
    [("99.9999.9", RUN, "unknown-account"), (ANN, "2031-01", "unknown-period")],
)
def test_what_nobody_knows_is_not_held(town, number, period, code):
    with pytest.raises(Misuse) as wrong:
        hold(town, number, period)

    assert code == wrong.value.code


def test_a_bill_that_nobody_holds_is_not_released(town):
    close_month(town)

    with pytest.raises(Refused, match="is not held back") as refused:
        free(town)

    assert "not-outsorted" == refused.value.code


def test_both_acts_are_audited_with_their_reasons(town):
    hold(town, reason="meter read twice")
    close_month(town)
    free(town)

    with town.reading() as books:
        assert is_audited(books, "outsort bill", ANN, f"{RUN}: meter read twice")
        details = books.scalars(sa.select(audit.c.detail).where(audit.c.action == "release bill"))
        assert [True] == ["$80.00 due on 2026-11-20, autopay draws" in one for one in details]


def test_a_hold_outlives_the_export_that_is_replaced(town):
    hold(town)

    with town.writing() as books:
        books.execute(bill_run.delete().where(bill_run.c.period == RUN))
    stage_bills(town, a_household(ANN), a_household(BOB, mandates=(), email=""))
    close_month(town)

    assert [False] == traces(town)["visible"]


def owed_by(database, number: str | None = ANN):
    query = sa.select(balance_due)
    if number is not None:
        query = query.where(balance_due.c.account == number)
    with database.reading() as books:
        return books.execute(query.order_by(balance_due.c.account)).all()


def payments(database):
    with database.reading() as books:
        return books.execute(sa.select(scheduled_payment)).all()


def set_state(database, state: str) -> None:
    with database.writing() as books:
        books.execute(gateway_payment.update().values(state=state))


def test_a_released_bill_goes_to_the_mailboxes_that_the_feed_told_meanwhile(town):
    hold(town)
    close_month(town)
    tell_change(town, "email", "new@example.com", NOW, key=account_key(ANN))

    free(town)

    assert [f"bill/{RUN}/utility-bill/{ANN}/new@example.com"] == traces(town)["mails"]
