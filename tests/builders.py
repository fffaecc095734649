"""Builders of accounts, enrollments and staged runs: one plausible default each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from itertools import chain
from typing import Any

from hypothesis import HealthCheck, settings
from sqlalchemy.engine import Connection

from billing_system.closing import Published, publish
from database.books import Database, insert_rows
from database.definitions import audit_guards
from database.ledger import guards
from database.ledger.entries import record_entries
from database.postings import queue_posting
from database.tables import (
    account,
    account_email,
    bill_run,
    cosigner,
    mandate,
    metadata,
    outsorted_bill,
    payment_method,
    portal_link,
)
from domain.accounts import Account, AccountStatus, account_key
from domain.ledger import BalanceEntry, EntryKind, EntrySource
from domain.money import ZERO, Money
from domain.payments import Mandate, MethodKind, PostingKind
from domain.runs import RunState
from rules.mail.written_addresses import check_address
from rules.money.autopay import AutopayPolicy, Payable
from rules.money.balances import amount_due
from tests.done_before import as_done_before, is_unopened
from tests.release import so_many

RUN = "2026-10"
DUE = date(2026, 11, 20)  # a Friday
CLOSING_DAY = date(2026, 11, 2)  # a Monday, the office's first working day after October
NOW = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
CARD, ACH = MethodKind.CARD, MethodKind.ACH
OFFICE_DEFAULTS = AutopayPolicy()
TOTALS = ("opening_balance", "billed", "payments", "adjustments", "penalties", "closing_balance")

examples = settings(deadline=None, max_examples=so_many(25, release=100))
few_examples = settings(
    deadline=None,
    max_examples=so_many(4, release=30),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def an_account(number: str = "01.1037.1", balance: str = "80.00", **changes: Any) -> Account:
    facts: dict[str, Any] = {
        "name": "Beltran, Sven", "last_name": "Beltran", "service_address": "101 Canyon St",
        "mailing_address": "", "city": "", "state": "", "zip": "", "phone": "",
        "email": "sven@example.com", "ebill": True, "send_paper": False,
        "status": AccountStatus.ACTIVE, "opening_balance": ZERO,
        "closing_balance": Money.parse(balance), "equal_pay_amount": None, "direct_pay": False,
        "block_ach": False, "block_card": False, "cosigner_id": "",
    }  # fmt: skip
    return Account(number=number, **facts | changes)


def a_mandate(number: str = "01.1037.1", **changes: Any) -> Mandate:
    facts: dict[str, Any] = {
        "method_token": "tok_7_1", "method_kind": CARD, "last4": "4242", "days_prior": 5,
        "maximum": None, "enrolled_on": date(2026, 4, 9),
    }  # fmt: skip
    return Mandate(number, **facts | changes)


def a_payable(balance: str = "80.00", **changes: Any) -> Payable:
    facts: dict[str, Any] = {
        "account": "01.1037.1", "status": AccountStatus.ACTIVE, "balance": Money.parse(balance),
        "pays_equal_amount": False, "direct_pay": False, "block_ach": False, "block_card": False,
    }  # fmt: skip
    return Payable(**facts | changes)


@dataclass(frozen=True)
class Household:
    """One account with all that an export says of it."""

    account: Account
    mandates: tuple[Mandate, ...] = ()
    links: tuple[tuple[str, bool], ...] = ()  # portal users' addresses and paperless choices
    cancelled: tuple[Mandate, ...] = ()
    held: bool = False

    @property
    def key(self) -> str:
        return self.account.key


def a_household(number: str = "01.1037.1", *mandates: Mandate, **changes: Any) -> Household:
    """An enrolled household; `mandates=()` enrolls it nowhere, other changes go to its account."""
    own = {name: changes.pop(name) for name in ("links", "cancelled", "held") if name in changes}
    agreed = changes.pop("mandates", mandates or (a_mandate(number),))
    return Household(an_account(number, **changes), agreed, **own)


def stage_run(
    database: Database,
    *households: Household,
    period: str = RUN,
    due_on: date = DUE,
    ends_on: date = date(2026, 10, 31),
    state: RunState = RunState.STAGED,
    landlords: Iterable[tuple[str, str]] = (),
) -> None:
    """Enter a run as an import leaves it; `landlords` are cosigners with their portal users."""
    facts = (households, period, due_on, ends_on, state, tuple(landlords))
    stage = partial(_stage_run, database, *facts)
    if is_unopened(database):
        as_done_before(database, f"stage {facts!r}", stage)
    else:
        stage()


def _stage_run(
    database: Database,
    households: tuple[Household, ...],
    period: str,
    due_on: date,
    ends_on: date,
    state: RunState,
    landlords: tuple[tuple[str, str], ...],
) -> None:
    with database.writing() as books:
        books.execute(
            bill_run.insert().values(
                period=period, state=state, utility="City of Larkspur", timezone="America/Denver",
                starts_on=ends_on.replace(day=1), ends_on=ends_on, due_on=due_on,
                export_name="larkspur", export_sha256="0" * 64, imported_at=NOW, imported_by="anna",
                control_accounts=1, control_bills=1, **{f"control_{name}": ZERO for name in TOTALS},
            )
        )  # fmt: skip
        _enter_accounts(books, period, [household.account for household in households])
        _enter_mandates(books, period, households)
        links = (
            (period, household.key, address.casefold(), address, paperless, fault_of(address))
            for household in households
            for address, paperless in household.links
        )
        columns = ["period", "account_key", "mailbox", "address", "paperless", "fault"]
        insert_rows(books, portal_link, columns, links)
        holds = [
            a_hold("bill-amount", period=period, account_key=one.key, account=one.account.number)
            for one in households
            if one.held
        ]
        if holds:
            books.execute(outsorted_bill.insert(), holds)
        owners = ((period, of, "Holdings LLC", user, fault_of(user)) for of, user in landlords)
        columns = ["period", "cosigner_id", "name", "portal_user", "fault"]
        insert_rows(books, cosigner, columns, owners)


def fault_of(address: str) -> str | None:
    """Why an address of a portal user is none, as an import finds it."""
    return check_address(address).fault if address else None


def a_hold(check_name: str = "", **of: str) -> dict[str, Any]:
    """A row of a bill that is held back, by a waived check or by a person."""
    told = {"reason": "seen", "outsorted_at": NOW, "outsorted_by": "anna"}
    return {"check_name": check_name, **told, **of}


def _enter_accounts(books: Any, period: str, accounts: list[Account]) -> None:
    names = [name for name in Account.__dataclass_fields__ if name != "number"]
    insert_rows(
        books,
        account,
        ["period", "account_key", "account", "amount_due", *names],
        (
            (period, one.key, one.number, amount_due(one), *(getattr(one, name) for name in names))
            for one in accounts
        ),
    )
    addresses = (
        (period, one.key, position, address, None if "@" in address else "no address")
        for one in accounts
        for position, address in enumerate(filter(None, one.email.split(";")))
    )
    columns = ["period", "account_key", "position", "address", "fault"]
    insert_rows(books, account_email, columns, addresses)


def _enter_mandates(books: Any, period: str, households: tuple[Household, ...]) -> None:
    listed = [(m, True) for household in households for m in household.mandates]
    listed += [(m, False) for household in households for m in household.cancelled]
    methods = {m.method_token: m for m, _ in listed if m.method_kind is not None}
    insert_rows(
        books,
        payment_method,
        ["period", "token", "portal_user", "kind", "last4"],
        ((period, token, "", m.method_kind, m.last4) for token, m in methods.items()),
    )
    insert_rows(
        books,
        mandate,
        [
            "period", "line", "account_key", "account", "portal_user", "method_token", "days_prior",
            "maximum", "enrolled_on", "active",
        ],
        (
            (
                period, line, account_key(m.account), m.account, "", m.method_token, m.days_prior,
                m.maximum, m.enrolled_on, active,
            )
            for line, (m, active) in enumerate(listed, start=1)
        ),
    )  # fmt: skip


def an_entry(key: str = "taken/1", amount: str = "-80.00", **changes: Any) -> BalanceEntry:
    """An entry of an account; by default a payment that autopay took on the due date."""
    facts: dict[str, Any] = {
        "account_key": "1", "kind": EntryKind.PAYMENT, "happened_on": DUE,
        "source": EntrySource.DRAW,
    }  # fmt: skip
    return BalanceEntry(key=key, amount=Money.parse(amount), **facts | changes)


def post_payment(
    books: Connection,
    payment: Any,
    kind: PostingKind = PostingKind.RECEIPT,
    *,
    amount: Money | None = None,
    now: datetime = NOW,
    entry_key: str = "",
) -> bool:
    """Enter what became of a scheduled payment, by its row, and queue its posting."""
    cents = amount or payment.amount
    key, sign, what = _POSTED[kind]
    entry = BalanceEntry(
        key=entry_key or key.format(payment.key),
        account_key=payment.account_key,
        kind=what,
        amount=Money(sign * cents.cents),
        counts=what is not EntryKind.SERVICE_FEE,
        happened_on=DUE,
        happened_at=payment.taken_at,
        source=EntrySource.DRAW,
        reference=payment.confirmation,
        payment_key=payment.key,
    )
    record_entries(books, [entry], now=now, who="anna")
    return queue_posting(books, entry, kind, now=now)


_POSTED = {
    PostingKind.RECEIPT: ("taken/{}/1", -1, EntryKind.PAYMENT),
    PostingKind.REVERSAL: ("return/{}", 1, EntryKind.RETURN),
    PostingKind.FEE: ("fee/{}", 1, EntryKind.FEE),
    PostingKind.SERVICE_FEE: ("service-fee/{}/1", -1, EntryKind.SERVICE_FEE),
    PostingKind.SERVICE_FEE_BACK: ("service-fee/{}/back", 1, EntryKind.SERVICE_FEE),
}


def close_run(database: Database, period: str = RUN) -> Published:
    """Say yes to a run and close its period, as the office does."""
    return as_done_before(database, f"close {period}", partial(_close_run, database, period))


def _close_run(database: Database, period: str) -> Published:
    with database.writing() as books:
        approved = bill_run.update().where(bill_run.c.period == period)
        books.execute(approved.values(state=RunState.APPROVED))
    return publish(database, period, now=NOW, who="anna")


def empty(database: Database) -> None:
    """Take every row out of the books, for the next example of a property."""
    with database.writing() as books, unguarded(books):
        for table in reversed(metadata.sorted_tables):
            books.execute(table.delete())


@contextmanager
def unguarded(books: Connection) -> Iterator[None]:
    """Take the guards off the audit list and the ledger, as whoever owns the database can."""
    dialect = books.dialect.name
    off = [guards.unguard_statements(dialect, table) for table in guards.FIXED]
    for statement in chain(audit_guards.unguard_statements(dialect), *off):
        books.exec_driver_sql(statement)
    yield
    on = [guards.guard_statements(dialect, table) for table in guards.FIXED]
    for statement in chain(audit_guards.guard_statements(dialect), *on):
        books.exec_driver_sql(statement)
