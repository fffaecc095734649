"""A portal user's wallet: payment methods as tokens, never numbers (rules 117-122)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.definitions.identity import wallet_method, web_user
from database.definitions.in_force import wallet_in_force
from database.inserting import insert_new
from database.queries.periods import newest_first
from database.queries.portal.accounts import accounts_of_user
from database.queries.portal.bound_methods import accounts_bound_to, lock_runs, newest_runs
from database.tables import bill_run, suspended_method
from domain.failures import Refused
from domain.identity import mailbox_of
from domain.payment_methods import method_key, say_method
from domain.payments import MethodKind
from identity.activity import record_activity


class WalletOwner(Protocol):
    """Whose wallet it is: signed in, or come by a mailed link."""

    @property
    def number(self) -> int: ...

    @property
    def address(self) -> str: ...

    @property
    def who(self) -> str: ...


@dataclass(frozen=True, slots=True)
class SavedMethod:
    """
    A card or bank account in somebody's wallet; `key` stands for it in addresses and forms.

    A suspended one cannot be drawn from: the bank said so.
    """

    token: str = field(repr=False)
    kind: MethodKind
    last4: str
    brand: str = ""
    expires_on: date | None = None
    is_default: bool = False
    is_suspended: bool = False

    @property
    def key(self) -> str:
        return method_key(self.token)

    def is_over(self, today: date) -> bool:
        return self.expires_on is not None and self.expires_on < today


def wallet_of(books: Connection, user: int, address: str) -> list[SavedMethod]:
    """
    Return a portal user's payment methods, the default one first (rules 117, 122).

    In force is what was added here, and what the newest exports of the user's accounts hold for
    the user's mailbox; nobody else's, whoever sees the same account (rules 118, 135).
    """
    default = books.scalar(sa.select(web_user.c.default_method).where(web_user.c.number == user))
    suspended = set(books.scalars(sa.select(suspended_method.c.method_token)))
    own = wallet_method.c
    added = books.execute(
        sa.select(own.token, own.kind, own.last4, own.brand, own.expires_on)
        .where(own.user_number == user, own.removed_at.is_(None))
        .order_by(own.added_at)
    ).all()
    rows: dict[str, Any] = {row.token: row for row in added}
    for row in _exported(books, user, address):
        rows.setdefault(row.token, row)
    found = [
        SavedMethod(
            row.token,
            row.kind,
            row.last4,
            row.brand,
            row.expires_on,
            row.token == default,
            row.token in suspended,
        )
        for row in rows.values()
    ]
    return sorted(found, key=lambda one: not one.is_default)


def _exported(books: Connection, user: int, address: str) -> list[Any]:
    mailbox = mailbox_of(address)
    keys = [one.account_key for one in accounts_of_user(books, user, mailbox)]
    last = books.scalar(sa.select(bill_run.c.period).order_by(*newest_first()).limit(1))
    runs = {*newest_runs(books, keys).values(), *filter(None, [last])}
    rows = wallet_in_force.c
    query = sa.select(
        rows.token,
        rows.kind,
        rows.last4,
        sa.literal("").label("brand"),
        sa.cast(sa.null(), sa.Date).label("expires_on"),
    ).where(rows.period.in_(runs), rows.portal_user == mailbox)
    return list(books.execute(query.distinct().order_by(rows.token)))


def find_saved(books: Connection, user: int, address: str, key: str) -> SavedMethod | None:
    """Return one of a user's methods by its key; None for anybody else's."""
    return next((one for one in wallet_of(books, user, address) if one.key == key), None)


def save_method(
    books: Connection, who: WalletOwner, method: SavedMethod, now: datetime, mandate: str = ""
) -> bool:
    """
    Add a method to a wallet, once; the first one is the default. False: it was there.

    `mandate` is the gateway's number of what was agreed to; the audit list keeps it.
    """
    is_first = not wallet_of(books, who.number, who.address)
    values = {
        "token": method.token,
        "user_number": who.number,
        "kind": method.kind,
        "last4": method.last4,
        "brand": method.brand,
        "expires_on": method.expires_on,
        "added_at": now,
    }
    if not _insert(books, values):
        return False
    if is_first:
        _set_default(books, who.number, method.token)
    _record(books, who, "payment method added", method, now, mandate)
    return True


def choose_default(books: Connection, who: WalletOwner, method: SavedMethod, now: datetime) -> None:
    """Offer a method first from now on; no autopay moves by it (ruling 12)."""
    _set_default(books, who.number, method.token)
    _record(books, who, "default payment method chosen", method, now)


def remove_method(books: Connection, who: WalletOwner, method: SavedMethod, now: datetime) -> None:
    """
    Take a method out of a wallet for good (rules 120, 121).

    Raises Refused (`method-in-use`) while an autopay binds to it or a payment of it is open
    (ruling 12). What an export holds stays away until a later export brings it again.
    """
    lock_runs(books)
    bound = accounts_bound_to(books, method.token)
    if bound:
        raise Refused(
            "method-in-use",
            f"The payment method is in use by autopay of {', '.join(bound)}; end that first. "
            "Nothing was changed.",
        )
    values = {
        "token": method.token,
        "user_number": who.number,
        "kind": method.kind,
        "last4": method.last4,
        "added_at": now,
        "removed_at": now,
    }
    if not _insert(books, values):
        mine = sa.and_(
            wallet_method.c.token == method.token, wallet_method.c.user_number == who.number
        )
        books.execute(wallet_method.update().where(mine).values(removed_at=now))
    if method.is_default:
        _set_default(books, who.number, "")
    _record(books, who, "payment method removed", method, now)


def _insert(books: Connection, values: dict[str, Any]) -> bool:
    new = insert_new(books.dialect.name, wallet_method).values(values)
    return books.execute(new).rowcount == 1


def _set_default(books: Connection, user: int, token: str) -> None:
    books.execute(web_user.update().where(web_user.c.number == user).values(default_method=token))


def _record(
    books: Connection,
    who: WalletOwner,
    kind: str,
    method: SavedMethod,
    now: datetime,
    mandate: str = "",
) -> None:
    detail = say_method(method.kind, method.last4, method.brand)
    record_activity(books, who.number, kind, now, detail=detail)
    agreed = f"{detail}, mandate {mandate}" if mandate else detail
    record_audit(books, now, who.who, kind, who.who, agreed)
