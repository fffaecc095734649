"""One-time links: made for a person and an act, used once, by a button (rules 142-145, 153)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.identity import one_time_link
from domain.identity import LINK_HOURS, LinkKind
from identity.holding import hold_user, is_writing
from identity.tokens import LinkTokens, token_hash


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """A link that may still be used."""

    key: str
    kind: LinkKind
    user: int | None
    staff_number: int | None
    about: str


def make_link(
    books: Connection,
    tokens: LinkTokens,
    kind: LinkKind,
    now: datetime,
    *,
    user: int | None = None,
    staff_number: int | None = None,
    about: str = "",
) -> str:
    """
    Make a link and return its key; earlier ones of its kind for the same person end.

    The mail that brings it is queued with the key, and makes the token when it leaves.
    """
    row = one_time_link.c
    same = row.user_number == user if user is not None else row.staff_number == staff_number
    revoke_links(books, now, row.kind == kind, same, row.about == about)
    key = secrets.token_hex(16)
    books.execute(
        one_time_link.insert().values(
            key=key,
            token_sha256=token_hash(tokens.token(key)),
            kind=kind,
            user_number=user,
            staff_number=staff_number,
            about=about,
            made_at=now,
            expires_at=now + LINK_HOURS[kind],
        )
    )
    return key


def find_link(
    books: Connection, token: str, kinds: frozenset[LinkKind], now: datetime
) -> OneTimeLink | None:
    """Return the link of a token while it is good; looking changes nothing."""
    row = one_time_link.c
    by_token = (row.token_sha256 == token_hash(token), row.kind.in_(kinds))
    return _first(books, _good_links(now).where(*by_token))


def is_used(books: Connection, token: str, kinds: frozenset[LinkKind]) -> bool:
    """Tell whether a link has done what it was made for, as against one that is merely over."""
    row = one_time_link.c
    query = sa.select(row.key).where(
        row.token_sha256 == token_hash(token), row.kind.in_(kinds), row.used_at.is_not(None)
    )
    return books.scalar(query) is not None


def find_link_by_key(books: Connection, key: str) -> OneTimeLink | None:
    """Return a link that we have kept, good or not."""
    return _first(books, sa.select(one_time_link).where(one_time_link.c.key == key))


def find_link_of_user(
    books: Connection, user: int, kind: LinkKind, now: datetime
) -> OneTimeLink | None:
    """
    Return a person's link of one kind while it is good: of several made, only the last is.

    Where the transaction writes, the person is held: codes are tried one after the other.
    """
    if is_writing(books):
        hold_user(books, user)
    row = one_time_link.c
    theirs = _good_links(now).where(row.user_number == user, row.kind == kind)
    return _first(books, theirs.order_by(row.made_at.desc()))


def _good_links(now: datetime) -> sa.Select[Any]:
    """Select links that are neither used, nor taken back, nor over."""
    row = one_time_link.c
    return sa.select(one_time_link).where(
        row.used_at.is_(None), row.revoked_at.is_(None), row.expires_at > now
    )


def _first(books: Connection, query: sa.Select[Any]) -> OneTimeLink | None:
    found = books.execute(query).first()
    if found is None:
        return None
    return OneTimeLink(found.key, found.kind, found.user_number, found.staff_number, found.about)


def revoke_links(books: Connection, now: datetime, *which: sa.ColumnElement[bool]) -> int:
    """Take links back that nobody has used; return how many."""
    row = one_time_link.c
    done = books.execute(
        one_time_link.update()
        .where(*which, row.used_at.is_(None), row.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return done.rowcount


def count_wrong_code(books: Connection, link: OneTimeLink, now: datetime, most: int) -> None:
    """Count a wrong code of a link; with the last one that is allowed the link ends."""
    row = one_time_link.c
    counted = one_time_link.update().where(row.key == link.key)
    books.execute(counted.values(attempts=row.attempts + 1))
    books.execute(
        counted.where(row.attempts >= most, row.revoked_at.is_(None)).values(revoked_at=now)
    )


def use_link(books: Connection, link: OneTimeLink, now: datetime) -> bool:
    """
    Use a link; tell whether it was us: of two presses at once one does nothing.

    Whose link it is, is held from then on: what is read of them after this is what they are.
    """
    if link.user is not None:
        hold_user(books, link.user)
    row = one_time_link.c
    used = books.execute(
        one_time_link.update()
        .where(row.key == link.key, row.used_at.is_(None), row.revoked_at.is_(None))
        .values(used_at=now)
    )
    return used.rowcount == 1
