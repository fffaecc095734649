"""What an account is found by: one row, kept true by whoever changes something of the account."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database, insert_rows
from database.definitions.identity import account_link, web_user
from database.definitions.in_force import account_now, link_in_force
from database.ledger.tables import account_change
from database.tables import (
    account,
    account_search,
    bill_run,
    movement,
    period_close,
    portal_link,
)
from rules.customer_search import findable_text, searchable

AT_ONCE = 5_000  # accounts made findable in one transaction
SOME = 500  # accounts that one statement names


def make_findable(database: Database, period: str) -> int:
    """
    Let the accounts of a closed period be found by what is in force of them; return how many.

    After the close and some at a time, so that nobody waits for it. An account that a later
    period has stays as it is there. Done again, nothing changes.
    """
    last, made = "", 0
    while True:
        with database.writing() as books:
            keys = list(books.scalars(_NEXT, {"period": period, "last": last}))
            if not keys:
                return made
            made += _take_over(books, period, keys)
        last = keys[-1]


def make_all_findable(books: Connection) -> None:
    """Let the accounts of all closed periods be found, in the transaction of whoever calls."""
    closed = sa.select(period_close.c.period).order_by(period_close.c.period)
    for period in books.scalars(closed).all():
        last = ""
        while keys := list(books.scalars(_NEXT, {"period": period, "last": last})):
            _take_over(books, period, keys)
            last = keys[-1]


def refresh_found(books: Connection, keys: Collection[str]) -> None:
    """
    Let accounts be found by what is in force of them now: something of it has just changed.

    In the transaction of the change. The rows are locked first and read afterwards: of two who
    change one account the second sees what the first has done.
    """
    row = account_search.c
    for some in _some_of(sorted(keys)):
        known = sa.select(row.account_key, row.period).where(row.account_key.in_(some))
        found = books.execute(known.order_by(row.account_key).with_for_update()).all()
        for period in sorted({one.period for one in found}):
            of_period = [one.account_key for one in found if one.period == period]
            _write_anew(books, period, of_period)


def refresh_found_of(books: Connection, user: int) -> None:
    """Let the accounts of a portal user be found as is right now that the user has changed."""
    own, there = account_link.c, portal_link.c
    keys = sa.union(
        sa.select(own.account_key).where(own.user_number == user),
        sa.select(there.account_key)
        .join(web_user, web_user.c.mailbox == there.mailbox)
        .where(web_user.c.number == user),
    )
    refresh_found(books, set(books.scalars(keys)))


def forget_period(books: Connection, period: str) -> None:
    """
    Let the accounts of a period be found as the one before has them: its close was undone.

    Whom no other closed period has is found no more.
    """
    row = account_search.c
    left = sorted(books.scalars(sa.select(row.account_key).where(row.period == period)))
    books.execute(account_search.delete().where(row.period == period))
    earlier = (
        sa.select(bill_run.c.period)
        .join(period_close, period_close.c.period == bill_run.c.period)
        .where(bill_run.c.period != period)
        .order_by(bill_run.c.starts_on.desc())
    )
    for old in books.scalars(earlier).all():
        there: set[str] = set()
        for some in _some_of(left):
            of_old = sa.and_(account.c.period == old, account.c.account_key.in_(some))
            named = sa.select(account.c.account_key).where(of_old)
            keys = list(books.scalars(named.order_by(account.c.account_key)))
            _insert(books, old, keys)
            there.update(keys)
        left = [key for key in left if key not in there]


def rows_in_force(
    books: Connection, period: str, keys: Sequence[str]
) -> Iterator[tuple[str, str, str, str, str]]:
    """
    Yield the rows that accounts of a period are found by, each as it is in force now.

    `keys` stand in their order. All between the first and the last are read: of many accounts
    that is quicker than to name each.
    """
    linked: dict[str, list[str]] = {}
    among = {"period": period, "first": keys[0], "last": keys[-1]}
    for key, mailbox in books.execute(_LINKED, among):
        linked.setdefault(key, []).append(mailbox)
    meters: dict[str, list[str]] = {}
    for key, meter in books.execute(_METERS, among):
        meters.setdefault(key, []).append(meter)
    told = {row[0]: row for row in books.execute(_TOLD, among)}
    asked = set(keys)
    for exported in books.execute(_EXPORTED, among):
        if exported[0] in asked:
            row = told.get(exported[0], exported)
            key, district, *parts = row
            mailboxes = " ".join(linked.get(key, ()))
            text = findable_text(*parts, mailboxes=mailboxes)
            billed_by = searchable(",".join(meters.get(key, ()))).rstrip()
            yield key, period, district, text, billed_by


_COLUMNS = (
    *("account_key", "district", "account", "name", "last_name", "service_address"),
    *("mailing_address", "city", "state", "zip", "email", "phone"),
)
_SEARCHED = ("account_key", "period", "district", "text", "meters")
_NEXT = (
    sa.select(account.c.account_key)
    .join(period_close, period_close.c.period == account.c.period)
    .where(account.c.period == sa.bindparam("period"), account.c.account_key > sa.bindparam("last"))
    .order_by(account.c.account_key)
    .limit(AT_ONCE)
)


def _among(table: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.and_(
        table.c.period == sa.bindparam("period"),
        table.c.account_key.between(sa.bindparam("first"), sa.bindparam("last")),
    )


def _of(table: sa.FromClause) -> sa.Select[Any]:
    return sa.select(*(table.c[name] for name in _COLUMNS)).where(_among(table))


_EXPORTED = _of(account)
_TOLD = _of(account_now).where(  # few: seldom something is told
    account_now.c.account_key.in_(sa.select(account_change.c.account_key))
)
_METERS = sa.select(movement.c.account_key, movement.c.meter).where(
    _among(movement), movement.c.meter != ""
)
_LINKED = (
    sa.select(link_in_force.c.account_key, link_in_force.c.mailbox)
    .where(_among(link_in_force))
    .order_by(link_in_force.c.account_key, link_in_force.c.mailbox)
)


def _take_over(books: Connection, period: str, keys: Sequence[str]) -> int:
    row = account_search.c
    this = bill_run.alias("this")
    not_after = (
        sa.select(bill_run.c.period)
        .join(this, this.c.starts_on >= bill_run.c.starts_on)
        .where(this.c.period == period)
    )
    among = row.account_key.between(keys[0], keys[-1])
    mine = sa.select(account.c.account_key).where(
        account.c.period == period, account.c.account_key.between(keys[0], keys[-1])
    )
    books.execute(
        account_search.delete().where(among, row.account_key.in_(mine), row.period.in_(not_after))
    )
    later = set(books.scalars(sa.select(row.account_key).where(among)))
    return _insert(books, period, [key for key in keys if key not in later])


def _insert(books: Connection, period: str, keys: Sequence[str]) -> int:
    if keys:
        rows = list(rows_in_force(books, period, keys))  # read before the writing begins
        insert_rows(books, account_search, _SEARCHED, rows)
    return len(keys)


def _write_anew(books: Connection, period: str, keys: Sequence[str]) -> None:
    row = account_search.c
    rows = [
        {"key": key, "new_district": district, "new_text": text}
        for one in keys  # far apart
        for key, _, district, text, _ in rows_in_force(books, period, [one])  # the meters stay
    ]
    if rows:
        change = account_search.update().where(row.account_key == sa.bindparam("key"))
        new: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in ("district", "text")}
        books.execute(change.values(new), rows)


def _some_of(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    return (keys[first : first + SOME] for first in range(0, len(keys), SOME))
