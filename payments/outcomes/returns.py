"""Money that goes back and comes again: returns, disputes, refunds, each as often as it happens."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import is_audited, record_audit
from database.ledger.entries import record_entries
from database.ledger.tables import balance_entry, payment_event
from database.postings import queue_posting
from database.tables import draw, gateway_payment, refund_request
from domain.ledger import BalanceEntry, EntryKind, EntrySource, of_line
from domain.money import ZERO, Money
from domain.payments import DrawState, PostingKind, RefundState
from payments.collecting.draws import DRAWN_TWICE, Draw, DrawLine, move_payment, read_draw
from payments.collecting.recording import record_declined, suspend_method
from payments.collecting.unanswered import LateApproval, take_in_approval
from payments.outcomes.again import draw_again
from payments.port import LateEvent, LateEventKind
from payments.terms import CollectionTerms
from rules.money.returns import advice_for_return, say_reason, suspends_method
from rules.money.spreading import spread

GIVEN_BACK = "given-back"  # the code of a draw that came beside another one and went back
ENTRY_KINDS = {
    LateEventKind.RETURNED: EntryKind.RETURN,
    LateEventKind.CHARGED_BACK: EntryKind.DISPUTE,
    LateEventKind.REFUNDED: EntryKind.REFUND,
    LateEventKind.REINSTATED: EntryKind.REINSTATED,
    LateEventKind.REFUND_FAILED: EntryKind.REFUND_FAILED,
}
REFUND_FAILED_END = "/failed"  # ends the id of the event that undoes a refund of ours
COMES_BACK = (EntryKind.REINSTATED, EntryKind.REFUND_FAILED)  # to us; the others go to the payer
_WORDS = {
    EntryKind.RETURN: "returned",
    EntryKind.DISPUTE: "charged back",
    EntryKind.REFUND: "refunded",
    EntryKind.REINSTATED: "reinstated",
    EntryKind.REFUND_FAILED: "refund failed",
}


class ReturnEffect(StrEnum):
    """What an event was to us."""

    KNOWN = "known"
    RECORDED = "recorded"
    TOO_MUCH = "too-much"  # recorded, since it is true: more went back than was taken
    DECLINED = "declined"  # the bank's no to a draw that had no answer
    NOT_YET = "not-yet"


def record_outcome(
    books: Connection, one: Draw, event: LateEvent, now: datetime, terms: CollectionTerms
) -> ReturnEffect:
    """
    Take in that money of a payment went back, or came again, each event once (rule 83).

    The balance is open again by that much, and the receipt reversed; what is won back is a receipt
    again. A return may cost a fee and suspends the method where its next draw would come back too;
    where only the money was missing, it is scheduled again. A bank's no to an attempt that was
    declined is known; to one without an answer it is the answer: nothing was taken, so nothing is
    reversed and no fee charged. More may go back than was taken (a refund, then a dispute of the
    whole): that is taken in as it is, and a person told once.
    """
    kind = ENTRY_KINDS[event.kind]
    event_id = _id_of(event)
    if _is_known(books, event_id):
        return ReturnEffect.KNOWN
    if kind is EntryKind.RETURN and one.code not in (DRAWN_TWICE, GIVEN_BACK):
        if one.state in (DrawState.DECLINED, DrawState.ABANDONED):
            return ReturnEffect.KNOWN
        if one.state is DrawState.ASKED:
            return _record_no(books, one, event, now, terms)
    one, landed = _taken_in(books, one, event, now, terms)
    if landed is LateApproval.NOT_YET:
        return ReturnEffect.NOT_YET
    if one.code in (DRAWN_TWICE, GIVEN_BACK):
        return _record_given_back(books, one, event, event_id, now, terms)
    return _record(books, one, event, kind, event_id, now, terms)


def note_once(
    books: Connection, subject: str, action: str, detail: str, now: datetime, who: str
) -> bool:
    """Write into the audit list what may be told several times; tell whether it is new."""
    if is_audited(books, action, subject, detail):
        return False
    record_audit(books, now, who, action, subject, detail)
    return True


def read_net(books: Connection, one: Draw) -> Money:
    """Return what the gateway has of a draw now: taken, less what went, more what came again."""
    rows = payment_event.c
    query = sa.select(rows.kind, rows.amount).where(rows.draw_key == one.key)
    moved = [
        amount if kind in COMES_BACK else -amount for kind, amount in books.execute(query).all()
    ]
    return one.amount + Money.total(moved)


def record_given_back(books: Connection, one: Draw, now: datetime, who: str) -> None:
    """Write down that a second draw went back, by a person's word; it counts for nothing."""
    entry = BalanceEntry(
        key=f"refund/{one.key}/given-back",
        account_key=one.account_key,
        kind=EntryKind.REFUND,
        amount=one.amount,
        happened_on=one.local_day(now),
        happened_at=now,
        source=one.source,
        counts=False,
        reference=one.reference,
        payment_key=one.payment_key,
    )
    record_entries(books, [entry], now=now, who=who)


def _id_of(event: LateEvent) -> str:
    """Name an event; that of our own refund has the name under which we asked for it."""
    if not event.refund_key:
        return event.event_id
    return event.refund_key + (
        REFUND_FAILED_END if event.kind is LateEventKind.REFUND_FAILED else ""
    )


def _record_no(
    books: Connection, one: Draw, event: LateEvent, now: datetime, terms: CollectionTerms
) -> ReturnEffect:
    advice = advice_for_return(event.code)
    record_declined(books, one, now, terms, code=event.code, advice=advice)
    if suspends_method(event.code, is_charge_back=False):
        suspend_method(books, one.method_token, f"declined: {say_reason(event.code)}", now)
    record_audit(books, now, terms.who, "payment declined", one.account, _detail(one, event))
    return ReturnEffect.DECLINED


def _taken_in(
    books: Connection, one: Draw, event: LateEvent, now: datetime, terms: CollectionTerms
) -> tuple[Draw, LateApproval]:
    """Take a draw for taken of which money went back: else it could not have."""
    if one.state is DrawState.APPROVED or one.code == GIVEN_BACK:
        return one, LateApproval.KNOWN
    landed = take_in_approval(
        books, one,
        reference=event.reference, at=event.happened_at, now=now, who=terms.who,
    )  # fmt: skip
    return read_draw(books, one.key) or one, landed


def _record(
    books: Connection,
    one: Draw,
    event: LateEvent,
    kind: EntryKind,
    event_id: str,
    now: datetime,
    terms: CollectionTerms,
) -> ReturnEffect:
    _keep(books, one, event, kind, event_id, now)
    net = read_net(books, one)
    _book(books, one, event, kind, event_id, net, now, terms)
    is_again = kind is EntryKind.RETURN and one.is_autopay  # by hand it was drawn once
    again = draw_again(books, one, event, now, terms) if is_again else None
    _move_payment(books, one, event, kind, net, f", drawn again on {again}" if again else "")
    if kind is EntryKind.RETURN:
        _charge_fee(books, one, event, event_id, now, terms)
    is_dispute = kind is EntryKind.DISPUTE
    if kind in (EntryKind.RETURN, EntryKind.DISPUTE) and suspends_method(
        event.code, is_charge_back=is_dispute
    ):
        reason = f"{_WORDS[kind]}: {say_reason(event.code)}"
        suspend_method(books, one.method_token, reason, now)
    detail = _detail(one, event)
    record_audit(books, now, terms.who, f"payment {_WORDS[kind]}", one.account, detail)
    if net >= ZERO:
        return ReturnEffect.RECORDED
    said = f"{one.key}: {(-net).dollars()} more went back than was taken"
    is_new = note_once(books, one.account, "more returned than taken", said, now, terms.who)
    return ReturnEffect.TOO_MUCH if is_new else ReturnEffect.RECORDED


def _book(
    books: Connection,
    one: Draw,
    event: LateEvent,
    kind: EntryKind,
    event_id: str,
    net: Money,
    now: datetime,
    terms: CollectionTerms,
) -> None:
    """Open or pay the balances by what the event moves of each line; a service fee moves apart."""
    comes_back = kind in COMES_BACK
    moved = -event.amount if comes_back else event.amount
    lines = [*(part.amount for part in one.parts), one.service_fee]
    shares = spread(moved, lines, _kept(books, one, net + moved))
    posting = PostingKind.RECEIPT if comes_back else PostingKind.REVERSAL
    for part, share in zip(one.parts, shares, strict=False):
        if share:
            entry = _to_entry(one, event, kind, event_id, share, part)
            record_entries(books, [entry], now=now, who=terms.who)
            queue_posting(books, entry, posting, now=now)
    if shares[-1]:
        fee = _to_entry(one, event, EntryKind.SERVICE_FEE, event_id, shares[-1], counts=False)
        record_entries(books, [fee], now=now, who=terms.who)
        posting = PostingKind.SERVICE_FEE if comes_back else PostingKind.SERVICE_FEE_BACK
        queue_posting(books, fee, posting, now=now)


def _kept(books: Connection, one: Draw, before: Money) -> list[Money]:
    """
    Return what is still here of each line and of the fee, of `before` in all.

    Where the payment has one line that follows from the sum: the fee is kept longest. Of several
    lines the books say what went back of each.
    """
    if len(one.parts) == 1:
        fee = min(max(before, ZERO), one.service_fee)
        return [before - fee, fee]
    rows = balance_entry.c
    query = sa.select(rows.line, rows.kind, rows.amount).where(rows.payment_key == one.payment_key)
    kept = dict.fromkeys(range(len(one.parts) + 1), ZERO)
    for line, kind, amount in books.execute(query):
        if kind is not EntryKind.FEE:
            kept[0 if kind is EntryKind.SERVICE_FEE else line] -= amount
    return [*(kept[part.number] for part in one.parts), kept[0]]


def _keep(
    books: Connection, one: Draw, event: LateEvent, kind: EntryKind, event_id: str, now: datetime
) -> None:
    """Keep the event, and that a refund of ours is done where it is one."""
    books.execute(
        payment_event.insert().values(
            event_id=event_id,
            draw_key=one.key,
            kind=kind,
            code=event.code,
            amount=event.amount,
            fee=event.fee,
            answer_by=event.answer_by,
            happened_at=event.happened_at,
            recorded_at=now,
        )
    )
    if event.refund_key and kind is EntryKind.REFUND:
        books.execute(
            refund_request.update()
            .where(
                refund_request.c.key == event.refund_key,
                refund_request.c.state != RefundState.DONE,
            )
            .values(state=RefundState.DONE, answered_at=now, reference=event.event_id[:100])
        )


def _move_payment(
    books: Connection, one: Draw, event: LateEvent, kind: EntryKind, net: Money, again: str
) -> None:
    """Move the payment to what is left of it, and say why (rule 79)."""
    is_part = event.amount != one.amount
    what = f"{_WORDS[kind]}: " + (f"{event.amount.dollars()}, " if is_part else "")
    error: str | None = what.removesuffix(", ") if not event.code else what + say_reason(event.code)
    word = "returned in part" if ZERO < net < one.amount else "returned"
    if net >= one.amount:
        word, error = "reinstated", None
    told = f"{error}{again}" if error else None
    if not move_payment(books, one.payment_key, one.payment_state, word, error=told):
        raise ValueError(f"the payment {one.payment_key} is no longer {one.payment_state}")


def _charge_fee(
    books: Connection,
    one: Draw,
    event: LateEvent,
    event_id: str,
    now: datetime,
    terms: CollectionTerms,
) -> None:
    """Charge what a return costs: for codes that the customer could have avoided, once a bill."""
    if terms.return_fee <= ZERO or event.code not in terms.return_fee_codes:
        return
    if not one.parts[0].is_of_account:
        return  # there is no account to charge it on
    rows = balance_entry.c
    of_the_bill = sa.select(gateway_payment.c.key).where(
        gateway_payment.c.period == one.period, gateway_payment.c.account_key == one.account_key
    )
    is_charged = books.scalar(
        sa.select(rows.key)
        .where(
            rows.account_key == one.account_key,
            rows.kind == EntryKind.FEE,
            rows.source.in_((EntrySource.DRAW, EntrySource.CHECKOUT)),
            rows.payment_key.in_(of_the_bill),
        )
        .limit(1)
    )
    if is_charged is None:
        fee = _to_entry(one, event, EntryKind.FEE, event_id, terms.return_fee)
        record_entries(books, [fee], now=now, who=terms.who)
        queue_posting(books, fee, PostingKind.FEE, now=now)


def _record_given_back(
    books: Connection,
    one: Draw,
    event: LateEvent,
    event_id: str,
    now: datetime,
    terms: CollectionTerms,
) -> ReturnEffect:
    """Take in that a second draw went back: the pair stands in the books and counts for nothing."""
    kind = ENTRY_KINDS[event.kind]
    _keep(books, one, event, kind, event_id, now)
    if one.code == DRAWN_TWICE:
        entry = _to_entry(one, event, kind, event_id, event.amount, counts=False)
        record_entries(books, [entry], now=now, who=terms.who)
        books.execute(draw.update().where(draw.c.key == one.key).values(code=GIVEN_BACK))
    note_once(books, one.account, "draw given back", _detail(one, event), now, terms.who)
    return ReturnEffect.RECORDED


def _to_entry(
    one: Draw,
    event: LateEvent,
    kind: EntryKind,
    event_id: str,
    amount: Money,
    part: DrawLine | None = None,
    *,
    counts: bool = True,
) -> BalanceEntry:
    """
    Say what an event does to the balance of a line: what went back is owed again, a fee besides.

    Without a line it is the payment's first account. What is of no account counts nowhere.
    """
    line = part or one.parts[0]
    is_other = not line.is_of_account and part is not None
    return BalanceEntry(
        key=of_line(f"{kind}/{event_id}", line.number if part else 1),
        account_key=line.subject_key,
        kind=EntryKind.OTHER if is_other else kind,
        amount=amount,
        happened_on=one.local_day(event.happened_at),
        happened_at=event.happened_at,
        source=one.source,
        counts=counts and line.is_of_account,
        reference=one.reference,
        payment_key=one.payment_key,
        line=line.number if part else 1,
    )


def _is_known(books: Connection, event_id: str) -> bool:
    query = sa.select(payment_event.c.event_id).where(payment_event.c.event_id == event_id)
    return books.execute(query).first() is not None


def _detail(one: Draw, event: LateEvent) -> str:
    told = (one.key, say_reason(event.code), event.amount.dollars(), f"event {event.event_id}")
    return ", ".join(part for part in told if part)  # a refund has no code
