"""Bad days with customers who pay by hand beside autopay and the counter: no cent is lost."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa

from database.definitions.checkout import checkout, checkout_line
from database.definitions.identity import wallet_method
from database.ledger.entries import find_wrong_sums, record_entries
from database.ledger.tables import payment_event
from database.queries.balances import read_on_its_way
from database.tables import balance_due, draw, gateway_payment, posting
from domain.checkout import CheckoutOwner, PayLine
from domain.failures import OutcomeUnknown, Refused, TemporaryFailure
from domain.identity import LinkProof, UserState
from domain.money import Money
from domain.payments import MethodKind, PaymentKind, PaymentState, PostingKind, PostingState
from identity.account_links import add_link
from identity.users import make_user
from payments.checkout.confirming import PayWish, confirm_checkout, draft_checkout
from payments.checkout.facts import read_payable
from payments.collecting.claiming import abandon_dead_checkouts
from payments.outcomes.refunding import refund_payment
from payments.outcomes.returns import COMES_BACK
from rules.money.checkout import CheckoutPolicy, FeeKind, ServiceFee, payable_now
from tests.builders import NOW, an_entry
from tests.payments.simulated_faults import Crash, Mortal, MortalBooks, Process
from tests.payments.simulation import (
    Size,
    World,
    let_people_decide,
    live_a_round,
    schedule,
)
from tests.release import so_many

SIZE = Size(payments=16, crash=0.02, fault=0.03, days=8, due_over=6, good_days=12)
TOKENS = (
    "tok_ok", "tok_ok", "tok_ach_ok", "tok_lost_response", "tok_arrives_late_90s",
    "tok_arrives_late_9000s", "tok_500_replayed", "tok_never_arrives", "tok_expired_card",
    "tok_ach_R01_d2", "tok_chargeback_d3",
)  # fmt: skip
POLICY = CheckoutPolicy(
    {
        (FeeKind.BILL, MethodKind.CARD): (ServiceFee(thousandths=1_950),),
        (FeeKind.OTHER, MethodKind.CARD): (ServiceFee(fixed=Money(1_25)),),
    },
    has_cart=True,
    offered={"shelter": True},
)
DONE = {
    PaymentState.SUCCEEDED, PaymentState.DECLINED, PaymentState.CANCELLED, PaymentState.RETURNED,
    PaymentState.RETURNED_IN_PART,
}  # fmt: skip


@pytest.mark.parametrize("seed", range(11, 11 + so_many(1, release=2)))
def test_every_cent_is_equal_in_gateway_books_and_cash_receipting(tmp_path, empty_sqlite, seed):
    world = bad_days(tmp_path / "world", empty_sqlite, seed)

    assert [] == [*world.alarms, *faults_of(world)]
    assert world.weather.crashes.total() > 5
    assert counts(world)["several lines taken"] > 1
    assert counts(world)["went back"] > 2
    world.close()


def bad_days(place, empty_books, seed):
    place.mkdir()
    shutil.copy(empty_books, place / "books.db")
    world = World(place, seed, SIZE)
    schedule(world)
    users = customers_of(world)
    end = NOW + timedelta(days=SIZE.days)
    number = 0
    while world.now < end:
        for _ in range(world.chance.randrange(4)):
            number += 1
            pay_by_hand(world, users, f"k{number}")
        pay_at_the_counter(world, number)
        look_at_the_dead(world)
        live_a_round(world)
        world.now += timedelta(seconds=world.chance.choice(SIZE.steps) * world.chance.random() * 2)
    world.weather.is_calm, world.weather.is_out = True, False
    for day in range(SIZE.good_days):
        world.now += timedelta(hours=30)
        look_at_the_dead(world)
        let_people_decide(world)
        live_a_round(world)
        if day == SIZE.good_days // 2:
            give_back_a_part(world)
    return world


def customers_of(world):
    """Give each account a customer who sees it and the next one, with all kinds of methods."""
    with world.books.writing() as books:
        keys = list(
            books.scalars(sa.select(balance_due.c.account_key).order_by(balance_due.c.account_key))
        )
        owners = []
        for place, key in enumerate(keys):
            address = f"c{place}@portal.example"
            user = make_user(books, address, NOW, UserState.ACTIVE)
            mine = [key, keys[(place + 1) % len(keys)]]
            for one in mine:
                add_link(books, user, one, LinkProof.NAME, NOW, "the customer")
            for token in set(TOKENS):
                kind = MethodKind.ACH if "ach" in token else MethodKind.CARD
                books.execute(
                    wallet_method.insert().values(
                        token=f"{token}.{place:012x}", user_number=user, kind=kind, last4="4242",
                        added_at=NOW,
                    )
                )  # fmt: skip
            owners.append((CheckoutOwner(user, address), mine))
    return owners


def pay_by_hand(world, users, key):
    """Let a customer pay a part of one or two accounts, maybe a shelter; press once or twice."""
    chance = world.chance
    place = chance.randrange(len(users))
    owner, mine = users[place]
    with world.books.writing() as books:
        facts = read_payable(books, owner, mine)
        lines = [
            PayLine(one.account_key, one.account, Money(chance.randrange(1, most + 1)))
            for one in facts.values()
            if (most := payable_now(one).cents) and chance.random() < 0.7
        ]
        if chance.random() < 0.3:
            lines.append(PayLine("", "", Money(chance.randrange(1, 50_00)), "shelter", "Shelter"))
        token = f"{chance.choice(TOKENS)}.{place:012x}"
        draft_checkout(books, key, PayWish(owner, tuple(lines), token), POLICY, world.now)
    for _ in range(chance.choice((1, 1, 2))):
        process = Process(world.weather)
        books_of_it = MortalBooks(world.books, process)
        gateway = Mortal(world.gateway, process)
        try:
            confirm_checkout(books_of_it, gateway, key, owner, world.clock, world.terms, POLICY)
        except Crash:
            continue


def pay_at_the_counter(world, number):
    """Let the feed tell of a payment at the counter, whatever is on its way."""
    with world.books.writing() as books:
        keys = list(books.scalars(sa.select(balance_due.c.account_key)))
        key, cents = world.chance.choice(keys), world.chance.randrange(1, 9_00)
        entry = an_entry(f"feed/{number}/{world.rounds}", f"-{Money(cents)}", account_key=key)
        record_entries(books, [entry], now=world.now, who="feed")


def look_at_the_dead(world):
    abandon_dead_checkouts(world.books, world.now)


def give_back_a_part(world):
    """Let a clerk give back a part of some payments of several lines."""
    query = sa.select(gateway_payment.c.confirmation, gateway_payment.c.amount).where(
        gateway_payment.c.kind == PaymentKind.CHECKOUT,
        gateway_payment.c.state == PaymentState.SUCCEEDED,
    )
    with world.books.reading() as books:
        taken = books.execute(query.order_by(gateway_payment.c.key)).all()
    for one in taken[::3]:
        part = Money(max(one.amount.cents // 3, 1))
        try:
            refund_payment(
                world.books, world.gateway, one.confirmation, part, "a part", world.now,
                world.terms,
            )  # fmt: skip
        except (TemporaryFailure, OutcomeUnknown, Refused) as failure:
            world.alarms.append(f"a refund on a calm day: {failure}")


def faults_of(world):
    """Say everything that is not equal in the three books, and what never came to an end."""
    yield from _draws(world)
    yield from _entries(world)
    with world.books.reading() as books:
        yield from (f"sums are wrong: {account}" for account in find_wrong_sums(books))
        for row in books.execute(sa.select(gateway_payment)):
            if row.state not in DONE:
                yield f"never ended: {row.key} is {row.state}"
        for row in books.execute(sa.select(posting).where(posting.c.state != PostingState.POSTED)):
            yield f"not posted: {row.key} is {row.state}: {row.error}"
        for key in books.scalars(sa.select(balance_due.c.account_key)):
            if read_on_its_way(books, key):
                yield f"on its way for ever: {key}"


def _draws(world):
    """Each payment took money once or never, as much as its lines and fee; both books agree."""
    connection = sqlite3.connect(world.gateway_file)
    rows = connection.execute("SELECT key, cents FROM draw WHERE state = 'approved'").fetchall()
    connection.close()
    drawn = Counter({key.rpartition("/")[0]: cents for key, cents in rows})
    if len(drawn) != len(rows):
        yield "a payment was drawn twice"
    nothing = (PaymentState.DECLINED, PaymentState.CANCELLED)
    with world.books.reading() as books:
        for row in books.execute(sa.select(gateway_payment)):
            taken = 0 if row.state in nothing else row.amount.cents
            if drawn.pop(row.key, 0) != taken:
                yield f"the gateway and the books differ: {row.key} is {row.state}"
        paid = checkout_line.c.amount
        sums = (
            sa.select(
                gateway_payment.c.key,
                gateway_payment.c.amount,
                gateway_payment.c.service_fee,
                sa.func.sum(paid, type_=paid.type),
            )
            .join(checkout, checkout.c.payment_key == gateway_payment.c.key)
            .join(checkout_line, checkout_line.c.checkout == checkout.c.key)
            .group_by(gateway_payment.c.key)
        )
        for key, amount, fee, lines in books.execute(sums):
            if amount != fee + lines:
                yield f"lines and fee are not the amount: {key}"
    yield from (f"drawn for nobody: {key}" for key in drawn)


def _entries(world):
    """What cash receipting has of a payment is what the gateway has kept of it, line by line."""
    signs = {
        PostingKind.RECEIPT: 1, PostingKind.SERVICE_FEE: 1, PostingKind.REVERSAL: -1,
        PostingKind.SERVICE_FEE_BACK: -1, PostingKind.FEE: 0,
    }  # fmt: skip
    entered = {entry.key: entry for entry in world.entries()}
    if len(entered) != len(world.entries()):
        yield "something was posted twice"
    posted: Counter[str] = Counter()
    with world.books.reading() as books:
        for row in books.execute(sa.select(posting)):
            entry = entered.pop(row.key, None)
            if entry is None or entry.cents != row.amount.cents:
                yield f"cash receipting lacks or has otherwise: {row.key}"
            posted[row.payment_key] += signs[row.kind] * row.amount.cents
        kept: Counter[str] = Counter()
        for row in books.execute(sa.select(draw).where(draw.c.state == "approved")):
            kept[row.payment_key] += row.amount.cents
        moved = sa.select(payment_event.c.kind, payment_event.c.amount, draw.c.payment_key)
        for kind, amount, key in books.execute(moved.join(draw)):
            kept[key] += amount.cents if kind in COMES_BACK else -amount.cents
    for key in {*kept, *posted}:
        if kept[key] != posted[key]:
            yield f"kept {kept[key]}, and posted {posted[key]}: {key}"
    yield from (f"posted for nothing: {key}" for key in entered)


def counts(world):
    several = sa.select(checkout_line.c.checkout).where(checkout_line.c.number == 2)
    taken = (
        sa.select(sa.func.count())
        .select_from(checkout)
        .join(gateway_payment, gateway_payment.c.key == checkout.c.payment_key)
        .where(checkout.c.key.in_(several), gateway_payment.c.taken_at.is_not(None))
    )
    with world.books.reading() as books:
        back = books.scalar(sa.select(sa.func.count()).select_from(payment_event))
        return {"several lines taken": books.scalar(taken), "went back": back}
