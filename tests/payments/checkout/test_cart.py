"""Several things in one payment: one draw, a posting for each line, to the cent there and back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa

from cash_receipting.ledger import LedgerReceipting
from cash_receipting.posting import post_due
from database.definitions.checkout import guest_method
from database.ledger.entries import find_wrong_sums
from database.ledger.tables import balance_entry
from database.queries.balances import read_on_its_way, read_open_balance
from database.queries.portal.standings import standings_of
from database.tables import account, draw, gateway_payment, posting
from domain.checkout import CheckoutEnd, CheckoutOwner, NotTaken
from domain.identity import LinkProof
from domain.money import Money
from identity.account_links import add_link
from identity.users import find_user
from payments.checkout.cart import MOST_LINES, put_back_into_cart, put_into_cart, read_cart
from payments.checkout.confirming import PayWish, confirm_checkout, draft_checkout
from payments.enrollment.of_user import ToCome, hangs_on_user
from payments.outcomes.events import take_in_events
from payments.outcomes.refunding import refund_payment
from payments.port import LateEvent, LateEventKind
from reporting.lists.money import completed_payments
from rules.money.checkout import CheckoutPolicy, FeeKind, ServiceFee
from tests.builders import CARD, NOW, a_household, close_run, stage_run
from tests.payments.checkout_builders import a_line, a_payer, other_line
from tests.payments.collecting.test_crashes import Gateway, fails

CART = CheckoutPolicy(
    {
        (FeeKind.BILL, CARD): (ServiceFee(thousandths=2_000),),
        (FeeKind.OTHER, CARD): (ServiceFee(fixed=Money(1_50)),),
    },
    has_cart=True,
    offered={"shelter": True, "copies": False, "tag": True},
    prices={"tag": Money(5_00)},
)
BOTH = [a_line("1", "80.00"), a_line("2", "20.00")]


@pytest.fixture
def payer(database, tmp_path):
    """Ann, who owes 80.00 on account 1 and 20.00 on account 2, with a card."""
    return a_cart_payer(database, tmp_path, "tok_ok")


def a_cart_payer(database, tmp_path, *tokens):
    one = a_payer(database, tmp_path, *tokens, policy=CART)
    stage_run(database, a_household("2", balance="20.00"), period="second")
    close_run(database, "second")
    with database.writing() as books:
        add_link(books, one.user, "2", LinkProof.NAME, NOW, "the customer")
    return one


def owed(payer):
    with payer.database.reading() as books:
        return [str(read_open_balance(books, key)) for key in ("1", "2")]


def lines_posted(payer):
    query = sa.select(posting.c.kind, posting.c.line, posting.c.amount).order_by(posting.c.key)
    with payer.database.reading() as books:
        return sorted((str(kind), line, str(amount)) for kind, line, amount in books.execute(query))


def test_two_accounts_are_paid_by_one_draw_and_posted_each(payer):
    assert CheckoutEnd.PAID is payer.pay_lines(BOTH)

    assert ["0.00", "0.00"] == owed(payer)
    assert [("checkout/k/1", 102_00)] == payer.taken()
    assert [
        ("receipt", 1, "80.00"), ("receipt", 2, "20.00"), ("service-fee", 1, "2.00"),
    ] == lines_posted(payer)  # fmt: skip
    with payer.database.reading() as books:
        assert [] == find_wrong_sums(books)


def test_every_line_is_posted_under_the_draws_confirmation_rule_78(payer, tmp_path):
    payer.pay_lines([*BOTH, other_line(amount="40.00", account="2")])
    receipting = LedgerReceipting(tmp_path / "ledger.db")

    post_due(payer.database, receipting, payer.office.now)

    rows = entered(tmp_path)
    assert {payer.find().confirmation} == {row[3] for row in rows}
    assert [
        ("1", "", 3_50, "service-fee"),
        ("1", "", 80_00, "receipt"),
        ("2", "", 20_00, "receipt"),
        ("2", "shelter", 40_00, "receipt"),
    ] == sorted(
        ((account, code, cents, kind) for account, code, cents, _, kind in rows),
        key=lambda row: (row[0], row[1], row[2]),
    )


def entered(tmp_path):
    import sqlite3

    with sqlite3.connect(tmp_path / "ledger.db") as books:
        return books.execute(
            "SELECT account, distribution, cents, confirmation, kind FROM receipt"
        ).fetchall()


def test_what_is_paid_besides_bills_moves_no_balance(payer):
    assert CheckoutEnd.PAID is payer.pay_lines([other_line(payor="Ann Doe")])

    assert ["80.00", "20.00"] == owed(payer)
    assert [("checkout/k/1", 41_50)] == payer.taken()
    with payer.database.reading() as books:
        kinds = set(books.execute(sa.select(balance_entry.c.kind, balance_entry.c.counts)).all())
        assert [] == find_wrong_sums(books)
        assert (
            []
            == books.execute(
                sa.text("SELECT account FROM balance_due WHERE account LIKE 'other%'")
            ).all()
        )
    assert {("other", False), ("service-fee", False)} == {(str(a), b) for a, b in kinds}


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        pytest.param([a_line("1"), a_line("2", "20.01")], NotTaken.OVER_PAYABLE, id="one too much"),
        pytest.param([a_line("1", "1.00")] * 2, NotTaken.OVER_PAYABLE, id="one account twice"),
        pytest.param([a_line("1"), other_line(amount="999919.99")], NotTaken.OVER_MOST, id="huge"),
        pytest.param([other_line("tag", "4.99")], NotTaken.PRICE_CHANGED, id="no more its price"),
        pytest.param([a_line("1"), a_line("3", "1.00")], NotTaken.ACCOUNT_GONE, id="not theirs"),
        pytest.param([a_line("1"), other_line("card-only")], NotTaken.NOT_OFFERED, id="not sold"),
        pytest.param([], NotTaken.CART_OFF, id="nothing at all"),
    ],
)
def test_a_payment_of_several_lines_is_taken_whole_or_not_at_all(payer, lines, reason):
    assert reason is payer.draft_lines(lines)


def test_without_the_cart_one_thing_is_paid_at_a_time(payer):
    payer.policy = replace(CART, has_cart=False)

    assert NotTaken.CART_OFF is payer.draft_lines(BOTH)
    assert payer.draft_lines(BOTH[:1]) is None


def test_a_way_that_one_of_the_accounts_blocks_pays_none_rule_136(payer):
    with payer.database.writing() as books:
        books.execute(account.update().where(account.c.account_key == "2").values(block_card=True))

    assert NotTaken.METHOD_BLOCKED is payer.draft_lines(BOTH)


def test_of_carts_that_share_an_account_and_come_at_once_one_is_taken(payer):
    lines = [BOTH, BOTH[:1], BOTH[::-1], BOTH[1:]] * 2
    for number, some in enumerate(lines):
        assert payer.draft_lines(some, key=f"k{number}") is None
    gate = threading.Barrier(len(lines))

    def confirm(number):
        gate.wait()
        return payer.confirm(f"k{number}")

    with ThreadPoolExecutor(len(lines)) as pool:
        list(pool.map(confirm, range(len(lines))))

    assert ["0.00", "0.00"] == owed(payer)
    assert 2_00 + 100_00 == sum(cents for _, cents in payer.taken())


def test_a_lost_answer_is_on_its_way_to_each_account(database, tmp_path):
    payer = a_cart_payer(database, tmp_path, "tok_lost_response")

    payer.pay_lines(BOTH, "tok_lost_response")

    with database.reading() as books:
        ways = [str(read_on_its_way(books, key)) for key in ("1", "2")]
        last = [one.on_its_way for one in standings_of(books, ["1", "2"])]
    assert ["80.00", "20.00"] == ways
    assert [Money(80_00), Money(20_00)] == last
    assert NotTaken.NOTHING_PAYABLE is payer.draft_lines(BOTH[1:], "tok_lost_response", "again")


def test_a_returned_draw_opens_each_account_by_what_it_paid(database, tmp_path):
    payer = a_cart_payer(database, tmp_path, "tok_chargeback_d2")
    payer.pay_lines([*BOTH, other_line()], "tok_chargeback_d2")
    assert ["0.00", "0.00"] == owed(payer)

    payer.office.wait(days=3)
    take_in_events(database, payer.office.gateway, payer.office.terms, payer.office.now)

    assert CheckoutEnd.RETURNED is payer.end()
    assert ["80.00", "20.00"] == owed(payer)
    assert [
        ("receipt", 1, "80.00"), ("receipt", 2, "20.00"), ("receipt", 3, "40.00"),
        ("reversal", 1, "80.00"), ("reversal", 2, "20.00"), ("reversal", 3, "40.00"),
        ("service-fee", 1, "3.50"), ("service-fee-back", 1, "3.50"),
    ] == lines_posted(payer)  # fmt: skip


def test_what_a_customer_said_yes_to_may_have_been_asked_for(payer):
    """The process died after the yes was written down: nobody ends it as if it were to come."""
    assert payer.draft_lines(BOTH, key="k") is None
    payer.office.gateway = Gateway(payer.office.gateway, prepare=fails(RuntimeError("cut")))
    with pytest.raises(RuntimeError, match=r"^cut$"):
        payer.confirm("k")

    with payer.database.reading() as books:
        (found,) = hangs_on_user(books, find_user(books, payer.user)).payments

    assert (Money(102_00), ToCome.ASKED) == (found.amount, found.stage)


def test_the_fee_of_a_return_is_no_part_of_what_its_lines_paid(payer):
    """Half comes back, costs a fee, and then the other half: each account owes all of its own."""
    payer.pay_lines(BOTH)
    gateway, terms = payer.office.gateway, replace(payer.office.terms, return_fee=Money(25_00))
    with payer.database.reading() as books:
        one = books.execute(sa.select(draw.c.key, draw.c.reference)).one()

    for event_id in ("E1", "E2"):
        half = LateEvent(
            event_id, LateEventKind.RETURNED, *one, Money(51_00), "R01", payer.office.at
        )
        told = Gateway(gateway, late_events=lambda _real, _since, half=half: iter([half]))
        take_in_events(payer.database, told, terms, payer.office.now)

    assert ["105.00", "20.00"] == owed(payer)


def refund(payer, amount):
    return refund_payment(
        payer.database, payer.office.gateway, payer.find().confirmation,
        None if amount is None else Money.parse(amount), "a mistake",
        payer.office.at, payer.office.terms,
    )  # fmt: skip


def test_refunds_in_parts_are_spread_and_posted_to_the_cent(payer, tmp_path):
    payer.pay_lines([*BOTH, other_line(amount="0.03")])
    receipting = LedgerReceipting(tmp_path / "ledger.db")
    post_due(payer.database, receipting, payer.office.now)

    for amount in ("33.33", "0.01", "50.00", None):
        payer.office.wait(minutes=1)
        refund(payer, amount)
        post_due(payer.database, receipting, payer.office.now)

    assert ["80.00", "20.00"] == owed(payer)
    sums: dict[tuple[str, int], int] = {}
    for kind, line, amount in lines_posted(payer):
        key = (kind, line)
        sums[key] = sums.get(key, 0) + Money.parse(amount).cents
    assert {
        ("receipt", 1): 80_00, ("receipt", 2): 20_00, ("receipt", 3): 3,
        ("reversal", 1): 80_00, ("reversal", 2): 20_00, ("reversal", 3): 3,
        ("service-fee", 1): 3_50, ("service-fee-back", 1): 3_50,
    } == sums  # fmt: skip
    with payer.database.reading() as books:
        assert {"posted"} == set(map(str, books.scalars(sa.select(posting.c.state).distinct())))


def test_the_list_of_completed_payments_has_a_row_for_each_line(payer):
    payer.pay_lines([*BOTH, other_line()])

    with payer.database.reading() as books:
        rows = books.execute(completed_payments()).all()

    assert [("1", "83.50"), ("2", "20.00"), ("other/shelter", "40.00")] == sorted(
        (row.account, str(row.amount)) for row in rows
    )
    assert 1 == len({row.confirmation for row in rows})


def test_autopay_waits_while_a_cart_pays_its_account(database, tmp_path):
    from tests.payments.scheduling_builders import schedule

    payer = a_cart_payer(database, tmp_path, "tok_lost_response")
    schedule(database)
    payer.pay_lines([BOTH[1], BOTH[0]], "tok_lost_response")

    counts = payer.office.collect()

    assert 1 == counts.waiting
    assert [("checkout/k/1", 102_00)] == payer.taken()


GUEST = CheckoutOwner(None, "guest@home.example", "g" * 64)


def draft_as_guest(payer, key, *lines, token="tok_guest"):
    with payer.database.writing() as books:
        wish = PayWish(GUEST, lines, token)
        refusal = draft_checkout(books, key, wish, payer.policy, payer.office.at)
        return refusal and refusal.reason


def confirm_as_guest(payer, key, guest=GUEST):
    return confirm_checkout(
        payer.database, payer.office.gateway, key, guest,
        payer.office.now, payer.office.terms, payer.policy,
    )  # fmt: skip


def give_card(payer, token="tok_guest"):
    """What a guest gave on the gateway's page."""
    values = {"guest": GUEST.guest, "kind": CARD, "last4": "4242", "added_at": NOW}
    with payer.database.writing() as books:
        books.execute(guest_method.insert().values(token=token, **values))


def test_a_guest_pays_what_guests_may_and_nothing_else(payer):
    assert NotTaken.METHOD_GONE is draft_as_guest(payer, "a", other_line(), token="tok_ok")
    give_card(payer)
    assert NotTaken.NOT_OFFERED is draft_as_guest(payer, "b", other_line("copies"))
    assert draft_as_guest(payer, "c", other_line(), a_line("2", "20.00")) is None
    assert not confirm_as_guest(payer, "c", replace(GUEST, guest="x" * 64))
    assert confirm_as_guest(payer, "c")
    assert ["80.00", "0.00"] == owed(payer)


def test_before_the_first_close_nobody_pays_anything(database):
    stage_run(database, a_household("1"))
    values = {"guest": GUEST.guest, "kind": CARD, "last4": "4242", "added_at": NOW}
    with database.writing() as books:
        books.execute(guest_method.insert().values(token="tok_guest", **values))
        wish = PayWish(GUEST, (other_line(),), "tok_guest")
        refusal = draft_checkout(books, "a", wish, CART, NOW)

    assert refusal is not None and NotTaken.NOT_YET is refusal.reason


@pytest.mark.parametrize("token", ["tok_guest", "tok_expired_card"])
def test_what_a_guest_gave_pays_once_and_is_nobodys_afterwards(payer, token):
    give_card(payer, token)
    drafted = [draft_as_guest(payer, key, other_line(), token=token) for key in ("a", "b")]

    firsts = [confirm_as_guest(payer, key) for key in ("a", "b", "a")]

    assert [None, None] == drafted
    assert [True, False, False] == firsts
    assert NotTaken.METHOD_GONE is draft_as_guest(payer, "c", other_line(), token=token)


def test_of_a_guests_payments_with_one_card_at_once_one_is_taken(payer):
    give_card(payer)
    keys = [f"k{number}" for number in range(8)]
    for key in keys:
        draft_as_guest(payer, key, other_line())
    gate = threading.Barrier(8)

    def confirm(key):
        gate.wait()
        return confirm_as_guest(payer, key)

    with ThreadPoolExecutor(8) as pool:
        firsts = list(pool.map(confirm, keys))

    assert 1 == sum(firsts)
    assert 1 == len(payer.taken())


def test_what_came_to_nothing_goes_back_into_the_cart_once(payer):
    lines = [a_line("1", "10.00"), *[other_line()] * 2, other_line(amount="7.00")]
    with payer.database.writing() as books:
        put_into_cart(books, payer.owner, a_line("1", "30.00"), NOW, has_cart=True)
        for _ in range(2):
            put_back_into_cart(books, payer.owner, lines, NOW, has_cart=True)
        found = [line for _, line in read_cart(books, payer.owner, NOW)]

    assert [a_line("1", "30.00"), *lines[1:]] == found


def test_a_cart_has_each_account_once_and_an_end(payer):
    owner = payer.owner
    with payer.database.writing() as books:
        put_into_cart(books, owner, a_line("1", "10.00"), NOW, has_cart=True)
        put_into_cart(books, owner, a_line("1", "30.00"), NOW, has_cart=True)
        for number in range(MOST_LINES):
            one = other_line(payor=f"Payor {number}")
            is_in = put_into_cart(books, owner, one, NOW, has_cart=True)
        found = [line for _, line in read_cart(books, owner, NOW)]

    assert not is_in
    assert MOST_LINES == len(found)
    assert ["30.00"] == [str(line.amount) for line in found if line.account_key]


def test_what_is_paid_leaves_the_cart_and_what_came_since_stays(payer):
    with payer.database.writing() as books:
        for line in BOTH:
            put_into_cart(books, payer.owner, line, payer.office.at, has_cart=True)
    payer.draft_lines(BOTH)
    with payer.database.writing() as books:
        put_into_cart(books, payer.owner, other_line(), payer.office.at, has_cart=True)

    payer.confirm()

    with payer.database.reading() as books:
        left = [line for _, line in read_cart(books, payer.owner, payer.office.at)]
    assert [other_line()] == left
    with payer.database.reading() as books:
        assert 1 == books.scalar(sa.select(sa.func.count()).select_from(gateway_payment))
