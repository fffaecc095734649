"""One row an account to look through: its newest closed period, and what a caller may say of it."""

from __future__ import annotations

import unicodedata
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.inserting import insert_new
from database.tables import account, account_search, bill_run, period_close

SIGNS_IN_PHONES = "()-. +/"
BETWEEN = "\n"  # what nobody types


def fold(text: str) -> str:
    """Return a text as it is compared: small letters without accents."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(char for char in apart if not unicodedata.combining(char)).casefold()


def refresh_search(database: Database, period: str) -> int:
    """
    Let the accounts of a closed period be found as it has them; return how many rows are new.

    After the close and by itself, so that nobody waits for it. An account that a later period
    has stays as it is there. Done again, nothing changes.
    """
    with database.writing() as books:
        books.execute(
            account_search.delete().where(
                account_search.c.account_key.in_(
                    sa.select(account.c.account_key).where(account.c.period == period)
                ),
                account_search.c.period.in_(_not_after(period)),
            )
        )
        names = [column.name for column in account_search.c]
        rows = _rows(period)
        made = books.execute(
            insert_new(books.dialect.name, account_search).from_select(names, rows)
        )
        _fold_accents(books, period)
        return made.rowcount


def forget_search(books: Connection, period: str) -> None:
    """Let the accounts of a period be found as the one before has them: its close was undone."""
    rows = account_search.c
    books.execute(account_search.delete().where(rows.period == period))
    own = sa.select(account.c.account_key).where(account.c.period == period)
    earlier = (
        sa.select(bill_run.c.period)
        .join(period_close, period_close.c.period == bill_run.c.period)
        .where(bill_run.c.period != period)
        .order_by(bill_run.c.starts_on.desc())
    )
    names = [column.name for column in account_search.c]
    for run in books.scalars(earlier).all():
        old = _rows(run).where(account.c.account_key.in_(own))
        books.execute(insert_new(books.dialect.name, account_search).from_select(names, old))
        _fold_accents(books, run)


def has_accents(books: Connection, text: Any) -> sa.ColumnElement[bool]:
    """Claim that a text has letters beyond ASCII, which each database folds in its own way."""
    if books.dialect.name == "postgresql":
        return sa.func.octet_length(text) != sa.func.length(text)
    return sa.func.length(sa.cast(text, sa.LargeBinary)) != sa.func.length(text)


def _not_after(period: str) -> sa.Select[Any]:
    this = bill_run.alias("this")
    return (
        sa.select(bill_run.c.period)
        .join(this, this.c.starts_on >= bill_run.c.starts_on)
        .where(this.c.period == period)
    )


def _rows(period: str) -> sa.Select[Any]:
    places: Any = account.c.service_address
    for column in (account.c.mailing_address, account.c.city, account.c.zip):
        places = places + BETWEEN + column
    phone: Any = account.c.phone
    for sign in SIGNS_IN_PHONES:
        phone = sa.func.replace(phone, sign, "")
    return (
        sa.select(
            account.c.account_key,
            account.c.period,
            sa.func.lower(account.c.name),
            sa.func.lower(places),
            sa.func.lower(account.c.email),
            phone,
        )
        .join(period_close, period_close.c.period == account.c.period)
        .where(account.c.period == period)
    )


def _fold_accents(books: Connection, period: str) -> None:
    """Fold the texts that a database cannot: few have letters beyond ASCII."""
    rows = account_search.c
    texts = rows.name + rows.places + rows.email
    query = sa.select(rows.account_key, rows.name, rows.places, rows.email).where(
        rows.period == period, has_accents(books, texts)
    )
    folded = [
        {"key": key, "name": fold(name), "places": fold(places), "email": fold(email)}
        for key, name, places, email in books.execute(query)
    ]
    if folded:
        books.execute(
            account_search.update()
            .where(rows.account_key == sa.bindparam("key"))
            .values({name: sa.bindparam(name) for name in ("name", "places", "email")}),
            folded,
        )
