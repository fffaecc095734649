"""Who gets texts instead of mails now: whoever agreed, and has not taken it back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.identity import web_user
from database.definitions.texts import text_consent
from domain.identity import UserState


@dataclass(frozen=True, slots=True)
class TextReader:
    """A portal user who reads texts, and where."""

    user: int
    mailbox: str
    phone: str
    language: str


def readers_of(books: Connection, mailboxes: Collection[str]) -> dict[str, TextReader]:
    """Return the readers among the owners of mailboxes, by mailbox."""
    if not mailboxes:  # a receipt of a payment by hand is none of theirs, and its payer waits
        return {}
    query = select_readers().where(web_user.c.mailbox.in_(mailboxes))
    return {row.mailbox: TextReader(*row) for row in books.execute(query)}


def news_readers_of(books: Connection, mailboxes: Collection[str]) -> set[str]:
    """Return which owners of mailboxes have agreed to texts about more than their own bills."""
    query = select_readers().where(web_user.c.mailbox.in_(mailboxes), text_consent.c.news)
    return {row.mailbox for row in books.execute(query)}


def reader_of(books: Connection, user: int) -> TextReader | None:
    """Return a portal user as a reader of texts; None: they get mails."""
    row = books.execute(select_readers().where(web_user.c.number == user)).first()
    return None if row is None else TextReader(*row)


@cache  # to put it together costs more than to run it
def select_readers() -> sa.Select[Any]:
    """
    Select who reads texts: the newest word about user and phone is a yes, and no STOP is newer.

    Another phone on the account page is not the one that was agreed for. A lock takes nothing
    away (ruling 11).
    """
    said, user = text_consent.c, web_user.c
    newest = (
        sa.select(sa.func.max(said.number).label("number"))
        .where(said.user_number.is_not(None))
        .group_by(said.user_number)
        .subquery("newest_consent")
    )
    written = [sa.literal(begin).concat(user.phone) for begin in ("+", "+1")]
    is_theirs = said.phone.in_(written)
    return (
        sa.select(user.number, user.mailbox, said.phone, user.language)
        .join(text_consent, said.user_number == user.number)
        .join(newest, newest.c.number == said.number)
        .where(
            said.given,
            is_theirs,
            user.state.in_((UserState.ACTIVE, UserState.LOCKED)),
            ~has_stopped(said.phone),
        )
    )


def has_stopped(phone: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Claim that a phone has answered STOP, and not START since: it gets no text of any kind."""
    word, later = text_consent.alias("phones_word"), text_consent.alias("later_word")
    return sa.exists().where(
        word.c.user_number.is_(None),
        word.c.phone == phone,
        ~word.c.given,
        ~sa.exists().where(
            later.c.user_number.is_(None),
            later.c.phone == word.c.phone,
            later.c.number > word.c.number,
        ),
    )


def is_stopped(books: Connection, phone: str) -> bool:
    """Tell whether a phone has answered STOP, and not START since."""
    found: bool | None = books.scalar(sa.select(has_stopped(sa.literal(phone))))
    return bool(found)
