"""The audience of a mass mail: all portal users, all customers, some of them, or one (rule 109)."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.runs import Run, get_run
from database.tables import bill_run, period_close, unsubscribed_address
from domain.accounts import account_key
from domain.failures import Misuse
from mail.mass_readers import read_customers, read_picked, read_portal_users
from mail.suppressing import suppressed_mailboxes
from rules.communications import LeftOut, Reader, choose_readers


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
        run = get_run(database, _newest_closed(books))
        found = _read(books, run.run, audience, to_landlords)
        readers, left_out = choose_readers(
            (reader for reader in found if isinstance(reader, Reader)),
            suppressed=suppressed_mailboxes(books),
            unsubscribed=frozenset(books.scalars(sa.select(unsubscribed_address.c.mailbox))),
            names_account=names_account,
        )
    return Resolved(run, readers, left_out, sum(reader is None for reader in found))


def _newest_closed(books: Connection) -> str:
    run = books.scalar(
        sa.select(period_close.c.run)
        .join(bill_run, bill_run.c.run == period_close.c.run)
        .order_by(bill_run.c.ends_on.desc(), period_close.c.run.desc())
        .limit(1)
    )
    if run is None:
        raise Misuse(
            "No period is closed yet, so nobody knows whom to write to; close one first.",
            "no-closed-period",
        )
    return str(run)


def _read(
    books: Connection, run: str, audience: Audience, to_landlords: bool
) -> list[Reader | None]:
    kind, values = audience.kind, audience.values
    if kind is AudienceKind.PORTAL_USERS:
        return list(read_portal_users(books, run))
    if kind is AudienceKind.ADDRESSES:
        return list(read_picked(books, run, values))
    return list(
        read_customers(
            books,
            run,
            where=values if kind is AudienceKind.WHERE else (),
            numbers=values if kind is AudienceKind.ACCOUNTS else None,
            to_landlords=to_landlords,
        )
    )


def _folded(kind: AudienceKind, value: str) -> str:
    return account_key(value) if kind is AudienceKind.ACCOUNTS else value.casefold()
