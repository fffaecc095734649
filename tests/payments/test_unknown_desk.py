"""The desk for payments in doubt: what is shown, what may be decided."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from database.tables import audit, draw
from domain.failures import Misuse, OutcomeUnknown, Refused, TemporaryFailure
from domain.money import Money
from domain.payments import DrawState, PaymentState
from payments.collecting.draws import DRAWN_TWICE, read_open_draws
from payments.outcomes.unknown_payments import (
    Agreed,
    PaymentDecision,
    decide_approved,
    decide_given_back,
    decide_never_arrived,
    list_doubts,
)
from tests.payments.collecting_builders import a_collector, paying
from tests.payments.test_crashes import Gateway, fails

KEY = "autopay/2026-10/1/1"


def in_doubt(database, place, token="tok_ok"):
    """An office that has asked for a payment and got no answer, two days ago."""
    office = a_collector(database, place, paying("1", token))
    office.collect(gateway=Gateway(office.gateway, confirm=fails(OutcomeUnknown("no answer"))))
    office.wait(days=2)
    return office


def doubts(office, receipt=None, gateway=None):
    return list_doubts(office.database, gateway or office.gateway, lambda _draw: receipt, office.at)


def decision(office) -> PaymentDecision:
    return PaymentDecision("anna", "the bank says so", office.at)


def test_all_three_sides_are_shown(database, tmp_path):
    office = in_doubt(database, tmp_path)

    (doubt,) = doubts(office)

    assert (KEY, PaymentState.UNKNOWN) == (doubt.draw.key, doubt.draw.payment_state)
    assert ("not-found", "none", Agreed.NEVER_ARRIVED) == (
        doubt.gateway, doubt.receipt, doubt.agreed,
    )  # fmt: skip


def test_who_does_not_answer_agrees_with_nobody(database, tmp_path):
    office = in_doubt(database, tmp_path)
    silent = Gateway(office.gateway, lookup=fails(OutcomeUnknown("no answer")))

    def no_receipt(_draw):
        raise TemporaryFailure("down")

    (one,) = doubts(office, gateway=silent)
    (other,) = list_doubts(office.database, office.gateway, no_receipt, office.at)

    assert ("no answer", None) == (one.gateway, one.agreed)
    assert ("no answer", None) == (other.receipt, other.agreed)


def test_a_payment_decided_as_approved_is_taken_in_and_posted(database, tmp_path):
    office = in_doubt(database, tmp_path)

    decide_approved(database, "autopay/2026-10/1", "SB00000077", decision(office))

    payment = office.payment()
    assert (PaymentState.SUCCEEDED, "SB00000077") == (payment.state, payment.confirmation)
    assert (Money(80_00), [("receipt", Money(80_00))]) == (office.paid(), office.postings())
    with database.reading() as books:
        said = books.scalar(sa.select(audit.c.detail).where(audit.c.action == "decide payment"))
    assert f"{KEY}: approved as SB00000077; the bank says so" == said


def test_a_payment_decided_as_never_arrived_is_drawn_under_a_new_key(database, tmp_path):
    office = in_doubt(database, tmp_path)

    decide_never_arrived(database, office.gateway, KEY, decision(office))
    office.collect()

    assert [("autopay/2026-10/1/2", 80_00)] == office.taken()
    assert [] == doubts(office)


def test_what_the_gateway_drew_cannot_be_decided_as_never_arrived(database, tmp_path):
    office = a_collector(database, tmp_path, paying("1", "tok_lost_response"))
    office.collect()
    office.wait(days=2)

    with pytest.raises(Refused, match="drew"):
        decide_never_arrived(database, office.gateway, KEY, decision(office))

    assert PaymentState.UNKNOWN is office.state()


def test_what_may_still_land_cannot_be_decided_as_never_arrived(database, tmp_path):
    office = in_doubt(database, tmp_path)
    office.wait(days=-2, hours=1)

    with pytest.raises(Refused, match="by itself"):
        decide_never_arrived(database, office.gateway, KEY, decision(office))

    assert None is doubts(office)[0].agreed


@pytest.mark.parametrize("state", [DrawState.APPROVED, DrawState.ABANDONED])
def test_what_is_not_in_doubt_cannot_be_decided(database, tmp_path, state):
    office = in_doubt(database, tmp_path)
    with database.writing() as books:
        books.execute(draw.update().values(state=state))

    with pytest.raises(Misuse):
        decide_approved(database, KEY, "SB1", decision(office))


def test_a_draw_beside_another_one_is_settled_when_it_was_given_back(database, tmp_path):
    office = in_doubt(database, tmp_path)
    with database.writing() as books:
        books.execute(draw.update().values(state=DrawState.DECLINED, code=DRAWN_TWICE))
    assert 1 == read_open_draws(database).drawn_twice.count

    decide_given_back(database, KEY, decision(office))

    assert 0 == read_open_draws(database).drawn_twice.count
    with pytest.raises(Misuse):
        decide_given_back(database, KEY, decision(office))
