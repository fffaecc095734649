"""Builders for payments by hand: a portal user with a wallet, one account, the sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from sqlite3 import OperationalError
from typing import Any

import sqlalchemy as sa

from database.books import Database
from database.definitions.checkout import checkout
from database.definitions.identity import wallet_method
from database.ledger.tables import balance_entry
from database.queries.balances import read_on_its_way, read_open_balance
from database.tables import balance_due, gateway_payment, posting
from domain.checkout import Checkout, CheckoutEnd, CheckoutOwner, NotTaken, PayLine
from domain.identity import LinkProof, UserState
from domain.money import Money
from domain.payments import MethodKind
from identity.account_links import add_link
from identity.users import make_user
from payments.checkout.confirming import PayWish, confirm_checkout, draft_checkout
from payments.checkout.facts import read_checkout
from rules.money.checkout import CheckoutPolicy, FeeKind, ServiceFee
from tests.builders import ACH, CARD, NOW
from tests.payments.collecting_builders import Collector, a_collector, paying

ANN = "ann@portal.example"
NO_FEES = CheckoutPolicy()
CARD_FEE = CheckoutPolicy({(FeeKind.BILL, CARD): (ServiceFee(thousandths=2_950, fixed=Money(25)),)})


@dataclass
class Payer:
    """Ann, who owes 80.00 on account 1 and pays by hand."""

    office: Collector
    user: int
    policy: CheckoutPolicy = NO_FEES

    @property
    def database(self) -> Database:
        return self.office.database

    def draft(
        self, amount: str = "80.00", token: str = "tok_ok", key: str = "k"
    ) -> NotTaken | None:
        return self.draft_lines([a_line("1", amount)], token, key)

    def draft_lines(
        self, lines: list[PayLine], token: str = "tok_ok", key: str = "k"
    ) -> NotTaken | None:
        wish = PayWish(self.owner, tuple(lines), token)
        with self.database.writing() as books:
            refusal = draft_checkout(books, key, wish, self.policy, self.office.at)
        return refusal and refusal.reason

    def pay_lines(self, lines: list[PayLine], token: str = "tok_ok", key: str = "k") -> CheckoutEnd:
        assert self.draft_lines(lines, token, key) is None
        self.confirm(key)
        return self.end(key)

    @property
    def owner(self) -> CheckoutOwner:
        return CheckoutOwner(self.user, ANN)

    def confirm(self, key: str = "k", gateway: Any = None, user: int | None = None) -> bool:
        return confirm_checkout(
            self.database, gateway or self.office.gateway, key,
            CheckoutOwner(user or self.user, ANN),
            self.office.now, self.office.terms, self.policy,
        )  # fmt: skip

    def pay(self, amount: str = "80.00", token: str = "tok_ok", key: str = "k") -> CheckoutEnd:
        assert self.draft(amount, token, key) is None
        self.confirm(key)
        return self.end(key)

    def find(self, key: str = "k") -> Checkout:
        with self.database.reading() as books:
            one = read_checkout(books, key, self.owner)
        assert one is not None
        return one

    def end(self, key: str = "k") -> CheckoutEnd:
        return self.find(key).end(self.office.at)

    def ends(self) -> list[str]:
        with self.database.reading() as books:
            keys = list(books.scalars(sa.select(checkout.c.key).order_by(checkout.c.key)))
        return [self.end(key).value for key in keys]

    def taken(self) -> list[tuple[str, int]]:
        """What the gateway took; one that was never asked has no books."""
        try:
            return self.office.taken()
        except OperationalError:
            return []

    @property
    def owed(self) -> str:
        with self.database.reading() as books:
            return str(read_open_balance(books, "1"))

    @property
    def on_its_way(self) -> str:
        with self.database.reading() as books:
            return str(read_on_its_way(books, "1"))

    def entries(self) -> list[tuple[str, str, str]]:
        rows = balance_entry.c
        query = sa.select(rows.kind, rows.source, rows.amount).order_by(rows.recorded_at, rows.key)
        with self.database.reading() as books:
            return [(str(a), str(b), str(c)) for a, b, c in books.execute(query)]

    def postings(self) -> list[tuple[str, str]]:
        query = sa.select(posting.c.kind, posting.c.amount).order_by(posting.c.key)
        with self.database.reading() as books:
            return sorted((str(kind), str(amount)) for kind, amount in books.execute(query))

    def payments(self) -> list[tuple[str, str]]:
        rows = gateway_payment.c
        query = sa.select(rows.kind, rows.state).order_by(rows.key)
        with self.database.reading() as books:
            return [(str(kind), str(state)) for kind, state in books.execute(query)]

    def change(self, table: sa.Table, **values: Any) -> None:
        with self.database.writing() as books:
            books.execute(table.update().values(**values))

    def owes(self, amount: str) -> None:
        self.change(balance_due, amount_due=Money.parse(amount))


def a_payer(
    database: Database,
    place: Path,
    *tokens: str,
    policy: CheckoutPolicy = NO_FEES,
    kind: MethodKind = CARD,
    **changes: Any,
) -> Payer:
    """Close October, and give Ann her account and a wallet with these tokens."""
    office = a_collector(database, place, paying("1", "tok_autopay", **changes))
    with database.writing() as books:
        books.execute(gateway_payment.delete())  # autopay has nothing to do here
        user = make_user(books, ANN, NOW, UserState.ACTIVE)
        add_link(books, user, "1", LinkProof.NAME, NOW, "the customer")
        add_method(books, user, "tok_other", kind=ACH if kind is CARD else CARD)
        for token in tokens or ("tok_ok",):
            add_method(books, user, token, kind=kind)
    return Payer(office, user, policy)


def a_line(key: str = "1", amount: str = "80.00") -> PayLine:
    """A line that pays something on an account."""
    return PayLine(key, key, Money.parse(amount))


def other_line(
    code: str = "shelter", amount: str = "40.00", account: str = "", payor: str = ""
) -> PayLine:
    """A line that pays for something else than a bill."""
    return PayLine("", account, Money.parse(amount), code, title="Park shelter", payor=payor)


def add_method(books: Any, user: int, token: str, kind: MethodKind = CARD) -> None:
    books.execute(
        wallet_method.insert().values(
            token=token, user_number=user, kind=kind, last4="4242", added_at=NOW
        )
    )
