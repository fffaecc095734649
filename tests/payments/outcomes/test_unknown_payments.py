"""The desk for payments in doubt: what is shown, what may be decided."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from database.tables import audit, delivery, draw, run_step
from domain.deliveries import MessageKind
from domain.failures import (
    AwaitingApproval,
    Misuse,
    OutcomeUnknown,
    Refused,
    TemporaryFailure,
)
from domain.money import Money
from domain.payments import DrawState, PaymentState
from domain.steps import Step
from mail.notices.autopay_failures import queue_autopay_failures
from mail.notices.payments import Notifying, queue_draw_notices
from payments.collecting.draws import DRAWN_TWICE, read_open_draws
from payments.outcomes.unknown_payments import (
    Agreed,
    PaymentDecision,
    decide_agreed,
    decide_approved,
    decide_given_back,
    decide_never_arrived,
    list_doubts,
)
from tests.builders import DUE, NOW, RUN
from tests.payments.collecting.test_crashes import Gateway, fails
from tests.payments.collecting_builders import a_collector, paying

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


def lost(database, place, *more):
    """An office that has drawn a payment and lost the answer, two days ago."""
    office = a_collector(database, place, paying("1", "tok_lost_response"), *more)
    office.collect()
    office.wait(days=2)
    return office


def approve(office, confirmation, key=KEY, who="anna", gateway=None, *, insists=False):
    decide_approved(
        office.database,
        gateway or office.gateway,
        key,
        confirmation,
        PaymentDecision(who, "the bank says so", office.at),
        insists=insists,
    )


def test_a_payment_decided_as_approved_is_taken_in_and_posted(database, tmp_path):
    office = lost(database, tmp_path)

    approve(office, "SB00000001", "autopay/2026-10/1")

    payment = office.payment()
    assert (PaymentState.SUCCEEDED, "SB00000001") == (payment.state, payment.confirmation)
    assert (Money(80_00), [("receipt", Money(80_00))]) == (office.paid(), office.postings())
    with database.reading() as books:
        said = books.scalar(sa.select(audit.c.detail).where(audit.c.action == "decide payment"))
    assert f"{KEY}: approved as SB00000001; the bank says so" == said


def test_the_number_of_another_draw_is_refused_whoever_insists(database, tmp_path):
    office = lost(database, tmp_path, paying("2", "tok_ok"))
    number = office.draws("2")[0].reference

    for insists in (False, True):
        with pytest.raises(Refused) as refused:
            approve(office, number, insists=insists)

    assert ("confirmation-of-another", PaymentState.UNKNOWN) == (refused.value.code, office.state())


def test_a_number_under_which_the_gateway_has_another_draw_is_refused(database, tmp_path):
    office = lost(database, tmp_path, paying("2", "tok_ok"))
    number = office.draws("2")[0].reference
    with database.writing() as books:  # our books do not know it
        books.execute(draw.update().where(draw.c.reference == number).values(reference="SB9"))

    with pytest.raises(Refused) as refused:
        approve(office, number, insists=True)

    assert "confirmation-of-another" == refused.value.code


def test_a_slip_of_the_pen_is_refused_with_the_gateways_own_number(database, tmp_path):
    office = lost(database, tmp_path)

    with pytest.raises(Refused, match="under SB00000001, not") as refused:
        approve(office, "SB00000077", insists=True)

    assert ("confirmation-differs", PaymentState.UNKNOWN) == (refused.value.code, office.state())


def test_what_the_gateway_does_not_know_takes_two_persons_who_insist(database, tmp_path):
    office = in_doubt(database, tmp_path)

    with pytest.raises(Refused) as refused:
        approve(office, "SB00000077")
    for _ in range(2):  # the same person twice is one person
        with pytest.raises(AwaitingApproval):
            approve(office, "SB00000077", insists=True)
    with pytest.raises(AwaitingApproval):  # of another number
        approve(office, "SB00000078", who="bert", insists=True)
    assert ("not-at-gateway", PaymentState.UNKNOWN) == (refused.value.code, office.state())
    approve(office, "SB00000077", who="bert", insists=True)

    assert (PaymentState.SUCCEEDED, "SB00000077") == (office.state(), office.payment().confirmation)


def test_while_the_gateway_is_silent_nobody_decides_alone(database, tmp_path):
    office = lost(database, tmp_path)
    silent = Gateway(office.gateway, lookup=fails(OutcomeUnknown("no answer")))

    with pytest.raises(Refused) as refused:
        approve(office, "SB00000001", gateway=silent)
    with pytest.raises(AwaitingApproval):
        approve(office, "SB00000001", gateway=silent, insists=True)

    assert ("gateway-silent", PaymentState.UNKNOWN) == (refused.value.code, office.state())


def test_what_both_sides_say_is_taken_and_what_they_do_not_agree_on_is_refused(database, tmp_path):
    office = lost(database, tmp_path)
    (without_receipt,) = doubts(office)
    (with_receipt,) = doubts(office, receipt="CR1")

    with pytest.raises(Refused) as refused:
        decide_agreed(database, office.gateway, without_receipt, decision(office))
    decide_agreed(database, office.gateway, with_receipt, decision(office))

    assert ("not-agreed", PaymentState.SUCCEEDED) == (refused.value.code, office.state())


def test_a_payment_decided_as_never_arrived_is_drawn_under_a_new_key(database, tmp_path):
    office = in_doubt(database, tmp_path)

    again = decide_never_arrived(database, office.gateway, KEY, decision(office))
    assert f"never taken, drawn again on {again}" == office.payment().error  # rule 79
    office.collect()
    before = office.taken()
    office.wait(days=(again - office.at.date()).days)
    office.collect()

    assert ([], [("autopay/2026-10/1/2", 80_00)]) == (before, office.taken())
    assert [] == doubts(office)


def told(database, office, **changes) -> list[tuple[str, str]]:
    """The mails about autopay that are owed, by kind and form."""
    with database.writing() as books:
        if books.scalar(sa.select(run_step.c.step)) is None:
            books.execute(
                run_step.insert().values(
                    period=RUN,
                    step=Step.SEND,
                    position=1,
                    started_at=NOW,
                    finished_at=NOW,
                    summary="",
                )
            )
    terms = Notifying(office.at, "anna", "x.example", **changes)
    queue_draw_notices(database, terms)
    queue_autopay_failures(
        database, since=office.at - timedelta(days=14), now=office.at,
        message_domain="x.example", to_landlords=True,
    )  # fmt: skip
    with database.reading() as books:
        return [tuple(row) for row in books.execute(sa.select(delivery.c.kind, delivery.c.form))]


@pytest.mark.parametrize("who", ["none", "varying", "all"])
def test_its_customer_is_told_of_the_new_day_once_whoever_else_hears_of_draws(
    database, tmp_path, who
):
    office = in_doubt(database, tmp_path)
    decide_never_arrived(database, office.gateway, KEY, decision(office))

    told(database, office, autopay_scheduled=who)

    expected = [(MessageKind.AUTOPAY_SCHEDULED, "autopay-scheduled")]
    assert expected == told(database, office, autopay_scheduled=who)


def test_what_is_found_out_too_long_after_its_due_date_is_not_drawn_and_told(database, tmp_path):
    office = in_doubt(database, tmp_path)
    office.wait(days=(DUE - office.at.date()).days + 10)

    again = decide_never_arrived(database, office.gateway, KEY, decision(office))
    office.wait(days=7)
    office.collect()

    assert (None, [], PaymentState.CANCELLED) == (again, office.taken(), office.state())
    assert [(MessageKind.AUTOPAY_FAILED, "autopay-failed-too-late")] == told(database, office)


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

    with pytest.raises(Misuse) as refused:
        approve(office, "SB1")
    assert "unknown-payment" == refused.value.code


def test_a_draw_beside_another_one_is_settled_when_it_was_given_back(database, tmp_path):
    office = in_doubt(database, tmp_path)
    with database.writing() as books:
        books.execute(draw.update().values(state=DrawState.DECLINED, code=DRAWN_TWICE))
    assert 1 == read_open_draws(database).drawn_twice.count

    decide_given_back(database, KEY, decision(office))

    assert 0 == read_open_draws(database).drawn_twice.count
    with pytest.raises(Misuse) as refused:
        decide_given_back(database, KEY, decision(office))
    assert "unknown-draw" == refused.value.code
