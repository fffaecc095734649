"""Giving money back: written down before it is asked for, and given back once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.ledger.tables import payment_event
from database.tables import draw, refund_request
from domain.failures import Misuse, PermanentFailure, Refused
from domain.money import ZERO, Money
from domain.payments import DrawState, RefundState
from payments.collecting.draws import DRAWN_TWICE, Draw, lock_draws
from payments.outcomes.returns import REFUND_FAILED_END, read_net, record_outcome
from payments.port import LateEvent, LateEventKind, PaymentGateway
from payments.terms import CollectionTerms
from rules.money.retrying import may_still_ask

_ROWS = refund_request.c
OVERLAP = timedelta(hours=1)  # the gateway's clock is not ours


@dataclass(frozen=True, slots=True)
class RefundDone:
    """
    What was given back, of which account.

    `was_open`: by an asking of before that had no answer; `already`: before, and not once more.
    """

    key: str
    account: str
    amount: Money
    reference: str
    was_open: bool
    already: bool = False


def say_given_back_before(confirmation: str, done: RefundDone) -> str:
    """Say that nothing was given back this time, and how the same amount would be once more."""
    return (
        f"{done.amount.dollars()} of {confirmation} was given back for this reason already, as "
        f"{done.reference}; nothing more was given back. To give as much back once more give "
        "another reason."
    )


def refund_payment(
    database: Database,
    gateway: PaymentGateway,
    confirmation: str,
    amount: Money | None,
    reason: str,
    now: datetime,
    terms: CollectionTerms,
) -> RefundDone:
    """
    Give a payment back, or a part of it; without an amount, all that is left of it.

    The refund is written down under a key of its own before it is asked for: run again after a
    crash or a lost answer, it is asked under the same key, which gives back once. One amount is
    given back of a payment for one reason once: who runs it again, or does not know whether it was
    done, gives nothing back a second time. The balance is
    open again by that much and a reversal is posted. Raises Misuse where no payment of that number
    was taken and for an amount that is not above zero, Refused for more than is left, for another
    amount while one is open, and where the gateway says no; TemporaryFailure and OutcomeUnknown
    leave it asked.
    """
    asked = _ask(database, confirmation, amount, reason, now, terms)
    if isinstance(asked, RefundDone):
        return asked
    key, one, amount, was_open, asked_at = asked
    reference = _give_back(database, gateway, key, one, amount, asked_at, now)
    event = LateEvent(
        reference, LateEventKind.REFUNDED, one.key, one.reference or "", amount, "", now, key
    )
    with database.writing() as books:
        (fresh,) = lock_draws(books, draw.c.key == one.key)
        record_outcome(books, fresh, event, now, terms)
        books.execute(
            refund_request.update()
            .where(_ROWS.key == key)
            .values(state=RefundState.DONE, answered_at=now, reference=reference[:100], error=None)
        )
    return RefundDone(key, one.account, amount, reference, was_open)


def _ask(
    database: Database,
    confirmation: str,
    amount: Money | None,
    reason: str,
    now: datetime,
    terms: CollectionTerms,
) -> tuple[str, Draw, Money, bool, datetime] | RefundDone:
    if amount is not None and amount <= ZERO:
        raise Misuse(
            f"{amount.dollars()} cannot be given back; name an amount above zero, or none for all "
            "that is left.",
            "unreadable-amount",
        )
    with database.writing() as books:
        found = lock_draws(books, draw.c.reference == confirmation)
        if not found or not _was_taken(found[0]):
            raise Misuse(
                f"No payment was taken under {confirmation}; `billclose list completed-payments` "
                "has the confirmations.",
                "unknown-payment",
            )
        one = found[0]
        open_one = _open_request(books, one)
        if open_one is not None:
            if amount not in (None, open_one.amount):
                raise Refused(
                    "refund-open",
                    f"A refund of {open_one.amount.dollars()} of {confirmation} is open; give it "
                    "back first: run it again without --amount.",
                )
            return open_one.key, one, open_one.amount, True, open_one.asked_at
        left = read_net(books, one)
        done = _done_before(books, one, amount, left, reason)
        if done is not None:
            return done
        if left <= ZERO:
            raise Refused(
                "refund-too-much",
                f"Nothing of {confirmation} is left to be given back; nothing was changed.",
            )
        amount = left if amount is None else amount
        if amount > left:
            raise Refused(
                "refund-too-much",
                f"Of {confirmation} {left.dollars()} can be given back, not {amount.dollars()}; "
                "nothing was changed.",
            )
        return _record(books, one, amount, reason, now, terms), one, amount, False, now


def _was_taken(one: Draw) -> bool:
    return one.state is DrawState.APPROVED or one.code == DRAWN_TWICE


def _open_request(books: Connection, one: Draw) -> Any:
    query = sa.select(refund_request).where(
        _ROWS.draw_key == one.key, _ROWS.state == RefundState.ASKED
    )
    return books.execute(query).first()


def _done_before(
    books: Connection, one: Draw, amount: Money | None, left: Money, reason: str
) -> RefundDone | None:
    """
    Return the refund of this amount for this reason that stands already.

    Without an amount it is the one that left nothing. One that failed later gave nothing back: it
    may be asked for anew.
    """
    if amount is None and left > ZERO:
        return None
    failed = sa.exists().where(payment_event.c.event_id == _ROWS.key.concat(REFUND_FAILED_END))
    query = (
        sa.select(refund_request)
        .where(
            _ROWS.draw_key == one.key,
            _ROWS.state == RefundState.DONE,
            _ROWS.reason == reason,
            ~failed,
        )
        .order_by(_ROWS.answered_at.desc(), _ROWS.key.desc())
    )
    if amount is not None:
        query = query.where(_ROWS.amount == amount)
    found = books.execute(query).first()
    if found is None:
        return None
    return RefundDone(
        found.key, one.account, found.amount, found.reference or "", was_open=False, already=True
    )


def _record(
    books: Connection, one: Draw, amount: Money, reason: str, now: datetime, terms: CollectionTerms
) -> str:
    count = books.scalar(
        sa.select(sa.func.count()).select_from(refund_request).where(_ROWS.draw_key == one.key)
    )
    key = f"refund/{one.key}/{(count or 0) + 1}"
    books.execute(
        refund_request.insert().values(
            key=key,
            draw_key=one.key,
            amount=amount,
            reason=reason,
            state=RefundState.ASKED,
            asked_at=now,
            asked_by=terms.who,
        )
    )
    detail = f"{key}, {amount.dollars()}; {reason}"
    record_audit(books, now, terms.who, "refund payment", one.account, detail)
    return key


def _give_back(
    database: Database,
    gateway: PaymentGateway,
    key: str,
    one: Draw,
    amount: Money,
    asked_at: datetime,
    now: datetime,
) -> str:
    """
    Ask the gateway, and return its number of the refund.

    While it keeps our key, it is asked under it again. After that it is looked up first among what
    it tells: under a key that it has forgotten it would give back a second time.
    """
    if not may_still_ask(asked_at, now, gateway.key_window):
        for event in gateway.late_events(asked_at - OVERLAP):
            if event.kind is LateEventKind.REFUNDED and event.refund_key == key:
                return event.event_id
    try:
        return gateway.refund(one.reference or "", amount, key).reference
    except PermanentFailure as failure:
        with database.writing() as books:
            books.execute(
                refund_request.update()
                .where(_ROWS.key == key, _ROWS.state == RefundState.ASKED)
                .values(state=RefundState.REFUSED, answered_at=now, error=str(failure)[:300])
            )
        raise Refused("refund-refused", f"{failure} Nothing was given back.") from None
