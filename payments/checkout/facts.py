"""What the books know of accounts that somebody wants to pay by hand, and of a checkout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.account_changes import account_in_force
from database.definitions.checkout import checkout, checkout_line, guest_method
from database.definitions.identity import web_user
from database.definitions.in_force import wallet_in_force
from database.definitions.wallet import brand_of
from database.queries.balances import on_its_way, open_balance, stands_with
from database.queries.periods import newest_first
from database.queries.portal.accounts import accounts_of_user
from database.tables import (
    account,
    balance_due,
    bill_run,
    draw,
    gateway_payment,
    period_close,
    suspended_method,
)
from domain.checkout import (
    Checkout,
    CheckoutOwner,
    CheckoutState,
    PayableAccount,
    PayLine,
    PayMethod,
    PayWallet,
    Refusal,
)
from domain.feeds import ChangeField
from domain.identity import mailbox_of


def read_payable(
    books: Connection, owner: CheckoutOwner, keys: Iterable[str]
) -> dict[str, PayableAccount]:
    """
    Return what can be paid on accounts, by key; one that is not theirs, or not billed, is missing.

    A portal user's are those linked to them; a guest has shown a bill of each before it came into
    a line. Who decides by it has locked the balances before. Blocks are those of the newest export
    that has the account, closed or not: one that was set since then is honored (rules 136, 138).
    """
    wanted = {key for key in keys if key}
    if owner.user is not None:
        mine = accounts_of_user(books, owner.user, mailbox_of(owner.address))
        wanted &= {one.account_key for one in mine}
    found = {}
    for row in books.execute(_STANDING, {"keys": sorted(wanted)}):
        blocks = books.execute(_BLOCKS, {"key": row.account_key}).first() or row
        found[row.account_key] = PayableAccount(
            account_key=row.account_key,
            account=row.account,
            period=row.period,
            timezone=row.timezone,
            owed=row.owed,
            on_its_way=row.on_its_way,
            block_ach=row.block_ach or blocks.block_ach,
            block_card=row.block_card or blocks.block_card,
        )
    return found


def read_wallet(
    books: Connection, owner: CheckoutOwner, accounts: Iterable[PayableAccount] = ()
) -> PayWallet:
    """
    Return what somebody may pay with: their own methods, in force for these accounts.

    A guest has what they gave on the gateway's page for this very payment: what was used once is
    theirs no more. Else whoever sits at a library's computer next pays with it.
    """
    if owner.user is None:
        given = sa.select(
            guest_method.c.token,
            guest_method.c.kind,
            guest_method.c.last4,
            sa.false().label("is_default"),
            guest_method.c.brand,
        )
        is_used = sa.exists().where(
            checkout.c.method_token == guest_method.c.token,
            checkout.c.state == CheckoutState.SUBMITTED,
        )
        theirs = given.where(guest_method.c.guest == owner.guest, ~is_used)
        in_order = (guest_method.c.added_at, guest_method.c.token)
        rows = books.execute(theirs.order_by(*in_order)).all()
    else:
        periods = sorted({one.period for one in accounts}) or _newest(books)
        mailbox = mailbox_of(owner.address)
        asked = {"runs": periods, "mailbox": mailbox, "user": owner.user}
        rows = books.execute(_WALLET, asked).all()
    methods = tuple(
        PayMethod(one.token, one.kind, one.last4, bool(one.is_default), one.brand) for one in rows
    )
    suspended = sa.select(suspended_method.c.method_token).where(
        suspended_method.c.method_token.in_([one.token for one in methods])
    )
    return PayWallet(methods, frozenset(books.scalars(suspended)))


def lock_guest_method(books: Connection, owner: CheckoutOwner, token: str) -> None:
    """Let nobody else begin to pay with what a guest gave, until this transaction ends."""
    if owner.user is None:
        mine = sa.select(guest_method.c.token).where(guest_method.c.token == token)
        books.execute(mine.with_for_update())


def newest_period(books: Connection) -> tuple[str, str] | None:
    """Return the newest closed period and its time zone; before the first close there is none."""
    row = books.execute(_NEWEST).first()
    return None if row is None else (row.period, row.timezone)


def _newest(books: Connection) -> list[str]:
    """The newest closed period's wallets are those of who pays on no account."""
    newest = newest_period(books)
    return [] if newest is None else [newest[0]]


def read_checkout(books: Connection, key: str, owner: CheckoutOwner) -> Checkout | None:
    """Return a checkout as it stands; None where it is not theirs."""
    if owner.user is not None:
        row = books.execute(_OF_USER, {"key": key, "owner": owner.user}).first()
    else:
        row = books.execute(_OF_GUEST, {"key": key, "owner": owner.guest or "nobody"}).first()
    return None if row is None else to_checkout(row, read_lines(books, key))


def read_lines(books: Connection, key: str) -> tuple[PayLine, ...]:
    """Return what a checkout pays, in its own order."""
    return tuple(PayLine(**row._mapping) for row in books.execute(_LINES, {"key": key}))


def to_checkout(row: Any, lines: Sequence[PayLine]) -> Checkout:
    refusal = None
    if row.not_taken is not None:
        refusal = Refusal(row.not_taken, row.not_taken_of)
    return Checkout(
        key=row.key,
        owner=CheckoutOwner(row.user_number, row.address, row.guest),
        lines=tuple(lines),
        service_fee=row.service_fee,
        method=PayMethod(row.method_token, row.method_kind, row.last4, brand=row.brand),
        state=row.state,
        refusal=refusal,
        expires_at=row.expires_at,
        payment=row.payment_state,
        confirmation=row.confirmation or "",
        error=row.error or "",
        advice=row.advice,
        taken_at=row.taken_at,
        consent=row.consent,
        bank_page=row.bank_page,
    )


LINE = ("account_key", "account", "amount", "distribution", "title", "payor", "comment")
_METHODS = (ChangeField.BLOCK_ACH, ChangeField.BLOCK_CARD)
_KEYS: sa.BindParameter[list[str]] = sa.bindparam("keys", expanding=True)
_RUNS: sa.BindParameter[list[str]] = sa.bindparam("runs", expanding=True)
_STANDING = (
    sa.select(
        balance_due.c.account_key,
        balance_due.c.account,
        balance_due.c.period,
        bill_run.c.timezone,
        open_balance().label("owed"),
        on_its_way(balance_due.c.account_key).label("on_its_way"),
        *(account_in_force(account, name).label(name.value) for name in _METHODS),
    )
    .join(bill_run, bill_run.c.period == balance_due.c.period)
    .join(account, stands_with(account))
    .where(balance_due.c.account_key.in_(_KEYS))
    .order_by(balance_due.c.account_key)
)
_BLOCKS = (
    sa.select(*(account_in_force(account, name).label(name.value) for name in _METHODS))
    .join(bill_run, bill_run.c.period == account.c.period)
    .where(account.c.account_key == sa.bindparam("key"))
    .order_by(*newest_first())
    .limit(1)
)
_DEFAULT = sa.select(web_user.c.default_method).where(web_user.c.number == sa.bindparam("user"))
_WALLET = (
    sa.select(
        wallet_in_force.c.token,
        wallet_in_force.c.kind,
        wallet_in_force.c.last4,
        (wallet_in_force.c.token == _DEFAULT.scalar_subquery()).label("is_default"),
        brand_of(wallet_in_force.c.token).label("brand"),
    )
    .where(
        wallet_in_force.c.period.in_(_RUNS),
        sa.func.lower(wallet_in_force.c.portal_user) == sa.bindparam("mailbox"),
    )
    .distinct()
    .order_by(
        sa.desc("is_default"),
        wallet_in_force.c.kind,
        wallet_in_force.c.last4,
        wallet_in_force.c.token,
    )
)
_NEWEST = (
    sa.select(bill_run.c.period, bill_run.c.timezone)
    .join(period_close, period_close.c.period == bill_run.c.period)
    .order_by(bill_run.c.ends_on.desc(), bill_run.c.period.desc())
    .limit(1)
)
_CHECKOUT = (
    sa.select(
        checkout,
        brand_of(checkout.c.method_token).label("brand"),
        gateway_payment.c.state.label("payment_state"),
        gateway_payment.c.confirmation,
        gateway_payment.c.error,
        gateway_payment.c.taken_at,
        draw.c.advice,
    )
    .outerjoin(gateway_payment, gateway_payment.c.key == checkout.c.payment_key)
    .outerjoin(draw, draw.c.payment_key == gateway_payment.c.key)
)
_OF_KEY = _CHECKOUT.where(checkout.c.key == sa.bindparam("key"))
_OF_USER = _OF_KEY.where(checkout.c.user_number == sa.bindparam("owner"))
_OF_GUEST = _OF_KEY.where(checkout.c.guest == sa.bindparam("owner"))
_LINES = (
    sa.select(*(checkout_line.c[name] for name in LINE))
    .where(checkout_line.c.checkout == sa.bindparam("key"))
    .order_by(checkout_line.c.number)
)
