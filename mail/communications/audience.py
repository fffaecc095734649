"""The audience of a mass mail: all portal users, all customers, some of them, or one (rule 109)."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.definitions.in_force import account_now, email_in_force, link_in_force
from database.runs import Run, get_run
from database.tables import (
    bill_run,
    period_close,
    portal_user,
    unsubscribed_address,
)
from domain.accounts import AccountStatus, account_key
from domain.deliveries import Recipient, RecipientSource
from domain.failures import Misuse, PermanentFailure
from mail.message.addresses import to_envelope_address
from mail.recipients.addresses import Some, read_addresses
from mail.recipients.suppressed import suppressed_mailboxes
from rules.mail.communications import LeftOut, Reader, choose_readers
from rules.mail.written_addresses import check_address

TEXTS = ("city", "state", "zip", "service_address", "cosigner_id")
FLAGS = ("ebill", "send_paper", "direct_pay")
_YES, _NO = ("true", "yes", "y", "1"), ("false", "no", "n", "0")


def to_conditions(written: Iterable[str]) -> list[sa.ColumnElement[bool]]:
    """
    Turn conditions into SQL: several of one column mean any of them, several columns all of them.

    Texts are compared without regard to case, and a star at the end stands for whatever follows.
    Raises Misuse.
    """
    by_column: defaultdict[str, list[sa.ColumnElement[bool]]] = defaultdict(list)
    for condition in written:
        name, separator, value = condition.partition("=")
        name, value = name.strip(), value.strip()
        if not separator or name not in (*TEXTS, *FLAGS, "status"):
            known = ", ".join((*TEXTS, *FLAGS, "status"))
            raise Misuse(f"--where {condition}: write COLUMN=VALUE with one of {known}.")
        by_column[name].append(_condition(name, value))
    return [sa.or_(*conditions) for conditions in by_column.values()]


def _condition(name: str, value: str) -> sa.ColumnElement[bool]:
    column = account_now.c[name]
    if name in FLAGS:
        if value.lower() not in (*_YES, *_NO):
            raise Misuse(f"--where {name}={value}: write {name}=true or {name}=false.")
        return column.is_(value.lower() in _YES)
    if name == "status":
        if value.lower() not in (AccountStatus.ACTIVE, AccountStatus.FINAL):
            raise Misuse(f"--where status={value}: write active or final.")
        return column == AccountStatus(value.lower())
    folded = sa.func.lower(column)
    if value.endswith("*"):
        return folded.startswith(value[:-1].lower(), autoescape=True)
    return folded == value.lower()


def read_portal_users(books: Connection, period: str) -> Iterator[Reader | None]:
    """
    Yield all portal users, each with the first of their accounts that is not closed.

    None for one whom no mail can be addressed to.

    Put together here: no index leads from a mailbox to its links, and a join took hours.
    """
    links = (
        sa.select(link_in_force.c.mailbox, account_now.c.account)
        .join(account_now, _same_account(link_in_force))
        .where(link_in_force.c.period == period, account_now.c.status != AccountStatus.CLOSED)
        .order_by(account_now.c.account_key.desc())
    )
    first = {row.mailbox: row.account for row in books.execute(links)}  # the last one stays
    users = (
        sa.select(portal_user.c.mailbox, portal_user.c.address)
        .where(portal_user.c.period == period)
        .order_by(portal_user.c.mailbox)
    )
    for mailbox, address in books.execute(users):
        if check_address(address).fault is not None:
            yield None
            continue
        recipient = Recipient(address, RecipientSource.PORTAL_USER)
        yield Reader(recipient, first.get(mailbox, ""))


def read_customers(
    books: Connection,
    period: str,
    *,
    where: Sequence[str] = (),
    numbers: Sequence[str] | None = None,
    to_landlords: bool,
) -> Iterator[Reader | None]:
    """
    Yield everybody who belongs to the accounts, and None for an account without any address.

    `where` are conditions, `numbers` the accounts that are meant; closed ones are not written to.
    Raises Misuse for what is neither.
    """
    conditions = to_conditions(where)
    if numbers is not None:
        conditions.append(account_now.c.account_key.in_(_known(books, period, numbers)))
    query = (
        sa.select(account_now.c.account_key, account_now.c.account, account_now.c.cosigner_id)
        .where(
            account_now.c.period == period,
            account_now.c.status != AccountStatus.CLOSED,
            *conditions,
        )
        .order_by(account_now.c.account_key)
    )
    rows = books.execute(query).all()
    some = None
    if numbers is not None:
        some = Some([row.account_key for row in rows], [row.cosigner_id for row in rows])
    known = read_addresses(books, period, some, to_landlords=to_landlords)
    for row in rows:
        recipients = known.of(row.account_key, row.cosigner_id)
        yield from (Reader(recipient, row.account) for recipient in recipients)
        if not recipients:
            yield None


def read_picked(books: Connection, period: str, addresses: Sequence[str]) -> Iterator[Reader]:
    """Yield addresses as they were typed, with the accounts that know them; raises Misuse."""
    wanted = {address.casefold(): _recipient(address) for address in addresses}
    for table, mailbox in (
        (link_in_force, link_in_force.c.mailbox),
        (email_in_force, sa.func.lower(email_in_force.c.address)),
    ):
        query = (
            sa.select(table.c.address, account_now.c.account)
            .join(account_now, _same_account(table))
            .where(
                table.c.period == period,
                mailbox.in_(list(wanted)),
                account_now.c.status != AccountStatus.CLOSED,
            )
            .order_by(account_now.c.account_key)
        )
        for address, number in books.execute(query):
            yield Reader(wanted[address.casefold()], number)
    yield from (Reader(recipient) for recipient in wanted.values())


def _known(books: Connection, period: str, numbers: Sequence[str]) -> list[str]:
    """Return the keys of account numbers that a run has; raises Misuse for another."""
    keys = [account_key(number) for number in numbers]
    query = sa.select(account_now.c.account_key).where(
        account_now.c.period == period, account_now.c.account_key.in_(keys)
    )
    found = set(books.scalars(query))
    for number, key in zip(numbers, keys, strict=True):
        if key not in found:
            raise Misuse(
                f"Period {period} has no account {number}; check its number.", "unknown-account"
            )
    return keys


def _recipient(address: str) -> Recipient:
    try:
        to_envelope_address(address)
    except PermanentFailure as failure:
        raise Misuse(f"--to: {failure}.", "wrong-address") from None
    return Recipient(address, RecipientSource.CUSTOMER_RECORD)


def _same_account(table: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.and_(
        account_now.c.period == table.c.period, account_now.c.account_key == table.c.account_key
    )


class AudienceKind(StrEnum):
    PORTAL_USERS = "portal-users"
    CUSTOMERS = "customers"
    WHERE = "where"  # customers whose account is so: COLUMN=VALUE
    ACCOUNTS = "accounts"
    ADDRESSES = "addresses"


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is meant; `values` are conditions, account numbers or addresses, each once, in order."""

    kind: AudienceKind
    values: tuple[str, ...] = ()

    @classmethod
    def of(cls, kind: AudienceKind, values: tuple[str, ...] = ()) -> Audience:
        """Make one of what was typed: two ways of writing the same are the same audience."""
        once = {_folded(kind, value.strip()): value.strip() for value in values}
        return cls(kind, tuple(once[key] for key in sorted(once)))

    @classmethod
    def from_json(cls, text: str) -> Audience:
        kind, *values = json.loads(text)
        return cls(AudienceKind(kind), tuple(values))

    def to_json(self) -> str:
        return json.dumps([self.kind.value, *self.values], ensure_ascii=False)

    @property
    def folded(self) -> tuple[str, ...]:
        """Return what two ways of writing the same audience have in common."""
        return (self.kind, *(_folded(self.kind, value) for value in self.values))

    def say(self) -> str:
        """Say who is meant, for people; addresses are counted alone."""
        if self.kind is AudienceKind.PORTAL_USERS:
            return "all portal users"
        if self.kind is AudienceKind.CUSTOMERS:
            return "all customers"
        if self.kind is AudienceKind.WHERE:
            return f"customers where {', '.join(self.values)}"
        if self.kind is AudienceKind.ACCOUNTS:
            return f"account {', '.join(self.values)}"
        return f"{len(self.values)} picked"


@dataclass(frozen=True, slots=True)
class Resolved:
    """
    Whom an audience comes to, one a mailbox.

    `left_out` counts mailboxes; `unreachable` accounts that have no address at all.
    """

    run: Run
    readers: list[Reader]
    left_out: Counter[LeftOut]
    unreachable: int


def resolve(
    database: Database, audience: Audience, *, to_landlords: bool, names_account: bool = False
) -> Resolved:
    """
    Find the mailboxes of an audience, out of the newest closed period.

    A handful of queries, however many there are. `to_landlords`: what goes to a customer goes to
    his landlord too (rule 29); `names_account`: the text names the account. Raises Misuse where no
    period is closed, and for a condition, an account or an address that is none.
    """
    with database.reading() as books:
        run = get_run(database, newest_closed(books))
        found = read_audience(books, run.period, audience, to_landlords)
        readers, left_out = choose_readers(
            (reader for reader in found if isinstance(reader, Reader)),
            suppressed=suppressed_mailboxes(books),
            unsubscribed=frozenset(books.scalars(sa.select(unsubscribed_address.c.mailbox))),
            names_account=names_account,
        )
    return Resolved(run, readers, left_out, sum(reader is None for reader in found))


def newest_closed(books: Connection) -> str:
    """Return the newest closed period; raises Misuse where none is closed yet."""
    period = books.scalar(
        sa.select(period_close.c.period)
        .join(bill_run, bill_run.c.period == period_close.c.period)
        .order_by(bill_run.c.ends_on.desc(), period_close.c.period.desc())
        .limit(1)
    )
    if period is None:
        raise Misuse(
            "No period is closed yet, so nobody knows whom to write to; close one first.",
            "no-closed-period",
        )
    return str(period)


def read_audience(
    books: Connection, period: str, audience: Audience, to_landlords: bool
) -> list[Reader | None]:
    """Return everybody who is meant, some of them several times; None: nobody has an address."""
    kind, values = audience.kind, audience.values
    if kind is AudienceKind.PORTAL_USERS:
        return list(read_portal_users(books, period))
    if kind is AudienceKind.ADDRESSES:
        return list(read_picked(books, period, values))
    return list(
        read_customers(
            books,
            period,
            where=values if kind is AudienceKind.WHERE else (),
            numbers=values if kind is AudienceKind.ACCOUNTS else None,
            to_landlords=to_landlords,
        )
    )


def _folded(kind: AudienceKind, value: str) -> str:
    return account_key(value) if kind is AudienceKind.ACCOUNTS else value.casefold()
