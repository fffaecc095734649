"""What a payment by hand owes its customer at every gateway: once, to the cent, and found again."""

from __future__ import annotations

import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from database.books import Database
from domain.checkout import CheckoutEnd
from domain.money import Money
from domain.payments import MethodKind
from payments.checkout.confirming import confirm_checkout
from payments.collecting.unanswered import look_up_due
from payments.outcomes.events import receive, take_in_events
from payments.outcomes.refunding import refund_payment
from rules.money.checkout import CheckoutPolicy, FeeKind, ServiceFee
from tests.builders import CARD
from tests.contracts.gateway_desks import START, Desk, SandboxDesk
from tests.contracts.stripe_desk import WEBHOOK_SECRET
from tests.payments.checkout_builders import Payer, a_line, a_payer, add_method, other_line

POLICY = CheckoutPolicy(
    {(FeeKind.BILL, CARD): (ServiceFee(thousandths=2_950, fixed=Money(25)),)},
    has_cart=True,
    offered={"shelter": True},
)
LINES = [a_line("1", "80.00"), other_line(amount="20.00")]
TAKEN = 80_00 + 20_00 + 2_61  # the fee is 2.95 % of 80.00 and 0.25


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Till:
    """Ann, who pays at a gateway's desk; `at` is the office's clock, which is the gateway's."""

    desk: Desk
    ann: Payer
    at: datetime

    def now(self) -> datetime:
        return self.at

    def draft(self, lines=LINES, token="", key="k"):
        assert self.ann.draft_lines(lines, token or self.desk.good, key) is None

    def confirm(self, key="k", gateway=None, returns_to=""):
        return confirm_checkout(
            self.ann.database, gateway or self.desk.gateway, key, self.ann.owner, self.now,
            self.terms, POLICY, returns_to,
        )  # fmt: skip

    def pay(self, lines=LINES, token="", key="k"):
        self.draft(lines, token, key)
        self.confirm(key)
        return self.end(key)

    @property
    def terms(self):
        return self.ann.office.terms

    def look_up(self):
        self.at += timedelta(minutes=6)
        return look_up_due(self.ann.database, self.desk.gateway, self.terms, self.now)

    def take_in(self):
        return take_in_events(self.ann.database, self.desk.gateway, self.terms, self.now)

    def end(self, key="k"):
        return self.ann.find(key).end(self.at)


@pytest.fixture
def till(desk, new_books, tmp_path):
    ann = a_payer(new_books, tmp_path, policy=POLICY)
    at = START if isinstance(desk, SandboxDesk) else datetime.fromtimestamp(time.time(), UTC)
    ann.office.at = at
    with new_books.writing() as books:
        for token in (desk.good, desk.poor, desk.clawed_back):
            if token != "tok_ok":  # Ann has it already
                add_method(books, ann.user, token)
    return Till(desk, ann, at)


@pytest.fixture
def stripe_till(stripe_desk, new_books, tmp_path):
    ann = a_payer(new_books, tmp_path, stripe_desk.good, policy=POLICY)
    ann.office.at = datetime.fromtimestamp(time.time(), UTC)
    return Till(stripe_desk, ann, ann.office.at)


@pytest.fixture
def new_books(tmp_path, empty_sqlite):
    shutil.copy(empty_sqlite, tmp_path / "books.db")
    books = Database(f"sqlite:///{tmp_path / 'books.db'}")
    yield books
    books.close()


def test_the_lines_and_the_fee_are_taken_as_our_books_have_them(till):
    assert CheckoutEnd.PAID is till.pay()

    assert TAKEN == till.desk.taken()
    assert "0.00" == till.ann.owed
    assert [("receipt", "20.00"), ("receipt", "80.00"), ("service-fee", "2.61")] == (
        till.ann.postings()
    )
    assert till.ann.find().confirmation


def test_a_decline_takes_nothing_and_the_next_card_does(till):
    first = till.pay(token=till.desk.poor)
    taken = till.desk.taken()

    assert (CheckoutEnd.DECLINED, 0) == (first, taken)
    assert CheckoutEnd.PAID is till.pay(key="again")
    assert TAKEN == till.desk.taken()


def test_pressed_by_many_at_once_it_is_taken_once(till):
    till.draft()
    gate = threading.Barrier(8)

    def press(_number):
        gate.wait()
        return till.confirm()

    with ThreadPoolExecutor(8) as pool:
        firsts = list(pool.map(press, range(8)))

    assert (1, TAKEN) == (sum(firsts), till.desk.taken())


@pytest.mark.parametrize("fault", ["lost", "never"])
def test_an_answer_that_is_lost_is_found_and_nothing_is_taken_twice(till, fault):
    till.draft()
    till.desk.lose("confirm", fault)
    till.confirm()
    waiting = till.end(), till.ann.on_its_way
    till.confirm()  # pressed again meanwhile

    till.look_up()

    assert (CheckoutEnd.ON_ITS_WAY, "80.00") == waiting
    assert (CheckoutEnd.PAID, TAKEN) == (till.end(), till.desk.taken())
    assert "0.00" == till.ann.owed


@pytest.mark.parametrize("fault", ["before", "never", "lost"])
def test_what_was_never_announced_takes_nothing_and_is_begun_again(till, fault):
    till.draft()
    till.desk.lose("prepare", fault)
    till.confirm()

    assert (CheckoutEnd.NOT_TAKEN, 0) == (till.end(), till.desk.taken())
    assert CheckoutEnd.PAID is till.pay(key="again")
    assert TAKEN == till.desk.taken()


def test_what_was_refused_at_the_door_takes_nothing(till):
    till.draft()
    till.desk.lose("confirm", "before")
    till.confirm()
    till.look_up()

    assert (CheckoutEnd.NOT_TAKEN, 0) == (till.end(), till.desk.taken())


def test_a_process_that_dies_after_the_gateway_drew_has_drawn_once(till):
    class Dying:
        def __getattr__(self, name):
            return getattr(till.desk.gateway, name)

        def confirm(self, *given):
            till.desk.gateway.confirm(*given)
            raise Killed

    till.draft()
    with pytest.raises(Killed):
        till.confirm(gateway=Dying())

    till.look_up()

    assert (CheckoutEnd.PAID, TAKEN) == (till.end(), till.desk.taken())


def test_refunds_in_parts_go_back_line_by_line_and_are_told_once(till):
    till.pay()
    number = till.ann.find().confirmation
    for amount in (Money(50_00), Money(TAKEN - 50_00)):
        refund_payment(
            till.ann.database, till.desk.gateway, number, amount, "a mistake", till.at, till.terms
        )
    till.desk.days_later()
    till.take_in()

    assert (CheckoutEnd.RETURNED, 0) == (till.end(), till.desk.taken())
    assert "80.00" == till.ann.owed
    back = sum(
        Money.parse(amount).cents
        for kind, amount in till.ann.postings()
        if kind in ("reversal", "service-fee-back")
    )
    assert TAKEN == back


def test_a_dispute_opens_the_account_again(till):
    assert CheckoutEnd.PAID is till.pay(token=till.desk.clawed_back)

    till.desk.days_later()
    till.at += timedelta(days=6)
    till.take_in()
    till.take_in()

    assert CheckoutEnd.RETURNED is till.end()
    assert "80.00" == till.ann.owed


def test_the_books_and_the_payout_agree_to_the_cent(till):
    till.pay()
    till.desk.days_later()

    items = [item for paid in till.desk.paid_out() for item in paid.items]

    assert [("checkout/k/1", Money(TAKEN))] == [(one.draw_key, one.amount) for one in items]


def test_stripes_keys_are_made_of_the_checkout_and_the_amount_is_ours(stripe_till):
    stripe_till.pay()

    front = stripe_till.desk.front
    keys = [key for call, key in front.asked if call in ("prepare", "confirm")]
    assert ["checkout/k/1/prepare", "checkout/k/1/confirm"] == keys
    assert b"amount=10261" in front.keys["checkout/k/1/prepare"].asked[1]
    confirmed = front.keys["checkout/k/1/confirm"].asked[1]
    assert b"off_session=false" in confirmed.lower()  # the customer is before the page


def test_stripes_webhook_ends_a_payment_whose_answer_was_lost(stripe_till):
    desk = stripe_till.desk
    url = {"url": f"{desk.server.url}/_webhook", "secret": WEBHOOK_SECRET}
    desk.api.post("/_config/webhooks/ours", data=url).raise_for_status()
    stripe_till.draft()
    desk.lose("confirm", "lost")
    stripe_till.confirm()
    lost = stripe_till.end()
    waiting = threading.Event()
    while not (
        told := [one for one in desk.front.webhooks if b'"payment_intent.succeeded"' in one[0]]
    ):
        assert not waiting.wait(0.05)

    news = [
        receive(stripe_till.ann.database, desk.gateway, *told[0], stripe_till.at) for _ in range(2)
    ]
    stripe_till.take_in()
    stripe_till.look_up()

    assert (CheckoutEnd.ON_ITS_WAY, [True, False]) == (lost, news)
    assert (CheckoutEnd.PAID, TAKEN) == (stripe_till.end(), desk.taken())
    assert "0.00" == stripe_till.ann.owed


def test_a_banks_no_that_stripe_tells_days_later_is_owed_again(stripe_till):
    desk = stripe_till.desk
    bank = desk.a_method("pm_card_visa")
    with stripe_till.ann.database.writing() as books:
        add_method(books, stripe_till.ann.user, bank, kind=MethodKind.ACH)
    taken = stripe_till.pay(token=bank)
    number = stripe_till.ann.find().confirmation
    desk.front.missing.refuse_bank[number] = "insufficient_funds"
    desk.days_later()

    stripe_till.take_in()

    assert CheckoutEnd.PAID is taken
    assert CheckoutEnd.RETURNED is stripe_till.end()
    assert "80.00" == stripe_till.ann.owed
    assert stripe_till.ann.draft_lines([replace(LINES[0])], desk.good, "again") is None
