"""Late events: money that went back, draws that landed late, notices for the clerk."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from database.queries.autopay import rates_by_period, read_return_rates
from database.tables import audit, balance_due, draw, gateway_payment, suspended_method
from domain.money import ZERO, Money
from domain.payments import DrawState, PaymentState
from payments.collecting.draws import read_open_draws
from payments.outcomes.events import take_in_events
from payments.port import LateEventKind
from rules.money.returns import ReturnKind
from tests.builders import ACH, RUN
from tests.payments.collecting_builders import TERMS, a_collector, paying


def take_in(office, terms=TERMS):
    return take_in_events(office.database, office.gateway, terms, office.now)


def suspended(office) -> list[str]:
    with office.database.reading() as books:
        return list(books.scalars(sa.select(suspended_method.c.method_token)))


def audited(office, action) -> list[str]:
    with office.database.reading() as books:
        return list(books.scalars(sa.select(audit.c.detail).where(audit.c.action == action)))


def test_a_return_opens_the_balance_again_and_reverses_the_receipt(database, tmp_path):
    """Rules 39, 78."""
    office = a_collector(database, tmp_path, paying("1", "tok_ach_R01_d2", method_kind=ACH))
    office.collect()

    office.wait(days=2, minutes=1)
    first, again = take_in(office), take_in(office)

    assert (1, Money(80_00), 0) == (
        first.returned.count,
        first.returned.amount,
        again.returned.count,
    )
    assert (
        PaymentState.RETURNED,
        "returned: R01 (not enough money), drawn again on 2026-11-20",
    ) == (
        office.state(),
        office.payment().error,
    )
    assert ZERO == office.paid()
    assert [("receipt", Money(80_00)), ("reversal", Money(80_00))] == sorted(office.postings())
    assert [] == suspended(office)  # the money may be there next month
    assert 1 == len(audited(office, "payment returned"))


@pytest.mark.parametrize("token", ["tok_ach_R10_d2", "tok_ach_R02_d2", "tok_chargeback_d2"])
def test_a_method_whose_next_draw_would_come_back_is_suspended(database, tmp_path, token):
    office = a_collector(database, tmp_path, paying("1", token, method_kind=ACH))
    office.collect()

    office.wait(days=3)
    take_in(office)

    assert [token] == suspended(office)


def test_a_fee_is_owed_and_posted_where_the_office_has_one(database, tmp_path):
    terms = replace(TERMS, return_fee=Money(25_00))
    office = a_collector(database, tmp_path, paying("1", "tok_ach_R01_d2", method_kind=ACH))
    office.collect()

    office.wait(days=3)
    take_in(office, terms)
    take_in(office, terms)

    with office.database.reading() as books:
        owed = books.execute(
            sa.select(balance_due.c.amount_due, balance_due.c.added, balance_due.c.paid)
        ).one()
    assert (Money(80_00), Money(25_00), ZERO) == tuple(owed)
    assert ("fee", Money(25_00)) in office.postings()


def test_a_charge_back_costs_no_return_fee_even_where_the_office_names_its_code(database, tmp_path):
    terms = replace(TERMS, return_fee=Money(25_00), return_fee_codes=("R01", "fraudulent"))
    office = a_collector(database, tmp_path, paying("1", "tok_chargeback_d2"))
    office.collect()

    office.wait(days=3)
    counts = take_in(office, terms)

    with office.database.reading() as books:
        owed = books.execute(sa.select(balance_due.c.amount_due, balance_due.c.paid)).one()
    assert 1 == counts.returned.count
    assert (Money(80_00), ZERO) == tuple(owed)
    assert [("receipt", Money(80_00)), ("reversal", Money(80_00))] == sorted(office.postings())


def test_a_notice_of_change_is_noted_for_the_clerk_once(database, tmp_path):
    office = a_collector(database, tmp_path, paying("1", "tok_ach_noc_C01_d2", method_kind=ACH))
    office.collect()

    office.wait(days=3)
    counts = [take_in(office).changes, take_in(office).changes]

    assert ([1, 0], PaymentState.SUCCEEDED) == (counts, office.state())
    assert 1 == len(audited(office, "notice of change"))


def given_up(office, state: DrawState, payment: PaymentState) -> None:
    """Let the books think that a draw which is on its way did not happen."""
    with office.database.writing() as books:
        books.execute(draw.update().values(state=state, next_lookup_at=None))
        books.execute(gateway_payment.update().values(state=payment))


@pytest.mark.parametrize(
    ("state", "payment"),
    [
        (DrawState.DECLINED, PaymentState.DECLINED),
        (DrawState.DECLINED, PaymentState.SCHEDULED),
        (DrawState.ABANDONED, PaymentState.CANCELLED),
    ],
)
def test_a_draw_that_landed_after_all_is_taken_in(database, tmp_path, state, payment):
    office = a_collector(database, tmp_path, paying("1", "tok_arrives_late_90s"))
    office.collect()
    given_up(office, state, payment)

    office.wait(minutes=3)
    first, again = take_in(office), take_in(office)

    assert (1, 0) == (first.landed.count, again.landed.count)
    assert (PaymentState.SUCCEEDED, Money(80_00)) == (office.state(), office.paid())
    assert [("receipt", Money(80_00))] == office.postings()
    assert 1 == len(audited(office, "late approval"))


def test_a_draw_that_landed_beside_another_is_for_a_person_to_give_back(database, tmp_path):
    office = a_collector(database, tmp_path, paying("1", "tok_arrives_late_90s"))
    office.collect()
    given_up(office, DrawState.ABANDONED, PaymentState.SCHEDULED)
    office.collect()  # the second one is late, too
    office.wait(minutes=6)
    office.look_up()

    take_in(office)

    standing = read_open_draws(office.database)
    assert (1, Money(80_00)) == (standing.drawn_twice.count, standing.drawn_twice.amount)
    assert (PaymentState.SUCCEEDED, Money(80_00)) == (office.state(), office.paid())


def drawn_anew_without_an_answer(database, tmp_path):
    """An office whose first draw was given up and is about to land, and whose second is asked."""
    office = a_collector(database, tmp_path, paying("1", "tok_arrives_late_90s"))
    office.collect()
    given_up(office, DrawState.ABANDONED, PaymentState.SCHEDULED)
    office.wait(seconds=80)
    office.collect()
    office.wait(seconds=30)  # the first has landed, the second is on its way
    return office


def test_what_landed_late_waits_while_another_draw_has_no_answer(database, tmp_path):
    office = drawn_anew_without_an_answer(database, tmp_path)

    counts = take_in(office)

    assert (0, 0) == (counts.landed.count, counts.drawn_twice)
    assert [DrawState.ABANDONED, DrawState.ASKED] == [one.state for one in office.draws()]
    assert (PaymentState.UNKNOWN, ZERO, []) == (office.state(), office.paid(), office.postings())


def test_a_dispute_of_what_landed_late_waits_as_well(database, tmp_path):
    """It says that the money was taken: by which of two draws is known with the other's answer."""
    office = drawn_anew_without_an_answer(database, tmp_path)
    first = office.draws()[0]
    office.gateway.act_at_desk(first.reference, LateEventKind.CHARGED_BACK, Money(80_00))

    counts = take_in(office)

    assert (0, 0) == (counts.returned.count, counts.alarms)
    assert [DrawState.ABANDONED, DrawState.ASKED] == [one.state for one in office.draws()]
    assert (PaymentState.UNKNOWN, ZERO, []) == (office.state(), office.paid(), office.postings())


@pytest.mark.parametrize("days", [1, 10], ids=["soon", "after the days that are read again"])
def test_an_event_that_waits_is_read_again_until_it_is_understood(database, tmp_path, days):
    office = drawn_anew_without_an_answer(database, tmp_path)
    take_in(office)

    office.wait(days=days)
    take_in(office)  # it waits still
    office.wait(days=days)
    office.look_up()  # the second has landed, too
    take_in(office)

    standing = read_open_draws(office.database)
    assert (1, Money(80_00)) == (standing.drawn_twice.count, standing.drawn_twice.amount)
    assert (PaymentState.SUCCEEDED, Money(80_00)) == (office.state(), office.paid())


def test_return_rates_count_by_the_day_of_the_draw(database, tmp_path):
    households = [paying(str(number), "tok_ach_ok", method_kind=ACH) for number in range(1, 10)]
    office = a_collector(
        database, tmp_path, *households, paying("10", "tok_ach_R10_d2", method_kind=ACH)
    )
    office.collect()
    office.wait(days=3)
    take_in(office)

    with database.reading() as books:
        rates = {rate.kind: rate for rate in read_return_rates(books, office.at)}
        later = read_return_rates(books, datetime(2027, 2, 1, tzinfo=UTC))
        of_newest = read_return_rates(books)
        by_period = {row.kind: row for row in books.execute(rates_by_period())}

    assert (1, 10, True) == (
        rates[ReturnKind.UNAUTHORIZED].returned,
        rates[ReturnKind.ALL].originated,
        rates[ReturnKind.UNAUTHORIZED].is_exceeded,
    )
    assert (0, False) == (
        rates[ReturnKind.ADMINISTRATIVE].returned,
        rates[ReturnKind.ALL].is_exceeded,
    )
    assert {0} == {rate.originated for rate in later}
    assert list(rates.values()) == list(of_newest)
    assert (RUN, 1, 10, 10.0, 0.5) == tuple(by_period["unauthorized"])[:1] + tuple(
        by_period["unauthorized"]
    )[2:]
