"""Claiming payments whose day has come: looked at anew, then a draw is recorded or a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.definitions.account_changes import IN_FORCE, account_in_force
from database.definitions.checkout import checkout, checkout_line
from database.inserting import insert_new
from database.ledger.locking import lock_balances
from database.queries.arrangements.deferred import deferred
from database.queries.balances import open_balance
from database.queries.mandates import mandates_in_force
from database.queries.outsorted import is_outsorted
from database.queries.periods import newest_first
from database.tables import (
    account,
    balance_due,
    bill_run,
    draw,
    gateway_payment,
    scheduled_payment,
    suspended_method,
)
from database.types import written_out
from domain.accounts import AccountStatus
from domain.money import ZERO, Money
from domain.payments import DRAW, DrawState, PaymentKind, PaymentState
from payments.collecting.draws import (
    Draw,
    find_draws,
    lock_balances_of,
    move_locked_payment,
    paid_otherwise,
)
from payments.collecting.recording import record_never_asked
from payments.terms import CollectionTerms
from rules.money.drawing import Drawable, NoDraw, decide_draw

_PAYMENT = scheduled_payment.c
_RUN, _TODAY = sa.bindparam("run", type_=sa.String()), sa.bindparam("today", type_=sa.Date())
_KEYS = sa.bindparam("keys", type_=sa.String(), expanding=True)
_ACCOUNTS = sa.bindparam("accounts", type_=sa.String(), expanding=True)


def due_keys(period: str, today: date) -> sa.Select[Any]:
    """
    Select the keys of a run's due payments and of their accounts, in the payments' order.

    Those with an open draw of their own are left out.
    """
    return (
        sa.select(_PAYMENT.key, _PAYMENT.account_key)
        .where(_PAYMENT.period == period, *_is_due(today))
        .order_by(_PAYMENT.key)
    )


def read_due(
    books: Connection, period: str, today: date, due: Sequence[Any], *, locked: bool = True
) -> Sequence[Any]:
    """
    Read some of the `due_keys` with all that decides about them, as far as they are due still.

    Status and blocks are those of the newest export that has the account, or what the feed told
    since it was written: a block is honored from when it is known (rule 138). Some at a time:
    everybody's mandates for each batch would make a large town's draws dearer than a small one's.
    """
    return books.execute(_due_payments(locked), _some(period, today, due)).all()


@cache
def _due_payments(locked: bool) -> sa.Select[Any]:
    query = _drawables().where(*_is_due(_TODAY))
    return query.with_for_update(of=scheduled_payment) if locked else query


def _some(period: str, today: date, due: Sequence[Any]) -> dict[str, Any]:
    """Name some payments of a run, for a statement that is said once and asked of each batch."""
    return {
        _RUN.key: period,
        _TODAY.key: today,
        _KEYS.key: [row.key for row in due],
        _ACCOUNTS.key: [row.account_key for row in due],
    }


@cache
def _drawables() -> sa.Select[Any]:
    newest = account.alias("newest")
    in_force = mandates_in_force(_RUN, _ACCOUNTS)
    return (
        sa.select(
            *(_PAYMENT[name] for name in ("key", "period", "account", "amount", "method_token")),
            _PAYMENT.account_key,
            _PAYMENT.number,
            _last_draw().label("last_draw"),
            _PAYMENT.method_kind,
            *(account_in_force(newest, name).label(name.value) for name in IN_FORCE),
            account.c.status.label("billed_status"),
            account.c.equal_pay_amount,
            open_balance().label("open_balance"),
            deferred(_PAYMENT.account_key, _TODAY).label("deferred"),
            in_force.c.maximum,
            in_force.c.pays_up_to_maximum,
            in_force.c.account_key.is_(None).label("is_mandate_ended"),
            is_outsorted(_PAYMENT.period, _PAYMENT.account_key).label("is_held"),
            sa.exists()
            .where(suspended_method.c.method_token == _PAYMENT.method_token)
            .label("is_suspended"),
            _is_in_doubt().label("is_in_doubt"),
        )
        .join(account, _of_the_payment(account))
        .join(
            newest,
            sa.and_(newest.c.account_key == _PAYMENT.account_key, newest.c.period == _newest_run()),
        )
        .outerjoin(balance_due, _of_the_payment(balance_due))
        .outerjoin(
            in_force,
            sa.and_(
                in_force.c.account_key == _PAYMENT.account_key,
                in_force.c.method_token == _PAYMENT.method_token,
            ),
        )
        .where(_PAYMENT.key.in_(_KEYS))
        .order_by(_PAYMENT.key)
    )


def to_drawable(row: Any) -> Drawable:
    equal = row.billed_status is AccountStatus.ACTIVE and row.equal_pay_amount is not None
    return Drawable(
        amount=row.amount,
        open_balance=row.open_balance,
        method_kind=row.method_kind,
        status=row.status,
        maximum=row.maximum,
        pays_up_to_maximum=row.pays_up_to_maximum,
        pays_equal_amount=equal,
        direct_pay=row.direct_pay,
        block_ach=row.block_ach,
        block_card=row.block_card,
        is_held=row.is_held,
        is_mandate_ended=row.is_mandate_ended,
        is_suspended=row.is_suspended,
        is_in_doubt=row.is_in_doubt,
        is_again=row.number > 1,
        deferred=row.deferred,
    )


_OPEN = (DrawState.CREATED, DrawState.ASKED, DrawState.APPROVED)


def _is_due(today: date | sa.BindParameter[date]) -> tuple[sa.ColumnElement[bool], ...]:
    has_draw = sa.exists().where(draw.c.payment_key == _PAYMENT.key, draw.c.state.in_(_OPEN))
    return (_PAYMENT.state == PaymentState.SCHEDULED, _PAYMENT.pay_on <= today, ~has_draw)


def _of_the_payment(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.period == _PAYMENT.period, table.c.account_key == _PAYMENT.account_key)


def _newest_run() -> sa.ScalarSelect[str]:
    """The newest export that has the payment's account."""
    having = account.alias("having")
    query = (
        sa.select(bill_run.c.period)
        .where(
            sa.exists()
            .where(
                having.c.period == bill_run.c.period, having.c.account_key == _PAYMENT.account_key
            )
            .correlate(bill_run, scheduled_payment)
        )
        .order_by(*newest_first())
        .limit(1)
    )
    return query.correlate(scheduled_payment).scalar_subquery()


def _last_draw() -> sa.ScalarSelect[int]:
    """The number of the payment's newest draw, 0 before the first."""
    newest = sa.func.coalesce(sa.func.max(draw.c.number), 0)
    return sa.select(newest).where(draw.c.payment_key == _PAYMENT.key).scalar_subquery()


def _is_in_doubt() -> sa.ColumnElement[bool]:
    other = gateway_payment.alias("other")
    is_open = draw.c.state.in_((DrawState.CREATED, DrawState.ASKED))
    by_autopay = sa.exists().where(
        other.c.account_key == _PAYMENT.account_key,
        other.c.key != _PAYMENT.key,
        draw.c.payment_key == other.c.key,
        is_open,
    )
    by_hand = sa.exists().where(
        checkout_line.c.account_key == _PAYMENT.account_key,
        checkout.c.key == checkout_line.c.checkout,
        draw.c.payment_key == checkout.c.payment_key,
        is_open,
    )
    return sa.or_(by_autopay, by_hand)


@dataclass(slots=True)
class Claim:
    """What one transaction claimed: draws to be asked for, and payments that are not drawn."""

    draws: list[Draw] = field(default_factory=list)
    cancelled: int = 0
    waiting: int = 0


def runs_with_due_payments(database: Database, now: datetime) -> list[tuple[str, date]]:
    """Return the runs that have payments waiting, each with its local date of today (rule 47)."""
    query = (
        sa.select(bill_run.c.period, bill_run.c.timezone)
        .where(
            sa.exists().where(
                scheduled_payment.c.period == bill_run.c.period,
                scheduled_payment.c.state == PaymentState.SCHEDULED,
            )
        )
        .order_by(bill_run.c.ends_on, bill_run.c.period)
    )
    with database.reading() as books:
        rows = books.execute(query).all()
    return [(row.period, now.astimezone(ZoneInfo(row.timezone)).date()) for row in rows]


UNASKED_FOR = timedelta(minutes=5)  # a customer's request that is not asked by then is dead


def abandon_unasked(database: Database, now: datetime) -> int:
    """
    Give up the draws that were recorded and never asked for: nobody can have drawn them.

    Those of customers only after a while: their own requests are at work beside the office.

    Their payments are looked at anew, since the balance may have changed meanwhile. The office
    collects once at a time, so that they are what a crash has left behind; a worker who was about
    to ask for one after all finds it gone and lets it be.
    """
    with database.writing() as books:
        dead = sa.or_(gateway_payment.c.kind == written_out(PaymentKind.AUTOPAY), _is_dead(now))
        left = find_draws(books, draw.c.state == DrawState.CREATED, dead)
        return sum(record_never_asked(books, one) for one in left)


def abandon_dead_checkouts(database: Database, now: datetime) -> int:
    """Give up what customers said yes to and what their request did not come to ask for."""
    with database.writing() as books:
        left = find_draws(books, draw.c.state == DrawState.CREATED, _is_dead(now))
        return sum(record_never_asked(books, one) for one in left)


def _is_dead(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        gateway_payment.c.kind == written_out(PaymentKind.CHECKOUT),
        draw.c.created_at < now - UNASKED_FOR,
    )


def list_due(database: Database, period: str, today: date, size: int) -> Iterator[Sequence[Any]]:
    """
    Yield the keys of a run's payments whose day has come, some at a time.

    A second payment of an account comes after all first ones: what it may draw is known when the
    first has its answer.
    """
    with database.reading() as books:
        due = books.execute(due_keys(period, today)).all()
    for some in _one_an_account(due):
        yield from (some[first : first + size] for first in range(0, len(some), size))


def _one_an_account(due: Sequence[Any]) -> list[list[Any]]:
    """Deal out payments so that no list holds two of one account; each keeps their order."""
    dealt: list[list[Any]] = []
    times = Counter[str]()
    for row in due:
        if times[row.account_key] == len(dealt):
            dealt.append([])
        dealt[times[row.account_key]].append(row)
        times[row.account_key] += 1
    return dealt


def claim_due(
    database: Database,
    period: str,
    today: date,
    now: datetime,
    terms: CollectionTerms,
    due: Sequence[Any],
) -> Claim:
    """
    Claim some of the payments of a run whose day has come, in the order of their keys.

    The balances are locked first and read by the next statement: a payment that is just being
    written down is waited for and counted. Of two workers one gets a payment: the books take one
    open draw of it. Of two payments of an account the second waits for the first's answer.
    """
    claim = Claim()
    claimed: set[str] = set()  # accounts
    recorded: list[dict[str, Any]] = []
    with database.writing() as books:
        lock_balances(books, (row.account_key for row in due))
        for row in read_due(books, period, today, due):
            decision = decide_draw(to_drawable(row), terms.autopay)
            if row.account_key in claimed:
                claim.waiting += 1
            elif isinstance(decision, Money):
                claimed.add(row.account_key)
                recorded.append(_to_draw(row, decision, now))
            elif decision.waits:
                claim.waiting += 1
            else:
                _cancel(books, row, decision, now, terms.who)
                claim.cancelled += 1
        claim.draws = _record_draws(books, recorded)
    return claim


def may_be_asked_again(
    database: Database, draws: Sequence[Draw], terms: CollectionTerms, now: datetime
) -> set[str]:
    """
    Return the keys of draws that may be asked for once more, under their keys.

    Since a draw was asked for a customer may have paid at the counter, or have been blocked: what
    would not be drawn now with the same amount is not asked for again, and stays in doubt. What a
    customer asked for at the checkout is his own word, but where he paid otherwise meanwhile.
    """
    ours = {one.payment_key: one for one in draws if one.is_autopay}
    by_hand = [one for one in draws if not one.is_autopay]
    with database.writing() as books:
        lock_balances_of(books, [one.key for one in draws])
        may = {one.key for one in by_hand} - paid_otherwise(books, by_hand)
        for period in sorted({one.period for one in ours.values()}):
            keys = sa.select(_PAYMENT.key, _PAYMENT.account_key).where(
                _PAYMENT.key.in_(list(ours)), _PAYMENT.period == period
            )
            today = _local_day(books, period, now)
            some = _some(period, today, books.execute(keys).all())
            for row in books.execute(_drawables(), some):
                one = ours[row.key]
                drawable = replace(to_drawable(row), amount=one.amount)
                if decide_draw(drawable, terms.autopay) == one.amount:
                    may.add(one.key)
    return may


def _local_day(books: Connection, period: str, now: datetime) -> date:
    zone = books.scalar(sa.select(bill_run.c.timezone).where(bill_run.c.period == period))
    return now.astimezone(ZoneInfo(zone or "UTC")).date()


def preview_due(
    database: Database, now: datetime, terms: CollectionTerms
) -> Iterator[tuple[Any, Any]]:
    """
    Yield each payment that is due with what would be drawn, or why nothing; changes nothing.

    Of several payments of an account the later ones find what the earlier ones would leave.
    """
    drawn: dict[str, Money] = {}
    for period, today in runs_with_due_payments(database, now):
        for due in list_due(database, period, today, terms.batch):
            with database.reading() as books:
                rows = read_due(books, period, today, due, locked=False)
            for row in rows:
                decision = decide_draw(
                    _after(to_drawable(row), drawn.get(row.account_key)), terms.autopay
                )
                if isinstance(decision, Money):
                    drawn[row.account_key] = drawn.get(row.account_key, ZERO) + decision
                yield row, decision


def _after(drawable: Drawable, drawn: Money | None) -> Drawable:
    """Return what is left to draw when something of the account was drawn before."""
    if drawn is None or drawable.open_balance is None:
        return drawable
    return replace(drawable, open_balance=drawable.open_balance - drawn)


def _to_draw(row: Any, amount: Money, now: datetime) -> dict[str, Any]:
    number = row.last_draw + 1
    return {
        "key": f"{row.key}/{number}",
        "payment_key": row.key,
        "number": number,
        "amount": amount,
        "method_token": row.method_token,
        "state": DRAW.start,
        "created_at": now,
        "lookups": 0,
    }


def _record_draws(books: Connection, rows: list[dict[str, Any]]) -> list[Draw]:
    """Record draws and return them, without those where another worker was faster."""
    if not rows:
        return []
    recording = insert_new(books.dialect.name, draw).returning(draw.c.key)
    keys = books.scalars(recording, rows).all()
    return find_draws(books, draw.c.key.in_(keys))


def _cancel(books: Connection, row: Any, reason: NoDraw, now: datetime, who: str) -> None:
    error = reason.as_error
    move_locked_payment(books, row.key, PaymentState.SCHEDULED, "cancelled", error=error)
    record_audit(books, now, who, "cancel payment", row.account, f"{row.period}: {error}")
