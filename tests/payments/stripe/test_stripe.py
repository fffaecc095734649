"""What the Stripe adapter makes of Stripe: doubts, declines, bank accounts, webhooks, payouts."""

from __future__ import annotations

import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
import stripe

from domain.failures import OutcomeUnknown, PermanentFailure, Refused, TemporaryFailure
from domain.money import Money
from domain.payments import Advice, MethodKind
from payments.port import DrawAnswer, DrawRequest, GatewayMisuse, LateEventKind
from payments.stripe.client import StripeRequests
from payments.stripe.events import to_late_event
from payments.stripe.gateway import StripeGateway
from payments.stripe.results import advice_of, bank_page_of, code_of, to_result, to_settlement
from tests.contracts.conftest import localstripe_url, stripe_desk
from tests.contracts.stripe_desk import API_KEY, WEBHOOK_SECRET, StripeDesk
from tests.payments.stripe_front import count

__all__ = ["localstripe_url", "stripe_desk"]

BACK = "https://pay.larkspur.example/payments/k/returned"
KEY = "autopay/2026-10/0110371/1"


@pytest.fixture
def desk(stripe_desk) -> StripeDesk:
    return stripe_desk


def a_draw(desk, token=None, key=KEY, kind=MethodKind.CARD, cents=43_21) -> DrawRequest:
    return DrawRequest(key, "0110371", token or desk.good, kind, Money(cents))


def confirmed(desk, request):
    return desk.gateway.confirm(desk.gateway.prepare(request), request)


def test_each_request_is_sent_once_and_under_a_key_made_of_the_draws(desk):
    reference = desk.gateway.prepare(a_draw(desk))
    desk.lose("confirm", "lost")
    with pytest.raises(OutcomeUnknown):
        desk.gateway.confirm(reference, a_draw(desk))

    drawing = [asked for asked in desk.front.asked if asked[0] in ("prepare", "confirm")]
    assert [("prepare", f"{KEY}/prepare"), ("confirm", f"{KEY}/confirm")] == drawing


@pytest.mark.parametrize("fault", ["500_after", "html", "list", "empty", "lost", "never"])
def test_an_answer_that_says_nothing_is_an_unknown_outcome(desk, fault):
    reference = desk.gateway.prepare(a_draw(desk))
    desk.lose("confirm", fault)

    with pytest.raises(OutcomeUnknown):
        desk.gateway.confirm(reference, a_draw(desk))

    found = desk.gateway.lookup(a_draw(desk), reference).answer
    assert (DrawAnswer.NOT_FOUND if fault == "never" else DrawAnswer.APPROVED) is found
    assert 1 == count(desk.front.asked)["confirm"]


@pytest.mark.parametrize("fault", ["500_after", "html", "list", "empty"])
def test_a_lookup_that_is_answered_with_nonsense_tells_nothing(desk, fault):
    reference = desk.gateway.prepare(a_draw(desk))
    desk.gateway.confirm(reference, a_draw(desk))
    desk.lose("lookup", fault)

    with pytest.raises(OutcomeUnknown):
        desk.gateway.lookup(a_draw(desk), reference)


def test_a_server_error_is_replayed_and_the_draw_is_found_by_its_key(desk):
    desk.lose("prepare", "500_after")
    for _ in range(3):
        with pytest.raises(TemporaryFailure):
            desk.gateway.prepare(a_draw(desk))

    found = desk.gateway.lookup(a_draw(desk), None)
    result = desk.gateway.confirm(found.reference, a_draw(desk))

    assert (DrawAnswer.NOT_FOUND, DrawAnswer.APPROVED) == (found.answer, result.answer)
    assert 43_21 == desk.taken()


def test_an_answer_that_takes_too_long_is_an_unknown_outcome(desk):
    impatient = StripeGateway(StripeRequests(API_KEY, desk.server.url, answer_seconds=0.5))
    reference = impatient.prepare(a_draw(desk))
    desk.lose("confirm", "held")

    with pytest.raises(OutcomeUnknown):
        impatient.confirm(reference, a_draw(desk))

    desk.front.holding.set()
    impatient.close()


def test_two_at_a_time_under_one_key_are_one_draw_and_a_doubt(desk):
    request = a_draw(desk)
    reference = desk.gateway.prepare(request)
    desk.lose("confirm", "held")

    with ThreadPoolExecutor(1) as other:
        first = other.submit(desk.gateway.confirm, reference, request)
        while "confirm" not in count(desk.front.asked):
            time.sleep(0.01)
        with pytest.raises(OutcomeUnknown):
            desk.gateway.confirm(reference, request)
        desk.front.holding.set()

    assert (DrawAnswer.APPROVED, 43_21) == (first.result().answer, desk.taken())


def test_nobody_there_is_surely_nothing_drawn_and_nothing_known(desk):
    request = a_draw(desk)
    gateway = StripeGateway(StripeRequests(API_KEY, "http://127.0.0.1:9"))
    gateway._prepared["pi_1"] = request

    for ask in (lambda: gateway.prepare(request), lambda: gateway.confirm("pi_1", request)):
        with pytest.raises(TemporaryFailure):
            ask()
    with pytest.raises(OutcomeUnknown):
        gateway.lookup(request, "pi_1")


def test_a_wrong_api_key_stops_the_office_and_is_not_told(desk):
    gateway = StripeGateway(StripeRequests("rk_wrong_0123", desk.server.url))

    with pytest.raises(GatewayMisuse, match=r"payments\.stripe_api_key") as refused:
        gateway.prepare(a_draw(desk))

    assert "rk_wrong" not in str(refused.value)


def test_a_customer_who_is_named_in_the_token_is_not_asked_for(desk):
    token = f"{desk.customer}/{desk.good}"

    assert DrawAnswer.APPROVED is confirmed(desk, a_draw(desk, token)).answer
    assert {"prepare": 1, "confirm": 1} == count(desk.front.asked)


def test_a_method_that_is_nobodys_is_refused_for_good(desk):
    loose = desk.api.get("/v1/payment_methods/pm_card_visa").json()["id"]

    for token in (loose, "pm_unknown"):
        with pytest.raises(PermanentFailure):
            desk.gateway.prepare(a_draw(desk, token))


def test_a_draw_is_found_although_its_method_was_removed_meanwhile(desk):
    reference = desk.gateway.prepare(a_draw(desk))
    desk.api.post(f"/v1/payment_methods/{desk.good}/detach")

    assert DrawAnswer.NOT_FOUND is desk.gateway.lookup(a_draw(desk), reference).answer
    with pytest.raises(OutcomeUnknown):
        desk.gateway.lookup(a_draw(desk), None)


def test_a_draw_that_wants_the_customer_is_declined_and_taken_off(desk):
    request = a_draw(desk, desk.wanting)

    result = confirmed(desk, request)

    wanted = (DrawAnswer.DECLINED, "authentication_required", Advice.CUSTOMER_ACTION)
    found = desk.gateway.lookup(request, None)
    assert wanted == (result.answer, result.code, result.advice)
    assert wanted == (found.answer, found.code, found.advice)
    assert "canceled" == desk.api.get(f"/v1/payment_intents/{result.reference}").json()["status"]


def test_a_draw_that_somebody_cancelled_at_stripes_own_desk_is_a_clerks(desk):
    request = a_draw(desk)
    reference = desk.gateway.prepare(request)
    desk.api.post(f"/v1/payment_intents/{reference}/cancel").raise_for_status()

    result = desk.gateway.confirm(reference, request)

    assert (DrawAnswer.DECLINED, "voided") == (result.answer, result.code)
    assert (Advice.CLERK, 0) == (result.advice, desk.taken())


def test_where_the_customer_can_be_led_to_their_bank_a_draw_awaits_them(desk):
    request = replace(a_draw(desk, desk.wanting), is_by_customer=True, returns_to=BACK)

    result = confirmed(desk, request)
    found = desk.gateway.lookup(request, None)
    status = desk.api.get(f"/v1/payment_intents/{result.reference}").json()["status"]

    page = f"https://hooks.stripe.example/3d_secure/{result.reference}"
    assert (DrawAnswer.AWAITS, page) == (result.answer, result.bank_page)
    assert (DrawAnswer.AWAITS, page) == (found.answer, found.bank_page)
    assert page not in repr(result) and BACK not in repr(request)
    assert "requires_action" == status


@pytest.mark.parametrize(
    "action",
    [
        {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}},
        {"type": "redirect_to_url", "redirect_to_url": {"url": "javascript:alert(1)"}},
        {"type": "redirect_to_url", "redirect_to_url": None},
        {"type": "verify_with_microdeposits", "verify_with_microdeposits": {}},
        None,
    ],
)
def test_what_is_no_page_to_be_led_to_is_none(action):
    assert "" == bank_page_of({"status": "requires_action", "next_action": action})


def test_a_draw_that_wants_the_customer_and_cannot_be_taken_off_is_unknown(desk):
    desk.lose("cancel", "before")

    with pytest.raises(OutcomeUnknown):
        confirmed(desk, a_draw(desk, desk.wanting))


def test_money_on_its_way_from_a_bank_account_is_approved_at_once(desk):
    request = a_draw(desk, kind=MethodKind.ACH)

    result = confirmed(desk, request)
    status = json.loads(desk.front.keys[f"{KEY}/confirm"].answer[1])["status"]
    desk.days_later()

    assert ("processing", DrawAnswer.APPROVED) == (status, result.answer)
    assert DrawAnswer.APPROVED is desk.gateway.lookup(request, None).answer
    assert [LateEventKind.APPROVED_LATE] == [event.kind for event in desk.events()]


def test_a_bank_that_says_no_days_later_is_a_return_with_its_code(desk):
    request = a_draw(desk, kind=MethodKind.ACH)
    result = confirmed(desk, request)
    desk.front.missing.refuse_bank[result.reference] = "insufficient_funds"

    desk.days_later()
    [event] = desk.events()

    assert (LateEventKind.RETURNED, "R01", KEY) == (event.kind, event.code, event.draw_key)
    assert (result.reference, Money(43_21)) == (event.reference, event.amount)
    assert DrawAnswer.DECLINED is desk.gateway.lookup(request, result.reference).answer


def test_of_two_intents_under_one_key_the_one_that_took_money_is_found(desk):
    result = confirmed(desk, a_draw(desk))
    desk.front.keys.clear()  # as Stripe does after a day
    second = desk.gateway.prepare(a_draw(desk))

    for reference in (None, result.reference, second):
        found = desk.gateway.lookup(a_draw(desk), reference)
        assert (DrawAnswer.APPROVED, result.reference) == (found.answer, found.reference)


def test_no_refund_is_asked_for_that_is_above_the_draw(desk):
    result = confirmed(desk, a_draw(desk))

    with pytest.raises(PermanentFailure, match=r"43\.21 can be refunded, not 9999\.99"):
        desk.gateway.refund(result.reference, Money(9_999_99), "refund/a")

    assert "refund" not in count(desk.front.asked)


def test_a_webhook_is_taken_in_only_if_stripe_signed_it(desk):
    url = {"url": f"{desk.server.url}/_webhook", "secret": WEBHOOK_SECRET}
    desk.api.post("/_config/webhooks/ours", data=url).raise_for_status()
    result = confirmed(desk, a_draw(desk))
    waiting = threading.Event()
    while not _succeeded(desk, result.reference):
        assert not waiting.wait(0.05)
    [(body, signature)] = _succeeded(desk, result.reference)

    event = desk.gateway.read_webhook(body, signature)

    assert (LateEventKind.APPROVED_LATE, KEY, result.reference) == (
        event.kind,
        event.draw_key,
        event.reference,
    )
    for forged in (
        (body.replace(b"4321", b"9999"), signature),
        (body, signature.replace("v1=", "v1=0")),
        (body, ""),
        (b"no json", signature),
    ):
        with pytest.raises(Refused, match="not signed by Stripe"):
            desk.gateway.read_webhook(*forged)


def test_without_a_secret_no_webhook_is_taken_in(desk):
    gateway = StripeGateway(desk.gateway._stripe)
    body = json.dumps(an_event("customer.created", {"id": "cus_1"})).encode()
    seconds = int(time.time())
    signed = stripe.WebhookSignature._compute_signature(f"{seconds}.{body.decode()}", "")

    with pytest.raises(Refused):
        gateway.read_webhook(body, f"t={seconds},v1={signed}")


def _succeeded(desk, reference):
    came = [(json.loads(each[0]), each) for each in list(desk.front.webhooks)]
    return [
        each
        for event, each in came
        if ("payment_intent.succeeded", reference) == (event["type"], event["data"]["object"]["id"])
    ]


def test_the_logs_tell_no_token(desk, caplog):
    caplog.set_level(logging.DEBUG)

    confirmed(desk, a_draw(desk))

    ours = [each for each in caplog.records if not each.name.startswith("http")]  # not the front's
    assert not [
        said for each in ours if desk.good in (said := each.getMessage()) or API_KEY in said
    ]


def test_an_intent_of_somebody_elses_making_brings_no_event():
    intent = {"id": "pi_1", "amount": 100, "metadata": {}, "payment_method_types": ["card"]}

    assert None is to_late_event(an_event("payment_intent.succeeded", intent), no_intent)
    assert None is to_late_event(an_event("customer.created", {"id": "cus_1"}), no_intent)
    assert None is to_late_event(
        an_event("charge.dispute.funds_withdrawn", {"payment_intent": None}), no_intent
    )


def test_a_cards_decline_was_answered_at_once_and_is_no_late_event():
    intent = an_intent("requires_payment_method", last_payment_error={"code": "card_declined"})

    assert None is to_late_event(an_event("payment_intent.payment_failed", intent), no_intent)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": "account_closed"}, "R02"),
        ({"code": "debit_not_authorized"}, "R10"),
        ({"code": "debit_not_authorized", "network_decline_code": "R29"}, "R29"),
        ({"code": "payment_method_bank_account_odd"}, "payment_method_bank_account_odd"),
    ],
)
def test_a_return_bears_the_banks_code_where_it_is_known(error, code):
    intent = an_intent("requires_payment_method", "us_bank_account", last_payment_error=error)

    event = to_late_event(an_event("payment_intent.payment_failed", intent), no_intent)

    assert (LateEventKind.RETURNED, code) == (event.kind, event.code)


def test_a_disputed_bank_draw_is_a_return():
    dispute = {"payment_intent": "pi_1", "amount": 43_21, "reason": "debit_not_authorized"}
    intent = an_intent("succeeded", "us_bank_account")

    event = to_late_event(an_event("charge.dispute.funds_withdrawn", dispute), {"pi_1": intent}.get)

    assert (LateEventKind.RETURNED, "R10", KEY) == (event.kind, event.code, event.draw_key)
    assert datetime(2026, 11, 4, 15, tzinfo=UTC) == event.happened_at


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        ({"code": "card_declined", "decline_code": "insufficient_funds"}, Advice.LATER),
        ({"code": "card_declined", "decline_code": "do_not_honor"}, Advice.ONCE_MORE),
        ({"code": "card_declined"}, Advice.ONCE_MORE),
        ({"code": "expired_card"}, Advice.NEW_METHOD),
        ({"code": "expired_card", "advice_code": "do_not_try_again"}, Advice.NEW_METHOD),
        ({"decline_code": "stolen_card", "network_advice_code": "02"}, Advice.NEVER),
        ({"decline_code": "generic_decline", "advice_code": "try_again_later"}, Advice.LATER),
        ({"decline_code": "generic_decline", "advice_code": "do_not_try_again"}, Advice.NEVER),
        ({"decline_code": "generic_decline", "network_advice_code": "01"}, Advice.NEW_METHOD),
        ({"decline_code": "generic_decline", "network_advice_code": "03"}, Advice.NEVER),
        ({"decline_code": "insufficient_funds", "network_advice_code": "21"}, Advice.NEVER),
        ({"decline_code": "generic_decline", "network_advice_code": "27"}, Advice.LATER),
        ({"decline_code": "do_not_honor", "network_decline_code": "R1"}, Advice.NEVER),
        ({"decline_code": "do_not_honor", "network_decline_code": "57"}, Advice.ONCE_MORE),
        (
            {
                "decline_code": "do_not_honor",
                "network_decline_code": "57",
                "payment_method": {"card": {"brand": "visa"}},
            },
            Advice.NEVER,
        ),
        ({"code": "authentication_required"}, Advice.CUSTOMER_ACTION),
        ({"code": "something_new"}, Advice.CLERK),
    ],
)
def test_a_decline_means(error, advice):
    assert advice is advice_of(error)


def test_a_decline_without_a_word_is_called_one():
    assert "card_declined" == code_of({})


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("processing", "card"),
        ("requires_capture", "card"),
        ("requires_payment_method", "card"),
        ("something_new", "us_bank_account"),
    ],
)
def test_a_state_that_says_neither_yes_nor_no_is_unknown(status, kind):
    with pytest.raises(OutcomeUnknown):
        to_result(an_intent(status, kind))


def test_a_payout_that_does_not_add_up_is_refused():
    line = {"id": "txn_1", "type": "charge", "amount": 100, "fee": 33, "source": None}

    with pytest.raises(PermanentFailure, match=r"make 0\.67 and not 0\.68"):
        to_settlement(a_payout(68), [line], no_intent)


def test_a_payouts_lines_name_the_draws_they_are_of():
    charge = {"id": "ch_1", "payment_intent": "pi_1", "metadata": {"draw_key": KEY}}
    lines = [
        {"id": "txn_0", "type": "payout", "amount": -37, "fee": 0, "source": "po_1"},
        {"id": "txn_1", "type": "charge", "amount": 200, "fee": 36, "source": charge},
        {
            "id": "txn_2",
            "type": "refund",
            "amount": -100,
            "fee": 0,
            "source": {"id": "re_1", "payment_intent": "pi_1"},
        },
        {"id": "txn_3", "type": "stripe_fee", "amount": -27, "fee": 0, "source": None},
    ]

    paid = to_settlement(a_payout(37), lines, {"pi_1": an_intent("succeeded")}.__getitem__)

    assert [("pi_1", KEY), ("pi_1", KEY), ("txn_3", "")] == [
        (item.reference, item.draw_key) for item in paid.items
    ]
    assert (Money(73), Money(36), Money(37), date(2026, 11, 6)) == (
        paid.gross,
        paid.fees,
        paid.net,
        paid.pays_out_on,
    )


def test_a_payout_made_by_hand_is_one_line_that_names_no_draw():
    paid = to_settlement({**a_payout(500), "automatic": False}, [], no_intent)

    assert [("po_1", "", Money(500))] == [
        (item.reference, item.draw_key, item.amount) for item in paid.items
    ]


def test_a_payout_whose_lines_stripe_still_gathers_is_read_another_day(desk):
    confirmed(desk, a_draw(desk))
    desk.days_later()
    desk.front.missing.payouts[0]["reconciliation_status"] = "in_progress"
    assert [] == desk.paid_out()

    desk.front.missing.payouts[0]["reconciliation_status"] = "completed"

    assert [43_21] == [paid.gross.cents for paid in desk.paid_out()]


def test_the_sdk_does_not_try_again_by_itself(desk):
    assert 0 == desk.gateway._stripe._api._requestor._options.max_network_retries
    assert "2026-10-28.endive" == stripe.api_version  # what this was written for


def an_intent(status, kind="card", **facts):
    return {
        "id": "pi_1",
        "status": status,
        "amount": 43_21,
        "metadata": {"draw_key": KEY},
        "payment_method_types": [kind],
        **facts,
    }


def an_event(kind, subject):
    at = int(datetime(2026, 11, 4, 15, tzinfo=UTC).timestamp())
    return {"id": "evt_1", "type": kind, "created": at, "data": {"object": subject}}


def a_payout(cents):
    arrives = int(datetime(2026, 11, 6, tzinfo=UTC).timestamp())
    return {"id": "po_1", "amount": cents, "arrival_date": arrives, "automatic": True}


def no_intent(reference):
    raise AssertionError(f"nobody should ask for {reference}")
