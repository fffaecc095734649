"""What became of each payment: asked, answered, posted, come back, refused."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.ledger.tables import balance_entry, payment_event
from database.tables import draw, gateway_payment, posting, refund_request
from domain.ledger import EntryKind
from domain.money import Money
from domain.payments import (
    DrawState,
    PaymentKind,
    PaymentState,
    PostingKind,
    PostingState,
    RefundState,
)
from office.lookup.why.by_hand import is_told_in, paid_lines
from office.lookup.why.sentences import Case, Sentence, Sentences, Topic, say_day
from rules.money.returns import say_reason

BACK = {
    EntryKind.RETURN: "the bank took it back",
    EntryKind.REFUND: "it was given back",
    EntryKind.DISPUTE: "the card holder's bank took it back",
    EntryKind.REINSTATED: "a dispute was won, and the money is ours again",
    EntryKind.REFUND_FAILED: "it could not be given back, and is ours still",
}
POSTED = {
    PostingKind.RECEIPT: "the receipt",
    PostingKind.REVERSAL: "the reversal",
    PostingKind.FEE: "the return fee",
    PostingKind.SERVICE_FEE: "the service fee",
    PostingKind.SERVICE_FEE_BACK: "the service fee that went back",
}


def why_payments(case: Case) -> Sentences:
    """Say of each payment of the period how it stands, and why it was refused or came back."""
    payments, lines = gateway_payment.c, paid_lines(case)
    query = (
        sa.select(gateway_payment)
        .where(
            is_told_in(case),
            (payments.account_key == case.account_key) | payments.key.in_(list(lines)),
        )
        .order_by(payments.scheduled_at, payments.key)
    )
    for row in case.rows(query):
        yield _of_the_payment(case, row, lines.get(row.key))
        for each in case.rows(sa.select(draw).where(draw.c.payment_key == row.key)):
            yield _of_the_draw(case, each)
            yield from _of_refunds(case, each)
            yield from _of_what_came_back(case, each)
        for each in case.rows(_postings(case, row)):
            yield _of_the_posting(case, each)


def _postings(case: Case, row: Any) -> sa.Select[Any]:
    """Select what was entered of a payment for this account; its first one has what is no line."""
    entry = balance_entry.c
    mine = entry.account_key == case.account_key
    if row.account_key == case.account_key:
        mine |= entry.kind == EntryKind.OTHER
    return (
        sa.select(posting)
        .join(balance_entry, entry.key == posting.c.entry_key)
        .where(posting.c.payment_key == row.key, mine)
        .order_by(posting.c.created_at, posting.c.key)
    )


def _of_the_payment(case: Case, row: Any, mine: Money | None) -> Sentence:
    """Say how a payment stands; `mine` is what it pays here, where it was made by hand."""
    who = "Autopay's payment" if row.kind is PaymentKind.AUTOPAY else "The customer's payment"
    part = f" ({mine.dollars()} of it for this account)" if mine and mine != row.amount else ""
    text = f"{who} of {row.amount.dollars()}{part} {_stands(case, row)}"
    return Sentence(Topic.PAYMENT, text, _RULES.get(row.state, ()), row.key)


def _stands(case: Case, row: Any) -> str:
    confirmed = f", confirmation {row.confirmation}" if row.confirmation else ""
    match row.state:
        case PaymentState.SCHEDULED:
            if row.pay_on <= case.today:
                return f"is due since {say_day(row.pay_on)} and not drawn yet: `collect` draws it"
            return f"waits for {say_day(row.pay_on)}"
        case PaymentState.SUBMITTED:
            return "was asked of the gateway, whose answer is not written down yet"
        case PaymentState.UNKNOWN:
            return (
                "was asked of the gateway and the answer was lost: it is looked up, never repeated"
            )
        case PaymentState.SUCCEEDED:
            return f"was taken {case.say_time(row.taken_at)}{confirmed}"
        case PaymentState.DECLINED:
            return f"was declined: {row.error or 'the gateway gave no reason'}"
        case PaymentState.CANCELLED:
            return f"was taken off the schedule before it was asked: {row.error or 'autopay ended'}"
        case PaymentState.RETURNED_IN_PART:
            return f"was taken {case.say_time(row.taken_at)}{confirmed}, and a part went back"
        case _:
            return f"was taken {case.say_time(row.taken_at)}{confirmed}, and all of it went back"


_RULES = {
    PaymentState.SCHEDULED: ("80",),
    PaymentState.SUBMITTED: ("80",),
    PaymentState.UNKNOWN: ("80", "ruling 2"),
    PaymentState.SUCCEEDED: ("78",),
    PaymentState.DECLINED: ("79",),
    PaymentState.RETURNED: ("78", "79"),
    PaymentState.RETURNED_IN_PART: ("78", "79"),
    PaymentState.CANCELLED: ("66",),
}


def _of_the_draw(case: Case, row: Any) -> Sentence:
    asked = f"Asked {case.say_time(row.asked_at)} for {row.amount.dollars()}, the gateway"
    match row.state:
        case DrawState.CREATED:
            text = f"A draw of {row.amount.dollars()} is written down and not asked for yet"
        case DrawState.ASKED:
            text = f"{asked} has not answered; it was looked up {row.lookups} times"
        case DrawState.APPROVED:
            text = f"{asked} said yes {case.say_time(row.answered_at)}"
        case DrawState.DECLINED:
            advice = f", which means: {row.advice}" if row.advice else ""
            text = (
                f"{asked} said no {case.say_time(row.answered_at)}: {say_reason(row.code)}{advice}"
            )
        case _:
            text = f"A draw of {row.amount.dollars()} surely never happened and was given up"
    return Sentence(Topic.PAYMENT, text, ("78", "79"), row.key)


def _of_refunds(case: Case, row: Any) -> Sentences:
    """Say of each refund that the office asked for what the gateway answered."""
    asked = refund_request.c
    query = sa.select(refund_request).where(asked.draw_key == row.key).order_by(asked.asked_at)
    for one in case.rows(query):
        text = (
            f"{one.asked_by} asked {case.say_time(one.asked_at)} to give {one.amount.dollars()} "
            f"back ({one.reason}); "
        )
        match one.state:
            case RefundState.DONE:
                text += f"the gateway did {case.say_time(one.answered_at)}"
            case RefundState.REFUSED:
                text += f"the gateway refused: {one.error or 'it gave no reason'}"
            case _:
                text += "the gateway has not answered, and is asked again under the same key"
        yield Sentence(Topic.PAYMENT, text, ("79",), one.key)


def _of_what_came_back(case: Case, row: Any) -> Sentences:
    events = payment_event.c
    for event in case.rows(
        sa.select(payment_event).where(events.draw_key == row.key).order_by(events.happened_at)
    ):
        code = f", code {say_reason(event.code)}" if event.code else ""
        text = (
            f"Of the draw {event.amount.dollars()}: {BACK.get(event.kind, event.kind)} "
            f"{case.say_time(event.happened_at)}{code}"
        )
        yield Sentence(Topic.PAYMENT, text, ("39", "79"), event.event_id)


def _of_the_posting(case: Case, row: Any) -> Sentence:
    what = f"{POSTED[row.kind].capitalize()} of {row.amount.dollars()}"
    match row.state:
        case PostingState.POSTED:
            text = (
                f"{what} was entered in cash receipting {case.say_time(row.posted_at)}, "
                f"receipt {row.receipt or 'by hand'}"
            )
        case PostingState.REJECTED:
            text = f"{what} is not in cash receipting: {row.error}; a person must look"
        case PostingState.SUBMITTED:
            text = f"{what} was given to cash receipting, which has not answered yet"
        case _:
            why = row.error or "not tried yet"
            again = f"it is tried again {case.say_time(row.next_retry_at)}"
            text = f"{what} waits to be entered in cash receipting: {why}; {again}"
    return Sentence(Topic.PAYMENT, text, ("84", "85", "87"), row.key)
