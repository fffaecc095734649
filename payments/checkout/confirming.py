"""A customer's payment by hand: drafted for the check page, then drawn by one yes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.definitions.checkout import cart_line, checkout, checkout_line
from database.ledger.locking import lock_balances
from database.tables import draw, gateway_payment
from domain.checkout import (
    LASTS,
    Checkout,
    CheckoutOwner,
    CheckoutState,
    NotTaken,
    PayableAccount,
    PayLine,
    PayMethod,
    PayWallet,
    Refusal,
)
from domain.languages import ENGLISH
from domain.money import Money
from domain.payments import DRAW, PAYMENT, PaymentKind
from payments.checkout.facts import (
    LINE,
    lock_guest_method,
    newest_period,
    read_checkout,
    read_payable,
    read_wallet,
)
from payments.collecting.collecting import CollectCounts, GatewaySession, draw_claimed
from payments.collecting.draws import Draw, find_draws
from payments.port import PaymentGateway
from payments.terms import Clock, CollectionTerms
from rules.money.checkout import CheckoutPolicy, refuse_checkout

_NEW_PAYMENT, _NEW_DRAW = gateway_payment.insert(), draw.insert()  # put together once
Consent = Callable[[PayMethod, Money], str]


def no_consent(_method: PayMethod, _total: Money) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class PayWish:
    """
    What somebody wants to pay: these lines, with this method of theirs.

    `language` is that of the page on which they say so.
    """

    owner: CheckoutOwner
    lines: tuple[PayLine, ...]
    token: str
    language: str = ENGLISH


def draft_checkout(
    books: Connection,
    key: str,
    wish: PayWish,
    policy: CheckoutPolicy,
    now: datetime,
    consent: Consent = no_consent,
) -> Refusal | None:
    """
    Record what the check page is to show under a new random key; return why not, or None.

    Nothing is asked of anybody yet. It may be said yes to for half an hour. The text by which a
    bank account is debited is kept as it is shown: NACHA's rules want that of debits agreed to on
    a page (WEB). `consent` says it of a method and a total; empty where none is needed.
    """
    owner = wish.owner
    accounts = read_payable(books, owner, (line.account_key for line in wish.lines))
    wallet = read_wallet(books, owner, accounts.values())
    method = wallet.method(wish.token)
    refusal = _refuse(wish.lines, accounts, wallet, wish.token, policy, owner)
    if refusal is None and _place_of(books, accounts) is None:
        refusal = Refusal(NotTaken.NOT_YET)
    if refusal is not None or method is None:
        return refusal or Refusal(NotTaken.METHOD_GONE)
    fee = policy.fee_of(method.kind, wish.lines)
    total = Money.total(line.amount for line in wish.lines) + fee
    books.execute(
        checkout.insert().values(
            key=key,
            user_number=owner.user,
            guest=owner.guest,
            address=owner.address,
            language=wish.language,
            service_fee=fee,
            method_token=method.token,
            method_kind=method.kind,
            last4=method.last4,
            state=CheckoutState.DRAFT,
            consent=consent(method, total),
            made_at=now,
            expires_at=now + LASTS,
        )
    )
    rows = [
        {"checkout": key, "number": number} | {name: getattr(line, name) for name in LINE}
        for number, line in enumerate(wish.lines, 1)
    ]
    books.execute(checkout_line.insert(), rows)
    return None


def confirm_checkout(
    database: Database,
    gateway: PaymentGateway,
    key: str,
    owner: CheckoutOwner,
    now: Clock,
    terms: CollectionTerms,
    policy: CheckoutPolicy,
    returns_to: str = "",
) -> bool:
    """
    Draw a checkout that its customer says yes to, once; tell whether this yes was the first.

    Whoever comes later, by a second click, tab or reload, finds it submitted and asks nothing:
    the page shows what became of it. The draw goes through the same hands as autopay's
    (payments/collecting): a lost answer is looked up and never asked blindly, and a crash between
    any two steps is found by the next look. `returns_to` is the page to which their bank leads them
    back, if it wants them; without it such a payment is declined. Raises GatewayMisuse, after
    everything is recorded, where the gateway says that we ask wrongly.
    """
    claimed = _submit(database, key, owner, now(), policy, returns_to)
    if claimed is None:
        return False
    line = GatewaySession(gateway, now)
    draw_claimed(database, line, [claimed], terms, CollectCounts())
    if line.misuse is not None:
        raise line.misuse
    return True


def _submit(
    database: Database,
    key: str,
    owner: CheckoutOwner,
    now: datetime,
    policy: CheckoutPolicy,
    returns_to: str,
) -> Draw | None:
    """
    Move a draft to submitted and record its draw, or to refused where something has changed.

    The balances of all its lines are locked first and what is payable read after: of eight
    payments of the whole balance that come at once one is taken. The update names the state, so
    that of fifty yeses to one checkout one is the first.
    """
    with database.writing() as books:
        one = read_checkout(books, key, owner)
        if one is None:
            return None
        lock_balances(books, one.account_keys)
        lock_guest_method(books, owner, one.method.token)
        accounts = read_payable(books, owner, one.account_keys)
        wallet = read_wallet(books, owner, accounts.values())
        refusal = _refuse(one.lines, accounts, wallet, one.method.token, policy, owner)
        if refusal is None and policy.fee_of(one.method.kind, one.lines) != one.service_fee:
            refusal = Refusal(NotTaken.FEE_CHANGED)
        place = _place_of(books, accounts)
        if refusal is not None or place is None:
            refusal = refusal or Refusal(NotTaken.NOT_YET)
            given = {"not_taken": refusal.reason, "not_taken_of": refusal.account}
            _move(books, one, now, state=CheckoutState.REFUSED, **given)
            return None
        payment_key = f"checkout/{one.key}"
        if not _is_open(books, one, now):
            return None
        _record(books, one, place, payment_key, now)
        submitted = {"payment_key": payment_key, "returns_to": returns_to}
        _move(books, one, now, state=CheckoutState.SUBMITTED, **submitted)
        _empty_cart(books, one)
        for line in one.lines:
            detail = f"{payment_key}, {line.amount.dollars()}"
            record_audit(books, now, owner.who, "pay by hand", line.subject, detail)
        return find_draws(books, draw.c.payment_key == payment_key)[0]


def _refuse(
    lines: Sequence[PayLine],
    accounts: Mapping[str, PayableAccount],
    wallet: PayWallet,
    token: str,
    policy: CheckoutPolicy,
    owner: CheckoutOwner,
) -> Refusal | None:
    is_guest = owner.user is None
    return refuse_checkout(lines, accounts, wallet, token, policy, is_guest=is_guest)


def _place_of(books: Connection, accounts: Mapping[str, PayableAccount]) -> tuple[str, str] | None:
    """
    Return the period and the time zone in which a payment is booked: those of its first account.

    What is paid on no account is booked in the newest closed period.
    """
    facts = next(iter(accounts.values()), None)
    return newest_period(books) if facts is None else (facts.period, facts.timezone)


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
    books: Connection,
    one: Checkout,
    place: tuple[str, str],
    payment_key: str,
    now: datetime,
) -> None:
    """Record the payment under its first line, and the draw; each line is booked by itself."""
    first, (period, timezone) = one.lines[0], place
    books.execute(
        _NEW_PAYMENT,
        {
            "key": payment_key,
            "kind": PaymentKind.CHECKOUT,
            "period": period,
            "account_key": first.account_key or first.subject,
            "account": first.subject,
            "number": 1,
            "pay_on": now.astimezone(ZoneInfo(timezone)).date(),
            "amount": one.total,
            "service_fee": one.service_fee,
            "method_token": one.method.token,
            "method_kind": one.method.kind,
            "last4": one.method.last4,
            "immediate": True,
            "state": PAYMENT.start,
            "scheduled_at": now,
        },
    )
    books.execute(
        _NEW_DRAW,
        {
            "key": f"{payment_key}/1",
            "payment_key": payment_key,
            "number": 1,
            "amount": one.total,
            "method_token": one.method.token,
            "state": DRAW.start,
            "created_at": now,
            "lookups": 0,
        },
    )


def _empty_cart(books: Connection, one: Checkout) -> None:
    """Take out of the cart what is being paid; what was put there since stays."""
    rows, owner = cart_line.c, one.owner
    mine = rows.user_number == owner.user if owner.user is not None else rows.guest == owner.guest
    for line in one.lines:
        same = (rows[name] == getattr(line, name) for name in LINE)
        books.execute(cart_line.delete().where(mine, *same))
