"""Writing down what became of a draw: the draw, its payment, the balance, the posting, at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.checkout import checkout
from database.inserting import insert_new
from database.ledger.entries import record_entries
from database.postings import Postable, queue_postings
from database.tables import draw, suspended_method
from domain.ledger import BalanceEntry, EntryKind, service_fee_key, taken_key
from domain.money import ZERO
from domain.payments import DRAW, PAYMENT, Advice, DrawState, PaymentState, PostingKind
from payments.collecting.draws import Draw, move_draw, move_locked_payment, move_payment
from payments.port import DrawAnswer, DrawResult
from payments.terms import CollectionTerms
from rules.money.retrying import FIRST_LOOKUP, retry_on
from rules.money.returns import say_reason

Takings = list[Postable]  # what draws took, until it is written down

NOT_FOUND = "no answer, and the gateway does not know of it"
NEVER_ARRIVED = "never-arrived"  # the error of a customer's payment that surely was not drawn
REFUSED = "refused"  # the gateway takes no such draw at all


def record_asked(books: Connection, one: Draw, reference: str, now: datetime) -> Draw:
    """Write down that a draw may have happened from here on, and return it as it stands then."""
    values = {"reference": reference, "asked_at": now, "next_lookup_at": now + FIRST_LOOKUP}
    _move_asked(books, one, **values)
    _move(books, one, "asked", amount=one.amount)
    return replace(_asked(one), reference=reference, asked_at=now)


def record_result(
    books: Connection,
    one: Draw,
    result: DrawResult,
    now: datetime,
    terms: CollectionTerms,
    taken: Takings | None = None,
) -> bool:
    """
    Write down a gateway's answer; one that it does not know of stays in doubt.

    `taken`: of `taken_together`, where other draws are written down in the same transaction.
    """
    if result.answer is DrawAnswer.DECLINED:
        code = result.code or REFUSED
        return record_declined(books, one, now, terms, code=code, advice=result.advice)
    if result.answer is DrawAnswer.NOT_FOUND:
        record_doubt(books, one, NOT_FOUND)
        return False
    if result.answer is DrawAnswer.AWAITS:
        record_awaited(books, one, result.bank_page)
        return False
    if result.amount not in (None, one.amount):
        record_doubt(books, one, f"the gateway drew {result.amount}, not {one.amount}")
        return False
    return record_approved(
        books, one, now,
        reference=result.reference, at=result.answered_at, who=terms.who, taken=taken,
    )  # fmt: skip


def record_approved(
    books: Connection,
    one: Draw,
    now: datetime,
    *,
    reference: str | None,
    at: datetime | None,
    who: str,
    taken: Takings | None = None,
) -> bool:
    """
    Write down that the money is ours; no where somebody has written it down before.

    The success, the balance and the posting are one transaction: money that was taken is never
    missing in one of them. The confirmation is the gateway's number, or that under which the draw
    was announced (rule 78).
    """
    confirmation = reference or one.reference
    taken_at = min(at or now, now)  # never after what follows from it: clocks differ
    values = {"reference": confirmation, "answered_at": taken_at, "next_lookup_at": None}
    if not move_draw(books, one, "approved", code=None, advice=None, **values):
        return False
    _move(
        books, one, "approved",
        amount=one.amount, confirmation=confirmation, taken_at=taken_at, error=None,
    )  # fmt: skip
    record_awaited(books, one, "")
    found = list(_taken(one, taken_at, confirmation))
    if taken is None:
        _record_taken(books, found, now, who)
    else:
        taken.extend(found)
    return True


@contextmanager
def taken_together(books: Connection, *, now: datetime, who: str) -> Iterator[Takings]:
    """
    Write down at the end of the block what the draws in it took: entries, balances, postings.

    A statement for all of them in the place of five for each. The block stands in the transaction
    of the draws: what fails within takes these back as well, and they are never kept without what
    they took.
    """
    taken: Takings = []
    yield taken
    _record_taken(books, taken, now, who)


def _record_taken(books: Connection, taken: Takings, now: datetime, who: str) -> None:
    record_entries(books, [entry for _, entry in taken], now=now, who=who)
    queue_postings(books, taken, now=now)


def _taken(one: Draw, taken_at: datetime, confirmation: str | None) -> Iterator[Postable]:
    """
    Yield what pays each line, and the service fee apart; they share the confirmation (rule 78).

    Only what pays an account's balance counts in it.
    """
    for line in one.parts:
        entry = BalanceEntry(
            key=taken_key(one.key, line.number),
            account_key=line.subject_key,
            kind=EntryKind.PAYMENT if line.is_of_account else EntryKind.OTHER,
            amount=-line.amount,
            happened_on=one.local_day(taken_at),
            happened_at=taken_at,
            source=one.source,
            counts=line.is_of_account,
            reference=confirmation,
            payment_key=one.payment_key,
            line=line.number,
        )
        yield PostingKind.RECEIPT, entry
    if one.service_fee > ZERO:
        fee = replace(
            entry,
            key=service_fee_key(one.key),
            account_key=one.account_key,
            kind=EntryKind.SERVICE_FEE,
            amount=-one.service_fee,
            counts=False,
            line=1,
        )
        yield PostingKind.SERVICE_FEE, fee


def record_second(
    books: Connection, one: Draw, reference: str, at: datetime, now: datetime, who: str
) -> None:
    """
    Write down a draw that landed beside another one of its payment.

    It stands in the books and counts for nothing: it is no payment of this bill, and it is not
    posted. Given back, an entry of its own takes it out again.
    """
    entries = [replace(entry, counts=False) for _, entry in _taken(one, min(at, now), reference)]
    record_entries(books, entries, now=now, who=who)


def record_declined(
    books: Connection,
    one: Draw,
    now: datetime,
    terms: CollectionTerms,
    *,
    code: str,
    advice: Advice | None,
) -> bool:
    """
    Write down a no, why (rule 79), and when the payment is drawn again, if it is.

    A method that is lost, stolen or revoked is suspended: nothing is drawn from it any more.
    """
    advice = advice or Advice.CLERK
    values = {"code": code, "advice": advice, "answered_at": now, "next_lookup_at": None}
    if not move_draw(books, one, "declined", **values):
        return False
    record_awaited(books, one, "")
    today = one.local_day(now)
    again = _retry_on(books, one, advice, today, terms) if one.is_autopay else None
    error = f"declined: {say_reason(code)}"
    _move(books, one, "declined", error=error)
    if again is not None:
        move_locked_payment(
            books, one.payment_key, PaymentState.DECLINED, "tried again",
            pay_on=again, error=f"{error}, drawn again on {again}",
        )  # fmt: skip
    if advice is Advice.NEVER:
        suspend_method(books, one.method_token, error, now)
    return True


def record_refused(books: Connection, one: Draw, now: datetime, terms: CollectionTerms) -> None:
    """
    Write down that the gateway takes no such draw: a decline that a clerk looks into.

    Raises ValueError where the draw is no longer as it was read.
    """
    _move_asked(books, one, asked_at=now)
    _move(books, one, "asked")
    record_declined(books, _asked(one), now, terms, code=REFUSED, advice=Advice.CLERK)


def record_doubt(books: Connection, one: Draw, error: str) -> None:
    """Write down that a draw may have happened: it is looked up, and never asked anew."""
    if one.payment_state is PaymentState.SUBMITTED:
        move_payment(books, one.payment_key, PaymentState.SUBMITTED, "no answer", error=error[:300])


def record_awaited(books: Connection, one: Draw, bank_page: str) -> None:
    """Write down where a customer's bank awaits them; empty: it does no more."""
    if one.bank_page != bank_page:
        mine = checkout.c.payment_key == one.payment_key
        books.execute(checkout.update().where(mine).values(bank_page=bank_page))


def record_never_asked(books: Connection, one: Draw) -> bool:
    """
    Write down that a draw surely has not happened and never will: its payment waits again.

    What a customer began by hand is over: nothing was taken, and nobody draws it later.
    """
    if not move_draw(books, one, "abandoned", next_lookup_at=None):
        return False
    record_awaited(books, one, "")
    if one.state is DrawState.ASKED:
        _move(books, one, "never arrived", error=None)
    if not one.is_autopay:
        move_payment(
            books, one.payment_key, PaymentState.SCHEDULED, "cancelled", error=NEVER_ARRIVED
        )
    return True


def suspend_method(books: Connection, token: str, reason: str, now: datetime) -> None:
    """Draw nothing from a payment method any more, until somebody lifts it."""
    row = {"method_token": token, "since": now, "reason": reason[:200]}
    books.execute(insert_new(books.dialect.name, suspended_method).values(row))


def _retry_on(
    books: Connection, one: Draw, advice: Advice, today: date, terms: CollectionTerms
) -> date | None:
    declines = books.scalar(
        sa.select(sa.func.count())
        .select_from(draw)
        .where(draw.c.payment_key == one.payment_key, draw.c.state == DrawState.DECLINED)
    )
    return retry_on(
        advice, declines or 1,
        today=today, due_on=one.due_on, closed=terms.closed, policy=terms.retry,
    )  # fmt: skip


def _move_asked(books: Connection, one: Draw, **values: Any) -> None:
    if not move_draw(books, one, "asked", **values):
        raise ValueError(f"the draw {one.key} is no longer {one.state}")


def _move(books: Connection, one: Draw, event: str, **values: Any) -> None:
    """Move a draw's payment along with it; raises ValueError where they no longer agree."""
    if not move_payment(books, one.payment_key, one.payment_state, event, **values):
        raise ValueError(f"the payment {one.payment_key} is no longer {one.payment_state}")


def _asked(one: Draw) -> Draw:
    return replace(
        one,
        state=DRAW.after(one.state, "asked"),
        payment_state=PAYMENT.after(one.payment_state, "asked"),
    )
