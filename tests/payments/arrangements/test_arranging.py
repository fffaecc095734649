"""A plan is made, kept by what the ledger has, or broken; once, whatever dies meanwhile."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from database.audit import record_audit
from database.ledger.entries import record_entries
from database.queries.arrangements.deferred import due_now, read_deferred
from database.queries.arrangements.reading import arrangements, newest_plan, paid_since
from database.queries.exceptions import exceptions
from database.tables import audit, draw, gateway_payment, movement, period_close
from domain.accounts import account_key
from domain.arrangements import ArrangementState
from domain.failures import Misuse, Refused
from domain.ledger import BalanceEntry, EntryKind, EntrySource
from domain.money import ZERO, Money
from domain.movements import MovementKind
from domain.payments import DrawState, PaymentState
from payments.arrangements import making
from payments.arrangements.making import ArrangingTerms, PlanWish
from payments.arrangements.settling import _settle, settle_arrangements
from rules.money.arrangements import CustomerLimits, CustomerRefusal, Every, spread
from tests.builders import CARD, RUN, a_household, close_run, empty, few_examples, stage_run
from tests.mail.reminder_builders import local

ELM = "01.1037.1"
KEY = account_key(ELM)
MADE = local("2026-11-25T09:00")
TERMS = ArrangingTerms(MADE, "anna")
FIRST = date(2026, 12, 1)


@pytest.fixture
def town(database):
    """One household that owes 200.00 after its close."""
    make_town(database)
    return database


def make_town(database):
    stage_run(database, a_household(ELM, mandates=(), balance="200.00"))
    close_run(database)


def plan(database, amount="200.00", number=4, terms=TERMS, every=Every.MONTH):
    dated = spread(Money.parse(amount), number, FIRST, every)
    return making.arrange(database, PlanWish(KEY, dated, "asked by phone"), terms)


def pay(database, amount, at, key=None, **changes: Any):
    """Enter a payment (or with a minus what came back) as the ledger takes it."""
    cents = Money.parse(amount)
    facts: dict[str, Any] = {
        "kind": EntryKind.PAYMENT if cents > ZERO else EntryKind.RETURN,
        "source": EntrySource.CHECKOUT,
    }
    moment = local(at)
    entry = BalanceEntry(
        key or f"paid/{at}/{amount}", KEY, amount=-cents, happened_on=moment.date(),
        **facts | changes,
    )  # fmt: skip
    with database.writing() as books:
        record_entries(books, [entry], now=moment, who="anna")


def night(database, day, **changes: Any):
    return settle_arrangements(database, local(f"{day}T06:00"), "night", **changes)


def newest(database):
    with database.reading() as books:
        return newest_plan(books, KEY)


def state(database):
    found = newest(database)
    return found and found.state


def acts(database):
    with database.reading() as books:
        rows = books.execute(sa.select(audit.c.action, audit.c.who).order_by(audit.c.id))
        return [tuple(row) for row in rows if "arrange" in row.action]


def test_a_plan_is_in_force_once_it_is_made_and_is_audited(town):
    made = plan(town)

    assert (Money(200_00), ArrangementState.IN_FORCE, ELM, RUN) == (
        made.amount, made.state, made.account, made.period
    )  # fmt: skip
    assert [Money(50_00)] * 4 == [one.amount for one in made.installments]
    assert [date(2026, 12, 4)] == [one.last_day for one in made.installments][:1]
    assert [("arrange payments", "anna")] == acts(town)


def test_an_account_has_one_plan_that_stands(town):
    plan(town)

    with pytest.raises(Refused) as refused:
        plan(town)

    assert "has-arrangement" == refused.value.code
    assert "is in force; cancel it first" in str(refused.value)
    assert 1 == len(acts(town))


def test_no_plan_is_for_more_than_is_open(town):
    pay(town, "60.00", "2026-11-24T12:00")

    with pytest.raises(Misuse) as refused:
        plan(town, "140.01")
    made = plan(town, "140.00")

    assert "over-open-balance" == refused.value.code
    assert Money(140_00) == made.amount


def test_eight_plans_at_once_are_one(town):
    results: list[str] = []

    def make() -> None:
        try:
            results.append(plan(town).state)
        except Refused as refused:
            results.append(refused.code)

    workers = [threading.Thread(target=make) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert ["has-arrangement"] * 7 + ["in-force"] == sorted(results)


def test_a_plan_that_is_paid_in_time_is_kept_and_one_that_is_missed_is_broken_once(town):
    plan(town)
    in_time = night(town, "2026-12-04")
    pay(town, "50.00", "2026-12-04T12:00")
    kept_so_far = night(town, "2026-12-05")
    second = night(town, "2027-01-05")
    again = night(town, "2027-01-05")

    assert [0, 0, 1, 0] == [one.changed for one in (in_time, kept_so_far, second, again)]
    assert [ELM] == second.broken
    assert ArrangementState.BROKEN == state(town)
    assert ("arrangement missed", "night") == acts(town)[-1]
    assert 1 == sum(action == "arrangement missed" for action, _ in acts(town))
    with town.reading() as books:
        found = books.execute(exceptions()).mappings().all()
        listed = books.execute(arrangements()).mappings().one()
    said = "$50.00 is missing; the first unpaid installment was due on 2027-01-01"
    assert [("arrangement-broken", f"its payment arrangement is broken: {said}")] == [
        (row["code"], row["message"]) for row in found if row["code"].startswith("arrange")
    ]
    assert ("broken", said) == (listed["state"], listed["end_reason"])


def test_all_of_it_paid_ends_the_plan_and_what_the_bank_takes_back_opens_it_again(town):
    plan(town)
    pay(town, "200.00", "2026-11-26T12:00", payment_key="checkout/x")
    paid = night(town, "2026-11-27")
    pay(town, "-200.00", "2026-12-02T12:00", payment_key="checkout/x")
    came_back = night(town, "2026-12-03")
    broken = night(town, "2026-12-05")

    assert ([ELM], [ELM], [ELM]) == (paid.kept, came_back.in_force_again, broken.broken)


def test_what_comes_back_of_a_payment_from_before_is_no_part_of_the_plan(town):
    pay(town, "100.00", "2026-11-20T12:00", payment_key="checkout/old")
    made = plan(town, "100.00")
    pay(town, "-100.00", "2026-11-26T12:00", payment_key="checkout/old")
    pay(town, "25.00", "2026-11-27T12:00")

    with town.reading() as books:
        paid, open_now = paid_since(books, made), books.scalar(sa.select(due_now(FIRST)))

    assert (Money(25_00), Money(75_00)) == (paid, open_now)


def test_a_later_bill_adds_nothing_to_the_plan_and_is_due_by_itself(town):
    made = plan(town)
    stage_run(
        town, a_household(ELM, mandates=(), balance="290.00"), period="2026-11",
        ends_on=date(2026, 11, 30), due_on=date(2026, 12, 20),
    )  # fmt: skip
    close_run(town, "2026-11")

    with town.reading() as books:
        put_off = read_deferred(books, KEY, date(2026, 12, 4))
        asked = books.scalar(sa.select(due_now(date(2026, 12, 4))))
        later = books.scalar(sa.select(due_now(date(2026, 12, 5))))

    assert (made.amount, Money(200_00)) == (Money(200_00), put_off)
    assert (Money(90_00), Money(140_00)) == (asked, later)  # the first installment's grace is over


def test_what_was_paid_at_a_counter_and_comes_with_the_next_export_counts(town):
    made = plan(town)
    pay(town, "30.00", "2026-11-27T12:00", reference="R-1")
    stage_run(
        town, a_household(ELM, mandates=(), balance="150.00"), period="2026-11",
        ends_on=date(2026, 11, 30), due_on=date(2026, 12, 20),
    )  # fmt: skip
    line = {"period": "2026-11", "account_key": KEY, "account": ELM, "service": "",
            "description": "", "kind": MovementKind.PAYMENT}  # fmt: skip
    with town.writing() as books:
        books.execute(
            movement.insert(),
            [
                {**line, "line": 1, "posted_on": date(2026, 11, 27), "amount": Money(-30_00),
                 "reference": "R-1"},
                {**line, "line": 2, "posted_on": date(2026, 11, 28), "amount": Money(-20_00),
                 "reference": ""},
            ],
        )  # fmt: skip
    close_run(town, "2026-11")
    with town.writing() as books:  # the builder closes at one moment; this close came after
        books.execute(
            period_close.update()
            .where(period_close.c.period == "2026-11")
            .values(closed_at=local("2026-12-01T09:00"))
        )

    with town.reading() as books:
        found = paid_since(books, made)

    assert Money(50_00) == found


def test_nobody_breaks_a_plan_by_old_balances_or_while_a_payment_is_on_its_way(town):
    plan(town)

    stale = night(town, "2026-12-06", left_out=frozenset({RUN}))
    looked = night(town, "2026-12-06", records=False)
    with town.writing() as books:
        payment = {
            "key": "p", "period": RUN, "account_key": KEY, "account": ELM, "pay_on": FIRST,
            "amount": Money(50_00), "method_token": "x", "method_kind": CARD, "last4": "",
            "immediate": False, "state": PaymentState.UNKNOWN, "scheduled_at": MADE,
        }  # fmt: skip
        books.execute(gateway_payment.insert(), payment)
        asked = {
            "key": "p/1", "payment_key": "p", "number": 1, "amount": Money(50_00),
            "method_token": "x", "state": DrawState.ASKED, "created_at": MADE, "lookups": 0,
        }  # fmt: skip
        books.execute(draw.insert(), asked)
    waiting = night(town, "2026-12-06")

    assert (0, [ELM]) == (stale.changed, looked.broken)
    assert (1, [], ArrangementState.IN_FORCE) == (waiting.waiting, waiting.broken, state(town))


def test_a_plan_that_ended_after_the_night_had_read_it_is_not_broken_too(town):
    made = plan(town)
    making.cancel(town, KEY, "moved away", TERMS)

    assert not _settle(town, made, local("2026-12-06T06:00"), "night", ())

    assert ArrangementState.ENDED == state(town)
    assert ["arrange payments", "cancel arrangement"] == [act for act, _ in acts(town)]


def test_a_plan_that_was_paid_is_not_in_force_again_beside_a_newer_one(town):
    """The bank took its money back, and a new plan was made after the night had read the old."""
    plan(town)
    pay(town, "200.00", "2026-11-26T12:00", payment_key="checkout/x")
    night(town, "2026-11-27")
    kept = newest(town)
    pay(town, "-200.00", "2026-11-28T12:00", payment_key="checkout/x")
    made = plan(town, terms=replace(TERMS, now=local("2026-11-28T13:00")))

    assert not _settle(town, kept, local("2026-11-29T06:00"), "night", ())

    assert (made.number, ArrangementState.IN_FORCE) == (newest(town).number, state(town))


def test_a_plan_that_is_missed_and_paid_before_it_is_settled_is_left_to_the_next_night(town):
    made = plan(town)
    pay(town, "50.00", "2026-12-06T05:00")

    assert not _settle(town, made, local("2026-12-06T06:00"), "night", ())

    assert ArrangementState.IN_FORCE == state(town)


def test_what_is_not_there_is_neither_arranged_nor_ended_nor_approved(town):
    pay(town, "200.00", "2026-11-24T12:00")

    codes = []
    for act in (
        lambda: plan(town, "10.00"),
        lambda: making.cancel(town, KEY, "moved away", TERMS),
        lambda: making.approve(town, KEY, TERMS),
        lambda: making.arrange(town, PlanWish("nobody", (), "asked by phone"), TERMS),
    ):
        with pytest.raises(Misuse) as refused:
            act()
        codes.append(refused.value.code)

    assert ["nothing-open", making.NO_PLAN, making.NO_PLAN, "unknown-account"] == codes
    assert [] == acts(town)


def test_with_four_eyes_a_plan_waits_for_another_persons_yes(town):
    terms = replace(TERMS, people=2, origin="uid 7")
    waiting = plan(town, terms=terms)
    with town.reading() as books:
        put_off_before = read_deferred(books, KEY, FIRST)

    codes = []
    for who, origin in (("Anna", ""), ("bob", "uid 7")):
        with pytest.raises(Refused) as refused:
            making.approve(town, KEY, replace(terms, who=who, origin=origin))
        codes.append(refused.value.code)
    approved = making.approve(town, KEY, replace(terms, who="bob", origin=""))

    assert (ArrangementState.WAITING, ZERO) == (waiting.state, put_off_before)
    assert ["same-person"] * 2 == codes
    assert (ArrangementState.IN_FORCE, "bob") == (approved.state, approved.approved_by)


def test_a_cancelled_plan_puts_nothing_off_and_another_may_be_made(town):
    plan(town)

    ended = making.cancel(town, KEY, "moved away", TERMS)
    with town.reading() as books:
        asked = books.scalar(sa.select(due_now(FIRST)))
    again = plan(town)

    assert (ArrangementState.ENDED, "moved away") == (ended.state, ended.end_reason)
    assert (Money(200_00), 2) == (asked, again.number)
    with pytest.raises(Misuse):
        making.cancel(town, KEY, " ", TERMS)


LIMITS = CustomerLimits(True, 4, 120, Money(25_00), Money(500_00), 180)


def own(database, amount="200.00", limits=LIMITS, number=4):
    dated = spread(Money.parse(amount), number, FIRST, Every.MONTH)
    wish = PlanWish(KEY, dated, "made by the customer")
    return making.arrange_own(database, wish, replace(TERMS, who="customer 1", people=2), limits)


def test_a_customer_makes_a_plan_within_the_limits_alone(town):
    assert CustomerRefusal.NOT_ALLOWED == own(town, limits=CustomerLimits())
    with pytest.raises(Misuse):
        own(town, number=4, limits=replace(LIMITS, most_days=60))
    with pytest.raises(Misuse):
        own(town, "199.99")

    made = own(town)

    assert ArrangementState.IN_FORCE == made.state  # the limits are the office's yes
    assert made.by_customer
    assert CustomerRefusal.HAS_PLAN == own(town)
    making.cancel(town, KEY, "asked", TERMS)
    assert CustomerRefusal.TOO_SOON == own(town)


class Killed(BaseException):
    """What a kill -9 is to the code: nothing after it happens."""


@pytest.mark.parametrize("commits", [0, 1, 2])
def test_a_night_that_dies_anywhere_is_finished_by_the_next_one_and_nothing_is_done_twice(
    database, monkeypatch, commits
):
    numbers = [f"01.10{place}.1" for place in range(10, 13)]
    stage_run(database, *(a_household(one, mandates=(), balance="50.00") for one in numbers))
    close_run(database)
    for one in numbers:
        dated = [(FIRST, Money(50_00))]
        making.arrange(database, PlanWish(account_key(one), dated, "asked"), TERMS)
    left = [commits]

    def dying(*given: Any) -> None:
        if left[0] == 0:
            raise Killed
        left[0] -= 1
        record_audit(*given)

    monkeypatch.setattr("payments.arrangements.settling.record_audit", dying)
    with pytest.raises(Killed):
        night(database, "2026-12-09")
    monkeypatch.undo()
    rest = night(database, "2026-12-09")

    assert 3 - commits == len(rest.broken)
    assert [("arrangement missed", "night")] * 3 == acts(database)[3:]


@few_examples
@given(
    st.lists(st.tuples(st.integers(1, 130), st.integers(1, 120_00)), min_size=0, max_size=6),
    st.integers(2, 6),
)
def test_whatever_is_paid_when_a_plan_is_broken_iff_more_was_due_than_paid(
    database, payments, number
):
    empty(database)
    make_town(database)
    made = plan(database, number=number, every=Every.TWO_WEEKS)
    by_day: dict[date, int] = {}
    for after, cents in payments:
        day = MADE.date() + timedelta(days=after)
        by_day[day] = by_day.get(day, 0) + cents

    expected, paid, ended = ArrangementState.IN_FORCE, 0, None
    for after in range(1, 135):
        day = MADE.date() + timedelta(days=after)
        due = sum(one.amount.cents for one in made.installments if one.last_day < day)
        if ended is None and paid >= 200_00:
            expected = ended = ArrangementState.KEPT
        elif ended is None and due > paid:
            expected = ended = ArrangementState.BROKEN
        if after % 7 == 0 or day in by_day or ended:
            night(database, day)
        if ended:
            break
        if day in by_day:
            pay(database, str(Money(by_day[day])), f"{day}T12:00")
            paid += by_day[day]
    if ended is None:
        night(database, MADE.date() + timedelta(days=134))

    assert expected == state(database)
