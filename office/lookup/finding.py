"""Accounts found by what a caller knows: number, name, address, e-mail, phone, meter, payment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.corrections import period_undo
from database.definitions.identity import account_link, wallet_method, web_user
from database.definitions.in_force import account_now, landlord_in_force
from database.ledger.tables import balance_entry
from database.queries.balances import NOTHING, open_balance
from database.queries.customers.search import has_words, plan_by_what_is_typed
from database.runs import newest_periods
from database.tables import (
    account,
    account_search,
    balance_due,
    draw,
    enrollment,
    gateway_payment,
    mandate,
    payment_method,
    period_close,
    portal_link,
    posting,
)
from domain.accounts import AccountStatus, account_key
from domain.customer_service import FoundBy
from domain.failures import Misuse
from domain.money import Money
from rules.customer_search import found_in, search_words

LEAST_LETTERS = 3  # fewer find everybody
MOST_FOUND = 50
LAST_4 = 4


@dataclass(frozen=True, slots=True)
class AccountHit:
    """One account, its newest closed period with what is in force, and by what it was found."""

    account_key: str
    account: str
    name: str
    service_address: str
    email: str
    phone: str
    status: AccountStatus
    balance: Money
    period: str
    found_by: tuple[FoundBy, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The accounts found, the likeliest first; `total` counts those that are not shown too."""

    text: str
    accounts: tuple[AccountHit, ...]
    total: int


def find_accounts(books: Connection, text: str, *, most: int = MOST_FOUND) -> Found:
    """
    Find accounts by a part of what is known of them (rules 124, 170, 171).

    A number counts with or without dashes, a phone by its digits, a name without its accents; of
    several words each must be found. Raises Misuse for a text of fewer than three letters and
    digits that is no whole account number.
    """
    typed = " ".join(text.split())
    reasons: dict[str, list[FoundBy]] = {}
    whole = account_key(typed)
    known = account_search.c.account_key
    if books.scalar(sa.select(known).where(known == whole)):
        reasons[whole] = [FoundBy.NUMBER]
    elif len(whole) < LEAST_LETTERS:
        raise Misuse(f"{text!r} finds too much; type three letters or digits at least.")
    else:
        for key, kind in _everything_found(books, typed):
            kinds = reasons.setdefault(key, [])
            if kind not in kinds:
                kinds.append(kind)
    keys = sorted(reasons, key=lambda key: (_rank(reasons[key]), key))[:most]
    found = {row.account_key: row for row in books.execute(_shown(keys))}
    accounts = (
        AccountHit(**found[key]._mapping, found_by=tuple(reasons[key]))
        for key in keys
        if key in found
    )
    return Found(typed, tuple(accounts), len(reasons))


def find_undone(books: Connection, text: str, *, most: int = 3) -> tuple[tuple[str, str], ...]:
    """
    Return accounts, each with its period, whose only close was taken back: nothing finds them.

    Their name, number, address, phone or mailbox has each word. A clerk whose caller is one of
    them hears what became of the bill, and not that nobody is called so.
    """
    row = account.c
    undone = sa.select(period_undo.c.period).where(
        period_undo.c.period.not_in(sa.select(period_close.c.period))
    )
    findable = sa.select(account_search.c.account_key)
    told = sa.func.lower(row.name + " " + row.service_address + " " + row.email + " " + row.phone)
    by_words = (told.contains(word, autoescape=True) for word in text.lower().split())
    key = account_key(text)
    by_number = [row.account_key.contains(key, autoescape=True)] if key else []
    query = sa.select(row.account, row.period).where(
        row.period.in_(undone),
        row.account_key.not_in(findable),
        sa.or_(sa.and_(*by_words), *by_number),
    )
    return tuple(books.execute(query.order_by(row.account_key).limit(most)).tuples())


def _everything_found(books: Connection, text: str) -> Iterator[tuple[str, FoundBy]]:
    words = search_words(text)
    if words:
        yield from _by_words(books, words)
    for kind, look in _LOOKS:
        yield from ((key, kind) for key in look(books, text))


def _rank(kinds: list[FoundBy]) -> int:
    return min(list(FoundBy).index(kind) for kind in kinds)


def _by_words(books: Connection, words: tuple[str, ...]) -> Iterator[tuple[str, FoundBy]]:
    """Find where each word stands in what is in force of an account, in any order."""
    plan_by_what_is_typed(books)
    rows = account_search.c
    query = sa.select(rows.account_key, rows.text, rows.meters).where(has_words(words))
    for key, text, meters in books.execute(query):
        yield from ((key, kind) for kind in found_in(text, words, meters))


def _by_username(books: Connection, text: str) -> Iterable[str]:
    """Find by the username of a portal user who is linked with us (rule 150)."""
    linked = (
        sa.select(account_link.c.account_key)
        .join(web_user, web_user.c.number == account_link.c.user_number)
        .where(account_link.c.unlinked_at.is_(None), _has(web_user.c.username, text))
    )
    return books.scalars(linked)


def _by_landlord(books: Connection, text: str) -> Iterable[str]:
    """Find every account of a landlord by the landlord's portal user (rule 133)."""
    lets = landlord_in_force.c
    cosigners = sa.select(lets.period, lets.cosigner_id).where(
        lets.period.in_(newest_periods()), _has(lets.portal_user, text)
    )
    found = books.execute(cosigners).all()
    if not found:
        return ()
    of_one = (
        sa.and_(account.c.period == period, account.c.cosigner_id == one) for period, one in found
    )
    return books.scalars(
        sa.select(account.c.account_key).where(account.c.cosigner_id != "", sa.or_(*of_one))
    )


def _by_confirmation(books: Connection, text: str) -> Iterator[str]:
    """Find by a confirmation, a receipt or a reference: the same number everywhere (rule 78)."""
    paid, entry = gateway_payment.c, balance_entry.c
    if " " in text or not any(char.isdigit() for char in text):
        return
    yield from books.scalars(sa.select(paid.account_key).where(_has(paid.confirmation, text)))
    yield from books.scalars(sa.select(entry.account_key).where(_has(entry.reference, text)))
    for place, reference in ((draw, draw.c.reference), (posting, posting.c.receipt)):
        query = sa.select(paid.account_key).join(place, place.c.payment_key == paid.key)
        yield from books.scalars(query.where(_has(reference, text)))


def _by_last_4(books: Connection, text: str) -> Iterator[str]:
    """Find by the last four of a method: of an agreement, of a payment, of who is linked."""
    if len(text) != LAST_4 or not text.isdigit():
        return
    given, paid, listed = enrollment.c, gateway_payment.c, payment_method.c
    yield from books.scalars(sa.select(given.account_key).where(given.last4 == text))
    yield from books.scalars(sa.select(paid.account_key).where(paid.last4 == text))
    newest = newest_periods()
    of_wallet = sa.select(listed.token).where(listed.period.in_(newest), listed.last4 == text)
    agreed = sa.select(mandate.c.account_key).where(
        mandate.c.period.in_(newest), mandate.c.method_token.in_(of_wallet)
    )
    yield from books.scalars(agreed)
    owned = (
        sa.select(account_link.c.account_key)
        .join(wallet_method, wallet_method.c.user_number == account_link.c.user_number)
        .where(
            wallet_method.c.last4 == text,
            wallet_method.c.removed_at.is_(None),
            account_link.c.unlinked_at.is_(None),
        )
    )
    yield from books.scalars(owned)
    exported = (
        sa.select(portal_link.c.account_key)
        .join(
            payment_method,
            sa.and_(
                listed.period == portal_link.c.period,
                sa.func.lower(listed.portal_user) == portal_link.c.mailbox,
            ),
        )
        .where(portal_link.c.period.in_(newest), listed.last4 == text)
    )
    yield from books.scalars(exported)


def _has(column: Any, text: str) -> sa.ColumnElement[bool]:
    found: sa.ColumnElement[bool] = sa.func.lower(column).contains(text.lower(), autoescape=True)
    return found


def to_row(found: AccountHit) -> dict[str, Any]:
    """Write a found account as programs read it."""
    return {
        "account": found.account,
        "name": found.name,
        "service_address": found.service_address,
        "email": found.email,
        "phone": found.phone,
        "status": found.status.value,
        "balance": str(found.balance),
        "period": found.period,
        "found_by": [kind.value for kind in found.found_by],
    }


_LOOKS: tuple[tuple[FoundBy, Callable[[Connection, str], Iterable[str]]], ...] = (
    (FoundBy.PORTAL_USER, _by_username),
    (FoundBy.LANDLORD, _by_landlord),
    (FoundBy.CONFIRMATION, _by_confirmation),
    (FoundBy.LAST_4, _by_last_4),
)


def _shown(keys: list[str]) -> sa.Select[Any]:
    row = account_now.c
    return (
        sa.select(
            row.account_key,
            row.account,
            row.name,
            row.service_address,
            row.email,
            row.phone,
            row.status,
            sa.func.coalesce(open_balance(), NOTHING).label("balance"),
            row.period.label("period"),
        )
        .select_from(account_search)
        .join(
            account_now,
            sa.and_(
                row.account_key == account_search.c.account_key,
                row.period == account_search.c.period,
            ),
        )
        .outerjoin(balance_due, balance_due.c.account_key == account_search.c.account_key)
        .where(account_search.c.account_key.in_(keys))
    )
