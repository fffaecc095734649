"""Holding, closing, paying and releasing in any order come to the same as a close left alone."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
import sqlalchemy as sa
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import event

from billing_system.closing import mark_known, publish
from database.ledger.entries import find_wrong_sums, record_entries
from database.ledger.tables import balance_entry
from database.tables import bill_run, movement
from domain.accounts import account_key
from domain.ledger import EntryKind, EntrySource
from domain.money import ZERO, Money
from domain.movements import MovementKind
from domain.runs import RunState
from tests.builders import (
    CLOSING_DAY,
    RUN,
    a_household,
    an_entry,
    close_run,
    empty,
    few_examples,
)
from tests.outsorting.builders import (
    ANN,
    BOB,
    NEXT,
    close_month,
    finish_month,
    free,
    hold,
    list_held,
    stage_bills,
    traces,
)
from tests.release import so_many

KEY = account_key(ANN)
WRITTEN = datetime(2026, 12, 1, 6, tzinfo=UTC)  # when November's export was written
CLOSED = WRITTEN + timedelta(hours=6)
FIRST = date(2026, 12, 1)


class Interrupted(Exception):
    """Stands for the kill of the process: the database takes back what was not committed."""


ENTRIES = st.lists(
    st.tuples(
        st.sampled_from(["draw", "feed", "penalty"]),
        st.sampled_from([5_00, 12_34, 80_00]),
        st.integers(-40, 60),  # hours from when the export was written
        st.booleans(),  # the export has a line for it, if it was there by then
    ),
    max_size=3,
)
BEFORE = st.lists(st.sampled_from(["hold", "free", "entry"]), max_size=4)
AFTER = st.lists(st.sampled_from(["hold", "free", "entry", "schedule"]), max_size=5)


@pytest.mark.release("postgresql")  # the order of acts; kills and each act are tried on both
@few_examples
@given(entries=ENTRIES, before=BEFORE, after=AFTER, equal_pay=st.booleans())
@example([("draw", 80_00, -5, True), ("feed", 5_00, 20, False)], ["entry"], ["hold"], False)
@example([("draw", 80_00, -5, False), ("penalty", 5_00, 20, False)], ["hold"], ["entry"], True)
@example([("penalty", 5_00, 44, False)], [], ["hold", "schedule", "entry"], False)
def test_the_end_is_that_of_a_close_left_alone(database, entries, before, after, equal_pay):
    alone = _month(database, entries, _without_clerk(before), _without_clerk(after), equal_pay)
    disturbed = _month(database, entries, before, after, equal_pay)

    # What was scheduled is not raised by a later penalty; a bill that is released is, by it.
    left_alone, drawn = alone[0].pop("drawn"), disturbed[0].pop("drawn")
    raised = sum((Money(cents) for kind, cents, _, _ in entries if kind == "penalty"), ZERO)
    assert left_alone <= drawn <= left_alone + raised
    assert alone == disturbed
    with database.reading() as books:
        assert [] == find_wrong_sums(books)


def _month(database, entries, before, after, equal_pay):
    """What November leaves of Ann's account; what happened by its close was recorded by then."""
    empty(database)
    _stage(database, entries, equal_pay=equal_pay)
    told = list(enumerate(entries))
    early = [one for one in told if WRITTEN + timedelta(hours=one[1][2]) <= CLOSED]
    late = [one for one in told if one not in early]

    _walk(database, [*before, *["entry"] * len(early)], early, closed=False)
    publish(database, NEXT, now=CLOSED, who="anna")
    _walk(database, after, late, closed=True)
    if list_held(database):
        free(database, period=NEXT, today=FIRST, now=CLOSED + timedelta(days=9))
    _walk(database, ["schedule", *["entry"] * len(late)], late, closed=True)
    mark_known(database, NEXT)
    return _outcome(database)


def _stage(database, entries, *, equal_pay: bool) -> None:
    stage_bills(database, a_household(ANN), a_household(BOB, mandates=()))
    close_month(database)
    agreed = Money(55_00) if equal_pay else None
    ann = a_household(ANN, closing_balance=Money(150_00), equal_pay_amount=agreed)
    dates = {"ends_on": date(2026, 11, 30), "due_on": date(2026, 12, 20)}
    stage_bills(database, ann, a_household(BOB, mandates=()), period=NEXT, **dates)
    with database.writing() as books:
        bounds = {"sure_until": WRITTEN, "not_after": WRITTEN, "imported_at": WRITTEN}
        approved = bill_run.update().where(bill_run.c.period == NEXT)
        books.execute(approved.values(state=RunState.APPROVED, **bounds))
        for number, (_, cents, hours, has_line) in enumerate(entries):
            if has_line and hours <= 0:
                books.execute(
                    movement.insert().values(
                        period=NEXT, line=100 + number, account_key=KEY, account=ANN,
                        posted_on=(WRITTEN + timedelta(hours=hours)).date(), service="",
                        description="", kind=MovementKind.PAYMENT, amount=Money(-cents),
                        reference=f"SB{number}",
                    )
                )  # fmt: skip


def _without_clerk(steps: list[str]) -> list[str]:
    return [step for step in steps if step in ("entry", "schedule")]


def _walk(database, steps, waiting, *, closed: bool) -> None:
    for step in steps:
        if step == "entry" and waiting:
            _record(database, *waiting.pop(0))
        elif step == "hold":
            hold(database, period=NEXT, now=CLOSED)
        elif step == "free" and list_held(database):
            free(database, period=NEXT, today=FIRST, now=CLOSED + timedelta(days=3))
        elif step == "schedule" and closed:
            finish_month(database, NEXT, FIRST)


def _record(database, number, told) -> None:
    kind, cents, hours, _ = told
    moment = WRITTEN + timedelta(hours=hours)
    is_money = kind != "penalty"
    entry = an_entry(
        f"{kind}/{number}", str(Money(-cents if is_money else cents)), account_key=KEY,
        kind=EntryKind.PAYMENT if is_money else EntryKind.PENALTY,
        source=EntrySource.DRAW if kind == "draw" else EntrySource.FEED,
        happened_on=moment.date(), happened_at=moment if kind == "draw" else None,
        reference=f"SB{number}", told_at=None if kind == "draw" else moment,
    )  # fmt: skip
    with database.writing() as books:
        record_entries(books, [entry], now=moment, who="anna")


def _outcome(database):
    """All traces; of the payment what its day would draw: never more than is owed by then."""
    found = traces(database, period=NEXT)
    [(_, due, added, paid)] = found["balance"]
    scheduled = [min(amount, due + added - paid) for amount, _, _ in found.pop("payments")]
    found["drawn"] = max(sum(scheduled, ZERO), ZERO)
    found["unscheduled"] = [one for one in found["unscheduled"] if one != "zero-balance"]
    with database.reading() as books:
        query = sa.select(balance_entry.c.key, balance_entry.c.in_export_of)
        placed = [tuple(row) for row in books.execute(query.order_by(balance_entry.c.key))]
    return found, placed


@pytest.mark.parametrize("act", [hold, free], ids=["hold", "release"])
def test_a_kill_between_any_two_statements_leaves_it_all_or_nothing(database, act):
    def town():
        empty(database)
        stage_bills(database, a_household(ANN), a_household(BOB, mandates=(), email=""))
        close_month(database)
        if act is free:
            hold(database)
        return traces(database)

    before = town()
    act(database)
    whole = traces(database)
    assert before == town() != whole

    # The statements are of one transaction, and each kill carries out all before it once more.
    for statement in count(1, so_many(3, release=1)):
        try:
            with interrupted_at(database, statement):
                act(database)
        except Interrupted:
            found = traces(database)
            assert found in (before, whole), statement
        else:
            break
    assert (whole, True) == (traces(database), statement > 10)


class interrupted_at:
    """Raise instead of carrying out the n-th statement."""

    def __init__(self, database, statement: int) -> None:
        self.engine, self.left = database.engine, statement

    def __enter__(self) -> None:
        event.listen(self.engine, "before_cursor_execute", self._count)

    def __exit__(self, *_failure) -> None:
        event.remove(self.engine, "before_cursor_execute", self._count)

    def _count(self, *_arguments) -> None:
        self.left -= 1
        if self.left == 0:
            raise Interrupted


def test_whoever_is_first_of_the_close_and_the_clerk_the_bill_is_held(database):
    stage_bills(database, a_household(ANN), a_household(BOB, mandates=()))
    with database.writing() as books:
        books.execute(bill_run.update().values(state=RunState.APPROVED))
    start, failures = threading.Barrier(2), []

    def together(act) -> None:
        start.wait()
        try:
            act()
        except Exception as failure:  # shown by the test, whatever it is
            failures.append(failure)

    clerk = threading.Thread(target=together, args=(lambda: hold(database),))
    close = threading.Thread(target=together, args=(lambda: close_run(database, RUN),))
    for thread in (clerk, close):
        thread.start()
    for thread in (clerk, close):
        thread.join()
    finish_month(database, RUN, CLOSING_DAY)

    found = traces(database)
    assert [] == failures
    assert [(ANN, RUN, "looks wrong")] == list_held(database)
    assert ([False], [], []) == (found["visible"], found["payments"], found["mails"])
    assert RUN not in {row[0] for row in found["balance"]}
    assert [True] == traces(database, BOB)["visible"]
