"""Simulated customers and guests who pay by hand in every bad way."""

from __future__ import annotations

import shutil
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from database.definitions.checkout import checkout, guest_method
from database.definitions.identity import account_link, wallet_method, web_user
from database.ledger.entries import record_entries
from database.tables import account, balance_due, draw, gateway_payment, refund_request
from domain.checkout import CAME_TO_NOTHING, LASTS, CheckoutOwner, PayLine
from domain.failures import OutcomeUnknown, Refused, TemporaryFailure
from domain.identity import LinkProof, UserState
from domain.money import Money
from domain.payments import MethodKind, PaymentKind, PaymentState, RefundState
from payments.checkout import confirming
from payments.checkout.cart import put_back_into_cart, read_cart
from payments.checkout.confirming import PayWish, draft_checkout
from payments.checkout.facts import read_checkout
from payments.collecting.claiming import abandon_dead_checkouts
from payments.collecting.unanswered import look_up_payment
from payments.outcomes.refunding import refund_payment
from rules.money.checkout import CheckoutPolicy, FeeKind, ServiceFee
from tests.builders import NOW, an_entry
from tests.payments.simulated_faults import Crash, Mortal, MortalBooks, Process
from tests.payments.simulation import Size, World, let_people_decide, live_a_round, schedule

TOKENS = (
    "tok_ok", "tok_ok", "tok_ach_ok", "tok_lost_response", "tok_arrives_late_90s",
    "tok_arrives_late_9000s", "tok_500_replayed", "tok_never_arrives", "tok_expired_card",
    "tok_ach_R01_d2", "tok_chargeback_d3", "tok_bank_asks",
)  # fmt: skip
BACK = "https://pay.x.example/returned"
EVERYBODYS = ("tok_ok", "tok_ach_ok", "tok_lost_response", "tok_expired_card")
OFFICE = CheckoutPolicy(
    {
        (FeeKind.BILL, MethodKind.CARD): (ServiceFee(thousandths=1_950),),
        (FeeKind.OTHER, MethodKind.CARD): (ServiceFee(fixed=Money(1_25)),),
    },
    has_cart=True,
    offered={"shelter": True},
)
AHEAD = replace(OFFICE, pays_ahead=True)
DEARER = replace(
    OFFICE, fees={**OFFICE.fees, (FeeKind.BILL, MethodKind.CARD): (ServiceFee(2_950),)}
)
STRANGER = CheckoutOwner(None, "stranger@home.example", "s" * 64)


@dataclass
class Press:
    """What a customer saw in the books just before and just after pressing the button."""

    key: str
    policy: CheckoutPolicy
    payable: dict[str, int]  # cents of each account that could be paid just before
    was_draft: bool
    is_of_owner: bool
    first: bool | None = None  # None: the process died
    is_draft: bool = True  # afterwards


@dataclass
class Payers:
    """Everybody who pays by hand in a world, and what they did."""

    world: World
    owners: list[tuple[CheckoutOwner, list[str]]] = field(default_factory=list)
    keys: list[tuple[str, CheckoutOwner, CheckoutPolicy]] = field(default_factory=list)
    presses: list[Press] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)  # of banks, as customers were shown them
    acts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Link each customer to two accounts, with methods of several kinds; some block a way."""
        chance = self.world.chance
        users, links, methods = [], [], []
        with self.world.books.writing() as books:
            query = sa.select(balance_due.c.account_key).order_by(balance_due.c.account_key)
            keys = list(books.scalars(query))
            for place, key in enumerate(keys):
                number, address = place + 1, f"c{place}@portal.example"
                mine = [key, keys[(place + 1) % len(keys)]]
                users.append({"number": number, "mailbox": address, "address": address})
                links += [{"user_number": number, "account_key": one} for one in mine]
                methods += [
                    {
                        "token": f"{token}.{place:012x}",
                        "user_number": number,
                        "kind": kind_of(token),
                    }
                    for token in sorted({*EVERYBODYS, *chance.sample(TOKENS, 2)})
                ]
                self.owners.append((CheckoutOwner(number, address), mine))
            known = {"state": UserState.ACTIVE, "made_at": NOW}
            linked = {"proof": LinkProof.NAME, "linked_at": NOW, "linked_by": "the customer"}
            books.execute(web_user.insert().values(**known), users)
            books.execute(account_link.insert().values(**linked), links)
            books.execute(wallet_method.insert().values(last4="4242", added_at=NOW), methods)
            self.accounts, self.blocked = keys, set(keys[::7])
            for key in sorted(self.blocked):
                mine = account.c.account_key == key
                books.execute(account.update().where(mine).values(block_card=True))

    def act(self) -> None:
        """Let somebody do something that customers do."""
        chance = self.world.chance
        ways = {
            self.pay: 60, self.pay_as_guest: 12, self.pay_in_two_tabs: 10, self.press_again: 10,
            self.leave_it: 6, self.lose_the_session: 6, self.begin_again: 8,
            self.at_the_counter: 25, self.give_back: 4, self.answer_the_bank: 12,
            self.come_back: 8,
        }  # fmt: skip
        way = chance.choices(list(ways), list(ways.values()))[0]
        self.acts[way.__name__] += 1
        way()

    def pay(self) -> None:
        """Pay a part of one or two accounts, maybe a shelter; press once or twice."""
        key, owner, policy = self._draft()
        for _ in range(self.world.chance.choice((1, 1, 2))):
            self._press(key, owner, policy)

    def pay_as_guest(self) -> None:
        """Pay a shelter and an account without a login, by a method that pays once."""
        chance = self.world.chance
        token = chance.choice(TOKENS)
        guest = CheckoutOwner(None, "guest@home.example", f"{self.acts.total():064x}")
        given = f"{token}.{self.acts.total():012x}"
        with self.world.books.writing() as books:
            books.execute(
                guest_method.insert().values(
                    token=given, guest=guest.guest, kind=kind_of(token), last4="4242",
                    added_at=self.world.now,
                )
            )  # fmt: skip
        lines = [*self._lines([chance.choice(self.accounts)], OFFICE), a_shelter(chance)]
        keys = [self.record(guest, lines, given, OFFICE) for _ in range(chance.choice((1, 2)))]
        for key in keys:  # the second by the browser's history
            self._press(key, guest, OFFICE)

    def pay_in_two_tabs(self) -> None:
        """Draft the whole of what is owed in two tabs, and press in both."""
        owner, mine = self.world.chance.choice(self.owners)
        token = self.method_of(owner, self.world.chance.choice(("tok_ok", "tok_lost_response")))
        lines = [PayLine(key, key, Money(cents)) for key in mine if (cents := self._payable(key))]
        keys = [self.record(owner, lines, token, OFFICE) for _ in range(2)]
        for key in keys:
            self._press(key, owner, OFFICE)

    def press_again(self) -> None:
        """Reload or go back to some payment of before, and press what stands there."""
        if self.keys:
            self._press(*self.world.chance.choice(self.keys))

    def leave_it(self) -> None:
        """Leave the check page open until it is good no more, then press after all."""
        key, owner, policy = self._draft()
        self.world.now += LASTS
        self._press(key, owner, policy)

    def lose_the_session(self) -> None:
        """Be signed out in between: nobody's press does nothing, the own one after it pays."""
        key, owner, policy = self._draft()
        self._press(key, STRANGER, policy)
        self._press(key, owner, policy)

    def begin_again(self) -> None:
        """Begin a payment again that came to nothing, with another method."""
        if not self.keys:
            return
        old, owner, policy = self.world.chance.choice(self.keys)
        if owner.user is None:
            return
        with self.world.books.writing() as books:
            one = read_checkout(books, old, owner)
            if one is None or one.end(self.world.now) not in CAME_TO_NOTHING:
                return
            put_back_into_cart(books, owner, one.lines, self.world.now, has_cart=True)
            lines = [line for _, line in read_cart(books, owner, self.world.now)]
        key = self.record(owner, lines, self.method_of(owner, "tok_ach_ok"), policy)
        self._press(key, owner, policy)

    def answer_the_bank(self) -> None:
        """Say yes or no on some bank's page, or on one that is over; maybe never come back."""
        shown = sa.select(checkout.c.bank_page).where(checkout.c.bank_page != "")
        with self.world.books.reading() as books:
            self.pages += books.scalars(shown.order_by(checkout.c.submitted_at, checkout.c.key))
        if self.pages:
            key = self.world.chance.choice(self.pages[-5:]).rpartition("/")[2]
            self.world.gateway.answer_bank(key, self.world.chance.random() < 0.7)

    def come_back(self) -> None:
        """Come back from the bank, or only say so; or give the payment up."""
        if not self.keys:
            return
        world, process = self.world, Process(self.world.weather)
        books, gateway = MortalBooks(world.books, process), Mortal(world.gateway, process)
        key, _, _ = world.chance.choice(self.keys[-20:])
        gives_up = world.chance.random() < 0.3
        with suppress(Crash):
            look_up_payment(
                books, gateway, world.terms, world.clock, f"checkout/{key}", gives_up=gives_up
            )

    def at_the_counter(self) -> None:
        """Let the feed tell of a payment at the counter, whatever is on its way."""
        world = self.world
        key, cents = world.chance.choice(self.accounts), world.chance.randrange(1, 9_00)
        entry = an_entry(f"feed/{self.acts.total()}", f"-{Money(cents)}", account_key=key)
        with world.books.writing() as books:
            record_entries(books, [entry], now=world.now, who="feed")

    def give_back(self) -> None:
        """Let a clerk give back a part of some payment; the process may die, answers get lost."""
        query = sa.select(gateway_payment.c.confirmation, gateway_payment.c.amount).where(
            gateway_payment.c.kind == PaymentKind.CHECKOUT,
            gateway_payment.c.state == PaymentState.SUCCEEDED,
        )
        with self.world.books.reading() as books:
            taken = books.execute(query.order_by(gateway_payment.c.key)).all()
        if taken:
            one = self.world.chance.choice(taken)
            part = Money(max(one.amount.cents // self.world.chance.choice((1, 3)), 1))
            self._refund(one.confirmation, part)

    def finish_refunds(self) -> None:
        """Give back what was asked for and not answered, as `refund` run again does."""
        query = (
            sa.select(draw.c.reference)
            .join(refund_request, refund_request.c.draw_key == draw.c.key)
            .where(refund_request.c.state == RefundState.ASKED)
        )
        with self.world.books.reading() as books:
            numbers = list(books.scalars(query.order_by(draw.c.reference)))
        for number in numbers:
            self._refund(number, None)

    def _refund(self, number: str, amount: Money | None) -> None:
        world, process = self.world, Process(self.world.weather)
        books, gateway = MortalBooks(world.books, process), Mortal(world.gateway, process)
        try:
            refund_payment(books, gateway, number, amount, "a part", world.now, world.terms)
        except (Crash, TemporaryFailure, OutcomeUnknown, Refused) as failure:
            self.acts[f"refund {type(failure).__name__}"] += 1

    def _draft(self) -> tuple[str, CheckoutOwner, CheckoutPolicy]:
        chance = self.world.chance
        place = chance.randrange(len(self.owners))
        owner, mine = self.owners[place]
        policy = AHEAD if place % 5 == 0 else OFFICE
        lines = self._lines([one for one in mine if chance.random() < 0.8], policy)
        if chance.random() < 0.3 or not lines:
            lines.append(a_shelter(chance))
        if chance.random() < 0.15:
            policy = replace(policy, fees=DEARER.fees)  # changed between the page and the press
        key = self.record(owner, lines, self.method_of(owner, chance.choice(TOKENS)), OFFICE)
        return key, owner, policy

    def _lines(self, mine: list[str], policy: CheckoutPolicy) -> list[PayLine]:
        chance = self.world.chance
        lines = []
        for key in mine:
            most = self._payable(key)
            if policy.pays_ahead:
                most += 50_00
            if most:
                lines.append(PayLine(key, key, Money(chance.randrange(1, most + 1))))
        return lines

    def method_of(self, owner: CheckoutOwner, token: str) -> str:
        return f"{token}.{(owner.user or 1) - 1:012x}"

    def record(
        self, owner: CheckoutOwner, lines: list[PayLine], token: str, policy: CheckoutPolicy
    ) -> str:
        key = f"k{len(self.keys) + 1}"
        allowed = replace(policy, pays_ahead=True)  # what is refused is refused by the press
        with self.world.books.writing() as books:
            wish = PayWish(owner, tuple(lines), token)
            if draft_checkout(books, key, wish, allowed, self.world.now) is None:
                self.keys.append((key, owner, policy))
        return key

    def _press(self, key: str, owner: CheckoutOwner, policy: CheckoutPolicy) -> None:
        world, process = self.world, Process(self.world.weather)
        books, gateway = MortalBooks(world.books, process), Mortal(world.gateway, process)
        press = self._look(key, owner, policy)
        self.presses.append(press)
        try:
            press.first = confirming.confirm_checkout(
                books, gateway, key, owner, world.clock, world.terms, policy, BACK
            )
        except Crash:
            pass  # found again by the next look
        except IntegrityError:
            world.alarms.append(f"refused by the books themselves: {key}")
        press.is_draft = self._look(key, owner, policy).was_draft

    def _look(self, key: str, owner: CheckoutOwner, policy: CheckoutPolicy) -> Press:
        with self.world.books.reading() as books:
            row = books.execute(sa.select(checkout).where(checkout.c.key == key)).first()
        is_his = row is not None and (row.user_number, row.guest) == (owner.user, owner.guest)
        was_draft = row is not None and row.state == "draft"
        payable = {one: self._payable(one) for one in self._accounts_of(key)}
        return Press(key, policy, payable, was_draft, is_his)

    def _accounts_of(self, key: str) -> list[str]:
        query = sa.text(
            "SELECT account_key FROM checkout_line WHERE checkout = :key AND account_key <> ''"
            " ORDER BY number"
        )
        with self.world.books.reading() as books:
            return list(books.scalars(query, {"key": key}))

    def _payable(self, key: str) -> int:
        """Return what is owed less what is on its way, by statements of this oracle's own."""
        with self.world.books.reading() as books:
            return max(int(books.scalar(_PAYABLE, {"key": key}) or 0), 0)


_PAYABLE = sa.text(
    """
    SELECT b.amount_due + b.added - b.paid
        - COALESCE((
            SELECT SUM(d.amount) FROM draw d JOIN gateway_payment p ON p.key = d.payment_key
            WHERE p.kind = 'autopay' AND p.account_key = :key AND d.state IN ('created', 'asked')
        ), 0)
        - COALESCE((
            SELECT SUM(l.amount) FROM draw d JOIN checkout c ON c.payment_key = d.payment_key
            JOIN checkout_line l ON l.checkout = c.key
            WHERE l.account_key = :key AND d.state IN ('created', 'asked')
        ), 0)
    FROM balance_due b WHERE b.account_key = :key"""
)


def kind_of(token: str) -> MethodKind:
    return MethodKind.ACH if "ach" in token else MethodKind.CARD


def a_shelter(chance) -> PayLine:
    return PayLine("", "", Money(chance.randrange(1, 50_00)), "shelter", "Shelter", payor="Ann")


def bad_days(
    place, empty_books, seed: int, size: Size, acts: int, books_url: str = ""
) -> tuple[World, Payers]:
    """Live through bad days in which customers act so often a round, then through good ones."""
    place.mkdir(parents=True)
    shutil.copy(empty_books, place / "books.db")
    world = World(place, seed, size, books_url)
    schedule(world)
    payers = Payers(world)
    end = NOW + timedelta(days=size.days)
    while world.now < end:
        for _ in range(world.chance.randrange(2 * acts)):
            payers.act()
        abandon_dead_checkouts(world.books, world.now)
        live_a_round(world)
        world.now += timedelta(seconds=world.chance.choice(size.steps) * world.chance.random() * 2)
    world.weather.is_calm, world.weather.is_out = True, False
    for _ in range(size.good_days):
        world.now += timedelta(hours=30)
        abandon_dead_checkouts(world.books, world.now)
        payers.finish_refunds()
        let_people_decide(world)
        live_a_round(world)
    return world, payers
