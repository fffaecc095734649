"""The desk for payments whose outcome nobody knows: what each side says, what a person decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.tables import draw, scheduled_payment
from domain.failures import Misuse, OutcomeUnknown, PermanentFailure, Refused, TemporaryFailure
from domain.payments import DrawState
from payments.collecting.draws import DRAWN_TWICE, Draw, find_draws, lock_draws
from payments.collecting.recording import record_approved, record_never_asked
from payments.outcomes.returns import GIVEN_BACK
from payments.port import DrawAnswer, DrawResult, GatewayMisuse, PaymentGateway
from rules.retrying import may_still_ask

NO_ANSWER = "no answer"
NONE_THERE = "none"
FindReceipt = Callable[[Draw], str | None]  # cash receipting's number; None: it has none


class Agreed(StrEnum):
    """What the gateway and cash receipting both say."""

    APPROVED = "approved"
    NEVER_ARRIVED = "never-arrived"


@dataclass(frozen=True, slots=True)
class Doubt:
    """
    One draw that a person may decide about: what the three sides say of it.

    `gateway` is its answer now, `receipt` cash receipting's number; each may be NO_ANSWER.
    """

    draw: Draw
    gateway: str
    reference: str | None  # the gateway's number, where it knows the draw
    receipt: str
    agreed: Agreed | None


@dataclass(frozen=True, slots=True)
class PaymentDecision:
    """Who decided, why, and when."""

    who: str
    reason: str
    at: datetime


def list_doubts(
    database: Database, gateway: PaymentGateway, find_receipt: FindReceipt, now: datetime
) -> list[Doubt]:
    """Return every draw without an answer, and those that came beside another one."""
    with database.reading() as books:
        open_ones = find_draws(
            books, (draw.c.state == DrawState.ASKED) | (draw.c.code == DRAWN_TWICE)
        )
    return [_ask_all(one, gateway, find_receipt, now) for one in open_ones]


def _ask_all(one: Draw, gateway: PaymentGateway, find_receipt: FindReceipt, now: datetime) -> Doubt:
    answer = _ask(one, gateway)
    said: str = NO_ANSWER if answer is None else answer.answer
    try:
        receipt = find_receipt(one) or NONE_THERE
    except (TemporaryFailure, PermanentFailure, OutcomeUnknown):
        receipt = NO_ANSWER
    reference = answer.reference if answer else None
    return Doubt(one, said, reference, receipt, _agreed(one, gateway, said, receipt, now))


def _ask(one: Draw, gateway: PaymentGateway) -> DrawResult | None:
    try:
        return gateway.lookup(one.request, one.reference)
    except (TemporaryFailure, PermanentFailure, OutcomeUnknown, GatewayMisuse):
        return None


def _agreed(
    one: Draw, gateway: PaymentGateway, said: str, receipt: str, now: datetime
) -> Agreed | None:
    if one.state is not DrawState.ASKED or receipt == NO_ANSWER:
        return None
    if said == DrawAnswer.APPROVED and receipt != NONE_THERE:
        return Agreed.APPROVED
    may_land = one.asked_at is None or may_still_ask(one.asked_at, now, gateway.key_window)
    is_nowhere = said in (DrawAnswer.NOT_FOUND, DrawAnswer.DECLINED) and receipt == NONE_THERE
    return Agreed.NEVER_ARRIVED if is_nowhere and not may_land else None


def decide_approved(
    database: Database, key: str, confirmation: str, decision: PaymentDecision
) -> None:
    """
    Take a person's word that the money was taken, under the gateway's number.

    Raises Misuse where no such draw is open.
    """
    with database.writing() as books:
        one = _open_draw(books, key)
        record_approved(
            books, one, decision.at, reference=confirmation, at=one.asked_at, who=decision.who
        )
        _audit(books, one, f"approved as {confirmation}", decision)


def decide_never_arrived(
    database: Database, gateway: PaymentGateway, key: str, decision: PaymentDecision
) -> None:
    """
    Take a person's word that nothing was taken; the payment is due again, under a new key.

    Raises Refused where the gateway says that it drew the money, or while the request may still
    be answered: the office asks again by itself until then.
    """
    with database.reading() as books:
        one = _open_draw(books, key)
    answer = _ask(one, gateway)
    if answer is not None and answer.answer is DrawAnswer.APPROVED:
        raise Refused(
            "gateway-approved",
            f"The gateway drew {key} under {answer.reference}; `billclose collect` takes it in.",
        )
    if one.asked_at is None or may_still_ask(one.asked_at, decision.at, gateway.key_window):
        raise Refused(
            "too-early",
            f"{key} is still looked up and asked again by itself; decide a day after it was asked.",
        )
    with database.writing() as books:
        record_never_asked(books, _open_draw(books, key))
        _audit(books, one, "never arrived", decision)


def decide_given_back(database: Database, key: str, decision: PaymentDecision) -> None:
    """Take a person's word that a draw beside another one was given back to the customer."""
    with database.writing() as books:
        found = lock_draws(books, draw.c.key == key, draw.c.code == DRAWN_TWICE)
        if not found:
            raise Misuse(f"No draw {key} came beside another one; see `billclose unknown`.")
        books.execute(draw.update().where(draw.c.key == key).values(code=GIVEN_BACK))
        _audit(books, found[0], "given back", decision)


def _open_draw(books: Connection, key: str) -> Draw:
    """Return an open draw by its own key or its payment's; raises Misuse."""
    is_it = (draw.c.key == key) | (draw.c.payment_key == key)
    found = lock_draws(books, is_it, draw.c.state == DrawState.ASKED)
    if not found:
        raise Misuse(f"No payment {key} waits for a decision; see `billclose unknown`.")
    return found[0]


def _audit(books: Connection, one: Draw, what: str, decision: PaymentDecision) -> None:
    detail = f"{one.key}: {what}; {decision.reason}"
    record_audit(books, decision.at, decision.who, "decide payment", one.account, detail)


def select_unknown() -> sa.Select[Any]:
    """Select the draws without an answer, and those that came beside another one: in doubt."""
    return (
        sa.select(
            draw.c.key,
            scheduled_payment.c.account,
            scheduled_payment.c.run.label("period"),
            draw.c.amount,
            draw.c.asked_at,
            draw.c.lookups,
            draw.c.next_lookup_at,
            draw.c.reference,
            draw.c.code,
            scheduled_payment.c.account_key.label("_account_key"),
        )
        .join(scheduled_payment, scheduled_payment.c.key == draw.c.payment_key)
        .where((draw.c.state == DrawState.ASKED) | (draw.c.code == DRAWN_TWICE))
    )
