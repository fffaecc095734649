"""Webhooks: kept once, whatever comes twice, and taken in by the next collecting."""

from __future__ import annotations

import json
import time

import pytest
import sqlalchemy as sa

from database.ledger.tables import payment_event
from database.tables import draw, gateway_payment, told_event
from domain.failures import Refused, TemporaryFailure
from domain.money import ZERO, Money
from domain.payments import DrawState, PaymentState
from payments.outcomes.events import receive, take_in_events
from payments.port import LateEvent, LateEventKind
from tests.builders import ACH, RUN
from tests.payments.collecting_builders import a_collector, paying

stripe = pytest.importorskip("stripe", reason="the extra `stripe` is not installed")
SECRET = "whsec_test"


class Telling:
    """The sandbox, that tells by webhook as well; what it is asked for it does not know of."""

    name = "sandbox"

    def __init__(self, event: LateEvent | None) -> None:
        self.event = event

    def read_webhook(self, body: bytes, signature: str) -> LateEvent | None:
        if signature != "signed":
            raise Refused("webhook-signature", "not signed")
        return self.event


class Silent:
    """A gateway that is down when it is asked."""

    name = "sandbox"

    def late_events(self, _since):
        raise TemporaryFailure("down")


def a_return(office, key="1") -> LateEvent:
    one = office.draws(key)[0]
    return LateEvent(
        "evt_1", LateEventKind.RETURNED, one.key, one.reference, one.amount, "R01", office.at
    )  # fmt: skip


def waiting(office) -> int:
    count = sa.select(sa.func.count()).select_from(told_event)
    with office.database.reading() as books:
        return books.scalar(count.where(told_event.c.taken_in_at.is_(None)))


def take_in(office, gateway=None):
    return take_in_events(office.database, gateway or office.gateway, office.terms, office.now)


@pytest.fixture
def office(database, tmp_path):
    office = a_collector(database, tmp_path, paying("1", "tok_ach_ok", method_kind=ACH))
    office.collect()
    return office


def tell(office, gateway, signature="signed") -> bool:
    return receive(office.database, gateway, b"{}", signature, office.at)


def test_what_is_told_twice_is_kept_once_and_taken_in_once(office):
    gateway = Telling(a_return(office))

    news = [tell(office, gateway), tell(office, gateway)]
    assert ([True, False], PaymentState.SUCCEEDED) == (news, office.state())
    first, again = take_in(office), take_in(office)

    assert (1, 0, 0) == (first.returned.count, again.returned.count, waiting(office))
    assert (PaymentState.RETURNED, ZERO) == (office.state(), office.paid())
    assert not tell(office, gateway)
    with office.database.reading() as books:
        assert 1 == books.scalar(sa.select(sa.func.count()).select_from(payment_event))


def test_what_was_told_is_not_taken_in_without_its_gateways_signature(office):
    with pytest.raises(Refused):
        tell(office, Telling(a_return(office)), "forged")

    assert 0 == waiting(office)


def test_what_is_none_of_ours_is_not_kept(office):
    assert not tell(office, Telling(None))
    assert 0 == waiting(office)


def test_what_was_told_waits_while_the_gateway_is_down(office):
    tell(office, Telling(a_return(office)))

    counts = take_in(office, Silent())

    assert ("down", 1) == (counts.stopped_by, waiting(office))
    assert 1 == take_in(office).returned.count


def test_what_was_told_and_waits_for_another_draws_answer_stays_to_be_taken_in(database, tmp_path):
    office = a_collector(database, tmp_path, paying("1", "tok_never_arrives"))
    office.collect()
    one = office.draws()[0]
    with office.database.writing() as books:
        books.execute(draw.update().values(state=DrawState.ABANDONED, next_lookup_at=None))
        books.execute(gateway_payment.update().values(state=PaymentState.SCHEDULED))
    office.collect()  # drawn anew, and no answer
    tell(office, Telling(a_landing(office, one)))

    counts = take_in(office)

    assert (0, 1) == (counts.landed.count, waiting(office))


def a_landing(office, one) -> LateEvent:
    return LateEvent(
        "evt_2", LateEventKind.APPROVED_LATE, one.key, one.reference, one.amount, "", office.at
    )  # fmt: skip


def test_a_webhook_of_stripe_opens_the_balance_again(office):
    from payments.stripe.client import StripeRequests
    from payments.stripe.gateway import StripeGateway

    one = office.draws()[0]
    intent = {
        "id": one.reference, "object": "payment_intent", "amount": 80_00,
        "metadata": {"draw_key": one.key, "account": "1"},
        "payment_method_types": ["us_bank_account"],
        "last_payment_error": {"code": "insufficient_funds", "network_decline_code": "R01"},
    }  # fmt: skip
    event = {
        "id": "evt_9", "object": "event", "type": "payment_intent.payment_failed",
        "created": int(office.at.timestamp()), "data": {"object": intent},
    }  # fmt: skip
    body = json.dumps(event).encode()
    gateway = StripeGateway(StripeRequests("sk_test_1"), SECRET)
    seconds = int(time.time())
    digest = stripe.WebhookSignature._compute_signature(f"{seconds}.{body.decode()}", SECRET)

    assert receive(office.database, gateway, body, f"t={seconds},v1={digest}", office.at)
    with office.database.writing() as books:
        books.execute(told_event.update().values(gateway="sandbox"))  # what drew it here
    take_in(office)

    assert (PaymentState.RETURNED, ZERO) == (office.state(), office.paid())
    assert f"autopay/{RUN}/1" == one.payment_key
    assert [("receipt", Money(80_00)), ("reversal", Money(80_00))] == sorted(office.postings())
