"""Settlements: what was paid out, against what we drew."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import sqlalchemy as sa

from database.tables import audit, draw, posting, settlement, settlement_item
from domain.money import Money
from domain.payments import DrawState, PostingState
from payments.outcomes.events import take_in_events
from payments.outcomes.settlements import Difference, list_differences, list_items, read_settlements
from tests.builders import ACH
from tests.payments.collecting_builders import TERMS, a_collector, paying


def an_office_whose_money_was_paid_out(database, place, *households):
    office = a_collector(database, place, *households)
    office.collect()
    office.wait(days=20)
    take_in_events(database, office.gateway, TERMS, office.now)
    return office


def read(office):
    return read_settlements(office.database, office.gateway, office.at, "anna")


def differences(office) -> list[Difference]:
    return [item.difference for item in list_differences(office.database, office.at)]


def test_each_payout_is_stored_once_and_agrees_with_our_draws(database, tmp_path):
    office = an_office_whose_money_was_paid_out(
        database, tmp_path, paying("1"), paying("2", "tok_ach_R01_d2", method_kind=ACH)
    )

    first, again = read(office), read(office)

    items = [(item.account, item.amount) for item in list_items(database)]
    assert [("1", Money(80_00)), ("2", Money(-80_00)), ("2", Money(80_00))] == sorted(
        items, key=lambda item: (item[0], item[1])
    )
    assert (first.new > 0, 0, 0) == (True, again.new, again.changed)
    assert [] == differences(office)


class ToldAgain:
    """A gateway that tells of its payouts with other fees than before."""

    def __init__(self, gateway, more: Money) -> None:
        self.name, self._gateway, self._more = gateway.name, gateway, more

    def settlements(self, since):
        for one in self._gateway.settlements(since):
            yield replace(one, fees=one.fees + self._more, net=one.net - self._more)


def test_a_payout_told_again_with_other_sums_stays_as_it_was_and_is_in_the_audit_list(
    database, tmp_path
):
    office = an_office_whose_money_was_paid_out(database, tmp_path, paying("1"))
    read(office)
    with database.reading() as books:
        before = books.execute(sa.select(settlement)).all()

    again = read_settlements(database, ToldAgain(office.gateway, Money(5)), office.at, "anna")

    assert (0, len(before)) == (again.new, again.changed)
    with database.reading() as books:
        assert before == books.execute(sa.select(settlement)).all()
        told = books.scalars(
            sa.select(audit.c.detail).where(audit.c.action == "settlement changed")
        )
        net = before[0].net
        assert f"told again with {(net - Money(5)).dollars()} net, not {net.dollars()}" in set(told)


def test_an_item_bears_the_moment_it_was_posted_rule_116(database, tmp_path):
    office = an_office_whose_money_was_paid_out(database, tmp_path, paying("1"))
    posted_at = datetime(2026, 11, 13, 17, 0, tzinfo=UTC)
    with database.writing() as books:
        books.execute(posting.update().values(posted_at=posted_at, state=PostingState.POSTED))
    read(office)

    (item,) = list_items(database)

    assert ("1", posted_at) == (item.account, item.posted_at)
    assert [item] == list_items(database, item.pays_out_on)


def test_what_does_not_agree_is_listed(database, tmp_path):
    office = an_office_whose_money_was_paid_out(
        database, tmp_path, *(paying(str(number)) for number in range(1, 5))
    )
    read(office)
    with database.writing() as books:
        references = list(books.scalars(sa.select(draw.c.reference).order_by(draw.c.key)))
        change = settlement_item.update()
        books.execute(
            draw.update().where(draw.c.reference == references[0]).values(state=DrawState.DECLINED)
        )
        books.execute(
            change.where(settlement_item.c.reference == references[1]).values(amount=Money(1))
        )
        books.execute(
            change.where(settlement_item.c.reference == references[2]).values(reference="SB99")
        )
        books.execute(
            change.where(settlement_item.c.reference == references[3]).values(amount=Money(-80_00))
        )

    found = differences(office)

    assert [
        Difference.NOT_TAKEN,
        Difference.AMOUNT,
        Difference.NOT_OURS,
        Difference.NOT_RETURNED,
        Difference.NEVER_PAID_OUT,
    ] == found


def test_the_reading_of_payouts_is_stopped_and_goes_on_the_next_time(database, tmp_path):
    office = an_office_whose_money_was_paid_out(database, tmp_path, paying("1"))

    stopped = read_settlements(database, office.gateway, office.at, "anna", stop=lambda: True)
    again = read(office)

    assert (0, True) == (stopped.new, again.new > 0)
    assert [] == differences(office)
