"""The desk for payments whose outcome nobody knows: what each side says, what a person decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.tables import audit, draw, gateway_payment
from domain.failures import (
    AwaitingApproval,
    Misuse,
    OutcomeUnknown,
    PermanentFailure,
    Refused,
    TemporaryFailure,
)
from domain.payments import DrawState, PaymentState
from payments.collecting.draws import DRAWN_TWICE, Draw, find_draws, lock_draws, move_locked_payment
from payments.collecting.recording import record_approved, record_never_asked
from payments.outcomes.returns import GIVEN_BACK, record_given_back
from payments.port import DrawAnswer, DrawResult, GatewayMisuse, PaymentGateway
from payments.terms import CollectionTerms
from rules.money.drawing import NoDraw
from rules.money.retrying import drawn_again_on, may_still_ask

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
    terms: CollectionTerms = field(default_factory=CollectionTerms)


def list_doubts(
    database: Database,
    gateway: PaymentGateway,
    find_receipt: FindReceipt,
    now: datetime,
    *,
    key: str = "",
) -> list[Doubt]:
    """
    Return every draw without an answer, and those that came beside another one.

    With a draw's or a payment's `key` both sides are asked about that one alone.
    """
    waits = [(draw.c.state == DrawState.ASKED) | (draw.c.code == DRAWN_TWICE)]
    if key:
        waits.append((draw.c.key == key) | (draw.c.payment_key == key))
    with database.reading() as books:
        open_ones = find_draws(books, *waits)
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
    database: Database,
    gateway: PaymentGateway,
    key: str,
    confirmation: str,
    decision: PaymentDecision,
    *,
    insists: bool = False,
) -> None:
    """
    Take a person's word that the money was taken, under the gateway's number.

    The gateway is asked, so that a slip of the pen books nobody else's money. Raises Misuse where
    no such draw is open, and Refused for a number that is another draw's. One that the gateway
    does not know, or while it is silent, is taken from two persons who both insist: the first
    one's word is kept, and AwaitingApproval raised.
    """
    with database.reading() as books:
        one = _open_draw(books, key)
        _refuse_anothers(books, one, confirmation)
    refusal = _refusal(one, confirmation, gateway)
    if refusal is not None and not (insists and refusal.code in INSISTABLE):
        raise refusal
    with database.writing() as books:
        one = _open_draw(books, key)
        is_alone = refusal is not None and not _has_second(books, one, confirmation, decision)
        if is_alone:
            detail = f"{_insisted(one, confirmation)}{decision.reason}"
            record_audit(books, decision.at, decision.who, INSISTED, one.account, detail)
        else:
            record_approved(
                books, one, decision.at,
                reference=confirmation, at=one.asked_at, who=decision.who,
            )  # fmt: skip
            _audit(books, one, f"approved as {confirmation}", decision)
    if is_alone:
        raise AwaitingApproval(
            f"The gateway does not bear out that {one.key} was taken as {confirmation}. Your word "
            "is kept; it counts when a second person says the same with --insist."
        )


def _refuse_anothers(books: Connection, one: Draw, confirmation: str) -> None:
    is_anothers = sa.select(draw.c.key).where(
        draw.c.reference == confirmation, draw.c.key != one.key
    )
    other = books.scalar(is_anothers)
    if other is not None:
        raise Refused(
            "confirmation-of-another",
            f"{confirmation} is the confirmation of {other}, not of {one.key}; nothing was "
            "changed. See `billclose unknown` for what the gateway says of each.",
        )


def _refusal(one: Draw, confirmation: str, gateway: PaymentGateway) -> Refused | None:
    """Return why the gateway does not bear out that a draw was taken under a number."""
    try:
        answer = gateway.lookup(one.request, confirmation)
    except GatewayMisuse:
        return Refused(
            "confirmation-of-another",
            f"The gateway says that {confirmation} is not the payment of {one.key}; nothing was "
            "changed. Look it up there.",
        )
    except (TemporaryFailure, PermanentFailure, OutcomeUnknown):
        return Refused(
            "gateway-silent",
            f"The gateway did not say whether {confirmation} is the payment of {one.key}; nothing "
            "was changed. Try again; where two persons know better, both insist with --insist.",
        )
    if answer.answer is not DrawAnswer.APPROVED:
        return Refused(
            "not-at-gateway",
            f"The gateway took nothing for {one.key} ({answer.answer}), under {confirmation} or "
            "another number; nothing was changed. Where two persons know better, both insist with "
            "--insist.",
        )
    if answer.reference != confirmation or answer.amount not in (None, one.amount):
        return Refused(
            "confirmation-differs",
            f"The gateway took {answer.amount or one.amount} for {one.key} under "
            f"{answer.reference}, not {one.amount} under {confirmation}; nothing was changed. "
            "`billclose collect` takes in what the gateway says.",
        )
    return None


INSISTED = "insist on payment"
INSISTABLE = ("not-at-gateway", "gateway-silent")


def _has_second(books: Connection, one: Draw, confirmation: str, decision: PaymentDecision) -> bool:
    """Tell whether somebody else has insisted on the same before."""
    said = _insisted(one, confirmation)
    earlier = books.scalars(
        sa.select(audit.c.who).where(
            audit.c.action == INSISTED,
            audit.c.subject == one.account,
            audit.c.detail.startswith(said, autoescape=True),
        )
    )
    return any(who != decision.who for who in earlier)


def _insisted(one: Draw, confirmation: str) -> str:
    return f"{one.key} was taken as {confirmation}; "


def decide_agreed(
    database: Database, gateway: PaymentGateway, doubt: Doubt, decision: PaymentDecision
) -> None:
    """
    Take what the gateway and cash receipting both say of a draw.

    Raises Refused (`not-agreed`) where they do not agree, or no longer.
    """
    one = doubt.draw
    if doubt.agreed is Agreed.APPROVED and doubt.reference is not None:
        decide_approved(database, gateway, one.key, doubt.reference, decision)
    elif doubt.agreed is Agreed.NEVER_ARRIVED:
        decide_never_arrived(database, gateway, one.key, decision)
    else:
        raise Refused(
            "not-agreed",
            f"Of {one.key} the gateway says {doubt.gateway} and cash receipting {doubt.receipt}: "
            "decide with --approved or --never-arrived and --reason.",
        )


def decide_never_arrived(
    database: Database, gateway: PaymentGateway, key: str, decision: PaymentDecision
) -> date | None:
    """
    Take a person's word that nothing was taken; say when it is drawn after all, under a new key.

    None where it is not: too long after its due date, the customer is told to pay in another way.
    A payment by hand is over. The notices tell of the new day before it. Raises Refused where the
    gateway says that it drew the money, or while the request may still be answered: the office
    asks again by itself until then.
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
        one = _open_draw(books, key)
        record_never_asked(books, one)
        again = _draw_later(books, one, decision) if one.is_autopay else None
        planned = f"drawn again on {again}" if again else "not drawn any more"
        _audit(books, one, f"never arrived, {planned}", decision)
    return again


def _draw_later(books: Connection, one: Draw, decision: PaymentDecision) -> date | None:
    """Give a payment that was never taken its new day, or leave it out for good."""
    today = one.local_day(decision.at)
    again = drawn_again_on(
        today, due_on=one.due_on, closed=decision.terms.closed, policy=decision.terms.retry
    )
    books.execute(
        gateway_payment.update()
        .where(gateway_payment.c.key == one.payment_key)
        .values(pay_on=again or today, error=again and f"never taken, drawn again on {again}")
    )
    if again is None:
        late = NoDraw.TOO_LATE.as_error
        move_locked_payment(books, one.payment_key, PaymentState.SCHEDULED, "cancelled", error=late)
    return again


def decide_given_back(database: Database, key: str, decision: PaymentDecision) -> None:
    """Take a person's word that a draw beside another one was given back to the customer."""
    with database.writing() as books:
        found = lock_draws(books, draw.c.key == key, draw.c.code == DRAWN_TWICE)
        if not found:
            raise Misuse(
                f"No draw {key} came beside another one; see `billclose unknown`.", "unknown-draw"
            )
        books.execute(draw.update().where(draw.c.key == key).values(code=GIVEN_BACK))
        record_given_back(books, found[0], decision.at, decision.who)
        _audit(books, found[0], "given back", decision)


def _open_draw(books: Connection, key: str) -> Draw:
    """Return an open draw by its own key or its payment's; raises Misuse."""
    is_it = (draw.c.key == key) | (draw.c.payment_key == key)
    found = lock_draws(books, is_it, draw.c.state == DrawState.ASKED)
    if not found:
        raise Misuse(
            f"No payment {key} waits for a decision; see `billclose unknown`.", "unknown-payment"
        )
    return found[0]


def _audit(books: Connection, one: Draw, what: str, decision: PaymentDecision) -> None:
    detail = f"{one.key}: {what}; {decision.reason}"
    record_audit(books, decision.at, decision.who, "decide payment", one.account, detail)


def select_unknown() -> sa.Select[Any]:
    """
    Select the draws without an answer, and those that came beside another one: in doubt.

    What a customer pays by hand is in doubt as autopay's draws are; of several accounts that it
    pays the first one is named.
    """
    return (
        sa.select(
            draw.c.key,
            gateway_payment.c.account,
            gateway_payment.c.period.label("period"),
            draw.c.amount,
            draw.c.asked_at,
            draw.c.lookups,
            draw.c.next_lookup_at,
            draw.c.reference,
            draw.c.code,
            gateway_payment.c.account_key.label("_account_key"),
        )
        .join(gateway_payment, gateway_payment.c.key == draw.c.payment_key)
        .where((draw.c.state == DrawState.ASKED) | (draw.c.code == DRAWN_TWICE))
    )
