"""Accounts found by whatever a caller knows: number, name, address, e-mail, phone, payment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.identity import account_link, wallet_method, web_user
from database.definitions.in_force import landlord_in_force
from database.ledger.tables import account_change, balance_entry
from database.queries.balances import NOTHING, open_balance
from database.queries.customers.account_texts import BETWEEN, SIGNS_IN_PHONES, fold
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
    portal_link,
    posting,
)
from domain.accounts import AccountStatus, account_key
from domain.failures import Misuse
from domain.feeds import ChangeField
from domain.money import Money

LEAST_LETTERS = 3  # fewer find everybody
MOST_FOUND = 50
LAST_4 = 4


class FoundBy(StrEnum):
    """What of an account the text is a part of."""

    NUMBER = "account number"
    NAME = "name"
    ADDRESS = "address"
    EMAIL = "e-mail"
    PHONE = "phone"
    PORTAL_USER = "portal user"
    LANDLORD = "landlord"
    CONFIRMATION = "confirmation"
    LAST_4 = "last 4"


@dataclass(frozen=True, slots=True)
class AccountHit:
    """One account, as its newest closed period has it, and by what it was found."""

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


def _everything_found(books: Connection, text: str) -> Iterator[tuple[str, FoundBy]]:
    yield from ((key, FoundBy.NUMBER) for key in _by_number(books, text))
    yield from _by_words(books, text)
    for kind, look in _LOOKS:
        yield from ((key, kind) for key in look(books, text))


def _rank(kinds: list[FoundBy]) -> int:
    return min(list(FoundBy).index(kind) for kind in kinds)


def _by_number(books: Connection, text: str) -> Iterable[str]:
    """Find accounts by a part of the number, whatever stands between its digits (rule 124)."""
    key = account_key(text)
    if not any(char.isdigit() for char in key):
        return ()
    column = account_search.c.account_key
    return books.scalars(sa.select(column).where(column.contains(key, autoescape=True)))


def _by_words(books: Connection, text: str) -> Iterator[tuple[str, FoundBy]]:
    """Find where each word stands in name, addresses or e-mail, in any order and across them."""
    words = fold(text).replace(",", " ").split()
    rows = account_search.c
    everything = rows.name + BETWEEN + rows.places + BETWEEN + rows.email
    query = sa.select(rows.account_key, rows.name, rows.places, rows.email).where(
        *(everything.contains(word, autoescape=True) for word in words)
    )
    kinds = (FoundBy.NAME, FoundBy.ADDRESS, FoundBy.EMAIL)
    for key, *texts in books.execute(query):
        pairs = list(zip(kinds, texts, strict=True))
        own = [kind for kind, one in pairs if all(word in one for word in words)]
        some = [kind for kind, one in pairs if any(word in one for word in words)]
        yield from ((key, kind) for kind in own or some)


def _by_change(*fields: ChangeField) -> Callable[[Connection, str], Iterable[str]]:
    """Make a look through what the billing system told of since its export: those are few."""

    def look(books: Connection, text: str) -> Iterable[str]:
        told = account_change.c
        has_words = [_has(told.value, word) for word in text.split()]
        return books.scalars(sa.select(told.account_key).where(told.field.in_(fields), *has_words))

    return look


def _by_phone(books: Connection, text: str) -> Iterable[str]:
    digits = "".join(filter(str.isdigit, text))
    if len(digits) < LAST_4 or not set(text) <= {*"0123456789", *SIGNS_IN_PHONES}:
        return ()
    rows = account_search.c
    return books.scalars(sa.select(rows.account_key).where(rows.phone.contains(digits)))


def _by_portal_user(books: Connection, text: str) -> Iterator[str]:
    """Find by the portal users who are linked, by the newest exports or with us."""
    mailboxes = portal_link.c
    exported = sa.select(mailboxes.account_key).where(
        mailboxes.period.in_(newest_periods()), _has(mailboxes.mailbox, text)
    )
    yield from books.scalars(exported)
    linked = (
        sa.select(account_link.c.account_key)
        .join(web_user, web_user.c.number == account_link.c.user_number)
        .where(
            account_link.c.unlinked_at.is_(None),
            sa.or_(_has(web_user.c.mailbox, text), _has(web_user.c.username, text)),
        )
    )
    yield from books.scalars(linked)


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
    (FoundBy.NAME, _by_change(ChangeField.NAME)),
    (FoundBy.ADDRESS, _by_change(ChangeField.MAILING_ADDRESS, ChangeField.CITY)),
    (FoundBy.EMAIL, _by_change(ChangeField.EMAIL)),
    (FoundBy.PHONE, _by_phone),
    (FoundBy.PORTAL_USER, _by_portal_user),
    (FoundBy.LANDLORD, _by_landlord),
    (FoundBy.CONFIRMATION, _by_confirmation),
    (FoundBy.LAST_4, _by_last_4),
)


def _shown(keys: list[str]) -> sa.Select[Any]:
    return (
        sa.select(
            account.c.account_key,
            account.c.account,
            account.c.name,
            account.c.service_address,
            account.c.email,
            account.c.phone,
            account.c.status,
            sa.func.coalesce(open_balance(), NOTHING).label("balance"),
            account.c.period.label("period"),
        )
        .select_from(account_search)
        .join(
            account,
            sa.and_(
                account.c.account_key == account_search.c.account_key,
                account.c.period == account_search.c.period,
            ),
        )
        .outerjoin(balance_due, balance_due.c.account_key == account.c.account_key)
        .where(account.c.account_key.in_(keys))
    )
