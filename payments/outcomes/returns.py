"""Money that went back: returns of the bank and charge-backs of card holders."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import is_audited, record_audit
from database.ledger.entries import record_entries
from database.ledger.tables import payment_event
from database.postings import queue_posting
from database.tables import draw, scheduled_payment
from domain.ledger import BalanceEntry, EntryKind, EntrySource
from domain.money import ZERO, Money
from domain.payments import PAYMENT, DrawState, PaymentState, PostingKind
from payments.collecting.draws import DRAWN_TWICE, Draw, move_payment, read_draw
from payments.collecting.recording import suspend_method
from payments.collecting.unanswered import Landed, take_in_approval
from payments.port import EventKind, LateEvent
from payments.scheduling.scheduling import payment_key
from payments.terms import Terms
from rules.returns import again_on, suspends_method


def draw_again(
    books: Connection, one: Draw, event: LateEvent, now: datetime, terms: Terms
) -> date | None:
    """
    Schedule a returned draw once more where that is allowed; return its day, None where it is not.

    It is a payment beside the one that was returned: each has its own confirmation, receipt and
    reversal (rule 78), and both stand in the list of payments. The amount is the same, without any
    fee, as Nacha asks; like every payment it is looked at anew on its day.
    """
    first_at = _first_taken_at(books, one)
    if event.amount != one.amount or first_at is None:
        return None
    pay_on = again_on(
        event.code,
        one.method_kind,
        one.payment_number,
        first_on=one.local_day(first_at),
        today=one.local_day(now),
        closed=terms.closed,
        policy=terms.again,
    )
    if pay_on is not None:
        books.execute(scheduled_payment.insert().values(_row(one, pay_on, now)))
    return pay_on


def _first_taken_at(books: Connection, one: Draw) -> datetime | None:
    rows = scheduled_payment.c
    moment: datetime | None = books.scalar(
        sa.select(rows.taken_at).where(
            rows.run == one.run, rows.account_key == one.account_key, rows.number == 1
        )
    )
    return moment


def _row(one: Draw, pay_on: date, now: datetime) -> dict[str, Any]:
    number = one.payment_number + 1
    return {
        "key": f"{payment_key(one.run, one.account_key)}/again{number}",
        "run": one.run,
        "account_key": one.account_key,
        "account": one.account,
        "number": number,
        "pay_on": pay_on,
        "amount": one.amount,
        "method_token": one.method_token,
        "method_kind": one.method_kind,
        "last4": one.last4,
        "immediate": False,
        "state": PAYMENT.start,
        "scheduled_at": now,
    }


GIVEN_BACK = "given-back"  # the code of a draw that came beside another one and went back


class Returned(StrEnum):
    """What a return was to us."""

    KNOWN = "known"
    RECORDED = "recorded"
    ALARM = "alarm"  # it makes no sense: a person reads it
    NOT_YET = "not-yet"


def record_return(
    books: Connection, one: Draw, event: LateEvent, now: datetime, terms: Terms
) -> Returned:
    """
    Take in that a payment was returned, once (rule 83).

    The payment is returned, the balance open again, the receipt reversed, a fee charged where the
    office has one, and the method suspended where its next draw would come back too. Where only
    the money was missing, it is scheduled again (payments/drawing_again.py). A return of a draw
    that was never known as drawn is taken in as both.
    """
    if _is_known(books, event.event_id):
        return Returned.KNOWN
    if one.state is not DrawState.APPROVED:
        landed = take_in_approval(
            books, one,
            reference=event.reference, at=event.happened_at, now=now, who=terms.who,
        )  # fmt: skip
        if landed is Landed.NOT_YET:
            return Returned.NOT_YET
        one = read_draw(books, one.key) or one
    if one.code == DRAWN_TWICE:
        books.execute(draw.update().where(draw.c.key == one.key).values(code=GIVEN_BACK))
        note_once(books, one.account, "draw given back", _detail(one, event), now, terms.who)
        return Returned.RECORDED
    if one.state is not DrawState.APPROVED or one.payment_state is not PaymentState.SUCCEEDED:
        is_new = note_once(
            books, one.account, "unexpected return", _detail(one, event), now, terms.who
        )
        return Returned.ALARM if is_new else Returned.KNOWN
    _record(books, one, event, now, terms)
    return Returned.RECORDED


def note_once(
    books: Connection, subject: str, action: str, detail: str, now: datetime, who: str
) -> bool:
    """Write into the audit list what may be told several times; tell whether it is new."""
    if is_audited(books, action, subject, detail):
        return False
    record_audit(books, now, who, action, subject, detail)
    return True


def _record(books: Connection, one: Draw, event: LateEvent, now: datetime, terms: Terms) -> None:
    is_charge_back = event.kind is EventKind.CHARGED_BACK
    word = "charged back" if is_charge_back else "returned"
    kind = EntryKind.DISPUTE if is_charge_back else EntryKind.RETURN
    books.execute(
        payment_event.insert().values(
            event_id=event.event_id,
            draw_key=one.key,
            kind=kind,
            code=event.code,
            amount=event.amount,
            fee=ZERO,
            happened_at=event.happened_at,
            recorded_at=now,
        )
    )
    error = f"{word}: {event.code}"
    again = None if is_charge_back else draw_again(books, one, event, now, terms)
    told = f"{error}, drawn again on {again}" if again else error
    if not move_payment(books, one.payment_key, PaymentState.SUCCEEDED, "returned", error=told):
        raise ValueError(f"the payment {one.payment_key} is no longer succeeded")
    entry = _to_entry(one, event, kind, event.amount)
    record_entries(books, [entry], now=now, who=terms.who)
    queue_posting(books, entry, PostingKind.REVERSAL, now=now)
    if terms.return_fee > ZERO and not is_charge_back:
        fee = _to_entry(one, event, EntryKind.FEE, terms.return_fee)
        record_entries(books, [fee], now=now, who=terms.who)
        queue_posting(books, fee, PostingKind.FEE, now=now)
    if suspends_method(event.code, is_charge_back=is_charge_back):
        suspend_method(books, one.method_token, error, now)
    record_audit(books, now, terms.who, f"payment {word}", one.account, _detail(one, event))


def _to_entry(one: Draw, event: LateEvent, kind: EntryKind, amount: Money) -> BalanceEntry:
    """Say what an event does to the balance: what went back is owed again, a fee besides."""
    return BalanceEntry(
        key=f"{kind}/{event.event_id}",
        account_key=one.account_key,
        kind=kind,
        amount=amount,
        happened_on=one.local_day(event.happened_at),
        happened_at=event.happened_at,
        source=EntrySource.DRAW,
        reference=one.reference,
        payment_key=one.payment_key,
    )


def _is_known(books: Connection, event_id: str) -> bool:
    query = sa.select(payment_event.c.event_id).where(payment_event.c.event_id == event_id)
    return books.execute(query).first() is not None


def _detail(one: Draw, event: LateEvent) -> str:
    return f"{one.key}, {event.code}, {event.amount.dollars()}, event {event.event_id}"
