"""Which account, period and recipient a look at a mail is about."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from database.books import Database
from database.runs import Run, get_run
from database.tables import account, account_email, bill, bill_run, recipient
from domain.accounts import account_key
from domain.deliveries import MessageKind, Recipient, RecipientSource
from domain.failures import Misuse

UTILITY_BILL = "utility-bill"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be looked at; empty: the newest run, the kind's own form."""

    kind: MessageKind
    account: str
    period: str = ""
    form: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What was found for it."""

    kind: MessageKind
    form: str
    run: Run
    account: str
    account_key: str
    reader: Recipient  # as whom it is looked at


def find_subject(database: Database, wanted: Wanted, office: str) -> Subject:
    """
    Find what is wanted; `office` is the address that stands in where the account has none.

    Raises Misuse where there is no such run or account.
    """
    run = _find_run(database, wanted)
    number, key = _find_account(database, run, wanted)
    form = wanted.form or _own_form(database, wanted.kind, run, key)
    reader = _first_recipient(database, run, key, office)
    return Subject(wanted.kind, form, run, number, key, reader)


def _find_run(database: Database, wanted: Wanted) -> Run:
    if wanted.period:
        return get_run(database, wanted.period)
    newest = (
        sa.select(account.c.run)
        .join(bill_run, bill_run.c.run == account.c.run)
        .where(account.c.account_key == account_key(wanted.account))
        .order_by(bill_run.c.ends_on.desc(), account.c.run.desc())
        .limit(1)
    )
    with database.reading() as books:
        run = books.scalar(newest)
    if run is None:
        raise Misuse(
            f"No period in the books has an account {wanted.account}; see `billclose list bills "
            "--staged`, or give --sample.",
            "unknown-account",
        )
    return get_run(database, run)


def _find_account(database: Database, run: Run, wanted: Wanted) -> tuple[str, str]:
    key = account_key(wanted.account)
    query = sa.select(account.c.account).where(
        account.c.run == run.run, account.c.account_key == key
    )
    with database.reading() as books:
        number = books.scalar(query)
    if number is None:
        raise Misuse(
            f"Period {run.run} has no account {wanted.account}; check its number.",
            "unknown-account",
        )
    return number, key


def _own_form(database: Database, kind: MessageKind, run: Run, key: str) -> str:
    """Return the form of the account's bill, the utility bill first; a notice's is its kind."""
    if kind is not MessageKind.BILL:
        return kind.value
    query = sa.select(bill.c.form).where(bill.c.run == run.run, bill.c.account_key == key)
    with database.reading() as books:
        forms = sorted(books.scalars(query), key=lambda form: (form != UTILITY_BILL, form))
    return forms[0] if forms else UTILITY_BILL


def _first_recipient(database: Database, run: Run, key: str, office: str) -> Recipient:
    """Return who is planned to get it; else an address of the record; else the office itself."""
    planned = sa.select(recipient.c.address, recipient.c.source).where(
        recipient.c.run == run.run, recipient.c.account_key == key
    )
    record = (
        sa.select(account_email.c.address)
        .where(
            account_email.c.run == run.run,
            account_email.c.account_key == key,
            account_email.c.fault.is_(None),
        )
        .order_by(account_email.c.position)
    )
    order = list(RecipientSource)
    with database.reading() as books:
        found = [Recipient(address, source) for address, source in books.execute(planned)]
        written = books.scalar(record.limit(1))
    if found:
        return min(found, key=lambda one: (order.index(one.source), one.mailbox))
    return Recipient(written or office, RecipientSource.CUSTOMER_RECORD)
