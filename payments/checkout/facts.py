"""What the books know of an account that its customer wants to pay, and of a checkout."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.checkout import checkout
from database.definitions.in_force import wallet_in_force
from database.queries.balances import on_its_way, open_balance
from database.queries.portal.accounts import accounts_of_user
from database.tables import account, balance_due, bill_run, draw, gateway_payment, suspended_method
from domain.checkout import Checkout, PayableAccount, PayMethod
from domain.identity import mailbox_of


def read_payable(books: Connection, user: int, address: str, key: str) -> PayableAccount | None:
    """
    Return what a portal user can pay on an account; None where it is not theirs, or not billed.

    Who decides by it has locked the balance before. Blocks are those of the newest export that
    has the account, closed or not: one that was set since then is honored (rules 136, 138).
    """
    mailbox = mailbox_of(address)
    if key not in {one.account_key for one in accounts_of_user(books, user, mailbox)}:
        return None
    row = books.execute(_STANDING, {"key": key}).one_or_none()
    if row is None:
        return None
    blocks = books.execute(_BLOCKS, {"key": key}).first() or row
    wallet = books.execute(_WALLET, {"period": row.period, "mailbox": mailbox})
    methods = tuple(PayMethod(one.token, one.kind, one.last4) for one in wallet)
    suspended = sa.select(suspended_method.c.method_token).where(
        suspended_method.c.method_token.in_([one.token for one in methods])
    )
    return PayableAccount(
        account_key=key,
        account=row.account,
        period=row.period,
        timezone=row.timezone,
        owed=row.owed,
        on_its_way=row.on_its_way,
        block_ach=row.block_ach or blocks.block_ach,
        block_card=row.block_card or blocks.block_card,
        wallet=methods,
        suspended=frozenset(books.scalars(suspended)),
    )


def read_checkout(books: Connection, key: str, user: int) -> Checkout | None:
    """Return a checkout as it stands; None where it is not the user's."""
    query = _CHECKOUT.where(checkout.c.key == key, checkout.c.user_number == user)
    row = books.execute(query).first()
    return None if row is None else to_checkout(row)


def to_checkout(row: Any) -> Checkout:
    return Checkout(
        key=row.key,
        user=row.user_number,
        address=row.address,
        account_key=row.account_key,
        account=row.account,
        amount=row.amount,
        service_fee=row.service_fee,
        method=PayMethod(row.method_token, row.method_kind, row.last4),
        state=row.state,
        not_taken=row.not_taken,
        expires_at=row.expires_at,
        payment=row.payment_state,
        confirmation=row.confirmation or "",
        error=row.error or "",
        advice=row.advice,
        taken_at=row.taken_at,
    )


_STANDING = (
    sa.select(
        balance_due.c.account,
        balance_due.c.period,
        bill_run.c.timezone,
        open_balance().label("owed"),
        on_its_way(balance_due.c.account_key).label("on_its_way"),
        account.c.block_ach,
        account.c.block_card,
    )
    .join(bill_run, bill_run.c.period == balance_due.c.period)
    .join(
        account,
        sa.and_(
            account.c.period == balance_due.c.period,
            account.c.account_key == balance_due.c.account_key,
        ),
    )
    .where(balance_due.c.account_key == sa.bindparam("key"))
)
_BLOCKS = (
    sa.select(account.c.block_ach, account.c.block_card)
    .join(bill_run, bill_run.c.period == account.c.period)
    .where(account.c.account_key == sa.bindparam("key"))
    .order_by(bill_run.c.ends_on.desc())
    .limit(1)
)
_WALLET = (
    sa.select(wallet_in_force.c.token, wallet_in_force.c.kind, wallet_in_force.c.last4)
    .where(
        wallet_in_force.c.period == sa.bindparam("period"),
        sa.func.lower(wallet_in_force.c.portal_user) == sa.bindparam("mailbox"),
    )
    .order_by(wallet_in_force.c.kind, wallet_in_force.c.last4, wallet_in_force.c.token)
)
_CHECKOUT = (
    sa.select(
        checkout,
        gateway_payment.c.state.label("payment_state"),
        gateway_payment.c.confirmation,
        gateway_payment.c.error,
        gateway_payment.c.taken_at,
        draw.c.advice,
    )
    .outerjoin(gateway_payment, gateway_payment.c.key == checkout.c.payment_key)
    .outerjoin(draw, draw.c.payment_key == gateway_payment.c.key)
)
