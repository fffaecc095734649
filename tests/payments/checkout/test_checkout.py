"""Payments by hand: one yes draws once, whatever happens; within what is owed; fees apart."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from database.ledger.entries import record_entries
from database.tables import account, draw, gateway_payment, suspended_method
from domain.checkout import LASTS, CheckoutEnd, NotTaken
from domain.failures import OutcomeUnknown, TemporaryFailure
from domain.ledger import EntryKind
from domain.money import Money
from payments.collecting.claiming import UNASKED_FOR, abandon_dead_checkouts, abandon_unasked
from payments.outcomes.events import take_in_events
from payments.port import GatewayMisuse
from rules.money.checkout import CheckoutPolicy
from tests.builders import ACH, NOW, an_entry
from tests.payments.checkout_builders import CARD_FEE, a_payer


@pytest.fixture
def payer(database, tmp_path):
    return a_payer(database, tmp_path)


class Killed(BaseException):
    """The process ends here."""


class DyingGateway:
    """Dies in the place of one call, before or after the real gateway has it."""

    def __init__(self, gateway, call: str, *, after: bool):
        self._gateway, self._call, self._after = gateway, call, after

    def __getattr__(self, name):
        real = getattr(self._gateway, name)
        if name != self._call:
            return real

        def dying(*given):
            if self._after:
                real(*given)
            raise Killed

        return dying


class LosingGateway:
    """A way to the gateway on which what is asked for is lost."""

    def __init__(self, gateway):
        self._gateway = gateway

    def __getattr__(self, name):
        return getattr(self._gateway, name)

    def confirm(self, _reference, _request):
        raise OutcomeUnknown("lost on the way")


def test_a_payment_by_hand_pays_the_account_and_is_posted(payer):
    assert CheckoutEnd.PAID is payer.pay("30.00")

    assert "50.00" == payer.owed
    assert [("payment", "checkout", "-30.00")] == payer.entries()
    assert [("receipt", "30.00")] == payer.postings()
    assert [("checkout/k/1", 3000)] == payer.taken()
    assert payer.find().confirmation


def test_a_service_fee_is_taken_with_it_and_booked_apart(database, tmp_path):
    payer = a_payer(database, tmp_path, policy=CARD_FEE)

    assert CheckoutEnd.PAID is payer.pay("80.00")

    assert "2.61" == str(payer.find().service_fee)  # 2.95 % of 80.00 and 0.25
    assert "0.00" == payer.owed
    assert [("checkout/k/1", 8261)] == payer.taken()
    assert [("receipt", "80.00"), ("service-fee", "2.61")] == payer.postings()
    fee = ("service-fee", "checkout", "-2.61")
    assert [fee, ("payment", "checkout", "-80.00")] == sorted(payer.entries(), reverse=True)


def test_a_fee_is_no_part_of_what_is_on_its_way_to_the_account(database, tmp_path):
    payer = a_payer(database, tmp_path, "tok_lost_response", policy=CARD_FEE)

    payer.pay("50.00", "tok_lost_response")

    assert "50.00" == payer.on_its_way
    assert NotTaken.OVER_PAYABLE is payer.draft("30.01", "tok_lost_response", "other")
    assert payer.draft("30.00", "tok_lost_response", "another") is None


def test_fifty_yeses_to_one_checkout_draw_once(payer):
    payer.draft()
    gate = threading.Barrier(50)

    def confirm(_number):
        gate.wait()
        return payer.confirm()

    with ThreadPoolExecutor(50) as pool:
        firsts = list(pool.map(confirm, range(50)))

    assert 1 == sum(firsts)
    assert [("checkout/k/1", 8000)] == payer.taken()
    assert "0.00" == payer.owed


def test_of_eight_payments_of_the_whole_balance_at_once_one_is_taken(payer):
    keys = [f"k{number}" for number in range(8)]
    for key in keys:
        payer.draft(key=key)
    gate = threading.Barrier(8)

    def confirm(key):
        gate.wait()
        return payer.confirm(key)

    with ThreadPoolExecutor(8) as pool:
        firsts = list(pool.map(confirm, keys))

    assert 1 == sum(firsts)
    assert ["paid"] + ["refused"] * 7 == sorted(payer.ends())
    assert 1 == len(payer.taken())
    assert "0.00" == payer.owed


def test_a_yes_said_again_later_asks_nothing(payer):
    payer.pay("30.00")

    assert not payer.confirm()

    assert 1 == len(payer.taken())
    assert CheckoutEnd.PAID is payer.end()


def test_nobody_says_yes_to_somebody_elses_checkout(payer):
    payer.draft()

    assert not payer.confirm(user=payer.user + 1)

    assert CheckoutEnd.OPEN is payer.end()
    assert [] == payer.taken()


def test_a_declined_payment_is_declined_and_never_tried_again(database, tmp_path):
    payer = a_payer(database, tmp_path, "tok_insufficient_funds")

    assert CheckoutEnd.DECLINED is payer.pay(token="tok_insufficient_funds")
    payer.office.wait(days=30)
    payer.office.collect()

    assert CheckoutEnd.DECLINED is payer.end()
    assert "80.00" == payer.owed
    assert "0.00" == payer.on_its_way


def test_a_lost_answer_is_on_its_way_until_it_is_looked_up(database, tmp_path):
    payer = a_payer(database, tmp_path, "tok_lost_response")

    assert CheckoutEnd.ON_ITS_WAY is payer.pay("80.00", "tok_lost_response")
    assert "80.00" == payer.on_its_way
    assert NotTaken.NOTHING_PAYABLE is payer.draft("80.00", "tok_lost_response", "again")
    payer.office.wait(minutes=6)
    payer.office.look_up()

    assert CheckoutEnd.PAID is payer.end()
    assert 1 == len(payer.taken())
    assert "0.00" == payer.owed


@pytest.mark.parametrize(
    ("counted", "end", "taken"),
    [
        pytest.param("-30.00", CheckoutEnd.ON_ITS_WAY, 0, id="a part was paid at the counter"),
        pytest.param("25.00", CheckoutEnd.PAID, 1, id="a fee came on top"),
        pytest.param(None, CheckoutEnd.PAID, 1, id="nothing else happened"),
    ],
)
def test_who_paid_at_the_counter_after_a_lost_payment_is_not_asked_for_it_again(
    payer, counted, end, taken
):
    payer.draft("80.00")
    payer.confirm(gateway=LosingGateway(payer.office.gateway))
    payer.office.wait(minutes=6)
    if counted:
        count(payer, counted, EntryKind.PAYMENT if counted < "0" else EntryKind.FEE)

    payer.office.look_up()

    assert end is payer.end()
    assert taken == len(payer.taken())


def test_what_is_paid_ahead_is_the_customers_own_word_and_asked_for_again(database, tmp_path):
    payer = a_payer(database, tmp_path, policy=CheckoutPolicy(pays_ahead=True))
    payer.draft("100.00")
    payer.confirm(gateway=LosingGateway(payer.office.gateway))
    payer.office.wait(minutes=6)

    payer.office.look_up()

    assert CheckoutEnd.PAID is payer.end()


def test_a_gateway_that_says_we_ask_wrongly_takes_nothing_and_is_told_to_the_office(payer):
    class Wrong:
        def __init__(self, gateway):
            self._gateway = gateway

        def __getattr__(self, name):
            return getattr(self._gateway, name)

        def prepare(self, _request):
            raise GatewayMisuse("wrong key")

    payer.draft()

    with pytest.raises(GatewayMisuse):
        payer.confirm(gateway=Wrong(payer.office.gateway))

    assert CheckoutEnd.NOT_TAKEN is payer.end()
    assert "0.00" == payer.on_its_way


def test_a_gateway_that_surely_did_not_take_it_ends_it_as_not_taken(payer):
    class Down:
        def __init__(self, gateway):
            self._gateway = gateway

        def __getattr__(self, name):
            return getattr(self._gateway, name)

        def prepare(self, _request):
            raise TemporaryFailure("down")

    payer.draft()

    payer.confirm(gateway=Down(payer.office.gateway))
    payer.office.wait(days=1)
    payer.office.collect()

    assert CheckoutEnd.NOT_TAKEN is payer.end()
    assert [] == payer.taken()
    assert payer.draft(key="again") is None


@pytest.mark.parametrize(
    ("call", "after", "end"),
    [
        pytest.param("prepare", False, CheckoutEnd.NOT_TAKEN, id="before it is announced"),
        pytest.param("prepare", True, CheckoutEnd.NOT_TAKEN, id="after it is announced"),
        pytest.param("confirm", False, CheckoutEnd.PAID, id="before it is asked"),
        pytest.param("confirm", True, CheckoutEnd.PAID, id="after it is drawn"),
    ],
)
def test_a_crash_at_a_boundary_is_found_by_the_next_look(payer, call, after, end):
    payer.draft()
    with pytest.raises(Killed):
        payer.confirm(gateway=DyingGateway(payer.office.gateway, call, after=after))
    assert CheckoutEnd.ON_ITS_WAY is payer.end()
    assert "80.00" == payer.on_its_way

    payer.office.wait(minutes=6)
    abandon_dead_checkouts(payer.database, payer.office.at)
    payer.office.look_up()

    assert end is payer.end()
    assert (1 if end is CheckoutEnd.PAID else 0) == len(payer.taken())
    assert "0.00" == payer.on_its_way


def test_the_offices_collecting_leaves_a_request_at_work_alone(payer):
    payer.draft()
    with pytest.raises(Killed):
        payer.confirm(gateway=DyingGateway(payer.office.gateway, "prepare", after=False))

    abandon_unasked(payer.database, payer.office.at + UNASKED_FOR)
    is_left_alone = payer.end()
    abandon_unasked(payer.database, payer.office.at + UNASKED_FOR + timedelta(seconds=1))

    assert CheckoutEnd.ON_ITS_WAY is is_left_alone
    assert CheckoutEnd.NOT_TAKEN is payer.end()


def test_a_draft_expires_and_takes_nothing(payer):
    payer.draft()
    payer.office.wait(minutes=LASTS.total_seconds() / 60)

    assert not payer.confirm()

    assert CheckoutEnd.EXPIRED is payer.end()
    assert [] == payer.taken()


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        pytest.param(lambda one: one.owes("79.99"), NotTaken.OVER_PAYABLE, id="less is owed"),
        pytest.param(
            lambda one: one.change(account, block_card=True),
            NotTaken.METHOD_BLOCKED,
            id="cards are blocked, rule 136",
        ),
        pytest.param(
            lambda one: suspend(one, "tok_ok"), NotTaken.METHOD_SUSPENDED, id="the card was stolen"
        ),
        pytest.param(lambda one: removed(one), NotTaken.METHOD_GONE, id="removed"),
        pytest.param(
            lambda one: setattr(one, "policy", CARD_FEE), NotTaken.FEE_CHANGED, id="a new fee"
        ),
    ],
)
def test_what_changed_before_the_yes_refuses_it(payer, happens, reason):
    payer.draft()

    happens(payer)

    assert not payer.confirm()
    assert CheckoutEnd.REFUSED is payer.end()
    refusal = payer.find().refusal
    assert refusal is not None
    assert reason is refusal.reason
    assert [] == payer.taken()


def suspend(payer, token):
    with payer.database.writing() as books:
        books.execute(
            suspended_method.insert().values(method_token=token, since=NOW, reason="stolen")
        )


def removed(payer):
    from database.definitions.identity import wallet_method

    payer.change(wallet_method, removed_at=NOW)


def test_only_ones_own_methods_can_be_used(payer):
    assert NotTaken.METHOD_GONE is payer.draft(token="tok_autopay")  # autopay's, of nobody's wallet


def test_more_than_is_owed_is_taken_only_where_the_office_lets_it(payer):
    assert NotTaken.OVER_PAYABLE is payer.draft("100.00")

    payer.policy = CheckoutPolicy(pays_ahead=True)
    assert CheckoutEnd.PAID is payer.pay("100.00")

    assert "-20.00" == payer.owed


def test_autopay_waits_while_a_payment_by_hand_is_on_its_way(database, tmp_path):
    from tests.payments.scheduling_builders import schedule

    payer = a_payer(database, tmp_path, "tok_lost_response")
    schedule(database)
    payer.pay("80.00", "tok_lost_response")

    counts = payer.office.collect()
    payer.office.wait(minutes=6)
    payer.office.look_up()
    payer.office.collect()

    assert 1 == counts.waiting
    assert [("autopay", "cancelled"), ("checkout", "succeeded")] == payer.payments()
    assert 1 == len(payer.taken())


def test_a_returned_payment_is_owed_again_with_its_fee_apart_and_not_drawn_again(
    database, tmp_path
):
    from rules.money.checkout import FeeKind, ServiceFee

    policy = CheckoutPolicy({(FeeKind.BILL, ACH): (ServiceFee(fixed=Money(1_00)),)})
    payer = a_payer(database, tmp_path, "tok_ach_R01_d2", policy=policy, kind=ACH)
    payer.pay("80.00", "tok_ach_R01_d2")

    payer.office.wait(days=3)
    take_in_events(database, payer.office.gateway, payer.office.terms, payer.office.now)

    assert CheckoutEnd.RETURNED is payer.end()
    assert "80.00" == payer.owed
    assert [("checkout", "returned")] == payer.payments()
    assert [
        ("receipt", "80.00"), ("reversal", "80.00"), ("service-fee", "1.00"),
        ("service-fee-back", "1.00"),
    ] == payer.postings()  # fmt: skip


def count(payer, amount, kind=EntryKind.PAYMENT):
    """Let the feed tell of money at the counter."""
    with payer.database.writing() as books:
        entry = an_entry("feed/1", amount, account_key="1", kind=kind)
        record_entries(books, [entry], now=payer.office.at, who="anna")


def test_money_counted_meanwhile_is_not_taken_again(payer):
    payer.draft("80.00")
    count(payer, "-50.00")

    payer.confirm()

    assert CheckoutEnd.REFUSED is payer.end()
    assert payer.draft("30.00", key="rest") is None


def test_the_schedule_never_shows_a_payment_by_hand(payer):
    from database.tables import scheduled_payment

    payer.pay("30.00")

    with payer.database.reading() as books:
        assert [] == books.execute(sa.select(scheduled_payment)).all()
        assert 1 == books.scalar(sa.select(sa.func.count()).select_from(gateway_payment))
        assert 1 == books.scalar(sa.select(sa.func.count()).select_from(draw))
