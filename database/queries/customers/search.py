"""Finding customers as customer service asks for them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.identity import account_link, web_user
from database.definitions.in_force import account_now
from database.queries.balances import stands_with
from database.tables import account_search, balance_due, bill_run, portal_link
from domain.customer_service import (
    STANDING_OF,
    CustomerFound,
    CustomerSearch,
    CustomersFound,
    PortalStanding,
)
from rules.customer_search import looked_for, meter_number, run_together

FEW_USERS = 6_000  # portal users: of more, 500 accounts are found sooner one by one
MOST_FOUND = 500  # accounts, and portal users: whoever gets so many types more
_PLANNED_ANEW = sa.text("""
    SELECT set_config('plan_cache_mode', 'force_custom_plan', TRUE),
        set_config('random_page_cost', '1.1', TRUE)
""")


def has_words(words: tuple[str, ...]) -> sa.ColumnElement[bool]:
    """
    Claim that an account has every word, each as a part of a word; or all as one number.

    A number alone may be a part of a meter's too.

    The longest word is looked for first: few accounts have it, and only those are read again.
    """
    text = account_search.c.text
    parts = sorted(map(looked_for, words), key=len, reverse=True)
    every = sa.and_(*(text.contains(part, autoescape=True) for part in parts))
    joined, meter = run_together(words), meter_number(words)
    if joined is not None:
        every = sa.or_(every, text.contains(joined, autoescape=True))
    if meter is not None:
        every = sa.or_(every, account_search.c.meters.contains(meter, autoescape=True))
    return every


def plan_by_what_is_typed(books: Connection) -> None:
    """
    Let PostgreSQL look at what is typed each time, until the transaction's end.

    Of a statement that it has seen ten times it keeps one plan for all that may be typed: that
    one reads every text, because a single letter would find half of them. What is looked up
    afterwards, by its key, is in memory, and no page of it is dearer than the one before.
    """
    if books.dialect.name == "postgresql":
        books.execute(_PLANNED_ANEW)


def districts(books: Connection) -> list[str]:
    """Return the districts that accounts are in, by name."""
    query = sa.select(account_search.c.district).where(account_search.c.district != "")
    return list(books.scalars(query.distinct().order_by(account_search.c.district)))


def find_customers(books: Connection, wish: CustomerSearch) -> CustomersFound:
    """
    Return the accounts and portal users that a search means (rules 170-173).

    Every word has to be found, each as a part of a word: in one account's names, number and
    addresses, or in one portal user's address or username. A number alone is a person ID too.
    What has neither a letter nor a digit finds no account: only nothing typed means everybody.
    """
    plan_by_what_is_typed(books)
    keys = list(books.scalars(_accounts_asked(books, wish).limit(MOST_FOUND + 1)))
    users = _users_asked(books, wish)
    is_cut = len(keys) > MOST_FOUND or len(users) > MOST_FOUND
    pairs = _pairs(books, keys[:MOST_FOUND], users[:MOST_FOUND])
    linked = {key for key, _ in pairs}
    alone = [(key, None) for key in keys[:MOST_FOUND] if key not in linked]
    homeless = set(users[:MOST_FOUND]) - {user for _, user in pairs}
    every = [*pairs, *alone, *(("", user) for user in sorted(homeless))]
    rows = [row for row in _to_rows(books, every) if wish.district in ("", row.district)]
    shown = [row for row in rows if row.standing in wish.standings]
    return CustomersFound(
        tuple(sorted(shown, key=lambda row: (row.account_key == "", row.account, row.user or 0))),
        len(rows) - len(shown),
        is_cut,
    )


def users_of(books: Connection, key: str) -> tuple[CustomerFound, ...]:
    """Return the portal users of one account, of every standing, by their numbers."""
    pairs = _pairs(books, [key], [])
    rows = (row for row in _to_rows(books, pairs) if row.account_key == key and row.user)
    return tuple(sorted(rows, key=lambda row: row.user or 0))


def _accounts_asked(books: Connection, wish: CustomerSearch) -> sa.Select[tuple[str]]:
    row = account_search.c
    is_billed = sa.exists().where(balance_due.c.account_key == row.account_key)
    query = sa.select(row.account_key).where(is_billed).order_by(row.account_key)
    if wish.words:
        query = query.where(has_words(wish.words))
    elif wish.typed:
        query = query.where(sa.false())
    if wish.district:
        query = query.where(row.district == wish.district)
    if PortalStanding.UNENROLLED not in wish.standings:
        query = query.where(_has_user_of(books, wish))
    return query


def _has_user_of(books: Connection, wish: CustomerSearch) -> sa.ColumnElement[bool]:
    """
    Claim that an account has a portal user of a standing that is looked at.

    Where such users are few (who is locked or deleted; all, where a portal is young) what they
    have is read first; else each account that is found is asked whether it has one.
    """
    key, own, exported = account_search.c.account_key, account_link.c, portal_link.c
    states = [state for state, standing in STANDING_OF.items() if standing in wish.standings]
    is_meant = web_user.c.state.in_(states)
    ours = sa.select(own.account_key).join(web_user, web_user.c.number == own.user_number)
    ours = ours.where(own.unlinked_at.is_(None), is_meant)
    there = (
        sa.select(exported.account_key)
        .join(web_user, web_user.c.mailbox == exported.mailbox)
        .where(is_meant)
    )
    if PortalStanding.ENROLLED not in wish.standings or _are_few(books, is_meant):
        return key.in_(sa.union_all(ours, there.join(balance_due, stands_with(portal_link))))
    newest = sa.select(balance_due.c.period).where(balance_due.c.account_key == key)
    newest_period = newest.correlate(account_search).scalar_subquery()
    there = there.where(exported.period == newest_period, exported.account_key == key)
    # EXISTS … OR EXISTS would have PostgreSQL read the links of all, to have them at hand.
    one = (ours.where(own.account_key == key).limit(1), there.limit(1))
    return sa.func.coalesce(*(each.scalar_subquery() for each in one)).is_not(None)


def _are_few(books: Connection, is_meant: sa.ColumnElement[bool]) -> bool:
    some = sa.select(web_user.c.number).where(is_meant).offset(FEW_USERS).limit(1)
    return books.execute(some).first() is None


def _users_asked(books: Connection, wish: CustomerSearch) -> list[int]:
    row = web_user.c
    query = sa.select(row.number).order_by(row.number).limit(MOST_FOUND + 1)
    states = [state for state, standing in STANDING_OF.items() if standing in wish.standings]
    if not wish.typed:
        # Everybody is asked for: accounts come first; who has none is found where few are left.
        if PortalStanding.UNENROLLED in wish.standings:
            return []
        return list(books.scalars(query.where(row.state.in_(states))))
    named = [
        sa.or_(
            row.mailbox.contains(word, autoescape=True),
            row.username.contains(word, autoescape=True),  # kept in small letters
        )
        for word in wish.typed
    ]
    asked = sa.and_(*named)
    if wish.number is not None:
        asked = sa.or_(asked, row.number == wish.number)
    return list(books.scalars(query.where(asked)))


def _pairs(
    books: Connection, keys: Sequence[str], users: Sequence[int]
) -> list[tuple[str, int | None]]:
    """Return which of the accounts and portal users belong together, once each."""
    own, exported = account_link.c, portal_link.c
    linked_here = sa.select(own.account_key, own.user_number).where(
        own.unlinked_at.is_(None), own.account_key.in_(keys) | own.user_number.in_(users)
    )
    linked_there = (
        sa.select(exported.account_key, web_user.c.number)
        .join(web_user, web_user.c.mailbox == exported.mailbox)
        .join(balance_due, stands_with(portal_link))
        .join(bill_run, bill_run.c.period == exported.period)
        .outerjoin(
            account_link,
            sa.and_(own.account_key == exported.account_key, own.user_number == web_user.c.number),
        )
        .where(own.unlinked_at.is_(None) | (own.unlinked_at < bill_run.c.imported_at))
    )
    found = {(row[0], row[1]): None for row in books.execute(linked_here)}
    for asked in (exported.account_key.in_(keys), web_user.c.number.in_(users)):
        found |= {(row[0], row[1]): None for row in books.execute(linked_there.where(asked))}
    return list(found)


def _to_rows(books: Connection, pairs: Sequence[tuple[str, int | None]]) -> Iterator[CustomerFound]:
    accounts = {row.account_key: row for row in _accounts(books, {key for key, _ in pairs if key})}
    people = {row.number: row for row in _people(books, {user for _, user in pairs if user})}
    for key, user in pairs:
        billed, person = accounts.get(key), people.get(user) if user else None
        if key and billed is None:
            continue  # linked, and in no closed period (any more)
        yield CustomerFound(
            account_key=key,
            account=billed.account if billed else "",
            name=billed.name if billed else "",
            service_address=billed.service_address if billed else "",
            district=billed.district if billed else "",
            standing=STANDING_OF[person.state] if person else PortalStanding.UNENROLLED,
            user=user,
            address=person.address if person else "",
            state=person.state if person else None,
        )


def _accounts(books: Connection, keys: Collection[str]) -> Sequence[Any]:
    row = account_now.c
    query = (
        sa.select(row.account_key, row.account, row.name, row.service_address, row.district)
        .join(balance_due, stands_with(account_now))
        .where(balance_due.c.account_key.in_(keys))
    )
    return books.execute(query).all()


def _people(books: Connection, users: Collection[int]) -> Sequence[Any]:
    row = web_user.c
    query = sa.select(row.number, row.address, row.state).where(row.number.in_(users))
    return books.execute(query).all()
