"""What another worker did meanwhile: who comes second writes nothing down, and asks for nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from database.tables import draw, gateway_payment
from domain.money import Money
from domain.payments import Advice, DrawState, PaymentState
from payments.collecting.claiming import abandon_unasked, claim_due, due_keys
from payments.collecting.collecting import CollectCounts, GatewaySession, draw_claimed
from payments.collecting.draws import move_locked_payment, read_draw
from payments.collecting.recording import (
    record_approved,
    record_asked,
    record_declined,
    record_never_asked,
    record_refused,
)
from payments.collecting.unanswered import LateApproval, look_up_payment, take_in_approval
from payments.port import GatewayMisuse
from tests.builders import RUN
from tests.payments.collecting.test_crashes import Gateway, fails
from tests.payments.collecting_builders import PAY_DAY, TERMS, a_collector, paying

KEY = f"autopay/{RUN}/1"
TODAY = PAY_DAY.date()


@pytest.fixture
def office(database, tmp_path):
    return a_collector(database, tmp_path, paying("1"))


def claimed(office):
    with office.database.reading() as books:
        due = books.execute(due_keys(RUN, TODAY)).all()
    return claim_due(office.database, RUN, TODAY, office.at, TERMS, due)


def write(office, act, *facts, **more):
    with office.database.writing() as books:
        return act(books, *facts, **more)


def asked(office):
    """A draw that was asked for, as each of two workers has read it."""
    (one,) = claimed(office).draws
    return write(office, record_asked, one, "R1", office.at)


def approve(office, one):
    return write(office, record_approved, one, office.at, reference="R1", at=office.at, who="anna")


def decline(office, one):
    facts = {"code": "insufficient_funds", "advice": Advice.LATER}
    return write(office, record_declined, one, office.at, TERMS, **facts)


def give_up(office, one):
    return write(office, record_never_asked, one)


ANSWERS = {
    approve: (DrawState.APPROVED, PaymentState.SUCCEEDED, 80_00, 1),
    decline: (DrawState.DECLINED, PaymentState.SCHEDULED, 0, 0),
    give_up: (DrawState.ABANDONED, PaymentState.SCHEDULED, 0, 0),
}


@pytest.mark.parametrize("second", ANSWERS)
@pytest.mark.parametrize("first", ANSWERS)
def test_of_two_who_have_an_answer_the_first_writes_it_down_and_it_stands(office, first, second):
    one = asked(office)
    assert first(office, one)
    before = office.payment()

    assert not second(office, one)

    (drawn,) = office.draws()
    assert (*ANSWERS[first], before) == (
        drawn.state, office.state(), office.paid().cents, len(office.postings()), office.payment(),
    )  # fmt: skip


def test_a_draw_is_asked_for_or_refused_only_once(office):
    (one,) = claimed(office).draws
    write(office, record_asked, one, "R1", office.at)

    gone = f"^the draw {KEY}/1 is no longer created$"
    with pytest.raises(ValueError, match=gone):
        write(office, record_asked, one, "R2", office.at)
    with pytest.raises(ValueError, match=gone):
        write(office, record_refused, one, office.at, TERMS)

    assert ["R1"] == [drawn.reference for drawn in office.draws()]


def test_the_draw_of_a_payment_that_was_cancelled_meanwhile_is_not_asked_for(office):
    (one,) = claimed(office).draws
    cancelled = gateway_payment.update().values(state=PaymentState.CANCELLED)
    with office.database.writing() as books:
        books.execute(cancelled)

    with pytest.raises(ValueError, match=f"^the payment {KEY} is no longer scheduled$"):
        write(office, record_asked, one, "R1", office.at)

    assert [(DrawState.CREATED, None)] == [(one.state, one.reference) for one in office.draws()]


def test_a_payment_that_only_we_can_move_and_that_was_moved_is_told_as_a_mistake(office):
    gone = f"^the payment {KEY} is no longer declined$"
    with pytest.raises(ValueError, match=gone):
        write(office, move_locked_payment, KEY, PaymentState.DECLINED, "tried again", pay_on=TODAY)

    assert PaymentState.SCHEDULED is office.state()


def test_what_another_worker_gave_up_before_it_was_asked_for_is_not_drawn(office):
    draws, counts = claimed(office).draws, CollectCounts()
    abandon_unasked(office.database, office.at)

    line = GatewaySession(office.gateway, office.now)
    draw_claimed(office.database, line, draws, TERMS, counts)

    assert ([], 0, 0) == (office.taken(), counts.drawn.count, counts.put_off)
    assert ([DrawState.ABANDONED], PaymentState.SCHEDULED) == (
        [one.state for one in office.draws()],
        office.state(),
    )


def test_nothing_is_asked_of_the_gateway_that_was_not_written_down_before(office):
    (one,) = claimed(office).draws

    with pytest.raises(ValueError, match=f"^the draw {KEY}/1 was not recorded as asked$"):
        GatewaySession(office.gateway, office.now).confirm_one(one)


def test_of_two_payments_of_an_account_the_second_waits_for_the_first(office):
    with office.database.writing() as books:
        first = books.execute(sa.select(gateway_payment)).one()._mapping
        again = {**first, "key": f"{KEY}/again", "number": 2}
        books.execute(gateway_payment.insert().values(again))

    claim = claimed(office)

    assert ([KEY], 1) == ([one.payment_key for one in claim.draws], claim.waiting)


def test_a_period_that_is_left_out_is_not_drawn(office):
    counts = office.collect(terms=replace(TERMS, left_out=frozenset({RUN})))

    assert ({RUN}, 0, []) == (counts.left_out, counts.drawn.count, office.draws())


def test_what_lands_late_takes_the_place_of_the_draw_that_was_to_come(office):
    one = asked(office)
    decline(office, one)
    with office.database.writing() as books:
        books.execute(gateway_payment.update().values(pay_on=TODAY))
    (second,) = claimed(office).draws

    with office.database.writing() as books:
        first = read_draw(books, one.key)
        facts = {"reference": "R1", "at": office.at, "now": office.at, "who": "anna"}
        landed = take_in_approval(books, first, **facts)

    assert LateApproval.TAKEN is landed
    assert [(one.key, DrawState.APPROVED), (second.key, DrawState.ABANDONED)] == [
        (drawn.key, drawn.state) for drawn in office.draws()
    ]
    assert (PaymentState.SUCCEEDED, Money(80_00)) == (office.state(), office.paid())


@pytest.mark.parametrize("is_one", [False, True], ids=["all that are due", "one payment"])
def test_a_look_up_that_is_asked_wrongly_is_raised_and_the_draw_stays_in_doubt(office, is_one):
    asked(office)
    office.wait(minutes=5)
    wrong = Gateway(office.gateway, lookup=fails(GatewayMisuse("wrong key")))

    with pytest.raises(GatewayMisuse, match=r"^wrong key$"):
        if is_one:
            look_up_payment(office.database, wrong, TERMS, office.now, KEY)
        else:
            office.look_up(gateway=wrong)

    assert (PaymentState.UNKNOWN, "wrong key") == (office.state(), office.payment().error)
    with office.database.reading() as books:
        assert DrawState.ASKED == books.scalar(sa.select(draw.c.state))
