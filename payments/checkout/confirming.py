"""A customer's payment by hand: drafted for the check page, then drawn by one yes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.definitions.checkout import checkout
from database.ledger.locking import lock_balances
from database.tables import draw, gateway_payment
from domain.checkout import LASTS, Checkout, CheckoutState, NotTaken, PayableAccount
from domain.money import Money
from domain.payments import DRAW, PAYMENT, PaymentKind
from payments.checkout.facts import read_checkout, read_payable
from payments.collecting.collecting import CollectCounts, GatewaySession, draw_claimed
from payments.collecting.draws import Draw, find_draws
from payments.port import PaymentGateway
from payments.terms import Clock, CollectionTerms
from rules.money.checkout import CheckoutPolicy, refuse_checkout


@dataclass(frozen=True, slots=True)
class PayWish:
    """What a customer typed: this much, on this account, with this method of theirs."""

    user: int
    address: str
    account_key: str
    token: str
    amount: Money


def draft_checkout(
    books: Connection, key: str, wish: PayWish, policy: CheckoutPolicy, now: datetime
) -> NotTaken | None:
    """
    Record what the check page is to show under a new random key; return why not, or None.

    Nothing is asked of anybody yet. It may be said yes to for half an hour.
    """
    facts = read_payable(books, wish.user, wish.address, wish.account_key)
    if facts is None:
        return NotTaken.ACCOUNT_GONE
    method = facts.method(wish.token)
    reason = refuse_checkout(facts, wish.token, wish.amount, policy)
    if method is None or reason is not None:
        return reason or NotTaken.METHOD_GONE
    books.execute(
        checkout.insert().values(
            key=key,
            user_number=wish.user,
            address=wish.address,
            account_key=wish.account_key,
            account=facts.account,
            amount=wish.amount,
            service_fee=policy.fee_of(method.kind, wish.amount),
            method_token=method.token,
            method_kind=method.kind,
            last4=method.last4,
            state=CheckoutState.DRAFT,
            made_at=now,
            expires_at=now + LASTS,
        )
    )
    return None


def confirm_checkout(
    database: Database,
    gateway: PaymentGateway,
    key: str,
    user: int,
    now: Clock,
    terms: CollectionTerms,
    policy: CheckoutPolicy,
) -> bool:
    """
    Draw a checkout that its customer says yes to, once; tell whether this yes was the first.

    Whoever comes later, by a second click, tab or reload, finds it submitted and asks nothing:
    the page shows what became of it. The draw goes through the same hands as autopay's
    (payments/collecting): a lost answer is looked up and never asked blindly, and a crash between
    any two steps is found by the next look.
    """
    claimed = _submit(database, key, user, now(), policy)
    if claimed is None:
        return False
    line = GatewaySession(gateway, now)
    draw_claimed(database, line, [claimed], terms, CollectCounts())
    return True


def _submit(
    database: Database, key: str, user: int, now: datetime, policy: CheckoutPolicy
) -> Draw | None:
    """
    Move a draft to submitted and record its draw, or to refused where something has changed.

    The balance is locked first and what is payable read after: of eight payments of the whole
    balance that come at once one is taken. The update names the state, so that of fifty yeses to
    one checkout one is the first.
    """
    with database.writing() as books:
        one = read_checkout(books, key, user)
        if one is None:
            return None
        lock_balances(books, [one.account_key])
        facts = read_payable(books, user, one.address, one.account_key)
        reason = _refuse(facts, one, policy)
        if facts is None or reason is not None:
            _move(books, one, now, state=CheckoutState.REFUSED, not_taken=reason)
            return None
        payment_key = f"checkout/{one.key}"
        if not _is_open(books, one, now):
            return None
        _record(books, one, facts, payment_key, now)
        _move(books, one, now, state=CheckoutState.SUBMITTED, payment_key=payment_key)
        detail = f"{payment_key}, {one.total.dollars()}"
        record_audit(books, now, f"customer {user}", "pay by hand", one.account, detail)
        return find_draws(books, draw.c.payment_key == payment_key)[0]


def _refuse(facts: PayableAccount | None, one: Checkout, policy: CheckoutPolicy) -> NotTaken | None:
    if facts is None:
        return NotTaken.ACCOUNT_GONE
    if reason := refuse_checkout(facts, one.method.token, one.amount, policy):
        return reason
    fee = policy.fee_of(one.method.kind, one.amount)
    return None if fee == one.service_fee else NotTaken.FEE_CHANGED


def _is_open(books: Connection, one: Checkout, now: datetime) -> bool:
    """Tell whether nobody has said yes to it yet, as it stands now that it is locked."""
    query = sa.select(checkout.c.key).where(*_still_open(one, now)).with_for_update()
    return books.scalar(query) is not None


def _move(books: Connection, one: Checkout, now: datetime, **values: Any) -> bool:
    moving = checkout.update().where(*_still_open(one, now)).values(submitted_at=now, **values)
    return books.execute(moving).rowcount == 1


def _still_open(one: Checkout, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    rows = checkout.c
    return (rows.key == one.key, rows.state == CheckoutState.DRAFT, rows.expires_at > now)


def _record(
    books: Connection, one: Checkout, facts: PayableAccount, payment_key: str, now: datetime
) -> None:
    books.execute(
        gateway_payment.insert().values(
            key=payment_key,
            kind=PaymentKind.CHECKOUT,
            period=facts.period,
            account_key=one.account_key,
            account=one.account,
            number=1,
            pay_on=now.astimezone(ZoneInfo(facts.timezone)).date(),
            amount=one.total,
            service_fee=one.service_fee,
            method_token=one.method.token,
            method_kind=one.method.kind,
            last4=one.method.last4,
            immediate=True,
            state=PAYMENT.start,
            scheduled_at=now,
        )
    )
    books.execute(
        draw.insert().values(
            key=f"{payment_key}/1",
            payment_key=payment_key,
            number=1,
            amount=one.total,
            method_token=one.method.token,
            state=DRAW.start,
            created_at=now,
            lookups=0,
        )
    )
