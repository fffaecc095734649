"""Browsers in which a portal user has signed in before; a new one is told to its owner."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.identity import known_browser
from identity.tokens import new_token, token_hash


def is_known(books: Connection, user: int, token: str) -> bool:
    row = known_browser.c
    query = sa.select(row.user_number).where(
        row.token_sha256 == token_hash(token), row.user_number == user
    )
    return bool(token) and books.scalar(query) is not None


def has_known_browsers(books: Connection, user: int) -> bool:
    """Tell whether there is one at all: the very first is nothing to warn of."""
    query = sa.select(known_browser.c.user_number).where(known_browser.c.user_number == user)
    return books.execute(query.limit(1)).first() is not None


def remember_browser(books: Connection, user: int, now: datetime) -> str:
    """Remember a browser; return what it keeps. The books hold the hash alone."""
    token = new_token()
    books.execute(
        known_browser.insert().values(token_sha256=token_hash(token), user_number=user, since=now)
    )
    return token
