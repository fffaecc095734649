"""Everything that stands about one account, in the order in which a clerk asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from difflib import get_close_matches
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.ledger.tables import account_change
from database.queries.periods import newest_once_closed
from database.tables import (
    account,
    account_search,
    audit,
    enrollment,
    mandate,
    reminder_hold,
)
from domain.accounts import account_key
from domain.failures import Misuse
from office.equipment.office import Office
from office.procedures.lists import select_list
from reporting.lists.catalog import LISTS
from reporting.lists.reading import NOT_BEFORE_THE_CLOSE, closed_periods, shown_rows

Row = dict[str, Any]
LISTED = (  # each list is shown by its own name, the account's rows of it, the newest first
    "bills",
    "balances",
    "movements",
    "portal-links",
    "enrollments",
    "scheduled-payments",
    "autopay-unscheduled",
    "pending-payments",
    "unknown-payments",
    "completed-payments",
    "returned-payments",
    "deliveries",
    "paper",
    "bounces",
    "exceptions",
    "outsorted",
    "changes",
    "activity",
)


@dataclass(frozen=True, slots=True)
class AccountFile:
    """An account and what stands about it: parts by name, each of rows as lists have them."""

    account: str
    about: Row
    parts: dict[str, list[Row]]


def show_account(office: Office, number: str, zone: tzinfo | None = None) -> AccountFile:
    """
    Read everything that stands about an account, in one reading of the books (rule 176).

    With a zone moments are those of its clocks, for people; programs get them with their offset.
    Raises Misuse where no closed period knows the account, with the nearest number.
    """
    with office.database.reading() as books:
        key = known_key(books, number)
        (about,) = _rows(books, select_list(office, "accounts"), key, zone)
        parts = {what: _part(office, books, what, key, zone) for what in LISTED if what in LISTS}
        parts["payment-methods"] = _methods(office, books, key, parts["portal-links"], zone)
        parts["told-by-billing-system"] = list(_plain(books, _told(key), zone))
        parts["holds"] = list(_plain(books, _holds(key), zone))
        parts["audit"] = list(_plain(books, _acts(about["account"]), zone))
    return AccountFile(about["account"], about, parts)


def known_key(books: Connection, number: str) -> str:
    """Return the key of an account that a closed period has; raises Misuse with the nearest."""
    key = account_key(number)
    known = account_search.c
    if key and books.scalar(sa.select(known.period).where(known.account_key == key)):
        return key
    if key and (period := books.scalar(newest_once_closed(key))):
        raise Misuse(
            f"The close of {period}, the only one with account {number}, was taken back; "
            f"`billclose why {number}` tells what became of it.",
            "unknown-account",
        )
    is_near = known.account_key.startswith(key[:3], autoescape=True)
    start = sa.select(known.account_key).where(is_near).order_by(known.account_key).limit(2_000)
    near = get_close_matches(key, list(books.scalars(start)), n=9) if key else []
    hint = ""
    if near:
        likeliest = max(near, key=lambda one: _alike(one, key))
        nearest = sa.select(account.c.account).where(account.c.account_key == likeliest).limit(1)
        hint = f"did you mean {books.scalar(nearest)}? "
    raise Misuse(
        f"No closed period has an account {number}; {hint}`billclose find TEXT` looks for it.",
        "unknown-account",
    )


def _alike(one: str, other: str) -> int:
    """Count the signs that two numbers begin with alike."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _part(office: Office, books: Connection, what: str, key: str, zone: tzinfo | None) -> list[Row]:
    listed = select_list(office, what)
    if what in NOT_BEFORE_THE_CLOSE:
        listed = listed.where(listed.selected_columns["period"].in_(closed_periods()))
    return _rows(books, listed, key, zone, LISTS[what].order)


def _rows(
    books: Connection,
    listed: sa.Select[Any],
    key: str,
    zone: tzinfo | None,
    order: tuple[str, ...] = (),
) -> list[Row]:
    shown = listed.subquery()
    query = sa.select(shown).where(shown.c._account_key == key)
    query = query.order_by(*(shown.c[name].desc() for name in order))
    return list(_plain(books, query, zone))


def _plain(books: Connection, query: sa.Select[Any], zone: tzinfo | None) -> Iterator[Row]:
    return shown_rows(books.execute(query), zone)


def _methods(
    office: Office, books: Connection, key: str, links: list[Row], zone: tzinfo | None
) -> list[Row]:
    """Give the methods of whoever is linked, and the one that autopay draws from (rule 117)."""
    shown = select_list(office, "payment-methods").subquery()
    mailboxes = {str(row["portal_user"]).casefold() for row in links}
    tokens = sa.union(
        sa.select(mandate.c.method_token).where(mandate.c.account_key == key, mandate.c.active),
        sa.select(enrollment.c.method_token).where(
            enrollment.c.account_key == key, enrollment.c.cancelled_at.is_(None)
        ),
    )
    query = sa.select(shown).where(
        sa.or_(shown.c._mailbox.in_(mailboxes), shown.c._token.in_(tokens))
    )
    return list(_plain(books, query.order_by(shown.c._mailbox, shown.c.last4), zone))


def _told(key: str) -> sa.Select[Any]:
    rows = account_change.c
    query = sa.select(rows.field, rows.value, rows.told_at).where(rows.account_key == key)
    return query.order_by(rows.id.desc())


def _holds(key: str) -> sa.Select[Any]:
    rows = reminder_hold.c
    query = sa.select(
        rows.number,
        rows.until,
        rows.reason,
        rows.placed_at,
        rows.placed_by,
        rows.lifted_at,
        rows.lifted_by,
        rows.lift_reason,
    )
    return query.where(rows.account_key == key).order_by(rows.number.desc())


def _acts(number: str) -> sa.Select[Any]:
    rows = audit.c
    query = sa.select(rows.at, rows.who, rows.action, rows.subject, rows.detail)
    return query.where(rows.subject == number).order_by(rows.id.desc())
