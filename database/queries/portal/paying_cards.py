"""The cards of wallets that autopay draws from: until when each is good, and what it pays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.identity import wallet_method, web_user
from database.prepared import Prepared
from database.queries.mandates import mandates_in_force
from database.tables import account, balance_due, enrollment, mandate, suspended_method
from domain.accounts import AccountStatus
from domain.identity import UserState
from domain.payment_methods import method_key
from domain.payments import MethodKind

SOME = 500  # keys in one question


@dataclass(frozen=True, slots=True)
class PaidAccount:
    """An account that a card pays, and the closed period that it stands with."""

    key: str
    number: str
    period: str


@dataclass(frozen=True, slots=True)
class PayingCard:
    """A card that autopay draws from; `accounts` in the order of their keys, at least one."""

    token: str = field(repr=False)
    last4: str
    brand: str
    expires_on: date  # the last local day on which it is good
    address: str  # its owner's
    accounts: tuple[PaidAccount, ...]

    @property
    def key(self) -> str:
        return method_key(self.token)

    @property
    def about(self) -> str:
        """Name the card and its last month: what is told of it is told once for each."""
        return f"{self.key}/{self.expires_on:%Y-%m}"


def read_paying_cards(
    books: Connection,
    *,
    since: date = date.min,
    until: date = date.max,
    mailbox: str | None = None,
) -> list[PayingCard]:
    """
    Return the cards in force whose last day is known and that autopay draws from.

    Those that are good no longer than `until`, and at least to `since`; one owner's or everybody's.
    What an export knows has no last day. A card that the gateway refused for good is left out: of
    that its owner is told otherwise (rule 118: nobody but the owner is).
    """
    limits = {"since": since, "until": until}
    if mailbox is None:
        rows = _EVERYBODYS.rows(books, limits)
    else:
        rows = _OF_MAILBOX.rows(books, limits | {"mailbox": mailbox})
    paid = _paid_by(books, [row.token for row in rows]) if rows else {}
    return [
        PayingCard(row.token, row.last4, row.brand, row.expires_on, row.address, paid[row.token])
        for row in rows
        if row.token in paid
    ]


def _cards(*conditions: sa.ColumnElement[bool]) -> Prepared:
    own = wallet_method.c
    return Prepared(
        sa.select(own.token, own.last4, own.brand, own.expires_on, web_user.c.address)
        .join(web_user, web_user.c.number == own.user_number)
        .where(
            own.kind == MethodKind.CARD,
            own.removed_at.is_(None),
            own.expires_on.between(
                sa.bindparam("since", type_=sa.Date), sa.bindparam("until", type_=sa.Date)
            ),
            web_user.c.state != UserState.DELETED,
            ~sa.exists().where(suspended_method.c.method_token == own.token),
            *conditions,
        )
        .order_by(own.expires_on, own.token)
    )


_EVERYBODYS = _cards()
_OF_MAILBOX = _cards(web_user.c.mailbox == sa.bindparam("mailbox"))


def _paid_by(books: Connection, tokens: list[str]) -> dict[str, tuple[PaidAccount, ...]]:
    """Return what each token pays by the mandates in force; a closed account is not billed."""
    keys: set[str] = set()
    for some in _chunks(tokens):
        keys |= set(books.scalars(_candidates(some)))
    wanted, found = set(tokens), dict[str, list[PaidAccount]]()
    for some in _chunks(sorted(keys)):
        agreed = mandates_in_force(None, some)
        stands = balance_due.c
        query = (
            sa.select(agreed.c.method_token, stands.account_key, stands.account, stands.period)
            .join(balance_due, stands.account_key == agreed.c.account_key)
            .join(
                account,
                sa.and_(
                    account.c.period == stands.period, account.c.account_key == stands.account_key
                ),
            )
            .where(account.c.status != AccountStatus.CLOSED)
            .order_by(stands.account_key)
        )
        for row in books.execute(query):
            if row.method_token in wanted:
                paid = PaidAccount(row.account_key, row.account, row.period)
                found.setdefault(row.method_token, []).append(paid)
    return {token: tuple(accounts) for token, accounts in found.items()}


def _candidates(tokens: list[str]) -> sa.Select[tuple[str]]:
    """Select the accounts that any agreement names one of the tokens for, in force or not."""
    given = sa.select(enrollment.c.account_key).where(
        enrollment.c.method_token.in_(tokens), enrollment.c.cancelled_at.is_(None)
    )
    exported = sa.select(mandate.c.account_key).where(
        mandate.c.method_token.in_(tokens), mandate.c.active
    )
    return sa.select(sa.union(given, exported).subquery("candidate").c.account_key)


def _chunks(values: list[str]) -> Iterable[list[str]]:
    return (values[first : first + SOME] for first in range(0, len(values), SOME))
