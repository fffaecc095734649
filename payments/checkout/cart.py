"""The cart: what somebody gathers to pay in one payment (rule 195)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.checkout import cart_line
from database.inserting import one_after_the_other
from domain.checkout import CheckoutOwner, PayLine
from payments.checkout.facts import LINE

MOST_LINES = 20
KEPT = timedelta(days=7)  # what nobody paid by then is forgotten
PRESSED_TWICE = timedelta(seconds=10)  # within which the same line is the same wish

_ROWS = cart_line.c


def read_cart(books: Connection, owner: CheckoutOwner, now: datetime) -> list[tuple[int, PayLine]]:
    """Return the lines of somebody's cart with their numbers, in the order they came."""
    query = (
        sa.select(_ROWS.number, *(_ROWS[name] for name in LINE))
        .where(is_of(owner), _ROWS.added_at > now - KEPT)
        .order_by(_ROWS.number)
    )
    return [
        (row.number, PayLine(**{name: getattr(row, name) for name in LINE}))
        for row in books.execute(query)
    ]


def put_into_cart(
    books: Connection, owner: CheckoutOwner, line: PayLine, now: datetime, *, has_cart: bool
) -> bool:
    """
    Put a line into a cart; no where it is full.

    An account stands there once, with what was said last; a button that is pressed twice puts
    nothing there twice. Without the cart (rule 195) there is one line: the newest.
    """
    _wait_for_other_presses(books, owner)
    if has_cart and not line.account_key and _was_put_just_now(books, owner, line, now):
        return True
    return _put(books, owner, line, now, has_cart=has_cart)


def _put(
    books: Connection, owner: CheckoutOwner, line: PayLine, now: datetime, *, has_cart: bool
) -> bool:
    gone: list[Any] = [is_of(owner)]
    if has_cart:
        stale = _ROWS.added_at <= now - KEPT
        same = _ROWS.account_key == line.account_key if line.account_key else sa.false()
        gone.append(sa.or_(same, stale))
    books.execute(cart_line.delete().where(*gone))
    count = books.scalar(sa.select(sa.func.count()).select_from(cart_line).where(is_of(owner)))
    if (count or 0) >= MOST_LINES:
        return False
    values = {name: getattr(line, name) for name in LINE}
    books.execute(
        cart_line.insert().values(user_number=owner.user, guest=owner.guest, added_at=now, **values)
    )
    return True


def _wait_for_other_presses(books: Connection, owner: CheckoutOwner) -> None:
    one_after_the_other(books, f"cart/{owner.user or owner.guest}")


def _was_put_just_now(
    books: Connection, owner: CheckoutOwner, line: PayLine, now: datetime
) -> bool:
    same = [_ROWS[name] == getattr(line, name) for name in LINE]
    just_now = _ROWS.added_at > now - PRESSED_TWICE
    query = sa.select(_ROWS.number).where(is_of(owner), just_now, *same).limit(1)
    return books.scalar(query) is not None


def put_back_into_cart(
    books: Connection,
    owner: CheckoutOwner,
    lines: Iterable[PayLine],
    now: datetime,
    *,
    has_cart: bool,
) -> None:
    """Put the lines of a payment that came to nothing back into the cart; what is there stays."""
    _wait_for_other_presses(books, owner)
    here = [line for _, line in read_cart(books, owner, now)]
    keys = {line.account_key for line in here if line.account_key}
    for line in lines:
        if line.account_key not in keys and line not in here:
            _put(books, owner, line, now, has_cart=has_cart)


def take_out_of_cart(books: Connection, owner: CheckoutOwner, number: int) -> None:
    books.execute(cart_line.delete().where(is_of(owner), _ROWS.number == number))


def is_of(owner: CheckoutOwner) -> sa.ColumnElement[bool]:
    """Claim that a cart's line is somebody's."""
    if owner.user is not None:
        return _ROWS.user_number == owner.user
    return sa.and_(_ROWS.user_number.is_(None), _ROWS.guest == (owner.guest or "nobody"))
